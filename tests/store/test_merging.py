"""Any order of the same snapshots, however often and in whatever batches, gives the same row on both databases."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.flow.ports import HotTransaction
from hub.flow.repositories import Store
from hub.flow.rows import ChatRow, Known, ReactionRow, SnapshotRow
from hub.store.open import open_store
from hub.store.sealing import Sealer
from tests.store.conftest import KEY
from tests.store.specimens import BRIDGE, CHAT, LINE, MESSAGE, REACTION

instants = st.none() | st.integers(1, 5)
#: Characters that databases order differently unless told: case, accents, beyond the basic plane.
words = st.none() | st.sampled_from(["", "a", "B", "b", "é", "z", "Z", "\uffff", "\U0001f600"])
snapshots = st.builds(
    SnapshotRow,
    id=st.integers(1, 99),
    line_id=st.just(1),
    chat_id=st.integers(0, 2),
    guid=st.just("g"),
    is_known=st.sampled_from(Known),
    sender=words,
    text=words,
    parts=words,
    service=words,
    is_from_me=st.integers(0, 1),
    is_audio_message=st.integers(0, 1),
    reply_to_guid=words,
    effect=words,
    subject=words,
    outbox_id=instants,
    sent_at=instants,
    synced_at=st.just(7),
    delivered_at=instants,
    read_at=instants,
    failed_at=instants,
    error=words,
    edited_at=instants,
    unsent_at=instants,
)
histories = st.lists(snapshots, min_size=1, max_size=6).flatmap(
    lambda rows: st.tuples(st.just(rows), st.permutations(rows + rows[:2]))
)
sighted = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


#: Ids and guids that no other example of this run has used.
_numbers = itertools.count(1)


class _Undo(Exception):
    """Ends a trial without a trace."""


async def _messages(store: Store, rows: Sequence[SnapshotRow]) -> SnapshotRow:
    seen: list[SnapshotRow] = []

    async def work(tx: HotTransaction) -> None:
        for row in rows:
            seen[:] = await tx.merge_messages([row])
        raise _Undo

    with pytest.raises(_Undo):
        await store.hot.write(work)
    return seen[0]._replace(id=0)


@pytest.mark.slow
@sighted
@given(history=histories)
async def test_messages_merge_in_any_order(
    store: Store, history: tuple[list[SnapshotRow], list[SnapshotRow]]
) -> None:
    """All but the id, which is that of the first."""
    rows, shuffled = history

    assert await _messages(store, shuffled) == await _messages(store, rows)


@pytest.mark.slow
async def test_both_databases_merge_alike(
    tmp_path: Path, migrated_sqlite: Path, migrated_postgres: str
) -> None:
    """What one database chooses at a tie, the other one chooses too."""
    shutil.copy(migrated_sqlite, tmp_path / "hub.db")
    texts = ["a", "B", "b", "é", "Z", "\uffff", "\U0001f600", "", None]
    rows = [
        MESSAGE._replace(guid="g", text=text, sender=other) for text in texts for other in reversed(texts)
    ]
    pairs = [(one, other) for one in rows for other in rows[::7]]
    results = []
    for url in (f"sqlite:///{tmp_path / 'hub.db'}", migrated_postgres):
        opened = await open_store(url, sealer=Sealer([KEY]))
        results.append([await _messages(opened.store, pair) for pair in pairs])
        await opened.close()

    assert results[0] == results[1]


@pytest.mark.slow
@sighted
@given(
    rows=st.lists(
        st.builds(
            REACTION._replace,
            sender=st.sampled_from(["+1", "+2"]),
            slot=st.sampled_from(["", "1", ":love"]),
            type=st.sampled_from(["love", "like", "Z", "é", "\uffff", "\U0001f600"]),
            is_from_me=st.integers(0, 1),
            is_added=st.integers(0, 1),
            sent_at=st.integers(1, 3),
        ),
        min_size=1,
        max_size=8,
    ),
    data=st.data(),
)
async def test_reactions_merge_in_any_order(
    store: Store, rows: list[ReactionRow], data: st.DataObject
) -> None:
    """The latest word of a sender on one thing replaces the one before, whenever it comes; by a plain model."""
    named = [row._replace(id=next(_numbers)) for row in rows]
    expected = [
        max((row for row in named if row.key == key), key=lambda row: row.rank)
        for key in {row.key for row in named}
    ]

    shuffled = data.draw(st.permutations(named + named[:2]))

    assert _told(expected) == _told(await _reactions(store, shuffled))


def _told(rows: Sequence[ReactionRow]) -> list[ReactionRow]:
    """Without what one of several equal words is known by."""
    return sorted(row._replace(id=0, message_guid="") for row in rows)


async def _reactions(store: Store, rows: Sequence[ReactionRow]) -> list[ReactionRow]:
    guid = f"g{next(_numbers)}"

    async def work(tx: HotTransaction) -> None:
        for row in rows:
            await tx.merge_reactions([row._replace(message_guid=guid)])

    await store.hot.write(work)
    kept = await store.messages.reactions(1, guid)
    assert {row.id for row in kept} <= {row.id for row in rows}
    await store.hot.write(work)  # told again
    assert await store.messages.reactions(1, guid) == kept
    return kept


@pytest.mark.slow
@sighted
@given(rows=st.lists(st.tuples(st.integers(0, 1), instants), min_size=1, max_size=6), data=st.data())
async def test_the_evidence_of_chats_rises_in_any_order(
    store: Store, rows: list[tuple[int, int | None]], data: st.DataObject
) -> None:
    """Whether someone wrote, and when last."""
    given_rows = [CHAT._replace(has_inbound=inbound, last_message_at=at) for inbound, at in rows]

    assert await _chat(store, data.draw(st.permutations(given_rows))) == await _chat(store, given_rows)


async def _chat(store: Store, rows: Sequence[ChatRow]) -> ChatRow:
    if not await store.lines.all():
        await store.bridges.add(BRIDGE)
        await store.lines.add(LINE)
    seen: list[ChatRow] = []

    async def work(tx: HotTransaction) -> None:
        for row in rows:
            seen[:] = await tx.merge_chats([row])
        raise _Undo

    with pytest.raises(_Undo):
        await store.hot.write(work)
    return seen[0]
