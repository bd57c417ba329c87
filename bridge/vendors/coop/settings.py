"""What the Coop bridge must be told."""

from __future__ import annotations

from msgspec import Struct

from bridge.vendors.settings import Address, Key, Poll


class CoopSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account at Coop; its registered numbers are the bridge's lines."""

    #: `brk_live_…`, from the dashboard.
    api_key: Key
    #: Where the account's API is, without `/api/v1`; Coop tells it to its customers.
    api_url: Address
    #: The secret that you chose for the webhook. Until it is set, no webhook is believed.
    webhook_secret: Key | None = None
    #: How often Coop is asked for what its webhooks did not bring, in seconds; 0 for never.
    poll_seconds: Poll = 120
