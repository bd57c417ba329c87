"""Read what is expected: strictly, because an expectation that nothing looks at is met by everything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, get_args

from hub.rules.problems import suggestion
from hub.rules.routes.document import Reading, at, shown
from hub.rules.routes.matchers import MATCHERS
from hub.rules.trials.comparing import EXACTLY, is_matcher
from hub.rules.trials.model import Expected, Outcome

_KEYS: Final = ("outcome", "because", "calls", "steps", "not_called", "warnings")
_STEP_KEYS: Final = ("with", "status", "attempts", "output", "error")
_STATUSES: Final = (
    "completed",
    "skipped",
    "failed",
    "timed_out",
    "waiting",
    "retrying",
    "begun",
    "not_reached",
)
OUTCOMES: Final[tuple[str, ...]] = get_args(Outcome)


def read_expected(
    reading: Reading, value: object, pointer: str, steps: frozenset[str], actions: frozenset[str]
) -> Expected | None:
    """Read one map of expectations.

    Args:
        reading: Takes the problems.
        value: As written.
        pointer: Where it stands.
        steps: Ids of steps that it may name.
        actions: Those that the route uses.
    """
    expected = reading.map(value, pointer, noun="`expect`", keys=_KEYS)
    if not expected:
        if isinstance(value, Mapping):
            why, fix = "it would pass, whatever happens", "Write outcome: completed, calls: or steps:"
            reading.refuse(pointer, "the test expects nothing", why, fix)
        return None
    _check_matchers(reading, expected, pointer)
    return Expected(
        pointer=pointer,
        outcome=reading.one_of(
            expected.get("outcome"), at(pointer, "outcome"), OUTCOMES, noun="`outcome`", default=None
        ),
        because=expected.get("because"),
        calls=_calls(reading, expected, pointer, actions),
        steps=_steps(reading, expected, pointer, steps),
        not_called=_not_called(reading, expected, pointer, actions),
        warnings=_warnings(reading, expected.get("warnings"), at(pointer, "warnings")),
    )


def _calls(
    reading: Reading, expected: Mapping[str, Any], pointer: str, actions: frozenset[str]
) -> tuple[Any, ...] | None:
    if "calls" not in expected:
        return None
    here, written = at(pointer, "calls"), expected["calls"]
    if not isinstance(written, list):
        fix = "Write [message.reply], or [] for none"
        reading.refuse(here, f"`calls` is {shown(written)}", "it is a list of actions in their order", fix)
        return None
    for place, each in enumerate(written):
        name = each
        if isinstance(each, Mapping):
            call = reading.map(each, at(here, place), noun="a call", keys=("use", "with"))
            name = reading.required(
                call, "use", at(here, place), noun="a call", fix="Write use: message.reply"
            )
        if name is not None:
            _require_action(reading, name, at(here, place), actions)
    return tuple(written)


def _not_called(
    reading: Reading, expected: Mapping[str, Any], pointer: str, actions: frozenset[str]
) -> tuple[str, ...]:
    here = at(pointer, "not_called")
    found = reading.texts(expected.get("not_called"), here, noun="an action")
    for name in found:
        _require_action(reading, name, here, actions)
    return found


def _require_action(reading: Reading, name: object, pointer: str, actions: Iterable[str]) -> None:
    known = sorted(actions)
    if name not in known:
        near = suggestion(str(name), known)
        fix = f"Did you mean {near}" if near else f"It uses {', '.join(known) or 'none'}"
        reading.refuse(pointer, f"the route never uses {shown(name)}", "nothing could come of it", fix)


def _steps(
    reading: Reading, expected: Mapping[str, Any], pointer: str, known: frozenset[str]
) -> Mapping[str, Mapping[str, Any]] | None:
    if "steps" not in expected:
        return None
    here, written = at(pointer, "steps"), expected["steps"]
    if not isinstance(written, Mapping) or not written:
        fix = "Write contact: { status: completed }"
        reading.refuse(here, f"`steps` is {shown(written)}", "it is a map of steps by id", fix)
        return None
    for name, each in written.items():
        if name not in known:
            near = suggestion(str(name), known)
            fix = f"Did you mean {near}" if near else "Give the step that you mean an id"
            reading.refuse(
                at(here, name), f"there is no step {shown(name)}", "nothing could be asked of it", fix
            )
        step = reading.map(each, at(here, name), noun="a step", keys=_STEP_KEYS)
        if isinstance(each, Mapping) and not step:
            reading.refuse(
                at(here, name), "nothing is expected of the step", "it is empty", "Write status: …"
            )
        status = step.get("status")
        if not isinstance(status, Mapping):
            reading.one_of(status, at(at(here, name), "status"), _STATUSES, noun="`status`", default=None)
    return {str(name): each for name, each in written.items() if isinstance(each, Mapping)}


def _warnings(reading: Reading, value: Any, pointer: str) -> Any:
    if isinstance(value, Mapping):
        return value
    return (
        None
        if value is None
        else reading.number(value, pointer, noun="`warnings`", least=0, most=5000, default=0)
    )


def _check_matchers(reading: Reading, value: Any, pointer: str) -> None:
    """Refuse matchers that could never match."""
    if isinstance(value, list):
        for place, each in enumerate(value):
            _check_matchers(reading, each, at(pointer, place))
    if not isinstance(value, Mapping):
        return
    if is_matcher(value):
        for name, operand in value.items():
            fault = MATCHERS[name].fault(operand) if name in MATCHERS else None
            if fault is not None:
                reading.refuse(at(pointer, name), f"{name} cannot take {shown(operand)}", fault, "Mend it")
        return
    for key, each in value.items():
        if key != EXACTLY:
            _check_matchers(reading, each, at(pointer, key))
