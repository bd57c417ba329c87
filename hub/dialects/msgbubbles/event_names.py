"""The vendor's event names and the native types that are told under them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from hub.dialects.msgbubbles.errors import Refused

#: `message.unsent` and `message.edited` are not confirmed; all others are the vendor's (contracts: msgbubbles §7).
EVENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "message.received": ("message.received",),
    "message.sent": ("message.sent",),
    "message.delivered": ("message.delivered",),
    "message.read": ("message.read",),
    "message.failed": ("message.cancelled", "message.failed"),
    "message.reaction": ("reaction.added", "reaction.removed"),
    "message.unsent": ("message.unsent",),
    "message.edited": ("message.edited",),
}
#: Native type → the vendor's name.
NAMES: Final[Mapping[str, str]] = {native: name for name, natives in EVENTS.items() for native in natives}


def native_events(names: Sequence[str]) -> list[str]:
    """Give the native types of the vendor's names; all for none.

    Raises:
        Refused: invalid_request for a name that is none.
    """
    for name in names:
        if name not in EVENTS:
            message = f"'events': there is no event '{name[:64]}'; choose among {', '.join(EVENTS)}."
            raise Refused("invalid_request", message)
    wanted = dict.fromkeys(names or EVENTS)
    return [native for name in wanted for native in EVENTS[name]]


def vendor_events(patterns: Collection[str]) -> list[str]:
    """Give the vendor's names of native types."""
    return [name for name, natives in EVENTS.items() if not set(natives).isdisjoint(patterns)]
