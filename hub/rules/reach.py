"""Whom an operation reaches: the chat, and the handles that it names. Payloads are as the outbox keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hub.model.outbox import OperationKind
from hub.rules.chatkeys import direct_chat_key, handle_of, normalize_handle

#: Fields in which operations on groups name people.
_NAMING: Final = ("participants", "members", "handle", "member")
_INVITES: Final = frozenset({OperationKind.GROUP_ADD, OperationKind.GROUP_CREATE})


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """Whom an operation reaches."""

    #: None for a group that is yet to be made.
    chat_key: str | None
    #: Handles that the operation itself names, normalised.
    handles: tuple[str, ...]

    @property
    def is_nobody(self) -> bool:
        """Whether it concerns the line alone: its own card, where everybody is."""
        return self.chat_key is None and not self.handles

    @property
    def is_group(self) -> bool:
        return self.chat_key is None or handle_of(self.chat_key) is None


def reach_of(kind: OperationKind, payload: Mapping[str, object]) -> Reach:
    """Read whom an operation reaches."""
    if kind is OperationKind.GROUP_CREATE:
        return Reach(chat_key=None, handles=_named(payload))
    key = payload.get("chat_key")
    to = payload.get("to")
    if not isinstance(key, str):
        key = direct_chat_key(to) if isinstance(to, str) and not to.startswith("cht_") else None
    if kind in _INVITES:
        return Reach(chat_key=key, handles=_named(payload))
    handle = handle_of(key) if key is not None else None
    return Reach(chat_key=key, handles=() if handle is None else (handle,))


def _named(payload: Mapping[str, object]) -> tuple[str, ...]:
    handles: list[str] = []
    for field in _NAMING:
        value = payload.get(field)
        texts = value if isinstance(value, list | tuple) else [value]
        handles += [normalize_handle(text) for text in texts if isinstance(text, str) and text]
    return tuple(dict.fromkeys(handles))
