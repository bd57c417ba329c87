"""The address at which a network calls a bridge."""

from __future__ import annotations

import pytest

from hub.model.webhook import StoredSecret
from hub.rules.bridge_hooks import hook_token, opens

OLD, NEW = "whsec_" + "b2xk" * 8, "whsec_" + "bmV3" * 8
TURNED = (StoredSecret(text=NEW), StoredSecret(text=OLD, expires_at=1_000))


def test_a_token_is_the_same_each_time_and_another_for_another_secret() -> None:
    assert hook_token(OLD) == hook_token(OLD) != hook_token(NEW)
    assert len(hook_token(OLD)) == 40


@pytest.mark.parametrize(
    ("token", "now_ms", "is_open"),
    [
        (hook_token(NEW), 0, True),
        (hook_token(NEW), 5_000, True),
        (hook_token(OLD), 999, True),
        (hook_token(OLD), 1_000, False),
        (hook_token(NEW)[:-1], 0, False),
        (hook_token(NEW).upper(), 0, False),
        (NEW, 0, False),
        ("", 0, False),
        ("ü", 0, False),
    ],
)
def test_who_may_come_in(token: str, now_ms: int, is_open: bool) -> None:
    assert opens(token, TURNED, now_ms) is is_open
