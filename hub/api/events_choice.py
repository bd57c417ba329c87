"""Turn what a reader of events asks for into a filter that shows no more than its key may see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hub.api.calls import Call, field_id, not_found
from hub.api.events_shapes import EventChoice
from hub.flow.event_store import EventFilter
from hub.flow.follow import read_position
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, first_id_at
from hub.model.key import ApiKey
from hub.rules.event_patterns import LIVE, OPERATIONAL, STORED, read_patterns
from hub.rules.problems import Problem

REFUSED = "invalid_parameter_value"


async def wanted_events(call: Call[Any, Any], choice: EventChoice, *, with_live: bool) -> EventFilter:
    """Read a choice; a restricted key gets its lines' events, and of the operational ones only an admin's.

    Raises:
        InvalidRequest: A field is refused, or names what is not there or not the key's.
    """
    types = None if choice.type is None else patterns(choice.type, with_live=with_live)
    wanted = EventFilter(types=types, line_ids=await _line_ids(call, choice))
    if choice.chat is not None:
        wanted = replace(wanted, chat_id=await chat_id(call, choice.chat))
    return limited(call.key, wanted)


def patterns(text: str, *, with_live: bool) -> frozenset[str]:
    """Read event types.

    Raises:
        InvalidRequest: There is no such type.
    """
    types = read_patterns(text, with_live=with_live)
    if isinstance(types, Problem):
        raise InvalidRequest(REFUSED, _sentence(types), param="type")
    return types


def limited(key: ApiKey, wanted: EventFilter) -> EventFilter:
    """Leave out what a restricted key may not see of its own lines."""
    if key.line_ids is None or key.may("admin"):
        return wanted
    return replace(wanted, types=(STORED | LIVE if wanted.types is None else wanted.types) - OPERATIONAL)


async def line_id(call: Call[Any, Any], choice: EventChoice) -> int | None:
    """Read the line that a choice names, if it names one."""
    if choice.from_ is not None and choice.line is not None and choice.from_ != choice.line:
        raise InvalidRequest(
            REFUSED, "'line' and 'from' name the same thing: give one of them.", param="line"
        )
    if choice.from_ is not None:
        return (await call.line(choice.from_)).id
    return None if choice.line is None else (await call.line(choice.line, param="line")).id


async def chat_id(call: Call[Any, Any], text: str) -> int:
    """Read the chat that a choice names."""
    chat = await call.uses.store.chats.get(field_id(text, Prefix.CHAT, "chat", param="chat"))
    if chat is None:
        raise not_found("chat", param="chat")
    call.uses.lines.require(call.key, chat.line_id, param="chat")
    return chat.id


async def position(call: Call[Any, Any], text: str, *, param: str) -> int:
    """Read a position.

    Raises:
        InvalidRequest: It is none.
    """
    found = await read_position(call.uses.store.events, text)
    if found is None:
        message = f"'{param}' must be a position that was given before (pos_…) or the id of an event (evt_…)."
        raise InvalidRequest(REFUSED, message, param=param)
    return found


def between(wanted: EventFilter, since: int | None, until: int | None) -> EventFilter:
    """Narrow to a range of time: a position tells when its event was recorded.

    Raises:
        InvalidRequest: The range ends before it begins.
    """
    if since is not None and until is not None and since > until:
        raise InvalidRequest(REFUSED, "'since' must not be later than 'until'.", param="since")
    first = 0 if since is None else first_id_at(since)
    last = wanted.last_position if until is None else first_id_at(until + 1) - 1
    return replace(wanted, first_position=first, last_position=last)


async def _line_ids(call: Call[Any, Any], choice: EventChoice) -> frozenset[int] | None:
    named = await line_id(call, choice)
    if named is not None:
        return frozenset({named})
    if call.key.line_ids is None:
        return None
    return frozenset(line.id for line in await call.uses.lines.visible(call.key))


def _sentence(problem: Problem) -> str:
    return str(problem)[:1].upper() + str(problem)[1:]
