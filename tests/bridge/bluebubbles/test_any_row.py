"""Whatever stands in a row, reading it never fails; what rows claim does not depend on order, repetition or loss."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.bluebubbles.reading import read_message
from hub.rules.facts import facts_of
from hub.rules.refusals import validate
from tests.bridge.bluebubbles.mac import Mac, Row
from tests.bridge.bluebubbles.reading_stage import ADA, NOW, VIEW, shown

HOSTILE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.just("x" * 70_000),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=6,
)
FIELDS = sorted(Mac(now_ms=lambda: NOW).write("c", "x"))


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([*FIELDS, "chats", "tempGuid"]), HOSTILE, max_size=12), st.booleans())
def test_hostile_rows_never_raise_and_what_they_show_can_be_taken_in(fields: Row, has_chat: bool) -> None:
    mac = Mac(now_ms=lambda: NOW - 5)
    row = shown(mac, mac.write(mac.direct(ADA), "x", author=ADA))
    if not has_chat:
        del row["chats"]

    for each in read_message({**row, **fields}, VIEW).observations:
        assert validate(each, now_ms=NOW) is None


@settings(max_examples=50, deadline=None)
@given(st.randoms(use_true_random=False))
def test_a_fuller_row_never_claims_less(draw: random.Random) -> None:
    """Order, repetition and loss of snapshots change nothing but what was never shown."""
    mac = Mac(now_ms=lambda: NOW - 90_000)
    row = mac.write(mac.direct(ADA), "words")
    steps: list[Row] = [
        {"dateDelivered": NOW - 80_000},
        {"dateRead": NOW - 70_000},
        {"messageSummaryInfo": [{"ep": [0]}]},
    ]
    snapshots = [dict(row)]
    for step in steps:
        snapshots.append({**snapshots[-1], **step})

    def keys(rows: list[Row]) -> set[bytes]:
        read = [read_message(shown(mac, each), VIEW) for each in rows]
        return {fact.dedupe_key for each in read for seen in each.observations for fact in facts_of(seen, 7)}

    told = [draw.choice(snapshots[:-1]) for _ in range(draw.randint(0, 6))] + [snapshots[-1]]
    draw.shuffle(told)

    assert keys(told) == keys(snapshots)
