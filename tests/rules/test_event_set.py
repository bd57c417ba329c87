"""The events of a chat depend on what happened, not on how often or in which order a bridge tells it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hub.model.observation import Observation
from hub.rules.facts import facts_of
from hub.rules.refusals import validate
from tests.support.histories import distort, histories
from tests.support.sightings import AT, CONTACT

DAY = 24 * 60 * 60 * 1000


def keys(observations: Iterable[Observation]) -> set[bytes]:
    return {fact.dedupe_key for each in observations for fact in facts_of(each, 1)}


@pytest.mark.slow
@given(st.data())
def test_shuffled_repeated_refired_and_partial_snapshots_give_the_same_events(data: st.DataObject) -> None:
    shown = data.draw(histories())
    told = data.draw(distort(shown))

    assert keys(told) == keys(shown)


@pytest.mark.slow
@given(st.data())
def test_every_moment_is_a_subset_of_the_end(data: st.DataObject) -> None:
    """What a crash leaves untold is told later; nothing told before has to be taken back."""
    told = data.draw(distort(data.draw(histories())))
    cut = data.draw(st.integers(0, len(told)))

    assert keys(told[:cut]) <= keys(told)
    assert keys(told[:cut]) | keys(told[cut:]) == keys(told)


@pytest.mark.slow
@given(st.data())
def test_an_own_message_first_shown_as_received_is_one_message(data: st.DataObject) -> None:
    """openclaw/imsg 80: a row is inserted as if it had come in, and flips later."""
    shown = data.draw(histories())
    flips = [
        replace(
            each,
            kind="message.received",
            actor=CONTACT,
            message=replace(each.message, is_from_me=False),
        )
        for each in shown
        if each.kind == "message.sent" and each.message is not None
    ]

    assert keys([*flips, *shown]) == keys(shown)


@pytest.mark.slow
@given(histories())
def test_histories_can_be_taken_in(shown: list[Observation]) -> None:
    assert [validate(each, now_ms=AT + DAY) for each in shown] == [None] * len(shown)
