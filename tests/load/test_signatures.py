"""The harness signs and verifies by the specifications' own vectors."""

from standardwebhooks import Webhook

from tests.load.signatures import sign_standard, standard_key, verify_native, verify_standard

_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
_ID, _TIMESTAMP, _BODY = b"msg_p5jXN8AQM9LWM0D4loKWxJek", b"1614265330", b'{"test": 2432232314}'
_SIGNATURE = b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_standard_signature_is_that_of_the_vector() -> None:
    """Standard Webhooks' own example."""
    assert sign_standard(standard_key(_SECRET), _ID, _TIMESTAMP, _BODY) == _SIGNATURE


def test_standard_signature_is_that_of_the_official_library() -> None:
    """The oracle knows no padding tricks of ours."""
    from datetime import UTC, datetime

    theirs = Webhook(_SECRET).sign(_ID.decode(), datetime.fromtimestamp(1614265330, UTC), _BODY.decode())

    assert theirs.encode() == _SIGNATURE


def test_one_right_signature_of_a_list_is_enough() -> None:
    """As during a rotation."""
    key = standard_key(_SECRET)

    assert verify_standard(key, _ID, _TIMESTAMP, _BODY, b"v1,AAAA " + _SIGNATURE)
    assert not verify_standard(key, _ID, _TIMESTAMP, _BODY + b" ", _SIGNATURE)
    assert not verify_standard(key, _ID, _TIMESTAMP, _BODY, b"")


def test_native_signature_is_that_of_the_parity_vector() -> None:
    """Contracts: messages.dev §6, point 5."""
    expected = b"42b9ff8446017f9eba94c7f0cb68470eda2ff9ff523fedd917060a2ddb3f6ebe"

    assert verify_native(b"whsec_abc", 1710000000000, b'{"a":1}', expected)
    assert not verify_native(b"whsec_abc", 1710000000001, b'{"a":1}', expected)
