"""What chats are called: four forms, and a bijection for groups (contracts: blooio §0)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.dialects.blooio.errors import Refusal
from hub.dialects.blooio.identifiers import chat_id_of, group_id, read_chat_name
from hub.model.ids import id_text


@given(st.integers(0, 2**63 - 1))
def test_group_ids_are_native_ids_spelt_anew(number: int) -> None:
    native = id_text("cht", number)

    assert re.fullmatch(r"grp_[a-zA-Z0-9]+", group_id(native))
    assert chat_id_of(group_id(native)) == native


@pytest.mark.parametrize(
    ("text", "handles"),
    [
        ("+15551234567", ("+15551234567",)),
        ("Ann@Example.com", ("ann@example.com",)),
        ("a@b.co,+15551112222", ("a@b.co", "+15551112222")),
        ("+15551112222,+15551112222", ("+15551112222",)),
    ],
)
def test_handles_are_read(text: str, handles: tuple[str, ...]) -> None:
    name = read_chat_name(text)

    assert name.handles == handles
    assert name.is_list is (len(handles) > 1)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", 400),
        (",", 400),
        ("+1555,", 400),
        ("hello", 400),
        ("cht_0f2m4h8x0g001", 400),
        ("iMessage;-;+15551234567", 400),
        (",".join(f"+155511122{n:02}" for n in range(40)), 400),
        ("grp_", 404),
        ("grp_UPPER4h8x0g001", 404),
        ("grp_0f2m4h8x0g00_", 404),
    ],
)
def test_what_can_name_no_chat_is_refused(text: str, status: int) -> None:
    with pytest.raises(Refusal) as caught:
        read_chat_name(text)

    assert caught.value.status == status
    assert caught.value.param == "chatId"
