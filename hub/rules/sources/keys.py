"""How the text of a secret becomes the key that signs: whole, decoded from base64 or hex, or a public key."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from hub.rules.sources.model import Check, SourceSecret

ED25519_BYTES: Final = 32
Verifier = Callable[[bytes, bytes], bool]


def key_bytes(check: Check, secret: SourceSecret) -> bytes | str:
    """Give the key of a shared secret; a text that says, without showing it, why it is none."""
    text = secret.text.removeprefix(check.key_prefix)
    try:
        match check.key:
            case "base64":
                found = _base64(text)
            case "hex":
                found = bytes.fromhex(text)
            case _:
                found = text.encode()
    except (ValueError, binascii.Error):
        after = f" after {check.key_prefix}" if check.key_prefix else ""
        return f"it is not {check.key}{after}"
    return found or "it is empty"


def public_key(check: Check, secret: SourceSecret) -> Verifier | str:
    """Give what verifies (signature, content) with a public key; a text that says why it is none."""
    written = "".join(line for line in secret.text.split("\n") if not line.startswith("-----"))
    try:
        raw = bytes.fromhex(written) if check.key == "hex" else _base64("".join(written.split()))
        return _ed25519(raw) if check.variant == "ed25519" else _ecdsa(raw)
    except (ValueError, UnsupportedAlgorithm, binascii.Error):
        return f"it is no public key of {check.variant}"


def _base64(text: str) -> bytes:
    plain = text.rstrip("=")
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


def _ed25519(raw: bytes) -> Verifier:
    loaded = (
        Ed25519PublicKey.from_public_bytes(raw) if len(raw) == ED25519_BYTES else load_der_public_key(raw)
    )
    if not isinstance(loaded, Ed25519PublicKey):
        raise ValueError("another kind of key")
    key = loaded

    def fits(signature: bytes, content: bytes) -> bool:
        try:
            key.verify(signature, content)
        except InvalidSignature:
            return False
        return True

    return fits


def _ecdsa(raw: bytes) -> Verifier:
    loaded = load_der_public_key(raw)
    if not isinstance(loaded, EllipticCurvePublicKey) or not isinstance(loaded.curve, SECP256R1):
        raise ValueError("another kind of key")
    key = loaded

    def fits(signature: bytes, content: bytes) -> bool:
        try:
            key.verify(signature, content, ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True

    return fits
