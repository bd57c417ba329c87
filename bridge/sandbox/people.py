"""Who the simulated contacts are beside what becomes of a message to them: how they are reached, and where they are.

docs/sandbox.md shows both tables; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

#: Leads nowhere, as everything here.
FACETIME_URL: Final = "https://facetime.example/join/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """How somebody can be reached."""

    is_imessage: bool = True
    is_sms: bool = True
    is_facetime: bool = True


EVERYWHERE: Final = Reach()
SMS_ONLY: Final = Reach(is_imessage=False, is_facetime=False)
NOWHERE: Final = Reach(is_imessage=False, is_sms=False, is_facetime=False)

#: Number → how it is reached, where that is not every way. Mail addresses have no SMS.
REACHES: Final[dict[str, Reach]] = {
    "+15550100022": SMS_ONLY,
    "+15550100302": SMS_ONLY,
    "+15550100404": NOWHERE,
}

#: Who shares a location with the line, and where that is.
PLACES: Final[dict[str, dict[str, Any]]] = {
    "+15550100001": {"latitude": 51.4779, "longitude": -0.0015, "label": "Greenwich", "status": "live"},
    "+15550100200": {"latitude": -33.8568, "longitude": 151.2153, "label": "Sydney", "status": "shallow"},
}


def reach_of(handle: str) -> Reach:
    """Say how a handle (normalised) is reached."""
    if "@" in handle:
        return Reach(is_sms=False)
    return REACHES.get(handle, EVERYWHERE)
