"""Read the signs of life out of what was taken in: who types, who has read. They are told at once and never kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, Protocol

import msgspec

from hub.flow.ports import LiveSigns
from hub.flow.rows import ChatRow
from hub.model.ids import Prefix, id_text
from hub.model.line import Line
from hub.model.live import LiveEvent, Typist
from hub.model.observation import Observation
from hub.rules.chatkeys import handle_of, normalize_handle

#: Kinds of observations that may be a sign of life.
LIVE_KINDS: Final = frozenset({"status.read", "typing.started", "typing.stopped"})

_encode: Final = msgspec.json.Encoder().encode


class TypingData(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody began to type in a chat, or stopped. Told live only."""

    chat_id: str
    line_id: str
    line_handle: str
    handle: str
    is_typing: bool


class ReadData(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody has read a chat up to a moment. Told live only."""

    chat_id: str
    line_id: str
    line_handle: str
    handle: str
    last_read_at: int


#: The shape of `data` of each event type that is told live only.
LIVE_SHAPES: Final[dict[str, type[msgspec.Struct]]] = {
    "receipt.read": ReadData,
    "typing.started": TypingData,
    "typing.stopped": TypingData,
}


class Sign(NamedTuple):
    """A sign of life, ready to be told."""

    event: LiveEvent
    #: None for what is not about typing.
    typist: Typist | None


class Seen(Protocol):
    """An observation that was taken in, with its line and chat."""

    @property
    def observation(self) -> Observation: ...
    @property
    def line(self) -> Line | None: ...
    @property
    def chat(self) -> ChatRow | None: ...
    @property
    def event_ids(self) -> list[int]: ...


def signs_of(items: Iterable[Seen], *, is_followed: bool) -> list[Sign]:
    """Give the signs among what was taken in; what is only worth telling is left out while nobody follows."""
    return [
        sign
        for item in items
        if item.observation.kind in LIVE_KINDS and (sign := _sign(item, is_followed=is_followed)) is not None
    ]


def tell_signs(live: LiveSigns, signs: Iterable[Sign]) -> None:
    """Tell them, once they are durable where they leave something behind."""
    for sign in signs:
        if sign.typist is not None:
            live.typing(sign.typist, is_typing=sign.event.type == "typing.started")
        live.tell(sign.event)


def _sign(item: Seen, *, is_followed: bool) -> Sign | None:
    seen, line, chat = item.observation, item.line, item.chat
    if line is None or chat is None:
        return None
    # Networks leave out the reader of a direct chat, never who types: nobody named is our own other device.
    is_typing = seen.kind != "status.read"
    named = normalize_handle(seen.actor) if seen.actor else None
    handle = named if is_typing else named or handle_of(chat.chat_key)
    if handle is None or not (is_typing or (is_followed and item.event_ids)):
        return None
    event_type = seen.kind if is_typing else "receipt.read"
    event = LiveEvent(event_type, line.id, chat.id, seen.at, _data(event_type, line, chat, handle, seen.at))
    return Sign(event, Typist(chat.id, handle, seen.at) if is_typing else None)


def _data(event_type: str, line: Line, chat: ChatRow, handle: str, at: int) -> str:
    place = {
        "chat_id": id_text(Prefix.CHAT, chat.id),
        "line_id": id_text(Prefix.LINE, line.id),
        "line_handle": line.handle,
        "handle": handle,
    }
    if event_type == "receipt.read":
        return _encode(ReadData(**place, last_read_at=at)).decode()
    return _encode(TypingData(**place, is_typing=event_type == "typing.started")).decode()
