"""Idempotency keys that keep a whole answer: claimed once, kept sealed, given up, on both databases."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Connection, select

from hub.flow.repositories import Store
from hub.flow.rows import IdempotencyRow
from hub.rules.idempotency import KeyRecord
from hub.store.open import OpenStore, open_store
from hub.store.schema import idempotency_keys
from hub.store.sealing import Sealer

SCOPE, KEY, HASH = "key:1", "order-1", b"h" * 32


async def claim(store: Store, key: str = KEY, *, scope: str = SCOPE) -> KeyRecord | None:
    return await store.repeats.claim(scope, key, request_hash=HASH, lease_until=5_000, now=1_000)


async def test_a_free_key_is_claimed_and_then_taken(store: Store) -> None:
    assert await claim(store) is None
    assert await claim(store) == KeyRecord(request_hash=HASH, answer=None, lease_until_ms=5_000)
    assert await claim(store, "another") is None
    assert await claim(store, scope="key:2") is None


async def test_of_claims_at_the_same_time_one_succeeds(store: Store) -> None:
    claims = await asyncio.gather(*(claim(store) for _ in range(30)))

    assert claims.count(None) == 1


@pytest.mark.parametrize("answer", [b'{"secret":"whsec_x"}', b""])
async def test_an_answer_comes_back(store: Store, answer: bytes) -> None:
    await claim(store)
    await store.repeats.keep(SCOPE, KEY, status=201, answer=answer)

    assert await claim(store) == KeyRecord(request_hash=HASH, answer=answer, lease_until_ms=5_000)


async def test_what_is_given_up_is_free_again(store: Store) -> None:
    await claim(store)
    await store.repeats.give_up(SCOPE, KEY)

    assert await claim(store) is None


async def test_a_claim_that_somebody_else_made_meanwhile_is_not_given_up(store: Store) -> None:
    await claim(store)
    await store.repeats.give_up(SCOPE, KEY, lease_until=4_999)
    assert await claim(store) is not None

    await store.repeats.give_up(SCOPE, KEY, lease_until=5_000)
    assert await claim(store) is None


async def test_an_answer_is_not_given_up(store: Store) -> None:
    await claim(store)
    await store.repeats.keep(SCOPE, KEY, status=200, answer=b"answer")
    await store.repeats.give_up(SCOPE, KEY)

    assert await claim(store) is not None


async def test_the_key_of_a_send_is_taken_and_left_alone(store: Store) -> None:
    row = IdempotencyRow(SCOPE, KEY, b"s" * 32, 201, "{}", 1_000)
    await store.hot.write(lambda tx: tx.insert_idempotency([row]))
    found = await claim(store)
    await store.repeats.keep(SCOPE, KEY, status=200, answer=b"answer")
    await store.repeats.give_up(SCOPE, KEY)

    assert found == KeyRecord(request_hash=b"s" * 32, answer=None, lease_until_ms=0)
    assert await claim(store) == found


async def test_answers_are_sealed_and_go_with_their_key(opened: OpenStore, url: str) -> None:
    await claim(opened.store)
    await opened.store.repeats.keep(SCOPE, KEY, status=201, answer=b"a secret shown once")
    other = await open_store(url, sealer=Sealer([b"o" * 32]))
    try:
        found = await claim(other.store)
        stored = await _stored(other)
    finally:
        await other.close()

    assert found == KeyRecord(request_hash=HASH, answer=b"", lease_until_ms=5_000)
    assert b"secret" not in stored


async def _stored(opened: OpenStore) -> bytes:
    def work(connection: Connection) -> bytes:
        return bytes(connection.execute(select(idempotency_keys.c.answer)).scalar_one())

    return await opened.store.repeats._database.read(work)  # type: ignore[attr-defined, no-any-return] # the column as it lies there


async def test_old_keys_go(store: Store) -> None:
    await claim(store)
    await store.repeats.keep(SCOPE, KEY, status=201, answer=b"answer")

    assert await store.retention.expire_page("idempotency_keys", before_ms=1_001, limit=10) == 1
    assert await claim(store) is None
