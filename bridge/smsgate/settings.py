"""What the bridge to an Android phone must be told."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

_Secret = Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^[\x20-\x7e]+$")]


class SmsGateSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One phone; the numbers of its SIMs are the bridge's lines."""

    #: Where the app is: `http://192.168.1.20:8080`, or `https://api.sms-gate.app/3rdparty/v1` for its cloud mode.
    url: Annotated[str, Meta(max_length=512, pattern="^https?://")]
    #: As the app shows it.
    username: Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[\x21-\x39\x3b-\x7e]+$")]
    #: As the app shows it.
    password: _Secret
    #: The app's signing key (Settings, Webhooks): it signs what it tells.
    signing_key: _Secret
    #: Which SIM carries which line: handle → 1 or 2. Empty for a phone with one line.
    sims: dict[str, Annotated[int, Meta(ge=1, le=8)]] = {}
    #: The phone's id, where the cloud account has several: sends go by this one, and only what it tells is heard.
    device_id: Annotated[str, Meta(min_length=1, max_length=64, pattern="^[0-9A-Za-z_-]+$")] | None = None
    #: How long the phone may try, in seconds; none leaves it to the app.
    ttl_seconds: Annotated[int, Meta(ge=5, le=604_800)] | None = None
    #: How often the phone is asked for the statuses of messages, in seconds; 0 for never.
    poll_seconds: Annotated[int, Meta(ge=0, le=86_400)] = 60
    #: How far back the phone is asked, when the hub begins to listen, to tell again what came in; 0 for not at all.
    catch_up_hours: Annotated[int, Meta(ge=0, le=720)] = 24


SECRETS = frozenset({"password", "signing_key"})
