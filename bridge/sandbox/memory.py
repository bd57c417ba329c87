"""What the simulated network knows beside the sends: how each chat stands, and the line's contact card. Pure.

The memory is a text by name (hub.flow.repositories.SandboxNetwork); our operations and the acts of contacts both
change it, so each knows what the other did.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from hub.model.observation import Observation
from hub.rules.chatkeys import normalize_chat_key, normalize_handle

CARD: Final = "contact card"
UNSENT: Final = '{"is_unsent":true}'


class ChatMemory(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a chat stands. Members are the others: our line is not among them."""

    is_group: bool = False
    name: str | None = None
    members: tuple[str, ...] = ()
    #: Whether our line has left it, or was put out.
    is_left: bool = False
    icon: str | None = None
    background: str | None = None
    #: Rises with each change of the background.
    background_version: int = 0


_chat = msgspec.json.Decoder(ChatMemory).decode
_card = msgspec.json.Decoder(dict[str, Any]).decode


def read_chat(text: str | None) -> ChatMemory | None:
    """Read how a chat stands; None if the network knows no such chat."""
    return None if text is None else _chat(text)


def read_card(text: str | None) -> dict[str, Any] | None:
    """Read the line's contact card; None if none was set."""
    return None if text is None else _card(text)


def written(value: ChatMemory | dict[str, Any]) -> str:
    """Give the text that the network keeps."""
    return msgspec.json.encode(value).decode()


def message_name(guid: str) -> str:
    """Name what is known of one message."""
    return f"message {guid}"


def with_member(chat: ChatMemory, handle: str) -> ChatMemory:
    """Let somebody in."""
    return msgspec.structs.replace(chat, members=tuple(dict.fromkeys([*chat.members, handle])))


def without_member(chat: ChatMemory, handle: str) -> ChatMemory:
    """Put somebody out."""
    return msgspec.structs.replace(chat, members=tuple(each for each in chat.members if each != handle))


def after_acts(text: str | None, observations: Iterable[Observation]) -> str | None:
    """Give how a chat stands after what contacts did there; None while it is nothing to remember."""
    chat = read_chat(text)
    for each in observations:
        if each.chat is not None and each.chat.is_group:
            chat = _after(chat or _begun(each), each)
    return None if chat is None else written(chat)


def _begun(observation: Observation) -> ChatMemory:
    chat = observation.chat
    members = chat.participants if chat is not None else ()
    return ChatMemory(is_group=True, name=None if chat is None else chat.name, members=members)


def _after(chat: ChatMemory, observation: Observation) -> ChatMemory:
    value, actor = observation.value or "", observation.actor
    match observation.kind:
        case "chat.renamed":
            return msgspec.structs.replace(chat, name=value or None)
        case "chat.icon":
            return msgspec.structs.replace(chat, icon=None)
        case "chat.member_added" | "chat.member_removed":
            return _moved(chat, value, is_in=observation.kind == "chat.member_added", line=observation.line)
    if actor is None:
        return chat
    return _moved(chat, actor, is_in=observation.kind != "chat.left", line=observation.line)


def _moved(chat: ChatMemory, who: str, *, is_in: bool, line: str) -> ChatMemory:
    handle = normalize_handle(who)
    if handle == line:
        return msgspec.structs.replace(chat, is_left=not is_in)
    return with_member(chat, handle) if is_in else without_member(chat, handle)


def chat_name(key: str) -> str:
    """Name a chat in the memory: by its normal key."""
    return normalize_chat_key(key, is_group=True)
