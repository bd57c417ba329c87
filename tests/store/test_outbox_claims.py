"""What evidence is checked against, on both databases."""

from __future__ import annotations

from hub.flow.repositories import Store
from hub.flow.rows import OutboxClaim
from tests.store.specimens import OUTBOX


async def test_claims_are_given_for_items_that_exist(store: Store) -> None:
    items = [OUTBOX._replace(id=number, line_id=number + 10) for number in (1, 2, 3)]
    await store.hot.write(lambda tx: tx.insert_outbox(items))

    found = await store.hot.read(lambda tx: tx.outbox_claims([1, 3, 99]))

    assert sorted(found) == [OutboxClaim(number, number + 10, OUTBOX.payload) for number in (1, 3)]


async def test_no_ids_no_claims(store: Store) -> None:
    assert await store.hot.read(lambda tx: tx.outbox_claims([])) == []
