"""All dialects: adding one is adding its folder and one line here."""

from __future__ import annotations

from typing import Final

from hub.api.dialect import Dialect
from hub.dialects import ava, blooio, coop, msgbubbles

#: Alphabetical.
DIALECTS: Final[tuple[Dialect, ...]] = (
    ava.DIALECT,
    blooio.DIALECT,
    coop.DIALECT,
    msgbubbles.DIALECT,
)
