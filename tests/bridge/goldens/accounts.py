"""How bridges with a way in are set up in tests, and how their networks sign: by their pages' words, not by our code.

Shared by the golden files and by the test with hostile bodies.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from hub.flow.bridge_kinds import HookRequest
from tests.bridge.networks import HOOK_URL, LINE

Headers = dict[str, str]
#: Body, Unix ms and the address that is called → headers.
Signing = Callable[[bytes, int, str], Headers]

SECRET: Final = "whsec_golden-secret"
_KEY: Final = "golden-key"


@dataclass(frozen=True, kw_only=True)
class HookAccount:
    """One account whose network calls us."""

    settings: Mapping[str, Any]
    sign: Signing
    content_type: str = "application/json"

    def request(
        self, body: bytes, now_ms: int, *, headers: Mapping[str, str] | None = None, url: str = HOOK_URL
    ) -> HookRequest:
        """Give a webhook with these bytes, signed at this moment."""
        return HookRequest(
            method="POST",
            url=url,
            query=tuple(parse_qsl(urlsplit(url).query)),
            headers={"content-type": self.content_type, **self.sign(body, now_ms, url), **(headers or {})},
            body=body,
        )


def hex_of(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def _blooio(body: bytes, now_ms: int, url: str) -> Headers:
    """Contracts: blooio §4."""
    return {
        "x-blooio-signature": f"t={now_ms // 1000},v1={hex_of(SECRET, b'%d.%b' % (now_ms // 1000, body))}"
    }


def _messages_dev(body: bytes, now_ms: int, url: str) -> Headers:
    """Contracts: messages.dev §6: the moment is the body's own."""
    try:
        at = json.loads(body).get("timestamp")
    except (ValueError, AttributeError, RecursionError):
        at = None
    at = at if isinstance(at, int) and not isinstance(at, bool) else now_ms
    return {"x-webhook-signature": hex_of(SECRET, b"%d.%b" % (at, body))}


def _msgbubbles(body: bytes, now_ms: int, url: str) -> Headers:
    """Contracts: msgbubbles §7: our choice."""
    return {
        "x-webhook-timestamp": str(now_ms),
        "x-webhook-signature": hex_of(SECRET, b"%d.%b" % (now_ms, body)),
    }


def _coop(body: bytes, now_ms: int, url: str) -> Headers:
    """Contracts: coop §3."""
    return {"x-webhook-signature": hex_of(SECRET, body)}


def _smsgate(body: bytes, now_ms: int, url: str) -> Headers:
    """Facts: bridges §4."""
    stamp = str(now_ms // 1000)
    return {"x-signature": hex_of(SECRET, body + stamp.encode()), "x-timestamp": stamp}


def _whatsapp(body: bytes, now_ms: int, url: str) -> Headers:
    """Facts: bridges §5."""
    return {"x-hub-signature-256": "sha256=" + hex_of(SECRET, body)}


def _twilio(body: bytes, now_ms: int, url: str) -> Headers:
    """Facts: bridges §3: the address, then the fields in the order of their names; each with its value."""
    fields = sorted(set(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)))
    text = url + "".join(name + value for name, value in fields)
    mac = hmac.new(SECRET.encode(), text.encode("utf-8", "replace"), hashlib.sha1).digest()
    return {"x-twilio-signature": b64encode(mac).decode()}


def _nobody(body: bytes, now_ms: int, url: str) -> Headers:
    """BlueBubbles signs nothing: the address is the secret."""
    return {}


_VENDOR: Final = {"api_key": _KEY, "webhook_secret": SECRET, "api_url": "https://vendor.example"}
ACCOUNTS: Final[Mapping[str, HookAccount]] = {
    "blooio": HookAccount(settings={**_VENDOR, "api_url": "https://vendor.example/v2/api"}, sign=_blooio),
    "bluebubbles": HookAccount(
        settings={"url": "https://mac.example", "password": "golden-password", "feed": "webhook"},
        sign=_nobody,
    ),
    "coop": HookAccount(settings=_VENDOR, sign=_coop),
    "messages-dev": HookAccount(settings=_VENDOR, sign=_messages_dev),
    "msgbubbles": HookAccount(settings={**_VENDOR, "api_url": "https://vendor.example/v1"}, sign=_msgbubbles),
    "smsgate": HookAccount(
        settings={
            "url": "http://phone.example:8080",
            "username": "sms",
            "password": "golden-password",
            "signing_key": SECRET,
        },
        sign=_smsgate,
    ),
    "twilio": HookAccount(
        settings={
            "account_sid": "AC" + "0" * 32,
            "auth_token": SECRET,
            "api_url": "https://twilio.example",
        },
        sign=_twilio,
        content_type="application/x-www-form-urlencoded",
    ),
    "whatsapp": HookAccount(
        settings={
            "phone_numbers": {LINE: "106540352242922"},
            "access_token": _KEY,
            "app_secret": SECRET,
            "verify_token": "golden-token",
            "api_url": "https://graph.example",
        },
        sign=_whatsapp,
    ),
}
#: Those that are only asked.
ASKED: Final[Mapping[str, Mapping[str, Any]]] = {
    "ava": {"api_key": _KEY, "api_url": "https://vendor.example"}
}
