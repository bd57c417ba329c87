"""Keys are drawn fairly, kept as digests, and end when they should."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.flow.keys import digest_of, draw_key, is_live
from hub.model.key import ApiKey

NOW = 1_800_000_000_000


def key(*, expires_at: int | None = None, revoked_at: int | None = None) -> ApiKey:
    return ApiKey(
        id=1,
        name="shop",
        hint="sk_live_abcd",
        scopes=frozenset({"lines:read"}),
        line_ids=None,
        requests_per_hour=None,
        created_at=0,
        expires_at=expires_at,
        revoked_at=revoked_at,
    )


@given(st.randoms(use_true_random=False))
def test_a_key_has_the_documented_form(chance: Random) -> None:
    assert re.fullmatch(r"sk_live_[0-9A-Za-z]{32}", draw_key(chance.randbytes, prefix="sk_live_"))


def test_every_letter_is_equally_likely() -> None:
    chance = Random(1)
    letters = Counter("".join(draw_key(chance.randbytes, prefix="sk_live_")[8:] for _ in range(2000)))

    assert len(letters) == 62
    assert max(letters.values()) < 1.25 * min(letters.values())


def test_bytes_that_would_favour_a_letter_are_drawn_again() -> None:
    draws = iter([b"\xff" * 32, b"\xf8" * 32, bytes(32)])
    random_bytes: Callable[[int], bytes] = lambda _: next(draws)  # noqa: E731 - one line says it

    assert draw_key(random_bytes, prefix="sk_live_") == "sk_live_" + "0" * 32


def test_what_is_kept_is_the_sha256() -> None:
    assert digest_of("abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    ("expires_at", "revoked_at", "expected"),
    [
        (None, None, True),
        (NOW + 1, None, True),
        (NOW, None, False),
        (None, NOW, False),
        (None, NOW + 1, False),
        (NOW + 1, 0, False),
    ],
)
def test_when_a_key_is_live(expires_at: int | None, revoked_at: int | None, expected: bool) -> None:
    assert is_live(key(expires_at=expires_at, revoked_at=revoked_at), NOW) is expected
