"""An enrolment: the permission for one machine to become a bridge, or to take one over, without an API key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta, Struct

EnrolmentStatus = Literal["open", "redeemed", "expired"]

_Word = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\Z")]


class BridgeSystem(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a bridge's machine says of itself when it enrols; for people only."""

    #: `macOS 15.1`, `Debian 12`, …
    os: _Word | None = None
    hostname: _Word | None = None
    #: The bridge's program, with its version.
    agent: _Word | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Enrolment:
    """One permission, never its token."""

    id: int
    #: The name that the bridge will have; None if its machine may choose.
    name: str | None
    #: The bridge that is taken over, or that was made; None before one was.
    bridge_id: int | None
    created_at: int
    expires_at: int
    redeemed_at: int | None = None

    def status(self, now_ms: int) -> EnrolmentStatus:
        """Tell whether its token still opens anything."""
        if self.redeemed_at is not None:
            return "redeemed"
        return "open" if self.expires_at > now_ms else "expired"
