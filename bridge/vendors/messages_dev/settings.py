"""What the messages.dev bridge must be told."""

from __future__ import annotations

from msgspec import Struct

from bridge.vendors.settings import Address, Key, Poll


class MessagesDevSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One key at messages.dev; the lines that it may use are the bridge's lines."""

    #: `sk_live_…`, from the dashboard.
    api_key: Key
    #: Shown once, when the webhook is made. Until it is set, no webhook is believed.
    webhook_secret: Key | None = None
    #: How often messages.dev is asked for what its webhooks did not bring, in seconds; 0 for never.
    poll_seconds: Poll = 120
    #: Where the API is, without `/v1`.
    api_url: Address = "https://api.messages.dev"
