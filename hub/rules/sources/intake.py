"""From one request to the events in it: handshakes, verification, reading, splitting, naming.

setting up without a secret → verified → setting up → read → split → named        first refusal ends it
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b, sha256
from typing import Any, Final

import msgspec

from hub.rules.sources.bodies import loosely_read, read_body
from hub.rules.sources.model import (
    Answer,
    Definition,
    Handshake,
    Part,
    Reason,
    Refused,
    Source,
    SourceRequest,
)
from hub.rules.sources.paths import MISSING, Missing
from hub.rules.sources.verification import token_fits, verify

#: More events in one delivery are refused: no service that we know sends more than a few hundred.
MOST_EVENTS: Final = 1_000
#: What an event is called where nothing says it.
UNNAMED: Final = "unknown"
_LONGEST_NAME: Final = 200
_LONGEST_REPLY: Final = 1_000
_JSON: Final = "application/json"
_TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceEvent:
    """One event of a delivery."""

    event: str
    #: The vendor's id of it, or the digest of the thing, as `sha256:…`.
    id: str
    #: The JSON that routes see.
    payload: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """A delivery that is believed."""

    events: tuple[SourceEvent, ...]
    #: Each counts once, beside the ids.
    once: tuple[str, ...]
    answer: Answer


@dataclass(frozen=True, kw_only=True, slots=True)
class Introduced:
    """A handshake, answered; nothing happened."""

    answer: Answer
    #: What the operator has to look at: a secret that the service offers.
    notice: Refused | None = None


Judgement = Accepted | Introduced | Refused


def judge(source: Source, request: SourceRequest, *, now_ms: int, most_depth: int = 64) -> Judgement:
    """Decide about one request.

    Args:
        source: Whose address it came to.
        request: As it came.
        now_ms: Unix ms.
        most_depth: How deep its JSON may be nested.
    """
    definition = source.definition
    for handshake in definition.handshakes:
        if handshake.token is not None or handshake.is_unsigned:
            found = _introduced(source, handshake, request, loosely_read(request.body))
            if found is not None:
                return found
    if request.method != "POST":
        return Refused(Reason.METHOD, f"{definition.title} posts its events; this was {request.method[:10]}.")
    refused = verify(source, request, now_ms=now_ms)
    if refused is not None:
        return refused
    body = _read(definition, request, most_depth=most_depth)
    if isinstance(body, Refused):
        return body
    for handshake in definition.handshakes:
        if handshake.token is None and not handshake.is_unsigned:
            found = _introduced(source, handshake, request, body)
            if found is not None:
                return found
    return _events(definition, request, body)


def _read(definition: Definition, request: SourceRequest, *, most_depth: int) -> Any:
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("identity", ""):
        fix = "let the service, or the proxy before the hub, send it plain"
        return Refused(Reason.UNREADABLE, f"The body is compressed ({coding[:40]}); {fix}.")
    content_type = request.headers.get("content-type", "")
    return read_body(definition, request.body, content_type, most_depth=most_depth)


def _introduced(
    source: Source, handshake: Handshake, request: SourceRequest, body: Any
) -> Introduced | Refused | None:
    places = {"body": body, "headers": request.headers, "query": request.query}
    if request.method != handshake.method or not _fits(handshake, places):
        return None
    if handshake.token is not None:
        offered = handshake.token.find(places)
        expected = () if source.verify_token is None else (source.verify_token,)
        if not isinstance(offered, str) or not token_fits(offered, expected):
            return Refused(Reason.BAD_TOKEN, "The verify token is not the one in connections.yaml.")
    notice = None
    if handshake.is_unsigned and handshake.token is None:
        if source.secrets:
            return None
        notice = Refused(Reason.OFFERS_SECRET, _offer(handshake, places))
    return Introduced(answer=_handshake_answer(source.definition, handshake, places), notice=notice)


def _fits(handshake: Handshake, places: Mapping[str, Any]) -> bool:
    return all(wanted.fits(path.find(places)) for path, wanted in handshake.when)


def _offer(handshake: Handshake, places: Mapping[str, Any]) -> str:
    offered = next((path.find(places) for path, _ in handshake.when), "")
    return (
        f"The service offers this secret; if you began it, put it into connections.yaml: {str(offered)[:200]}"
    )


def _handshake_answer(definition: Definition, handshake: Handshake, places: Mapping[str, Any]) -> Answer:
    if handshake.reply is None:
        if handshake.answer is None:
            return definition.answer  # as events are answered: Discord wants 204 of its ping, too
        return Answer(content_type=_JSON, body=msgspec.json.encode(handshake.answer))
    found = handshake.reply.find(places)
    text = found if isinstance(found, str) else ""
    return Answer(content_type=_TEXT, body=text[:_LONGEST_REPLY].encode("utf-8", "replace"))


def _events(definition: Definition, request: SourceRequest, body: Any) -> Accepted | Refused:
    common = {"body": body, "headers": request.headers, "query": request.query}
    found: list[SourceEvent] = []
    for part in definition.parts:
        for index, (item, parent) in enumerate(_things(part, common)):
            places = {**common, "item": item, "index": index, "parent": parent}
            if any(path.find(places) is not MISSING for path in part.unless):
                continue
            if len(found) == MOST_EVENTS:
                return Refused(Reason.TOO_MANY_EVENTS, f"It holds more than {MOST_EVENTS} events.")
            found.append(_event(part, places))
    once = [each.find(common) for each in definition.once]
    return Accepted(
        events=tuple(found), once=tuple(each for each in once if each is not None), answer=definition.answer
    )


def _things(part: Part, places: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    if part.each is None:
        yield places["body"], MISSING
    else:
        yield from part.each.each(places)


def _event(part: Part, places: Mapping[str, Any]) -> SourceEvent:
    payload = places["item"] if part.data is None else part.data.find(places)
    if isinstance(payload, Missing):
        payload = places["item"]
    beside = {name: path.find(places) for name, path in part.beside.items()}
    there = {name: value for name, value in beside.items() if not isinstance(value, Missing)}
    if there and isinstance(payload, dict):
        payload = {**payload, **there}
    name = part.event.find(places) or UNNAMED
    given = None if part.id is None else part.id.find(places)
    return SourceEvent(
        event=name[:_LONGEST_NAME], id=_bounded(given or _digest(places["item"])), payload=payload
    )


def _digest(item: Any) -> str:
    """Name a thing that has no id by what it is; the order of its keys does not count."""
    return f"sha256:{sha256(msgspec.json.encode(item, order='deterministic')).hexdigest()}"


def _bounded(text: str) -> str:
    return text if len(text) <= _LONGEST_NAME else f"sha256:{sha256(text.encode()).hexdigest()}"


def memory_key(source: str, kind: str, text: str) -> bytes:
    """The key under which something of a source is remembered: 16 bytes."""
    return blake2b(f"{source}\0{kind}\0{text}".encode("utf-8", "replace"), digest_size=16).digest()
