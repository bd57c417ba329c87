"""What the MsgBubbles bridge must be told."""

from __future__ import annotations

from msgspec import Struct

from bridge.vendors.settings import Address, Key, Poll


class MsgBubblesSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account at MsgBubbles; its numbers are the bridge's lines."""

    #: `sk_live_…`, from the dashboard.
    api_key: Key
    #: `whsec_…`: shown when the webhook is made or its secret turned. Until it is set, no webhook is believed.
    webhook_secret: Key | None = None
    #: How often MsgBubbles is asked for what its webhooks did not bring, in seconds; 0 for never.
    poll_seconds: Poll = 120
    #: Where the API is, with `/v1`.
    api_url: Address = "https://api.msgbubbles.com/v1"
