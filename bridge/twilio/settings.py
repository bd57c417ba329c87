"""What the Twilio bridge must be told."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

_Secret = Annotated[str, Meta(min_length=8, max_length=256, pattern=r"^[\x21-\x7e]+$")]


class TwilioSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Twilio account; its numbers are the bridge's lines."""

    #: `AC…`, from the console's first page.
    account_sid: Annotated[str, Meta(pattern="^AC[0-9a-fA-F]{32}$")]
    #: The account's auth token: Twilio signs its webhooks with it, so it is needed beside an API key, too.
    auth_token: _Secret
    #: `SK…`: an API key to call with instead of the auth token; it can be revoked by itself.
    api_key_sid: Annotated[str, Meta(pattern="^SK[0-9a-fA-F]{32}$")] | None = None
    #: The secret of the API key.
    api_key_secret: _Secret | None = None
    #: `MG…`: a messaging service that sends go through; the line's number is named beside it.
    messaging_service_sid: Annotated[str, Meta(pattern="^MG[0-9a-fA-F]{32}$")] | None = None
    #: How long Twilio may try, in seconds; none leaves it to Twilio.
    validity_seconds: Annotated[int, Meta(ge=1, le=36_000)] | None = None
    #: Whether the numbers can send files (MMS: numbers of the US and Canada).
    can_send_files: bool = True
    #: How often Twilio is asked for what its webhooks did not bring, in seconds; 0 for never.
    poll_seconds: Annotated[int, Meta(ge=0, le=86_400)] = 60
    #: Where the API is; another one for an account in another region.
    api_url: Annotated[str, Meta(max_length=512, pattern="^https?://")] = "https://api.twilio.com"


SECRETS = frozenset({"api_key_secret", "auth_token"})
