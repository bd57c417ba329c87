"""What can be carried over from AVA: nothing, because its API lists nothing (contracts: ava §1)."""

from __future__ import annotations

from typing import Final

from hub.dialects.ava.names import DIALECT_NAME
from hub.flow.vendor_sources import VendorSource
from hub.model.dialect import NATIVE

SOURCE: Final = VendorSource(
    name=DIALECT_NAME,
    vendor="AVA",
    url="https://chat.buzzedtech.com",
    prefix="/api",
    form=NATIVE,
    instead={
        "contacts": "AVA's API has no contacts: take in a file of yours with `hub contacts import FILE`.",
        "webhooks": "AVA has no webhooks: register your receivers with `hub webhooks add URL`.",
    },
)
