"""Ids are re-spellings, and every native word has one of theirs."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.api.bulk_results import ResultStatus
from hub.dialects.coop.names import (
    BULK,
    BULK_STATUS,
    CONVERSATION,
    EVENT_NAMES,
    EVENTS,
    MESSAGE_STATUS,
    RECEIVED,
    RECIPIENT_STATUS,
    RELAY,
    SENT,
    handle_in_query,
    native_address,
    native_id,
    spelled,
)
from hub.model.bulk import BulkState
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text
from hub.rules.message_status import MessageStatus

PREFIXES = {
    SENT: Prefix.MESSAGE,
    RECEIVED: Prefix.MESSAGE,
    CONVERSATION: Prefix.CHAT,
    BULK: Prefix.BULK,
    RELAY: Prefix.BRIDGE,
}


@given(number=st.integers(0, 2**63 - 1), prefix=st.sampled_from(sorted(PREFIXES)))
def test_each_id_is_another_spelling_of_one_of_ours(number: int, prefix: str) -> None:
    ours = id_text(PREFIXES[prefix], number)

    assert native_id(prefix, spelled(prefix, ours), "message") == ours


@given(text=st.text(max_size=30))
def test_what_is_no_id_names_nothing(text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        native_id(SENT, text if text.startswith("msg_") else f"x{text}", "message")

    assert caught.value.code == "message_not_found"


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("conv_05jp19e000406", "cht_05jp19e000406"),
        ("conv_1", "conv_1"),
        ("+15550100001", "+15550100001"),
        ("ann@example.com", "ann@example.com"),
        ("iMessage;+;chat88", "iMessage;+;chat88"),
    ],
)
def test_where_a_message_goes(to: str, expected: str) -> None:
    assert native_address(to) == expected


def test_a_plus_that_became_a_blank_is_put_back() -> None:
    assert [handle_in_query(each) for each in (" 1555", "+1555", "ann")] == ["+1555", "+1555", "ann"]


def test_every_native_status_has_a_word() -> None:
    assert set(MESSAGE_STATUS) == {str(each) for each in MessageStatus}
    assert set(BULK_STATUS) == {*(str(each) for each in BulkState), "scheduled"}
    assert set(RECIPIENT_STATUS) == set(get_args(ResultStatus))


def test_events_are_told_one_to_one() -> None:
    assert {EVENTS[theirs]: theirs for theirs in EVENTS} == EVENT_NAMES
    assert len(EVENT_NAMES) == len(EVENTS)
