"""Consent, budgets and bridges' words keep their promises on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import product
from typing import TypeVar

from hub.flow.consent_rows import consent_from
from hub.flow.ports import HotTransaction
from hub.flow.repositories import Store
from hub.flow.safety_rows import (
    BridgeStatusRow,
    ConsentLogRow,
    ConsentRow,
    CountKey,
    OpeningRow,
)
from hub.model.consent import Consent, ConsentAction, ConsentSource
from hub.rules.consent import supersedes
from hub.store.open import open_store
from hub.store.sealing import Sealer
from tests.store.specimens import BRIDGE, CHAT, LINE, MESSAGE

LOG = ConsentLogRow(
    id=1,
    scope_line_id=1,
    line_id=1,
    handle="+15550100001",
    action="opted_out",
    source="keyword",
    said_at=10,
    recorded_at=11,
    message_id=None,
    keyword="stop",
    reason=None,
    api_key_id=None,
    is_applied=1,
    dedupe_key=b"a",
    reply_state=None,
)
OUT = ConsentRow(
    scope_line_id=1,
    handle="+15550100001",
    action="opted_out",
    source="keyword",
    said_at=10,
    recorded_at=11,
    line_id=1,
    entry_id=1,
)
T = TypeVar("T")


async def run(store: Store, work: Callable[[HotTransaction], Awaitable[T]]) -> T:
    return await store.hot.write(work)


async def test_a_word_of_the_log_is_kept_once(store: Store) -> None:
    """A repeat under the same key adds nothing; the same row again is ours."""
    first = await run(store, lambda tx: tx.safety.insert_consent_log([LOG]))
    again = await run(store, lambda tx: tx.safety.insert_consent_log([LOG]))
    other = await run(store, lambda tx: tx.safety.insert_consent_log([LOG._replace(id=2)]))
    nothing = await run(store, lambda tx: tx.safety.insert_consent_log([]))

    assert (first, again, other, nothing) == ({1}, {1}, set(), set())


async def test_consents_are_found_by_scope_and_handle(store: Store) -> None:
    """Another line, and another handle of the same line, are other consents."""
    rows = [OUT, OUT._replace(scope_line_id=0, entry_id=2), OUT._replace(handle="b@example.com", entry_id=3)]

    async def work(tx: HotTransaction) -> None:
        for row in rows:
            assert await tx.safety.merge_consent(row)

    await run(store, work)
    keys = [(1, OUT.handle), (0, OUT.handle), (2, OUT.handle), (1, "nobody")]

    assert sorted(await store.hot.read(lambda tx: tx.safety.consents_of(keys))) == sorted(rows[:2])
    assert await store.hot.read(lambda tx: tx.safety.consents_of([])) == []


SAID = [
    (action, source, said_at)
    for action in (ConsentAction.OPTED_IN, ConsentAction.OPTED_OUT)
    for source in (ConsentSource.KEYWORD, ConsentSource.API)
    for said_at in (1, 2)
]


async def test_the_store_merges_as_the_rule_says(store: Store) -> None:
    """Any three words in any order leave the same standing as hub.rules.consent.supersedes."""

    async def work(tx: HotTransaction) -> None:
        for number, words in enumerate(product(SAID, repeat=3)):
            standing: Consent | None = None
            for entry_id, (action, source, said_at) in enumerate(words):
                row = ConsentRow(1, f"h{number}", action, source, said_at, entry_id, 1, entry_id)
                expected = supersedes(standing, action=action, said_at=said_at)

                assert await tx.safety.merge_consent(row) is expected, words

                standing = consent_from(row) if expected else standing

    await run(store, work)


async def test_a_conversation_is_begun_once_it_was_counted_or_seen(store: Store) -> None:
    """A message that was only asked for is not yet a conversation."""
    keys = [(1, "dm:+1"), (1, "dm:+2"), (1, "dm:+3"), (1, "dm:+4"), (2, "dm:+1")]

    async def prepare(tx: HotTransaction) -> None:
        chats = [
            CHAT._replace(id=1, chat_key="dm:+1", identifier="+1", has_inbound=1, participants='["+1"]'),
            CHAT._replace(id=2, chat_key="dm:+2", identifier="+2"),
            CHAT._replace(id=3, chat_key="dm:+3", identifier="+3"),
        ]
        await tx.merge_chats(chats)
        await tx.merge_messages(
            [
                MESSAGE._replace(id=2, chat_id=2, guid="seen", is_known=2, is_from_me=1),
                MESSAGE._replace(id=3, chat_id=3, guid="asked", is_known=1, is_from_me=1),
            ]
        )
        await tx.safety.insert_openings([OpeningRow(1, "dm:+4", 9, 5), OpeningRow(1, "dm:+4", 10, 6)])

    await store.bridges.add(BRIDGE)
    await store.lines.add(LINE)
    await run(store, prepare)
    found = {row.chat_key: row for row in await store.hot.read(lambda tx: tx.safety.conversations(keys))}

    assert {key: (row.has_inbound, row.is_begun) for key, row in found.items()} == {
        "dm:+1": (1, 0),
        "dm:+2": (0, 1),
        "dm:+3": (0, 0),
        "dm:+4": (0, 1),
    }
    assert found["dm:+1"].participants == '["+1"]'
    assert {row.chat_key: row.opened_by for row in found.values() if row.opened_by} == {"dm:+4": 9}


async def test_counters_are_counted_exactly_by_many_at_once(url: str, store: Store) -> None:
    """Two processes, each with many transactions at a time, share one counter: nothing is lost, no limit passed."""
    key, limit = CountKey(1, 1, 86_400_000), 30
    other = await open_store(url, sealer=Sealer([b"k" * 32]))

    async def take(tx: HotTransaction) -> bool:
        used = (await tx.safety.lock_counts([key]))[key]
        if used >= limit:
            return False
        await tx.safety.set_counts({key: used + 1})
        return True

    try:
        taken = await asyncio.gather(
            *(each.hot.write(take) for _ in range(30) for each in (store, other.store))
        )
    finally:
        await other.close()

    assert sum(taken) == limit
    assert await run(store, lambda tx: tx.safety.lock_counts([key])) == {key: limit}


async def test_counters_of_several_windows_stay_apart(store: Store) -> None:
    """By line, kind and window."""
    keys = [CountKey(1, 0, 0), CountKey(1, 1, 0), CountKey(2, 0, 0), CountKey(1, 0, 5)]

    async def work(tx: HotTransaction) -> None:
        await tx.safety.lock_counts(keys)
        await tx.safety.set_counts({key: number for number, key in enumerate(keys)})

    await run(store, work)

    assert await run(store, lambda tx: tx.safety.lock_counts(keys)) == {
        key: number for number, key in enumerate(keys)
    }


async def test_the_later_word_of_a_bridge_stays(store: Store) -> None:
    """Whatever the order in which it comes."""
    later = BridgeStatusRow(1, "offline", "no network", 20)

    await run(store, lambda tx: tx.safety.report_bridges([later]))
    await run(store, lambda tx: tx.safety.report_bridges([BridgeStatusRow(1, "online", None, 10)]))

    health = await store.health.get(1)
    assert health is not None
    assert (health.bridge_status, health.bridge_reason, health.bridge_at) == ("offline", "no network", 20)
