"""A Message of BlueBubbles as observations: the row as it stands, whatever the event that told it was called. Pure.

Not here: getting whole rows (bridge.bluebubbles.looking), what the words are (content) and chats (chats).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec

from bridge.bluebubbles.chats import chat_of, handle_in, is_masked, read_chat, service_of
from bridge.bluebubbles.content import URL_BALLOON, effect_of, parts_of
from bridge.bluebubbles.reactions import tapback_of, target_of
from bridge.bluebubbles.shapes import JSON, cut, date, mapping, mappings, number, numbers, text
from bridge.bluebubbles.wishes import quote_named
from bridge.macos.cards import card_of
from bridge.quotes import Quote
from hub.model.observation import (
    Observation,
    ObservationKind,
    ObservedChat,
    ObservedError,
    ObservedMessage,
    Part,
)
from hub.rules.chatkeys import normalize_handle
from hub.rules.refusals import validate

_MOST_PARTS: Final = 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """From where a row is looked at."""

    #: The handles of the bridge's lines.
    lines: Sequence[str]
    now_ms: int
    default_line: str | None = None
    #: ROWID of a Handle → its address: whom a group event is about.
    handles: Mapping[int, str] = field(default_factory=dict)
    #: Guid → what it is of our sends.
    quotes: Mapping[str, Quote] = field(default_factory=dict)
    #: tempGuid → the same.
    given: Mapping[str, Quote] = field(default_factory=dict)


class Read(NamedTuple):
    """What a row shows."""

    observations: tuple[Observation, ...] = ()
    #: Why it shows nothing: a word for counters.
    passed_over: str | None = None


def read_message(of: JSON, view: View) -> Read:
    """Read a row; never fails for what stands in it."""
    guid = text(of, "guid", most=512)
    if guid is None:
        return Read(passed_over="no guid")
    if not view.lines:
        return Read(passed_over="no line")
    chats = mappings(of.get("chats"))
    chat = read_chat(chats[0]) if chats else None
    author = mapping(of.get("handle")).get("address")
    if (chats and chat is None) or (isinstance(author, str) and is_masked(author)):
        return Read(passed_over="masked")
    row = Row(of=of, guid=guid, chat=chat, line=_line(chats, view), view=view)
    reader = _item if number(of, "itemType") else _reaction if _is_reaction(of) else _message
    return _checked(reader(row), view)


def read_failure(of: JSON, view: View) -> Read:
    """Read the row of `message-send-error`; it fails even where its own error is not written yet."""
    return read_message({**of, "error": number(of, "error") or 4, "isFromMe": True}, view)


def read_typing(of: JSON, view: View) -> Read:
    """Read `typing-indicator`: who types in a direct chat, or no longer does."""
    chat = chat_of(text(of, "guid", most=512))
    if chat is None or chat.is_group or not view.lines:
        return Read(passed_over="masked" if of.get("guid") else "no chat")
    kind: ObservationKind = "typing.started" if of.get("display") is True else "typing.stopped"
    seen = Observation(
        v=1,
        line=_line([], view),
        kind=kind,
        at=view.now_ms,
        observed_at=view.now_ms,
        chat=chat,
        actor=chat.key.removeprefix("dm:"),
    )
    return _checked((seen,), view)


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A row and where it stands."""

    of: JSON
    guid: str
    chat: ObservedChat | None
    line: str
    view: View

    @property
    def is_own(self) -> bool:
        return self.of.get("isFromMe") is True or self.quote is not None

    @property
    def quote(self) -> Quote | None:
        named = quote_named(text(self.of, "tempGuid", most=64), self.view.given)
        return named or self.view.quotes.get(self.guid)

    @property
    def at(self) -> int:
        return self.date("dateCreated") or self.view.now_ms

    @property
    def author(self) -> str | None:
        """Who wrote it; of a direct chat, who else could have."""
        handle = handle_in(mapping(self.of.get("handle")))
        if handle is None and self.chat is not None and not self.chat.is_group:
            return self.chat.key.removeprefix("dm:")
        return handle

    def date(self, name: str) -> int | None:
        return date(self.of, name, now_ms=self.view.now_ms)

    def seen(self, kind: ObservationKind, **fields: Any) -> Observation:
        return Observation(
            v=1,
            line=self.line,
            kind=kind,
            at=self.at,
            observed_at=self.view.now_ms,
            chat=self.chat,
            **fields,
        )


def _line(chats: Sequence[JSON], view: View) -> str:
    """Which line a row is about: the one that was written to, where the Mac says so and the bridge has it."""
    known = {normalize_handle(line): line for line in view.lines}
    said = cut(chats[0], "lastAddressedHandle", most=320) if chats else None
    for handle in (said, view.default_line):
        if handle is not None and (line := known.get(normalize_handle(handle))) is not None:
            return line
    return view.lines[0]


def _is_reaction(of: JSON) -> bool:
    named = of.get("associatedMessageType")
    return isinstance(named, str) and named not in {"", "0", "2", "3", "sticker", "1000"}


def _message(row: Row) -> Read | tuple[Observation, ...]:
    of = row.of
    if of.get("balloonBundleId") == URL_BALLOON and target_of(of) is not None:
        return Read(passed_over="preview of a link")  # its words stand in the row that it names
    is_own, code = row.is_own, number(of, "error") or 0
    message = _snapshot(row, is_own=is_own, code=code)
    if row.chat is None:
        return (row.seen("message.observed", message=message),)
    if is_own:
        return (row.seen("status.failed" if code else "message.sent", message=message, error=message.error),)
    if row.author is None:
        # Neither ours nor somebody's: the row is not finished (is_from_me is written a moment later), or in a group.
        return Read(passed_over="no author")
    return (row.seen("message.received", message=message, actor=row.author),)


def _snapshot(row: Row, *, is_own: bool, code: int) -> ObservedMessage:
    of, chat, quote = row.of, row.chat, row.quote
    unsent_parts, is_unsent = _unsent(of)
    changed_at = row.date("dateEdited") or row.date("dateRetracted")
    is_gone = is_unsent or bool(unsent_parts)
    # In a group nobody tells who got it, or all of them.
    is_direct = chat is not None and not chat.is_group
    handle = mapping(of.get("handle"))
    return ObservedMessage(
        provider_id=row.guid,
        parts=() if is_unsent else parts_of(of),
        is_from_me=is_own,
        reply_to=text(of, "threadOriginatorGuid", most=512) or _sticker_target(of),
        effect=effect_of(of),
        subject=cut(of, "subject", most=4096),
        service=service_of(cut(handle, "service", most=32)) or (chat.service if chat else None),
        attempt_id=None if quote is None else quote.attempt_id,
        part=None if quote is None else quote.part,
        part_count=None if quote is None else quote.part_count,
        sent_at=row.date("dateCreated"),
        delivered_at=row.date("dateDelivered") if is_direct else None,
        read_at=row.date("dateRead") if is_direct else None,
        edited_at=None if is_gone or not _tells_changes(of) else row.date("dateEdited"),
        unsent_at=(changed_at or row.at) if is_gone else None,
        unsent_parts=() if is_unsent else unsent_parts,
        error=ObservedError(code=str(code)[:64]) if code and is_own else None,
    )


def _sticker_target(of: JSON) -> str | None:
    return target_of(of) if text(of, "associatedMessageType", most=16) in {"sticker", "1000"} else None


def _tells_changes(of: JSON) -> bool:
    """Whether the row says why `dateEdited` moved: forms for notifications do not, and an unsend moves it, too."""
    return bool(mappings(of.get("messageSummaryInfo")))


def _unsent(of: JSON) -> tuple[tuple[int, ...], bool]:
    """The parts that were taken back, and whether that is all of them."""
    summary = next(iter(mappings(of.get("messageSummaryInfo"))), {})
    gone = numbers(summary.get("rp", summary.get("retractedParts")), most=_MOST_PARTS)
    if not gone:
        return (), number(of, "partCount") == 0 and number(of, "dateEdited") is not None
    kept = {number({"n": part}, "n") for part in mapping(summary.get("otr"))}
    is_all = number(of, "partCount") == 0 or (bool(kept) and kept <= set(gone))
    return gone[:128], is_all


def _reaction(row: Row) -> Read | tuple[Observation, ...]:
    tapback = tapback_of(row.of, row.guid)
    if tapback is None:
        return Read(passed_over="unknown association")
    actor = None if row.is_own else row.author
    if row.chat is None or (actor is None and not row.is_own):
        return Read(passed_over="no author")
    kind: ObservationKind = "reaction.removed" if tapback.is_removed else "reaction.added"
    return (row.seen(kind, actor=actor, target=tapback.target, reaction=tapback.reaction),)


def _item(row: Row) -> Read | tuple[Observation, ...]:
    """Read what happened in a chat: to the group, or something for which there is only a card."""
    item, action = number(row.of, "itemType") or 0, number(row.of, "groupActionType") or 0
    if item in {1, 2} or (item == 3 and action in _OF_GROUPS):
        return _group_event(row, item, action)
    words = card_of(item, action)
    if words is None:
        return Read(passed_over="unknown item")
    if row.chat is None or (row.author is None and not row.is_own):
        return Read(passed_over="no author")
    message = ObservedMessage(
        provider_id=row.guid,
        parts=(Part(type="card", text=words),),
        is_from_me=row.is_own,
        sent_at=row.date("dateCreated"),
    )
    actor = None if row.is_own else row.author
    return (row.seen("message.sent" if row.is_own else "message.received", message=message, actor=actor),)


def _group_event(row: Row, item: int, action: int) -> Read | tuple[Observation, ...]:
    if row.chat is None or not row.chat.is_group or row.date("dateCreated") is None:
        return Read(passed_over="no group or date")  # both are part of what names such an event
    actor = None if row.is_own else handle_in(mapping(row.of.get("handle")))
    if item == 1 and action in (0, 1):
        member = row.view.handles.get(number(row.of, "otherHandle") or 0)
        if member is None:
            return Read(passed_over="unknown member")
        kind: ObservationKind = "chat.member_removed" if action else "chat.member_added"
        return (row.seen(kind, actor=actor, value=member),)
    if item == 2:
        return (row.seen("chat.renamed", actor=actor, value=cut(row.of, "groupTitle", most=1024) or ""),)
    if item == 3:
        event, value = _OF_GROUPS[action]
        return (row.seen(event, actor=actor, value=value),)
    return Read(passed_over="unknown item")


#: groupActionType of itemType 3.
_OF_GROUPS: Final[dict[int, tuple[ObservationKind, str | None]]] = {
    0: ("chat.left", None),
    1: ("chat.icon", None),
    2: ("chat.icon", "removed"),
}


def _checked(shown: Read | tuple[Observation, ...], view: View) -> Read:
    """Let nothing through that the hub could not take in."""
    if isinstance(shown, Read):
        return shown
    for each in shown:
        try:
            msgspec.convert(msgspec.to_builtins(each), Observation)
        except msgspec.ValidationError:
            return Read(passed_over="not storable")
        if validate(each, now_ms=view.now_ms) is not None:
            return Read(passed_over="not storable")
    return Read(observations=shown)
