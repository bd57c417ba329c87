"""Observations as tests write them: short, with the parts that do not matter filled in."""

from __future__ import annotations

from typing import Any

from hub.model.observation import (
    Observation,
    ObservationKind,
    ObservedChat,
    ObservedMessage,
    Part,
)

LINE_HANDLE = "+15550100000"
CONTACT = "+15550100001"
OTHER = "+15550100002"
AT = 1_800_000_000_000
DIRECT = ObservedChat(key=f"dm:{CONTACT}", service="iMessage")
GROUP = ObservedChat(
    key="chat42", is_group=True, service="iMessage", name="Trip", participants=(CONTACT, OTHER)
)


def a_message(guid: str = "GUID", text: str | None = "hello", **fields: Any) -> ObservedMessage:
    """Give a message of one text part; none when `text` is None."""
    parts = () if text is None else (Part(type="text", text=text),)
    return ObservedMessage(provider_id=guid, **{"parts": parts, **fields})


def seen(kind: ObservationKind, *, at: int = AT, **fields: Any) -> Observation:
    """Give an observation in the direct chat."""
    return Observation(v=1, line=LINE_HANDLE, kind=kind, at=at, **{"chat": DIRECT, **fields})
