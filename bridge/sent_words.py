"""What a send says, for networks whose messages are words and files: one text, and files beside it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.flow.sent_parts import sent_parts
from hub.model.observation import ATTACHED, Part
from hub.rules.chatkeys import direct_chat_key, handle_of, normalize_chat_key


@dataclass(frozen=True, kw_only=True, slots=True)
class SentWords:
    """A send, read."""

    #: The other side; None for a group.
    handle: str | None
    text: str | None
    files: tuple[Part, ...]


def sent_words(payload: Mapping[str, object]) -> SentWords:
    """Read the request that the outbox keeps; the words of several parts become lines of one text."""
    parts = sent_parts(payload)
    words = [part.text or part.url or "" for part in parts if part.type not in ATTACHED]
    return SentWords(
        handle=recipient_of(payload),
        text="\n".join(filter(None, words)) or None,
        files=tuple(part for part in parts if part.type in ATTACHED),
    )


def recipient_of(payload: Mapping[str, object]) -> str | None:
    """Give the other side of the direct chat that an operation is for; None for a group and for nobody."""
    named = payload.get("chat_key")
    if isinstance(named, str) and named:
        return handle_of(normalize_chat_key(named, is_group=True))
    to = payload.get("to") or payload.get("handle")
    return handle_of(direct_chat_key(to)) if isinstance(to, str) and to else None
