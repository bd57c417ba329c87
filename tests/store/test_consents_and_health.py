"""The cold side of consent and health, on both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.flow.consent_rows import entry_from
from hub.flow.ports import HotTransaction
from hub.flow.repositories import Store
from hub.flow.safety_repositories import ConsentFilter, DayRecord, HealthRecord
from hub.flow.safety_rows import BridgeStatusRow, CountKey, OpeningRow
from hub.model.consent import ConsentAction
from hub.model.ids import first_id_at
from hub.model.outbox import OutboxState
from hub.rules.line_health import Figures
from hub.rules.local_time import Window
from tests.store.specimens import BRIDGE, CHAT, DISPATCH, LINE, MESSAGE, OUTBOX
from tests.store.test_safety import LOG, OUT, run

DAY = 86_400_000
NOW = 1_780_315_200_000
HEALTH = HealthRecord(
    line_id=1,
    state="flagged",
    reason="unanswered",
    since=5,
    warnings="[]",
    worse_since=None,
    better_since=7,
    unanswered=6,
    looked_at=8,
    bridge_status=None,
    bridge_reason=None,
    bridge_at=None,
)


@pytest.fixture
async def said(store: Store) -> Store:
    """Lines 1 and 2, and the hub, have heard of three handles."""
    rows = [
        LOG,
        LOG._replace(id=2, scope_line_id=0, line_id=2, handle="b@example.com", dedupe_key=b"b"),
        LOG._replace(id=3, scope_line_id=2, line_id=2, action="opted_in", dedupe_key=b"c"),
        LOG._replace(id=4, action="help", reply_state=0, dedupe_key=b"d"),
    ]

    async def work(tx: HotTransaction) -> None:
        await tx.safety.insert_consent_log(rows)
        for row in rows[:3]:
            await tx.safety.merge_consent(
                OUT._replace(
                    scope_line_id=row.scope_line_id,
                    line_id=row.line_id,
                    handle=row.handle,
                    action=row.action,
                    entry_id=row.id,
                )
            )

    await run(store, work)
    return store


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (ConsentFilter(), [3, 2, 1]),
        (ConsentFilter(line_ids=frozenset({1})), [1]),
        (ConsentFilter(line_ids=frozenset({2})), [3, 2]),
        (ConsentFilter(line_ids=frozenset({0})), [2]),
        (ConsentFilter(line_ids=frozenset()), []),
        (ConsentFilter(handle=OUT.handle), [3, 1]),
        (ConsentFilter(action=ConsentAction.OPTED_IN), [3]),
        (ConsentFilter(handle=OUT.handle, action=ConsentAction.OPTED_OUT), [1]),
    ],
)
async def test_consents_are_listed(said: Store, wanted: ConsentFilter, ids: list[int]) -> None:
    """Newest first, by line, handle and state."""
    found = await said.consents.list(wanted, after=None, limit=10)

    assert [consent.entry_id for consent in found] == ids


async def test_pages_go_on_where_the_last_one_ended(said: Store) -> None:
    """States and history downwards, the export upwards."""
    everything = ConsentFilter()

    assert [each.entry_id for each in await said.consents.list(everything, after=3, limit=1)] == [2]
    assert [each.id for each in await said.consents.history(everything, after=4, limit=2)] == [3, 2]
    assert [each.id for each in await said.consents.page(everything, after=1, limit=2)] == [2, 3]
    assert [
        each.id for each in await said.consents.page(ConsentFilter(handle="nobody"), after=0, limit=2)
    ] == []


async def test_where_a_handle_stands_is_told_for_several_scopes(said: Store) -> None:
    """A line's own word and the hub's."""
    found = await said.consents.of([1, 0], OUT.handle)

    assert [(each.scope_line_id, each.action) for each in found] == [(1, ConsentAction.OPTED_OUT)]


async def test_a_reply_is_owed_until_it_is_sent(said: Store) -> None:
    """Whoever crashes in between."""
    assert await said.consents.owed_replies(limit=9) == [
        entry_from(LOG._replace(id=4, action="help", reply_state=0, dedupe_key=b"d"))
    ]

    await said.consents.replied(4)

    assert await said.consents.owed_replies(limit=9) == []


async def test_a_look_is_saved_unless_another_worker_changed_the_state(store: Store) -> None:
    """The first look makes the row; the bridge's word is not the look's to change."""
    assert await store.health.get(1) is None
    assert await store.health.looked(HEALTH, was_since=None)
    assert not await store.health.looked(HEALTH, was_since=None)

    await run(store, lambda tx: tx.safety.report_bridges([BridgeStatusRow(1, "offline", "gone", 9)]))
    changed = replace(HEALTH, state="offline", since=20)

    assert await store.health.looked(changed, was_since=5)
    assert not await store.health.looked(changed, was_since=5)
    expected = replace(changed, bridge_status="offline", bridge_reason="gone", bridge_at=9)
    assert await store.health.get(1) == expected
    assert await store.health.all() == [expected]


async def test_a_word_of_a_bridge_comes_before_the_first_look(store: Store) -> None:
    """The line is well until somebody looks."""
    await run(store, lambda tx: tx.safety.report_bridges([BridgeStatusRow(1, "degraded", None, 9)]))

    record = await store.health.get(1)

    assert record is not None
    assert (record.state, record.since, record.looked_at) == ("active", 9, None)


async def test_days_are_saved_again_and_forgotten(store: Store) -> None:
    """The same day counted twice is one row."""
    first, later = (DayRecord(day_start=DAY, counted_at=at, figures=Figures(sent=at)) for at in (1, 2))
    second = DayRecord(day_start=2 * DAY, counted_at=1, figures=Figures(received=3, new_conversations=2))
    for day in (first, later, second):
        await store.health.save_day(1, day)
    await run(store, lambda tx: tx.safety.lock_counts([CountKey(1, 0, DAY), CountKey(1, 0, 2 * DAY)]))

    assert await store.health.days(1, since=0) == [later, second]
    assert await store.health.days(1, since=2 * DAY) == [second]
    assert await store.health.days(2, since=0) == []

    await store.health.forget(before=2 * DAY)

    assert await store.health.days(1, since=0) == [second]
    assert await store.health.used([CountKey(1, 0, DAY), CountKey(1, 0, 2 * DAY)]) == {
        CountKey(1, 0, 2 * DAY): 0
    }


def _own(number: int, **fields: Any) -> Any:
    plain = {"id": number, "guid": f"g{number}", "is_known": 2, "is_from_me": 1, "sent_at": NOW + number}
    return MESSAGE._replace(**{**plain, **fields})


async def test_a_day_is_counted(store: Store) -> None:
    """Sent is what left; what was refused failed; what was only asked for is neither."""
    theirs = MESSAGE._replace(is_known=2)
    rows = [
        _own(1, delivered_at=NOW + 9),
        _own(2, read_at=NOW + 9),
        _own(3, failed_at=NOW + 9),
        _own(4),
        _own(5, is_known=1),
        _own(6, is_known=3),
        theirs._replace(id=10, guid="t1", sent_at=NOW + 20),
        theirs._replace(id=11, guid="t2", sent_at=NOW + DAY),
        theirs._replace(id=12, guid="t3", sent_at=NOW - 1),
        theirs._replace(id=13, guid="t4", sent_at=NOW + 21, line_id=2),
    ]
    base = first_id_at(NOW)

    async def work(tx: HotTransaction) -> None:
        await tx.merge_messages(rows)
        await tx.safety.insert_openings(
            [OpeningRow(1, f"dm:+{number}", 1, NOW - 1 + number) for number in range(4)]
        )
        await tx.insert_outbox([OUTBOX._replace(id=base + number) for number in (1, 2, 3)])
        failed = DISPATCH._replace(state=OutboxState.FAILED, attempt_count=1, error="x")
        await tx.update_outbox([DISPATCH._replace(id=base + 1)])
        await tx.update_outbox([failed._replace(id=base + 1), failed._replace(id=base + 2, attempt_count=0)])

    await run(store, work)
    window = Window(start_ms=NOW, end_ms=NOW + DAY)

    found = await store.health.count(1, window, now=NOW + DAY, undelivered_before=NOW + 100)

    assert found == Figures(sent=4, delivered=2, failed=2, received=1, new_conversations=3, undelivered=1)


async def test_the_longest_silence_is_found(store: Store) -> None:
    """Messages in a row since the last one that came in, of the chats that were busy lately."""
    await store.bridges.add(BRIDGE)
    await store.lines.add(LINE)

    async def work(tx: HotTransaction) -> None:
        await tx.merge_chats(
            [
                CHAT._replace(id=number, chat_key=f"dm:+{number}", last_message_at=NOW + number)
                for number in (1, 2, 3)
            ]
        )
        answered = MESSAGE._replace(is_known=2, chat_id=2)
        await tx.merge_messages(
            [
                *(_own(number, chat_id=1) for number in (1, 2)),
                *(_own(number, chat_id=2) for number in (3, 4, 5, 7)),
                answered._replace(id=6, guid="t", sent_at=NOW + 6),
                _own(8, chat_id=3),
                _own(9, chat_id=1, is_known=1),
            ]
        )

    await run(store, work)

    async def streak(**limits: int) -> int:
        return await store.health.unanswered(1, **{"since": NOW, "most_chats": 10, **limits})

    assert await streak() == 2
    assert await streak(since=NOW + 2) == 1
    assert await streak(most_chats=1) == 1
    assert await streak(since=NOW + 99) == 0
