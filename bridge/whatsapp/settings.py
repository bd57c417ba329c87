"""What the WhatsApp bridge must be told."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

_Secret = Annotated[str, Meta(min_length=8, max_length=1024, pattern=r"^[\x21-\x7e]+$")]


class WhatsAppSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Numbers of one app at Meta."""

    #: Which number is which line: handle → phone number id (from WhatsApp, API Setup; not the number itself).
    phone_numbers: Annotated[
        dict[str, Annotated[str, Meta(pattern="^[0-9]{5,32}$")]], Meta(min_length=1, max_length=100)
    ]
    #: A permanent token of a system user with `whatsapp_business_messaging`.
    access_token: _Secret
    #: The app's secret (App settings, Basic): Meta signs its webhooks with it.
    app_secret: _Secret
    #: A text of your own that Meta repeats when the webhook is set up.
    verify_token: _Secret
    #: Whether a contact who stops marketing messages at WhatsApp has opted out of all that the hub sends.
    marketing_stop_opts_out: bool = True
    #: The version of Meta's Graph API.
    graph_version: Annotated[str, Meta(pattern=r"^v[0-9]{2,3}\.[0-9]$")] = "v23.0"
    #: Where the API is.
    api_url: Annotated[str, Meta(max_length=512, pattern="^https?://")] = "https://graph.facebook.com"


SECRETS = frozenset({"access_token", "app_secret", "verify_token"})
