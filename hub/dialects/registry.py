"""All dialects: adding one is adding its folder and one line here."""

from __future__ import annotations

from typing import Final

from hub.api.dialect import Dialect
from hub.dialects import ava, blooio, coop, messages_dev, msgbubbles
from hub.dialects.ava.source import SOURCE as AVA
from hub.dialects.blooio.source import SOURCE as BLOOIO
from hub.dialects.coop.source import SOURCE as COOP
from hub.dialects.msgbubbles.source import SOURCE as MSGBUBBLES
from hub.flow.vendor_sources import VendorSource

#: Alphabetical.
DIALECTS: Final[tuple[Dialect, ...]] = (
    ava.DIALECT,
    blooio.DIALECT,
    coop.DIALECT,
    msgbubbles.DIALECT,
)

#: What `hub import` can be asked for; messages.dev is the native dialect. Alphabetical.
SOURCES: Final[tuple[VendorSource, ...]] = (AVA, BLOOIO, COOP, messages_dev.SOURCE, MSGBUBBLES)
