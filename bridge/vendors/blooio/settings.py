"""What the Blooio bridge must be told."""

from __future__ import annotations

from msgspec import Struct

from bridge.vendors.settings import Address, Key, Poll


class BlooioSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One key at Blooio; the numbers of its pool are the bridge's lines."""

    #: `bl_live_…`, from Blooio's dashboard.
    api_key: Key
    #: `whsec_…`: shown once, when the webhook is made. Until it is set, no webhook is believed.
    webhook_secret: Key | None = None
    #: How often Blooio is asked for what its webhooks did not bring, in seconds; 0 for never.
    poll_seconds: Poll = 120
    #: Where the API is.
    api_url: Address = "https://backend.blooio.com/v2/api"
