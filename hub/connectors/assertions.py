"""Sign JWTs with RS256, for providers that give tokens for them (RFC 7519, RFC 7523)."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from hub.model.actions import ActionFailed
from hub.rules.connectors.model import Assertion
from hub.rules.expressions.frame import Surroundings


def sign_assertion(assertion: Assertion, values: Mapping[str, Any], surroundings: Surroundings) -> str:
    """Give a signed JWT; `iat` and `exp` are the hub's.

    Raises:
        ActionFailed: The private key cannot be used.
        ExpressionError: A claim has no value.
    """
    header = {"alg": "RS256", "typ": "JWT"}
    if assertion.key_id is not None:
        header["kid"] = str(assertion.key_id.render(values, surroundings))
    now = surroundings.now_ms // 1000
    claims = {
        **assertion.claims.render(values, surroundings),
        "iat": now,
        "exp": now + assertion.lifetime_ms // 1000,
    }
    signed = b".".join([_part(msgspec.json.encode(header)), _part(msgspec.json.encode(claims))])
    key = _private_key(str(assertion.key.render(values, surroundings)))
    return b".".join([signed, _part(key.sign(signed, PKCS1v15(), SHA256()))]).decode()


def _private_key(text: str) -> RSAPrivateKey:
    # Where a variable holds the key, its line ends are often written as \n.
    pem = text.replace("\\n", "\n").strip().encode()
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ActionFailed(
            "auth",
            "The private key is no RSA key in PEM without a password; give the provider's file as it is.",
        )
    return key


def _part(content: bytes) -> bytes:
    return urlsafe_b64encode(content).rstrip(b"=")
