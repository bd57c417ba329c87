"""Read what a bridge says of a handle's reachability, and how long that may be believed.

The result of a CHECK is `{"handles": {"+1…": {"imessage": true, "sms": true, …}}}`; for one handle the inner object
alone will do. What is not told stays unknown. Not here: asking (hub.flow.availability).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

#: The ways to reach a handle, the best first.
SERVICES: Final = ("imessage", "whatsapp", "rcs", "sms")
#: What else a bridge may tell.
EXTRAS: Final = ("facetime",)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """How a handle can be reached; None where the network does not tell."""

    imessage: bool | None = None
    sms: bool | None = None
    rcs: bool | None = None
    whatsapp: bool | None = None
    facetime: bool | None = None
    #: By which service a message would go; None if by none.
    service: str | None = None


def reach_of(told: Mapping[str, Any]) -> Reach:
    """Read what was told of one handle; anything but yes and no is unknown."""
    said = {name: told[name] for name in (*SERVICES, *EXTRAS) if isinstance(told.get(name), bool)}
    chosen = told.get("service")
    if chosen not in SERVICES:
        chosen = next((name for name in SERVICES if said.get(name)), None)
    return Reach(**said, service=chosen)


def told_of(result: Mapping[str, Any] | None, handle: str, *, is_only: bool) -> Mapping[str, Any] | None:
    """Find what a result says of a handle; None if nothing."""
    if result is None:
        return None
    handles = result.get("handles")
    told = handles.get(handle) if isinstance(handles, Mapping) else result if is_only else None
    return told if isinstance(told, Mapping) else None


def is_fresh(checked_at: int | None, *, keep_ms: int, now_ms: int) -> bool:
    """Tell whether an answer may still be given again."""
    return checked_at is not None and checked_at <= now_ms < checked_at + keep_ms


def together(reaches: list[Reach]) -> Reach:
    """Give what at least one of a contact's handles can; False only where all say no."""
    said: dict[str, Any] = {}
    for name in (*SERVICES, *EXTRAS):
        known = [value for each in reaches if (value := getattr(each, name)) is not None]
        if known and (any(known) or len(known) == len(reaches)):
            said[name] = any(known)
    return Reach(**said, service=next((name for name in SERVICES if said.get(name)), None))
