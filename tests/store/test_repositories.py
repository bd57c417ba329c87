"""The cold repositories keep their promises on both databases."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import pytest

from hub.flow.chat_store import ChatFilter
from hub.flow.ports import HotTransaction
from hub.flow.repositories import DeliveryFilter, Store
from hub.flow.rows import Known, MessageRow
from hub.model.delivery import DeliveryState
from hub.model.errors import StoreError
from hub.model.ids import MAX_NODE
from hub.model.job import Job
from hub.model.key import ApiKey
from hub.store.faults import Refused
from hub.store.open import OpenStore, open_store
from hub.store.sealing import Sealer
from tests.store.specimens import (
    ATTEMPT,
    BRIDGE,
    CHAT,
    FINISH,
    LINE,
    MESSAGE,
    REACTION,
    WEBHOOK,
    delivery,
    event,
)

JOB = Job(
    id=1,
    kind="replay",
    state="running",
    arguments="{}",
    cursor=0,
    done_count=0,
    total_count=9,
    error=None,
    created_at=1,
    finished_at=None,
)
KEY = ApiKey(
    id=1,
    name="mine",
    hint="hub_abc",
    scopes=frozenset({"admin", "chats:read"}),
    line_ids=frozenset({3, 1}),
    requests_per_hour=None,
    created_at=1,
    expires_at=None,
    revoked_at=None,
)
SEND = {
    "attempt_id": "a1",
    "line_handle": "+1",
    "guid": "g",
    "recipient": "+2",
    "fate": "read",
    "told_count": 0,
    "next_evidence_at": 50,
    "accepted_at": 5,
    "content": "{}",
}


async def _deliver(store: Store, states: dict[int, DeliveryState]) -> None:
    """One event with one delivery to webhook 7 for each state, ids alike."""

    async def work(tx: HotTransaction) -> None:
        await tx.insert_events([event(number) for number in states])
        await tx.insert_deliveries([delivery(number, event_id=number) for number in states])
        await tx.finish_deliveries(
            [FINISH._replace(id=number, state=state) for number, state in states.items()],
            [ATTEMPT._replace(delivery_id=number) for number in states],
        )

    await store.hot.write(work)


async def test_bridges_and_lines_come_back_as_they_were(store: Store) -> None:
    """Secrets included; a bridge that carries a line stays."""
    await store.bridges.add(BRIDGE)
    await store.bridges.add(replace(BRIDGE, id=2, name="push", is_enabled=False))
    await store.lines.add(LINE)
    moved = replace(LINE, status="offline", status_reason="asleep", is_active=False)
    await store.bridges.save_cursor(1, "c9")

    assert await store.lines.change(1, lambda line: replace(line, is_active=False, status="odd"))
    assert await store.lines.tell_status(1, "offline", "asleep")
    assert not await store.lines.tell_status(1, "offline", "asleep")
    assert await store.lines.change(99, lambda line: line) is None
    assert [moved] == await store.lines.all()
    assert [await store.bridges.delete(number) for number in (1, 2, 3)] == [False, True, False]
    assert [replace(BRIDGE, cursor="c9")] == await store.bridges.all()


async def test_a_handle_is_taken_once(store: Store) -> None:
    """A constraint is told as a refusal, and the store goes on."""
    await store.bridges.add(BRIDGE)
    await store.lines.add(LINE)
    with pytest.raises(Refused):
        await store.lines.add(replace(LINE, id=2))

    assert await store.lines.all() == [LINE]


async def test_webhooks_come_back_as_they_were(store: Store) -> None:
    """Secrets, headers, schedules and flags; a deleted one is gone."""
    other = replace(WEBHOOK, id=8, line_id=3, headers=(), retry_schedule=None, is_ordered=True)
    await store.webhooks.add(WEBHOOK)
    await store.webhooks.add(other)
    await store.webhooks.add(replace(WEBHOOK, id=9, line_id=4))

    assert await store.webhooks.get(8) == other
    assert [found.id for found in await store.webhooks.list(line_id=3, after=None, limit=9)] == [8, 7]
    assert [found.id for found in await store.webhooks.list(line_id=None, after=8, limit=1)] == [7]
    assert await store.webhooks.save(replace(other, url="https://example.com/new"))
    assert await store.webhooks.delete(8, at=50)
    assert not await store.webhooks.delete(8, at=51)
    assert not await store.webhooks.save(other)
    assert [found.id for found in await store.webhooks.all()] == [7, 9]


async def test_a_webhook_is_disabled_once(store: Store) -> None:
    """Of two processes that see it fail, one disables it."""
    await store.webhooks.add(WEBHOOK)

    assert await store.webhooks.disable(7, reason="410", at=60)
    assert not await store.webhooks.disable(7, reason="days of failure", at=61)
    disabled = await store.webhooks.get(7)
    assert disabled == replace(WEBHOOK, is_active=False, disabled_reason="410", disabled_at=60, updated_at=60)


async def test_deliveries_of_deleted_webhooks_are_cancelled_in_pages(store: Store) -> None:
    """Pending and held ones; finished ones stay as they are."""
    await store.webhooks.add(WEBHOOK)
    states = dict(enumerate([DeliveryState.PENDING] * 3 + [DeliveryState.HELD, DeliveryState.DEAD], start=1))
    await _deliver(store, states)
    assert await store.webhooks.deleted_with_pending() == []
    await store.webhooks.delete(7, at=50)
    assert await store.webhooks.deleted_with_pending() == [7]
    pages = [await store.deliveries.cancel_page(7, limit=2, now=60) for _ in range(4)]

    assert pages == [2, 1, 1, 0]
    assert await store.webhooks.deleted_with_pending() == []
    assert (
        await store.deliveries.count(
            DeliveryFilter(webhook_id=7, states=frozenset({DeliveryState.CANCELLED}))
        )
        == 4
    )


async def test_deliveries_are_listed_by_what_is_wanted(store: Store) -> None:
    """Newest first, page by page."""
    states = {1: DeliveryState.DEAD, 2: DeliveryState.SUCCEEDED, 3: DeliveryState.DEAD, 4: DeliveryState.HELD}
    await _deliver(store, states)
    dead = DeliveryFilter(webhook_id=7, states=frozenset({DeliveryState.DEAD}))

    assert [found.id for found in await store.deliveries.list(dead, after=None, limit=1)] == [3]
    assert [found.id for found in await store.deliveries.list(dead, after=3, limit=9)] == [1]
    ranged = DeliveryFilter(first_id=2, last_id=3, event_type="message.received")
    assert [found.id for found in await store.deliveries.list(ranged, after=None, limit=9)] == [3, 2]
    assert [
        found.id for found in await store.deliveries.list(DeliveryFilter(event_id=2), after=None, limit=9)
    ] == [2]
    assert await store.deliveries.count(dead) == 2
    assert await store.deliveries.count(DeliveryFilter(event_type="nothing")) == 0


async def test_dead_letters_are_requeued_and_purged_in_pages(store: Store) -> None:
    """Requeued ones are due now and go on counting; purged ones lose their attempts."""
    await _deliver(store, dict.fromkeys(range(1, 6), DeliveryState.DEAD))
    dead = DeliveryFilter(states=frozenset({DeliveryState.DEAD}))
    requeued = await store.deliveries.requeue_page(dead, after=0, limit=2, now=70)
    purged = await store.deliveries.purge_page(dead, after=3, limit=9)

    assert (requeued, purged) == ([1, 2], [4, 5])
    first = await store.deliveries.get(1)
    assert first is not None
    assert (
        first.state,
        first.attempt_count,
        first.next_attempt_at,
        first.finished_at,
    ) == (DeliveryState.PENDING, 1, 70, None)
    assert await store.hot.read(lambda tx: tx.pending_lanes(0)) == [(7, 70)]
    assert await store.deliveries.attempts(4) == []
    assert await store.deliveries.backlog() == {7: (2, 1)}


async def test_a_cancelled_delivery_is_not_requeued(store: Store) -> None:
    """Its webhook is gone; any other state is made due."""
    await _deliver(store, {1: DeliveryState.CANCELLED, 2: DeliveryState.SUCCEEDED})

    assert [await store.deliveries.requeue(number, now=5) for number in (1, 2, 3)] == [False, True, False]


async def test_attempts_come_back_as_recorded(store: Store) -> None:
    """By number."""
    await _deliver(store, {1: DeliveryState.PENDING})
    second = ATTEMPT._replace(number=2, outcome=1, response=None)
    await store.hot.write(lambda tx: tx.finish_deliveries([], [second]))
    attempts = await store.deliveries.attempts(1)

    assert [tuple(ATTEMPT), tuple(second)] == [
        tuple(getattr(attempt, name) for name in ATTEMPT._fields) for attempt in attempts
    ]


async def test_a_replay_makes_deliveries_due_again(store: Store) -> None:
    """Existing ones keep their id and attempts, cancelled ones stay, new ones are added."""
    await _deliver(store, {1: DeliveryState.SUCCEEDED, 2: DeliveryState.CANCELLED})
    await store.hot.write(lambda tx: tx.insert_events([event(3)]))
    rows = [delivery(number + 10, event_id=number, at=80) for number in (3, 2, 1)]

    assert await store.replays.make_due(rows) == 2
    due = await store.hot.read(lambda tx: tx.due_deliveries(7, 0, 80, 9))
    assert [(row.id, row.attempt_count) for row in due] == [(1, 1), (13, 0)]
    assert await store.replays.count_events(first_id=2, last_id=9) == 2


async def test_a_job_moves_on_for_one_worker_only(store: Store) -> None:
    """The cursor fences the other one; a cancelled job moves no more."""
    await store.jobs.add(JOB)
    moved = replace(JOB, cursor=5, done_count=5)

    assert await store.replays.advance(moved, from_cursor=0)
    assert not await store.replays.advance(moved, from_cursor=0)
    assert [moved] == await store.jobs.running()
    assert await store.replays.cancel(1, at=9)
    assert not await store.replays.cancel(1, at=10)
    assert not await store.replays.advance(replace(moved, cursor=6), from_cursor=5)
    assert [replace(moved, state="cancelled", finished_at=9)] == await store.jobs.list(after=None, limit=9)


async def test_keys_are_found_by_their_digest(store: Store) -> None:
    """Revoked and shortened ones say so."""
    await store.keys.add(KEY, digest=b"d1")
    await store.keys.add(replace(KEY, id=2, line_ids=None), digest=b"d2")

    assert await store.keys.by_digest(b"d1") == KEY
    assert await store.keys.by_digest(b"d3") is None
    assert await store.keys.expire(2, at=500)
    assert not await store.keys.expire(2, at=600)
    assert await store.keys.revoke(1, at=9)
    assert not await store.keys.revoke(1, at=10)
    assert [replace(KEY, id=2, line_ids=None, expires_at=500), replace(KEY, revoked_at=9)] == (
        await store.keys.list(after=None, limit=9)
    )


async def test_chats_are_listed_by_their_last_message(store: Store) -> None:
    """Those without one come last; pages neither skip nor repeat."""
    await store.bridges.add(BRIDGE)
    await store.lines.add(LINE)
    times = {1: 50, 2: None, 3: 90, 4: 50, 5: None}
    rows = [CHAT._replace(id=n, chat_key=f"dm:{n}", last_message_at=at) for n, at in times.items()]
    await store.hot.write(lambda tx: tx.merge_chats(rows))
    seen: list[int] = []
    after: tuple[int, int] | None = None
    while page := await store.chats.list(ChatFilter(line_ids=(1,)), after=after, limit=2):
        seen += [chat.id for chat in page]
        after = (page[-1].last_message_at or 0, page[-1].id)

    assert seen == [3, 4, 1, 5, 2]
    found = await store.chats.by_key(1, "dm:4")
    assert found == await store.chats.get(4)


async def test_messages_are_found_once_they_are_known(store: Store) -> None:
    """Placeholders are hidden; the last one read is told."""
    known = [MESSAGE._replace(id=n, guid=f"g{n}", sent_at=at) for n, at in ((1, 10), (3, 30))]
    ours = MESSAGE._replace(id=4, guid="g4", is_from_me=1, sent_at=40, read_at=60)
    placeholder = MESSAGE._replace(id=5, guid="g5", is_known=Known.UNSEEN, sent_at=99)
    await store.hot.write(lambda tx: tx.merge_messages([*known, ours, placeholder]))

    assert MessageRow(*ours) == await store.messages.last_read(1)
    assert MessageRow(*ours) == await store.messages.by_guid(1, "g4")
    assert MessageRow(*ours) == await store.messages.by_guid_on([1, 2], "g4")
    assert await store.messages.by_guid_on([2, 3], "g4") is None
    assert await store.messages.get(5) is None
    await store.hot.write(lambda tx: tx.merge_reactions([REACTION]))
    assert await store.messages.reactions(1, "g1") == [REACTION]


async def test_processes_take_the_lowest_free_number(store: Store) -> None:
    """One that left is free; one that was not seen for long may only sleep, and would make the same ids."""
    for expected, now in ((0, 10), (1, 20), (2, 30)):
        assert expected == await store.processes.join(kind="web", name=f"w{now}", now=now, forgotten_before=0)
    await store.processes.seen(0, now=100)
    await store.processes.leave(1)

    assert await store.processes.join(kind="worker", name="a", now=100, forgotten_before=50) == 1
    assert await store.processes.join(kind="worker", name="b", now=100, forgotten_before=50) == 3
    assert await store.processes.workers(seen_after=99) == ["a", "b"]


@pytest.mark.slow
async def test_a_full_house_is_told(store: Store) -> None:
    """No number is ever shared by two living processes."""
    for _ in range(MAX_NODE + 1):
        await store.processes.join(kind="web", name="w", now=10, forgotten_before=0)
    with pytest.raises(StoreError, match="512 processes"):
        await store.processes.join(kind="web", name="w", now=10, forgotten_before=0)

    for node in range(MAX_NODE + 1):
        await store.processes.seen(node, now=10 if node == 7 else 20)
    assert await store.processes.join(kind="web", name="w", now=30, forgotten_before=20) == 7


async def test_shards_go_to_whoever_is_alive(store: Store) -> None:
    """Renewed, released, taken over after the lease, and never beyond what is wanted."""
    take = store.processes.take_shards

    assert await take(owner="a", shard_count=4, want=3, now=0, lease_until=10) == {0: 1, 1: 1, 2: 1}
    assert await take(owner="b", shard_count=4, want=4, now=5, lease_until=15) == {3: 1}
    assert await take(owner="a", shard_count=4, want=2, now=9, lease_until=19) == {0: 1, 1: 1}
    assert await take(owner="b", shard_count=4, want=4, now=9, lease_until=19) == {2: 2, 3: 1}
    assert await take(owner="b", shard_count=4, want=4, now=19, lease_until=30) == {0: 2, 1: 2, 2: 2, 3: 1}
    await store.processes.release_shards("b")
    assert await take(owner="a", shard_count=4, want=1, now=20, lease_until=30) == {0: 3}


@pytest.mark.slow
async def test_no_shard_has_two_owners(url: str, opened: OpenStore) -> None:
    """Workers of several processes take, let go and die at random; a lease holds until its end."""
    draws = random.Random(7)
    second = await open_store(url, sealer=Sealer([b"k" * 32]))
    stores = [opened.store, second.store]
    held: dict[str, tuple[dict[int, int], int]] = {}
    highest: dict[int, int] = {}

    for now in range(0, 400, 10):
        owners = draws.sample(["a", "b", "c", "d"], 3)
        wanted = {owner: draws.randrange(9) for owner in owners}
        results = await asyncio.gather(
            *[
                draws.choice(stores).processes.take_shards(
                    owner=owner, shard_count=8, want=wanted[owner], now=now, lease_until=now + 25
                )
                for owner in owners
            ]
        )
        held.update({owner: (shards, now + 25) for owner, shards in zip(owners, results, strict=True)})
        living = [shard for shards, until in held.values() if until > now for shard in shards]
        assert len(living) == len(set(living))
        assert all(len(shards) <= wanted[owner] for owner, shards in zip(owners, results, strict=True))
        for shard, epoch in (pair for shards in results for pair in shards.items()):
            assert epoch >= highest.get(shard, 0)
            highest[shard] = epoch
    await second.close()


async def test_the_sandbox_network_is_idempotent(store: Store) -> None:
    """The same attempt twice is one send."""
    assert await store.sandbox.accept(SEND)
    assert not await store.sandbox.accept(SEND | {"guid": "other"})
    assert await store.sandbox.by_attempt("a1") == SEND
    assert await store.sandbox.due(now=50, limit=9) == [SEND]
    assert await store.sandbox.next_due_at() == 50
    await store.sandbox.told("a1", told_count=3, next_evidence_at=None)
    assert await store.sandbox.due(now=500, limit=9) == []
    assert await store.sandbox.next_due_at() is None
