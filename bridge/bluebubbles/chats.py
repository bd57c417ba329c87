"""Chats as BlueBubbles names them, and as Hub does. Pure.

`iMessage;-;+1555…`, `SMS;-;+1555…`, `any;-;+1555…` (macOS 26) and the bare handle are one conversation; groups are
known by what follows the service. Masked handles (`+156****2244`, chats of unknown senders) name nobody, and cannot be
answered.
"""

from __future__ import annotations

import re
from typing import Final

from bridge.bluebubbles.shapes import JSON, cut, mappings, number, text
from hub.model.observation import ObservedChat
from hub.rules.chatkeys import direct_chat_key, handle_of, normalize_chat_key, normalize_handle

GROUP_STYLE: Final = 43
_GUID: Final = re.compile(r"([A-Za-z]{1,32});([-+]);(.{1,480})", re.DOTALL)
_SERVICES: Final = {"imessage": "iMessage", "imessagelite": "iMessage", "sms": "SMS", "rcs": "RCS"}
#: From this macOS on, chats are named without their service.
FIRST_ANY_MACOS: Final = 26


def is_masked(handle: str) -> bool:
    """Whether the Mac hides who it is."""
    return "*" in handle or "\u2022" in handle


def service_of(name: str | None) -> str | None:
    """Spell a service our way; none for `any` and what is not known."""
    return None if name is None else _SERVICES.get(name.lower())


def handle_in(of: JSON) -> str | None:
    """The address of a Handle, our way; none for one that is masked or missing."""
    address = text(of, "address", most=320)
    if address is None or is_masked(address):
        return None
    return normalize_handle(address) or None


def chat_of(guid: str | None) -> ObservedChat | None:
    """Name a chat by its guid alone; none for one that names nobody."""
    if not guid or len(guid) > 512:
        return None
    parts = _GUID.fullmatch(guid)
    tail = guid if parts is None else parts[3]
    if is_masked(tail) or not tail.strip():
        return None
    is_group = parts is not None and parts[2] == "+"
    return ObservedChat(
        key=normalize_chat_key(guid, is_group=is_group),
        provider_id=guid,
        is_group=is_group,
        service=None if parts is None else service_of(parts[1]),
    )


def read_chat(of: JSON) -> ObservedChat | None:
    """Read a Chat; none for one that names nobody."""
    guid = text(of, "guid", most=512)
    if guid is not None and ";" not in guid and number(of, "style") == GROUP_STYLE:
        guid = f"any;+;{guid}"
    chat = chat_of(guid or text(of, "chatIdentifier", most=512))
    if chat is None:
        return None
    people = tuple(dict.fromkeys(filter(None, map(handle_in, mappings(of.get("participants"))[:512]))))
    return ObservedChat(
        key=chat.key,
        provider_id=chat.provider_id,
        is_group=chat.is_group,
        service=chat.service,
        name=cut(of, "displayName", most=1024) if chat.is_group else None,
        participants=people if chat.is_group else (),
    )


def guid_for(chat_key: str, *, macos: int) -> str:
    """Name a chat that the Mac has not shown yet, as it will most likely be named there."""
    service = "any" if macos >= FIRST_ANY_MACOS else "iMessage"
    handle = handle_of(chat_key)
    return f"{service};+;{chat_key}" if handle is None else f"{service};-;{handle}"


def key_of(payload: JSON) -> str:
    """The key of the chat that an operation is about."""
    named = text(payload, "chat_key", most=512)
    if named is not None:
        return normalize_chat_key(named, is_group=True)
    to = text(payload, "to", most=512) or text(payload, "handle", most=512) or ""
    return to if to.startswith("dm:") else direct_chat_key(to)
