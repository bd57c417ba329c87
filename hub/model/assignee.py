"""Who takes care of a conversation: a team, one of its people, or both. The names are the customer's own."""

from __future__ import annotations

import msgspec


class Assignee(msgspec.Struct, frozen=True, kw_only=True):
    """At least one of team and user."""

    team: str | None = None
    user: str | None = None
    #: For whoever takes over.
    note: str | None = None
