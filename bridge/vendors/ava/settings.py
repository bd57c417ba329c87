"""What the AVA bridge must be told."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from bridge.vendors.settings import Address, Key


class AvaSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account at AVA; its number is the bridge's only line."""

    #: As the vendor handed it out.
    api_key: Key
    #: How often AVA is asked for what came in, in seconds: it has no webhooks, and wants 5 to 10.
    poll_seconds: Annotated[int, Meta(ge=5, le=86_400)] = 10
    #: Where the API is.
    api_url: Address = "https://chat.buzzedtech.com"
