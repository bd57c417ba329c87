"""Handles and chats have one spelling, and no number is guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.chatkeys import direct_chat_key, handle_of, normalize_chat_key, normalize_handle

HANDLES = [
    ("+15550100001", "+15550100001"),
    ("+1 (555) 010-0001", "+15550100001"),
    ("+1.555.010.0001", "+15550100001"),
    ("+1\u00a0555\u20110100001", "+15550100001"),
    (" +15550100001 ", "+15550100001"),
    ("15550100001", "+15550100001"),
    ("0015550100001", "+15550100001"),
    ("491701234567", "+491701234567"),
    ("5550100001", "5550100001"),
    ("0170 1234567", "01701234567"),
    ("0170 123456789", "0170123456789"),
    ("262966", "262966"),
    ("242-733", "242733"),
    ("Anna@Example.COM", "anna@example.com"),
    ("AMAZON", "AMAZON"),
    ("+156****2244", "+156****2244"),
    ("urn:biz:8f3a", "urn:biz:8f3a"),
    ("+", "+"),
    ("٠١٢٣", "٠١٢٣"),
    ("1234567890123456", "1234567890123456"),
]

CHATS = [
    ("dm:+15550100001", False, "dm:+15550100001"),
    ("dm:+1 555 010 0001", False, "dm:+15550100001"),
    ("+15550100001", False, "dm:+15550100001"),
    ("Anna@Example.com", False, "dm:anna@example.com"),
    ("iMessage;-;+15550100001", False, "dm:+15550100001"),
    ("SMS;-;+15550100001", False, "dm:+15550100001"),
    ("RCS;-;+15550100001", False, "dm:+15550100001"),
    ("any;-;Anna@Example.com", False, "dm:anna@example.com"),
    ("iMessage;-;262966", False, "dm:262966"),
    ("iMessage;+;chat123456", True, "chat123456"),
    ("any;+;chat123456", False, "chat123456"),
    ("chat123456", True, "chat123456"),
    ("120363042@g.us", True, "120363042@g.us"),
]


@pytest.mark.parametrize(("written", "expected"), HANDLES)
def test_handle_is_spelled_our_way(written: str, expected: str) -> None:
    assert normalize_handle(written) == expected


@pytest.mark.parametrize(("written", "is_group", "expected"), CHATS)
def test_chat_is_spelled_our_way(written: str, is_group: bool, expected: str) -> None:
    assert normalize_chat_key(written, is_group=is_group) == expected


@given(st.text(min_size=1, max_size=40))
def test_spelling_twice_changes_nothing(text: str) -> None:
    once = normalize_handle(text)

    assert normalize_handle(once) == once
    assert normalize_chat_key(direct_chat_key(text)) == direct_chat_key(text)


def test_direct_chat_knows_its_other_side_and_a_group_has_none() -> None:
    assert handle_of("dm:+15550100001") == "+15550100001"
    assert handle_of("chat123456") is None
