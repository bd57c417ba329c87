"""Idempotency keys: which are keys, when two requests are the same, and what each gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.idempotency import (
    Admission,
    Conflict,
    KeyRecord,
    Lost,
    New,
    Replay,
    StillRunning,
    admit_request,
    hash_request,
    validate_key,
)
from hub.rules.problems import Problem

SAME, OTHER = b"s" * 32, b"o" * 32
RUNNING = KeyRecord(request_hash=SAME, answer=None, lease_until_ms=5_000)
FINISHED = KeyRecord(request_hash=SAME, answer=b"answer", lease_until_ms=5_000)
UNKEPT = KeyRecord(request_hash=SAME, answer=b"", lease_until_ms=5_000)


@pytest.mark.parametrize("key", ["a", "A-1", "~!", "x" * 255, "550e8400-e29b-41d4-a716-446655440000"])
def test_keys(key: str) -> None:
    """Anything visible up to 255 characters, kept as given."""
    assert validate_key(key) == key


@pytest.mark.parametrize("key", ["", " ", "a b", "a\n", "\0", "é", "x" * 256, "a\t"])
def test_not_keys(key: str) -> None:
    """Blanks and foreign letters change on the way through gateways, so they cannot identify anything."""
    assert isinstance(validate_key(key), Problem)


@pytest.mark.parametrize(
    ("record", "request_hash", "now_ms", "expected"),
    [
        pytest.param(None, SAME, 0, New(), id="unknown-key"),
        pytest.param(FINISHED, SAME, 0, Replay(answer=b"answer"), id="repeat"),
        pytest.param(FINISHED, SAME, 99_999, Replay(answer=b"answer"), id="late-repeat"),
        pytest.param(UNKEPT, SAME, 0, Lost(), id="done-without-an-answer"),
        pytest.param(RUNNING, SAME, 0, StillRunning(), id="running"),
        pytest.param(RUNNING, SAME, 4_999, StillRunning(), id="running-for-a-moment"),
        pytest.param(RUNNING, SAME, 5_000, Lost(), id="given-up"),
    ],
)
def test_decision_table(
    record: KeyRecord | None, request_hash: bytes, now_ms: int, expected: Admission
) -> None:
    """Each row of the table."""
    assert admit_request(record, request_hash=request_hash, now_ms=now_ms) == expected


@pytest.mark.parametrize("record", [RUNNING, FINISHED, UNKEPT])
@pytest.mark.parametrize("now_ms", [0, 5_000, 99_999])
def test_another_request_is_a_conflict_whatever_the_first_came_to(record: KeyRecord, now_ms: int) -> None:
    """Another body is never answered with the first one's answer, nor done."""
    assert admit_request(record, request_hash=OTHER, now_ms=now_ms) == Conflict()


#: Lone surrogates too: no path a client can spell may raise.
texts = st.text(st.characters(), max_size=6)
requests = st.tuples(st.sampled_from(["POST", "PUT"]), texts, st.binary(max_size=6))


@given(requests, requests)
def test_hashes_agree_exactly_for_equal_requests(
    one: tuple[str, str, bytes], other: tuple[str, str, bytes]
) -> None:
    """No shifting of bytes between the parts makes two requests look the same."""
    first, second = (
        hash_request(method=method, path=path, canonical_body=body) for method, path, body in (one, other)
    )

    assert (first == second) == (one == other)
    assert len(first) == 32


def test_parts_cannot_be_shifted() -> None:
    """The boundary between path and body is part of the hash."""
    assert hash_request(method="POST", path="/a", canonical_body=b"b") != hash_request(
        method="POST", path="/", canonical_body=b"ab"
    )
