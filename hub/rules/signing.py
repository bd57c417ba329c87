"""Sign and verify webhook bytes: Standard Webhooks 1.0.0 and the native form of contracts: messages.dev §6.

Both directions work on bytes, never on re-serialised text, and the clock is an argument. HMAC pads are
computed once per secret, which halves the cost of a signature on the delivery path.
Not here: `v1a` (ed25519) entries, which are ignored, and remembering ids against replays (the store's task).
"""

import binascii
import re
from binascii import b2a_base64
from collections.abc import Iterator, Sequence
from enum import Enum
from hashlib import sha256
from hmac import compare_digest
from typing import Final, final

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the public prefix, not a secret
SECRET_BYTES_MINIMUM: Final = 24
SECRET_BYTES_MAXIMUM: Final = 64
SECRET_BYTES_GENERATED: Final = 32

_BLOCK_BYTES: Final = 64
_DOT: Final = ord(".")
_INNER_PAD: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD: Final = bytes(byte ^ 0x5C for byte in range(256))
_BASE64_TEXT: Final = re.compile(r"[A-Za-z0-9+/]*={0,2}", re.ASCII)
#: No sign, no blank, no leading zero: the header text is what was signed, so it has one spelling only.
_CANONICAL_SECONDS: Final = re.compile(r"0|[1-9][0-9]{0,14}", re.ASCII)
#: Visible ASCII without the dot: a dot in the id would let one signed content be cut in two ways.
_SIGNABLE_ID: Final = re.compile(r"[!-\-/-~]{1,255}", re.ASCII)
_NATIVE_SIGNATURE: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


_GOOD_SECRET: Final = (
    f"expected {SECRET_PREFIX} followed by the base64 of "
    f"{SECRET_BYTES_MINIMUM} to {SECRET_BYTES_MAXIMUM} random bytes"
)


class InvalidSecret(ValueError):
    """The signing secret cannot be used; the message says why and what a good one looks like."""


@final
class Secret:
    """One Standard Webhooks signing secret, hidden in every printed form.

    Accepts the spellings other systems hand out (without prefix, without padding), so that endpoints can
    move to us with their secrets. The text is kept as given: the native signature is keyed on it.
    """

    __slots__ = ("_key", "_text")

    def __init__(self, text: str) -> None:
        encoded = text.removeprefix(SECRET_PREFIX)
        if not encoded:
            raise InvalidSecret(f"the signing secret is empty; {_GOOD_SECRET}")
        if _BASE64_TEXT.fullmatch(encoded) is None:
            raise InvalidSecret(f"the signing secret is not base64 (A-Z a-z 0-9 + / =); {_GOOD_SECRET}")
        unpadded = encoded.rstrip("=")
        try:
            raw = binascii.a2b_base64(unpadded + "=" * (-len(unpadded) % 4))
        except binascii.Error:
            raise InvalidSecret(f"the signing secret is cut off in the middle; {_GOOD_SECRET}") from None
        _require_length(raw)
        self._text = text
        self._key = HmacKey(raw)

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Secret":
        """Make a secret from random bytes the caller drew (24 to 64; we draw 32)."""
        _require_length(raw)
        return cls(SECRET_PREFIX + b2a_base64(raw, newline=False).decode("ascii"))

    @property
    def text(self) -> str:
        """Return the secret as its owner knows it; shown once, then only stored encrypted."""
        return self._text

    def digest(self, content: bytes) -> bytes:
        """Return the 32 bytes of HMAC-SHA256 of `content` under the decoded key."""
        return self._key.digest(content)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __repr__(self) -> str:
        return f"Secret({SECRET_PREFIX}…)"


@final
class HmacKey:
    """HMAC-SHA256 with both pads absorbed beforehand (RFC 2104): a digest costs two copies and the text."""

    __slots__ = ("_copy_inner", "_copy_outer")

    def __init__(self, key: bytes) -> None:
        block = (sha256(key).digest() if len(key) > _BLOCK_BYTES else key).ljust(_BLOCK_BYTES, b"\0")
        self._copy_inner = sha256(block.translate(_INNER_PAD)).copy
        self._copy_outer = sha256(block.translate(_OUTER_PAD)).copy

    def digest(self, content: bytes) -> bytes:
        """Return the 32 bytes of HMAC-SHA256 of `content`."""
        inner = self._copy_inner()
        inner.update(content)
        outer = self._copy_outer()
        outer.update(inner.digest())
        return outer.digest()


@final
class StandardSigner:
    """Write `webhook-signature` values for one receiver.

    Give every secret that is valid now, newest first: during a rotation both the new and the old one sign.
    """

    __slots__ = ("_digests", "_only_digest")

    def __init__(self, secrets: Sequence[Secret]) -> None:
        if not secrets:
            raise ValueError("a signer needs at least one secret; an unsigned webhook is never sent")
        self._digests = tuple(secret._key.digest for secret in secrets)
        self._only_digest = self._digests[0] if len(secrets) == 1 else None

    def sign(self, webhook_id: bytes, timestamp_seconds: int, body: bytes) -> bytes:
        """Return `v1,<base64>` per secret, separated by blanks.

        Args:
            webhook_id: the event's id, the same on every attempt; must not contain a dot.
            timestamp_seconds: the moment of this attempt, Unix seconds.
            body: exactly the bytes that will be sent.
        """
        if _DOT in webhook_id:
            raise ValueError(f"webhook id {webhook_id!r} contains a dot: the signed text would be ambiguous")
        content = b"%b.%d.%b" % (webhook_id, timestamp_seconds, body)
        if self._only_digest is not None:  # nearly always: rotations are rare and this is the delivery path
            return b"v1," + b2a_base64(self._only_digest(content), newline=False)
        return b" ".join([b"v1," + b2a_base64(digest(content), newline=False) for digest in self._digests])


@final
class NativeSigner:
    """Write `X-Webhook-Signature` values exactly as contracts: messages.dev §6 verifies them.

    The key is the UTF-8 text of the secret, prefix included and not decoded, so any text can be a secret.
    """

    __slots__ = ("_digest",)

    def __init__(self, secret: Secret | str) -> None:
        text = secret.text if isinstance(secret, Secret) else secret
        if not text:
            raise InvalidSecret(f"the signing secret is empty; {_GOOD_SECRET}")
        self._digest = HmacKey(text.encode()).digest

    def sign(self, timestamp_ms: int, body: bytes) -> bytes:
        """Return the lower-case hex signature; `timestamp_ms` must equal the body's `timestamp` field."""
        return self._digest(b"%d.%b" % (timestamp_ms, body)).hex().encode("ascii")


class Verification(Enum):
    """What a verifier found; the value is the sentence for logs and for the sender."""

    OK = "the signature is valid"
    MISSING_HEADER = "the id, timestamp or signature header is missing; send all three"
    BAD_TIMESTAMP = "the timestamp is not a plain whole number; send Unix time in decimal digits"
    TOO_OLD = "the timestamp is too far in the past; sign again with the current time, and check the clock"
    TOO_NEW = "the timestamp is too far in the future; check the sender's clock"
    BAD_SIGNATURE = "no signature fits these bytes; check the secret, and sign the exact body that is sent"
    MALFORMED = "the id or the signature cannot be read; send an id without dots and v1,<base64 of 32 bytes>"

    @property
    def is_ok(self) -> bool:
        """Say whether the request may be believed."""
        return self is Verification.OK


def verify_standard(
    secrets: Sequence[Secret],
    *,
    webhook_id: str | None,
    timestamp_text: str | None,
    signature_header: str | None,
    body: bytes,
    now_seconds: int,
    tolerance_seconds: int = 300,
) -> Verification:
    """Check a Standard Webhooks request against every secret that is valid now.

    Stricter than the reference library: one spelling of the timestamp, decoded signatures compared as 32
    bytes in constant time, malformed entries skipped, any body bytes allowed. Never raises on foreign input.
    """
    if not webhook_id or not timestamp_text or not signature_header:
        return Verification.MISSING_HEADER
    if _CANONICAL_SECONDS.fullmatch(timestamp_text) is None:
        return Verification.BAD_TIMESTAMP
    if _SIGNABLE_ID.fullmatch(webhook_id) is None:
        return Verification.MALFORMED
    age = _judge_age(now_seconds - int(timestamp_text), tolerance_seconds)
    if age is not Verification.OK:
        return age
    offered = tuple(_readable_signatures(signature_header))
    if not offered:
        return Verification.MALFORMED
    content = b"%b.%b.%b" % (webhook_id.encode("ascii"), timestamp_text.encode("ascii"), body)
    expected = [secret.digest(content) for secret in secrets]
    # Every pair is compared, so the time taken does not tell which secret or entry fitted.
    fits = [compare_digest(ours, theirs) for ours in expected for theirs in offered]
    return Verification.OK if any(fits) else Verification.BAD_SIGNATURE


def verify_native(
    secret: Secret | str,
    *,
    timestamp_ms: int,
    signature_header: str | None,
    body: bytes,
    now_ms: int,
    tolerance_ms: int = 300_000,
) -> Verification:
    """Check a native delivery as the vendor's SDK does; `timestamp_ms` is the body's field, no header."""
    if not signature_header:
        return Verification.MISSING_HEADER
    if _NATIVE_SIGNATURE.fullmatch(signature_header) is None:
        return Verification.MALFORMED
    age = _judge_age(now_ms - timestamp_ms, tolerance_ms)
    if age is not Verification.OK:
        return age
    expected = NativeSigner(secret).sign(timestamp_ms, body)
    fits = compare_digest(expected, signature_header.encode("ascii"))
    return Verification.OK if fits else Verification.BAD_SIGNATURE


def _require_length(raw: bytes) -> None:
    if not SECRET_BYTES_MINIMUM <= len(raw) <= SECRET_BYTES_MAXIMUM:
        raise InvalidSecret(f"the signing secret holds {len(raw)} bytes; {_GOOD_SECRET}")


def _judge_age(age: int, tolerance: int) -> Verification:
    if age > tolerance:
        return Verification.TOO_OLD
    return Verification.TOO_NEW if age < -tolerance else Verification.OK


def _readable_signatures(header: str) -> Iterator[bytes]:
    """Yield the decoded `v1` entries; other versions and malformed entries are passed over."""
    for entry in header.split(" "):
        version, _, encoded = entry.partition(",")
        if version != "v1" or len(encoded) != 44:
            continue
        try:
            signature = binascii.a2b_base64(encoded, strict_mode=True)
        except ValueError:  # foreign characters, wrong padding, text outside ASCII
            continue
        if len(signature) == 32:
            yield signature
