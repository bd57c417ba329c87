"""Signatures: the published vectors, the refusals, and agreement with the official library as an oracle."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.signing import (
    InvalidSecret,
    NativeSigner,
    Secret,
    StandardSigner,
    Verification,
    verify_native,
    verify_standard,
)

SECRET_TEXT = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
WEBHOOK_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = 1614265330
BODY = b'{"test": 2432232314}'
GOOD = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
BAD_BASE64 = "Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="

raw_secrets = st.binary(min_size=24, max_size=64)
webhook_ids = st.text(st.sampled_from("abcdefXYZ0123456789_-"), min_size=1, max_size=40)
timestamps = st.integers(min_value=0, max_value=32_503_680_000)


def verify(
    *,
    secrets: tuple[str, ...] = (SECRET_TEXT,),
    webhook_id: str | None = WEBHOOK_ID,
    timestamp_text: str | None = str(TIMESTAMP),
    signature_header: str | None = GOOD,
    body: bytes = BODY,
    now_seconds: int = TIMESTAMP,
) -> Verification:
    return verify_standard(
        [Secret(text) for text in secrets],
        webhook_id=webhook_id,
        timestamp_text=timestamp_text,
        signature_header=signature_header,
        body=body,
        now_seconds=now_seconds,
    )


@pytest.mark.parametrize(
    ("secret", "webhook_id", "timestamp", "body", "expected"),
    [
        pytest.param(SECRET_TEXT, WEBHOOK_ID, TIMESTAMP, BODY, GOOD, id="all-libraries"),
        pytest.param(
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            1649367553,
            b'{"email":"test@example.com","username":"test_user"}',
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
            id="rust-library",
        ),
    ],
)
def test_published_vectors(secret: str, webhook_id: str, timestamp: int, body: bytes, expected: str) -> None:
    """The two published v1 vectors come out byte for byte, and verify."""
    signed = StandardSigner([Secret(secret)]).sign(webhook_id.encode(), timestamp, body)

    assert signed.decode() == expected
    assert (
        verify(
            secrets=(secret,),
            webhook_id=webhook_id,
            timestamp_text=str(timestamp),
            signature_header=expected,
            body=body,
            now_seconds=timestamp,
        )
        is Verification.OK
    )


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param(GOOD, Verification.OK, id="good"),
        pytest.param("v1,", Verification.MALFORMED, id="empty-signature"),
        pytest.param(GOOD[:11], Verification.MALFORMED, id="truncated-to-8"),
        pytest.param(GOOD.replace("v1", "v2"), Verification.MALFORMED, id="unknown-version-only"),
        pytest.param(GOOD.replace("v1", "v1a"), Verification.MALFORMED, id="asymmetric-version-only"),
        pytest.param(GOOD.replace("OE=", "OA="), Verification.BAD_SIGNATURE, id="wrong-last-character"),
        pytest.param(f"v1,{BAD_BASE64}", Verification.BAD_SIGNATURE, id="other-signature"),
        pytest.param(
            f"v1,{BAD_BASE64} v2,{BAD_BASE64} {GOOD} v1,{BAD_BASE64}", Verification.OK, id="one-of-several"
        ),
        pytest.param(f"nonsense {GOOD}", Verification.OK, id="entry-without-comma-is-skipped"),
        pytest.param(f"v1,é{'A' * 43} {GOOD}", Verification.OK, id="foreign-letters-are-skipped"),
        pytest.param(f"v1,{'!' * 44} {GOOD}", Verification.OK, id="foreign-signs-are-skipped"),
        pytest.param(f"v1,{'A' * 44} {GOOD}", Verification.OK, id="33-bytes-are-skipped"),
        pytest.param(f"  {GOOD}  ", Verification.OK, id="extra-blanks"),
        pytest.param("nonsense", Verification.MALFORMED, id="no-comma-at-all"),
        pytest.param(" ", Verification.MALFORMED, id="blank"),
        pytest.param(GOOD.rstrip("="), Verification.MALFORMED, id="unpadded"),
    ],
)
def test_signature_header(header: str, expected: Verification) -> None:
    """Only a whole, fitting v1 entry is accepted; anything else never raises."""
    assert verify(signature_header=header) is expected


@pytest.mark.parametrize("tail", ["OF=", "OG=", "OH="])
def test_spellings_of_the_same_bytes_are_one_signature(tail: str) -> None:
    """Base64 has several spellings of 32 bytes; bytes are compared, so the text must never serve as a key."""
    spelling = GOOD.replace("OE=", tail)

    assert base64.b64decode(spelling[3:]) == base64.b64decode(GOOD[3:])
    assert verify(signature_header=spelling) is Verification.OK


@pytest.mark.parametrize("header", ["webhook_id", "timestamp_text", "signature_header"])
@pytest.mark.parametrize("value", [None, ""])
def test_each_missing_header_is_named(header: str, value: str | None) -> None:
    """A missing or empty header is refused before anything is computed."""
    result = verify(
        webhook_id=value if header == "webhook_id" else WEBHOOK_ID,
        timestamp_text=value if header == "timestamp_text" else str(TIMESTAMP),
        signature_header=value if header == "signature_header" else GOOD,
    )

    assert result is Verification.MISSING_HEADER


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "1614265330.9",
        "1614265330.0",
        "+1614265330",
        "-1",
        "01614265330",
        " 1614265330",
        "1614265330\n",
        "1_614_265_330",
        "1.61426533e9",
        "١٦١٤٢٦٥٣٣٠",
        "nan",
        "9" * 400,
    ],
)
def test_timestamp_has_one_spelling(text: str) -> None:
    """The header text is what was signed: other spellings of the number are refused."""
    assert verify(timestamp_text=text) is Verification.BAD_TIMESTAMP


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        (-301, Verification.TOO_OLD),
        (-300, Verification.OK),
        (0, Verification.OK),
        (300, Verification.OK),
        (301, Verification.TOO_NEW),
    ],
)
def test_tolerance_is_five_minutes_both_ways(offset: int, expected: Verification) -> None:
    """A correctly signed request outside the window is refused, at the window's edge accepted."""
    signed = StandardSigner([Secret(SECRET_TEXT)]).sign(WEBHOOK_ID.encode(), TIMESTAMP + offset, BODY)

    result = verify(timestamp_text=str(TIMESTAMP + offset), signature_header=signed.decode())

    assert result is expected


@pytest.mark.parametrize("webhook_id", ["msg.1", "msg 1", "msg\n1", "msgé", "m" * 256])
def test_ids_that_blur_the_signed_text_are_refused(webhook_id: str) -> None:
    """A dot, a blank or a foreign letter in the id is malformed, whatever the signature says."""
    assert verify(webhook_id=webhook_id) is Verification.MALFORMED


def test_signing_an_id_with_a_dot_is_refused() -> None:
    """We never send what we would not accept."""
    with pytest.raises(ValueError, match="contains a dot"):
        StandardSigner([Secret(SECRET_TEXT)]).sign(b"msg.1", TIMESTAMP, BODY)


def test_body_need_not_be_text() -> None:
    """Bytes that are not UTF-8 are signed and verified like any others."""
    body = b"\xff\xfe\x00{"
    signed = StandardSigner([Secret(SECRET_TEXT)]).sign(WEBHOOK_ID.encode(), TIMESTAMP, body)

    assert verify(signature_header=signed.decode(), body=body) is Verification.OK
    assert verify(signature_header=signed.decode(), body=body + b"x") is Verification.BAD_SIGNATURE


def test_rotation_signs_with_both_newest_first() -> None:
    """During the overlap a receiver with either secret can verify."""
    new, old = Secret.from_bytes(b"n" * 32), Secret.from_bytes(b"o" * 32)

    header = StandardSigner([new, old]).sign(WEBHOOK_ID.encode(), TIMESTAMP, BODY).decode()

    first, second = header.split(" ")
    assert verify(secrets=(new.text,), signature_header=first) is Verification.OK
    assert verify(secrets=(old.text,), signature_header=second) is Verification.OK
    assert verify(secrets=(old.text, new.text), signature_header=first) is Verification.OK


def test_nobody_signs_with_no_secret() -> None:
    """An empty list of secrets is a mistake of ours, not an unsigned webhook; and it verifies nothing."""
    with pytest.raises(ValueError, match="at least one secret"):
        StandardSigner([])
    assert verify(secrets=()) is Verification.BAD_SIGNATURE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        "whsec_AAAA",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
        "whsec_" + "A" * 88,
        "whsec_abc!",
        "whsec_a",
    ],
    ids=["empty", "only-prefix", "3-bytes", "23-bytes", "66-bytes", "not-base64", "cut-off"],
)
def test_unfit_secrets_are_refused_at_construction(text: str) -> None:
    """The message says what a good secret looks like and never repeats the bad one."""
    with pytest.raises(InvalidSecret, match="24 to 64 random bytes") as caught:
        Secret(text)
    assert len(text) < 8 or text not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwBr"],
    ids=["without-prefix", "unpadded"],
)
def test_secrets_of_other_systems_can_move_here(text: str) -> None:
    """Spellings the reference library accepts sign the same here, and the text is kept as given."""
    signed = StandardSigner([Secret(text)]).sign(b"msg_1", TIMESTAMP, BODY).decode()

    assert oracle_signature(text, "msg_1", TIMESTAMP, BODY.decode()) == signed
    assert Secret(text).text == text


def test_secret_never_shows_itself() -> None:
    """Printing, formatting and nesting hide the secret; equality still works."""
    secret = Secret(SECRET_TEXT)

    assert "MfKQ" not in f"{secret} {secret!r} {[secret]}"
    assert secret == Secret(SECRET_TEXT)
    assert secret != Secret.from_bytes(b"x" * 32)
    assert secret != SECRET_TEXT
    assert len({secret, Secret(SECRET_TEXT)}) == 1


def oracle_signature(secret_text: str, webhook_id: str, timestamp: int, body: str) -> str:
    moment = datetime.fromtimestamp(timestamp, tz=UTC)
    return standardwebhooks.Webhook(secret_text).sign(webhook_id, moment, body)


@given(raw=raw_secrets, webhook_id=webhook_ids, timestamp=timestamps, body=st.text())
def test_agrees_with_the_official_library(raw: bytes, webhook_id: str, timestamp: int, body: str) -> None:
    """Whatever is signed, the official library signs the same, and our verifier accepts it."""
    secret = Secret.from_bytes(raw)

    ours = StandardSigner([secret]).sign(webhook_id.encode(), timestamp, body.encode()).decode()

    assert oracle_signature(secret.text, webhook_id, timestamp, body) == ours
    assert (
        verify(
            secrets=(secret.text,),
            webhook_id=webhook_id,
            timestamp_text=str(timestamp),
            signature_header=ours,
            body=body.encode(),
            now_seconds=timestamp,
        )
        is Verification.OK
    )


@given(
    webhook_id=st.text(max_size=20),
    timestamp_text=st.one_of(st.just(str(TIMESTAMP)), st.text(max_size=20)),
    header=st.one_of(st.text(max_size=80), st.from_regex(r"(v1,[A-Za-z0-9+/]{43}=| ){1,3}", fullmatch=True)),
    body=st.binary(max_size=50),
)
def test_foreign_input_never_raises_and_never_passes(
    webhook_id: str, timestamp_text: str, header: str, body: bytes
) -> None:
    """No text anyone can send is an exception, and none that is not ours is believed."""
    result = verify(webhook_id=webhook_id, timestamp_text=timestamp_text, signature_header=header, body=body)

    assert not result.is_ok


@given(raw=raw_secrets, body=st.binary(max_size=50), position=st.integers(min_value=0), bit=st.integers(0, 7))
def test_any_flipped_bit_is_noticed(raw: bytes, body: bytes, position: int, bit: int) -> None:
    """Changing one bit of the signature or of the body breaks it."""
    secret = Secret.from_bytes(raw)
    signature = base64.b64decode(StandardSigner([secret]).sign(b"msg_1", TIMESTAMP, body)[3:])
    flipped = bytearray(signature)
    flipped[position % 32] ^= 1 << bit
    header = "v1," + base64.b64encode(flipped).decode()

    result = verify(secrets=(secret.text,), webhook_id="msg_1", signature_header=header, body=body)

    assert result is Verification.BAD_SIGNATURE


def test_native_parity_vector() -> None:
    """contracts: messages.dev §6.5."""
    signed = NativeSigner("whsec_abc").sign(1710000000000, b'{"a":1}')

    assert signed == b"42b9ff8446017f9eba94c7f0cb68470eda2ff9ff523fedd917060a2ddb3f6ebe"


def test_native_key_is_the_text_not_the_decoded_bytes() -> None:
    """The prefix belongs to the key there, so one request carries two different signatures."""
    secret = Secret(SECRET_TEXT)

    assert NativeSigner(secret).sign(1, b"{}") == NativeSigner(SECRET_TEXT).sign(1, b"{}")
    assert NativeSigner(secret).sign(1, b"{}") != secret.digest(b"1.{}").hex().encode()


@pytest.mark.parametrize(
    ("alter", "expected"),
    [
        pytest.param(lambda text: text, Verification.OK, id="good"),
        pytest.param(str.upper, Verification.MALFORMED, id="upper-case"),
        pytest.param(lambda text: f"sha256={text}", Verification.MALFORMED, id="prefixed"),
        pytest.param(lambda text: text[:-1], Verification.MALFORMED, id="truncated"),
        pytest.param(lambda text: "", Verification.MISSING_HEADER, id="empty"),
        pytest.param(lambda text: "0" * 64, Verification.BAD_SIGNATURE, id="forged"),
    ],
)
def test_native_verifier_is_as_strict_as_the_sdk(alter: Callable[[str], str], expected: Verification) -> None:
    """Lower-case hex without prefix, or nothing."""
    signed = NativeSigner("whsec_123").sign(1710000000000, b"{}").decode()

    result = verify_native(
        "whsec_123",
        timestamp_ms=1710000000000,
        signature_header=alter(signed),
        body=b"{}",
        now_ms=1710000000000,
    )

    assert result is expected


@pytest.mark.parametrize(
    ("now_ms", "expected"),
    [
        (1710000300000, Verification.OK),
        (1710000300001, Verification.TOO_OLD),
        (1709999700000, Verification.OK),
        (1709999699999, Verification.TOO_NEW),
        (1710000, Verification.TOO_NEW),
    ],
)
def test_native_window_is_300_000_ms(now_ms: int, expected: Verification) -> None:
    """Seconds where milliseconds belong fall outside the window."""
    signed = NativeSigner("k").sign(1710000000000, b"{}").decode()

    result = verify_native(
        "k", timestamp_ms=1710000000000, signature_header=signed, body=b"{}", now_ms=now_ms
    )

    assert result is expected


def test_native_refuses_an_empty_secret() -> None:
    """An empty key would sign for everyone."""
    with pytest.raises(InvalidSecret):
        NativeSigner("")
