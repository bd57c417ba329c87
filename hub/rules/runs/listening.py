"""One step that waits for an event: what it listens for, and of whom (decision 20).

What is said in conversations is waited for in the run's own. A run that has none, because a form, a clock or a person
started it, waits for those to whom it wrote before: two runs that ask two people do not take each other's answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from hub.rules.chatkeys import normalize_chat_key, normalize_handle
from hub.rules.routes.asked import rendered_fault
from hub.rules.routes.model import EventTrigger, WaitStep
from hub.rules.routes.when import When, compile_when
from hub.rules.runs.results import StepResult, StepStatus
from hub.rules.runs.scope import RunScope
from hub.rules.runs.signals import RouteFailed, Waited

if TYPE_CHECKING:
    from hub.rules.runs.walk import Walk

#: Of all events, and of those that are in no conversation.
ANYWHERE: Final = 0
_IN_CONVERSATIONS: Final = ("chat.", "contact.", "message.", "poll.", "reaction.")
_SEND: Final = "message.send"
#: A run that wrote to more is told of every such event, and looks at each itself.
_MOST_PLACES: Final = 100


def wait(walk: Walk, step: WaitStep, path: str, scope: RunScope, result: StepResult) -> bool:
    """Bring a step on that waits; tell whether it is over."""
    if result.next_at is None and not result.is_over:
        until_ms = result.started_at + step.timeout_ms
        inputs = _listened(walk, step, path, scope, result)
        result = walk.record(replace(result, status=StepStatus.WAITING, next_at=until_ms, inputs=inputs))
    if result.status is StepStatus.WAITING:
        if not walk.is_due(result):
            walk.waits.append(waited(step, result, timezone=walk.timezone))
            return False
        result = walk.record(
            replace(result, status=StepStatus.TIMED_OUT, next_at=None, output={}, reason="nothing came")
        )
    scope.note(result)
    if result.status is StepStatus.TIMED_OUT:
        return walk.steps(step.on_timeout, f"{path}/timeout/", scope)
    return True


def waited(step: WaitStep, result: StepResult, *, timezone: str | None) -> Waited:
    """Give what a step that waits listens for, as it was recorded when it began to."""
    assert result.next_at is not None, "what waits ends at some time"
    asked = result.inputs.get("when")
    when = step.when if asked is None else compile_when(asked, timezone=timezone)
    assert isinstance(when, When), "it was compiled before it was recorded"
    return Waited(
        path=result.path,
        trigger=step.trigger,
        when=when,
        people=tuple(result.inputs.get("people", ())),
        until_ms=result.next_at,
    )


def is_of(people: Iterable[str], event_type: str, event: Mapping[str, Any]) -> bool:
    """Tell whether an event comes from one of some people and chats; without any, all do."""
    wanted = frozenset(people)
    return not wanted or not is_in_conversation(event_type) or not wanted.isdisjoint(sides_of(event))


def is_in_conversation(event_type: str) -> bool:
    """Tell whether events of a type happen between a line and somebody."""
    return event_type.startswith(_IN_CONVERSATIONS)


def sides_of(event: Mapping[str, Any]) -> frozenset[str]:
    """Give the names under which somebody could have been written to, for an answer to be this event."""
    conversation, contact = event.get("conversation"), event.get("contact")
    names = [event.get("conversation_id"), event.get("chat_address"), event.get("identifier")]
    is_group = isinstance(conversation, Mapping) and bool(conversation.get("is_group"))
    if isinstance(contact, Mapping) and not is_group:
        names += [contact.get("handle"), *(contact.get("handles") or ())]
    return frozenset(_spelt(each) for each in names if isinstance(each, str))


def places(waits: Waited, event_types: Iterable[str], chat_id: int) -> dict[int, list[str]]:
    """Give where events are listened for: types by chat, by person (below 0), or anywhere.

    Args:
        waits: What is waited for.
        event_types: All of it.
        chat_id: Of the run's own conversation; 0 without one.
    """
    found: dict[int, list[str]] = {}
    near = [chat_id] if chat_id else [place_of(each) for each in waits.people]
    if not near or len(near) > _MOST_PLACES:
        near = [ANYWHERE]
    for event_type in event_types:
        is_near = is_in_conversation(event_type) and isinstance(waits.trigger, EventTrigger)
        for place in near if is_near else [ANYWHERE]:
            found.setdefault(place, []).append(event_type)
    return found


def place_of(name: str) -> int:
    """Give the number under which a person is found in the place of a chat: always below 0."""
    return -1 - (int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) >> 1)


def _listened(walk: Walk, step: WaitStep, path: str, scope: RunScope, begun: StepResult) -> dict[str, Any]:
    """Give what is recorded of what it listens for."""
    inputs: dict[str, Any] = {"pointer": step.pointer, "revision": walk.revision}
    if step.asked is not None:
        inputs["when"] = walk.value(step.asked, scope, begun)
        fault = rendered_fault(step.asked.source, inputs["when"])
        found = compile_when(inputs["when"], pointer=step.asked.pointer, timezone=walk.timezone)
        if fault is not None or isinstance(found, list):
            told = str(found[0]) if isinstance(found, list) else f"{step.asked.pointer}: {fault}"
            raise RouteFailed(walk.fail(begun, "bug", told))
    if walk.facts.event.get("conversation_id") is None:
        people = _written_to(walk.all_results(), path)
        inputs |= {"people": people} if people else {}
    return inputs


def _written_to(results: Mapping[str, StepResult], path: str) -> list[str]:
    """Give to whom the run wrote: in the steps about the one that waits, or else in those about them."""
    sends = [each for each in results.values() if each.verb == _SEND and each.status is StepStatus.COMPLETED]
    prefix = path
    while prefix:
        prefix = prefix[: prefix.rstrip("/").rfind("/") + 1]
        found = {name for each in sends if each.path.startswith(prefix) for name in _recipients(each)}
        if found:
            return sorted(found)
    return []


def _recipients(sent: StepResult) -> list[str]:
    told = (sent.inputs, sent.output)
    names = [each.get("to") for each in told if isinstance(each, Mapping)]
    return [_spelt(each) for each in names if isinstance(each, str)]


def _spelt(name: str) -> str:
    handle = normalize_handle(name)
    return normalize_chat_key(name, is_group=True) if handle == name.strip() and ";" in name else handle
