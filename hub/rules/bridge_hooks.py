"""The secret part of the address at which a network calls a bridge: made from the bridge's secret, kept nowhere.

Whoever turns the secret turns the address; the old one works as long as the old secret does.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

from hub.model.ids import Prefix, id_text
from hub.model.line import Bridge
from hub.model.webhook import StoredSecret

HOOKS_PATH: Final = "/v1/bridge/hooks/"
_PURPOSE: Final = b"hub.bridge.hook.v1"
_BYTES: Final = 20


def hook_token(secret: str) -> str:
    """Give the last part of the address: 40 hexadecimal digits."""
    return hmac.digest(secret.encode(), _PURPOSE, hashlib.sha256)[:_BYTES].hex()


def hook_path(bridge: Bridge) -> str:
    """Give the path at which the network of a bridge calls us."""
    return f"{HOOKS_PATH}{id_text(Prefix.BRIDGE, bridge.id)}/{hook_token(bridge.secrets[0].text)}"


def opens(token: str, secrets: Iterable[StoredSecret], now_ms: int) -> bool:
    """Tell whether a token belongs to a secret that is still believed; takes the same time whichever it is."""
    is_known = False
    for secret in secrets:
        is_live = secret.expires_at is None or secret.expires_at > now_ms
        is_known |= is_live & hmac.compare_digest(hook_token(secret.text).encode(), token.encode())
    return is_known
