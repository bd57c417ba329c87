"""Signed addresses allow what they say, as long as they say, and nothing else."""

from __future__ import annotations

import re

import pytest

from hub.rules.links import LinkAction, Verdict, judge_link, link_key, sign_link

KEY, NOW, END = link_key(bytes(32)), 1_780_000_000_000, 1_780_000_060_000
FILE = "file_0f2m4h8x0g001"
GOOD = sign_link(KEY, LinkAction.READ, FILE, expires_at=END)


def judged(**changed: object) -> Verdict:
    asked = {"key": KEY, "action": LinkAction.READ, "file": FILE, "end": END, "signature": GOOD, "now": NOW}
    asked |= changed
    return judge_link(
        asked["key"], asked["action"], asked["file"],  # type: ignore[arg-type]  # a table of changes
        expires_at=asked["end"], signature=asked["signature"], now_ms=asked["now"],  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_link_is_good_until_it_expires() -> None:
    assert judged() is Verdict.GOOD
    assert judged(now=END - 1) is Verdict.GOOD
    assert judged(now=END) is Verdict.EXPIRED


@pytest.mark.parametrize(
    "changed",
    [
        {"key": link_key(b"k" * 32)},
        {"action": LinkAction.UPLOAD},
        {"file": "file_0f2m4h8x0g002"},
        {"end": END + 1},
        {"end": END + 86_400_000, "now": END + 1},
        {"signature": GOOD[:-1]},
        {"signature": ""},
        {"signature": "ü" + GOOD[1:]},
        {"signature": GOOD.swapcase()},
    ],
)
def test_whatever_is_changed_makes_it_forged(changed: dict[str, object]) -> None:
    assert judged(**changed) is Verdict.FORGED


def test_a_signature_fits_into_a_url_and_tells_nothing() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", GOOD)
    assert sign_link(KEY, LinkAction.READ, FILE, expires_at=END) == GOOD
    assert link_key(bytes(32)) != bytes(32)
