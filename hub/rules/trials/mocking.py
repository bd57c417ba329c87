"""Read what actions answer in a test: by the id of a step, or by the action's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.model.actions import ActionDone, ActionFailed
from hub.rules.problems import suggestion
from hub.rules.routes.document import Reading, at, shown
from hub.rules.routes.policies import ERROR_CLASSES
from hub.rules.trials.model import Mock

_ERROR_KEYS: Final = ("class", "status", "after", "message", "details")
_FIX: Final = "Write { output: { id: … } } or { error: { class: retryable } }"


def read_mocks(reading: Reading, value: object, pointer: str, known: frozenset[str]) -> Mapping[str, Mock]:
    """Read `mock`.

    Args:
        reading: Takes the problems.
        value: As written.
        pointer: Where it stands.
        known: The ids and actions of the route.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        fix = "Write a step's id or an action below it"
        reading.refuse(pointer, f"`mock` is {shown(value)}", "it is a map", fix)
        return {}
    mocks: dict[str, Mock] = {}
    for name, written in value.items():
        here = at(pointer, name)
        if name not in known:
            near = suggestion(str(name), known)
            fix = f"Did you mean {near}" if near else f"The route has {', '.join(sorted(known))}"
            reading.refuse(here, f"no step or action is called {shown(name)}", "nothing would be mocked", fix)
            continue
        answers: tuple[ActionDone | ActionFailed, ...]
        if isinstance(written, list):
            answers = reading.list_of(
                written, here, lambda each, place: _answer(reading, each, place), noun=f"the mock of {name}"
            )
        else:
            one = _answer(reading, written, here)
            answers = () if one is None else (one,)
        if answers:
            mocks[str(name)] = Mock(answers=answers, pointer=here)
    return mocks


def _answer(reading: Reading, value: object, pointer: str) -> ActionDone | ActionFailed | None:
    mock = reading.map(value, pointer, noun="a mock", keys=("output", "error"))
    if isinstance(value, Mapping) and len(mock) != 1:
        reading.refuse(pointer, "a mock has one answer", "it is either `output` or `error`", _FIX)
        return None
    if "output" in mock:
        if not isinstance(mock["output"], Mapping):
            what = f"`output` is {shown(mock['output'])}"
            reading.refuse(at(pointer, "output"), what, "outputs are maps", "Write { id: … }")
            return None
        return ActionDone(output=mock["output"])
    return _error(reading, mock["error"], at(pointer, "error")) if "error" in mock else None


def _error(reading: Reading, value: object, pointer: str) -> ActionFailed | None:
    error = reading.map(value, pointer, noun="`error`", keys=_ERROR_KEYS)
    written = reading.required(error, "class", pointer, noun="`error`", fix="Write class: retryable")
    kind: Any = reading.one_of(
        written, at(pointer, "class"), ERROR_CLASSES, noun="`class`", default="invalid"
    )
    status = error.get("status")
    if status is not None:
        status = reading.number(
            status, at(pointer, "status"), noun="`status`", least=100, most=599, default=500
        )
    details = error.get("details")
    message = reading.text(error.get("message"), at(pointer, "message"), noun="`message`")
    if not error or written is None:
        return None
    return ActionFailed(
        kind,
        message or f"the test has it fail: {kind}",
        status=status,
        after_ms=reading.duration(error.get("after"), at(pointer, "after")),
        details=details if isinstance(details, Mapping) else None,
    )
