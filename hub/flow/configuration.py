"""What the hub is made of, as the store tells it: everything, or what changed since a revision.

Not here: how processes keep it ready for use (hub.flow.directory).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hub.model.line import Bridge, Line
from hub.model.webhook import Webhook


@dataclass(frozen=True, kw_only=True, slots=True)
class Configuration:
    """Lines, bridges and webhooks at one revision: all that there are, or only what changed since another one."""

    revision: int
    lines: Sequence[Line]
    bridges: Sequence[Bridge]
    webhooks: Sequence[Webhook]
    #: These are all: what is not among them is gone.
    is_whole: bool = True
    #: Ids of what is gone, if these are not all.
    gone_lines: frozenset[int] = frozenset()
    gone_bridges: frozenset[int] = frozenset()
    gone_webhooks: frozenset[int] = frozenset()


class Configurations(Protocol):
    async def read(self, *, since: int | None = None) -> Configuration:
        """Read one consistent state: what changed after the revision `since`, or everything.

        It costs what changed, not what there is; everything may come although `since` was given.
        """
        ...

    async def failing(self) -> Mapping[int, int]:
        """Webhooks that fail, and since when (Unix ms): it changes without raising the revision."""
        ...
