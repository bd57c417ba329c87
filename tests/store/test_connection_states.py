"""States of connections: sealed, and replaced only by who read them last, on both databases."""

from __future__ import annotations

import asyncio

from hub.flow.connection_states import KeptState
from hub.flow.repositories import Store
from hub.store.open import OpenStore, open_store
from hub.store.sealing import Sealer


async def test_a_state_is_kept_and_replaced_by_who_read_it(store: Store) -> None:
    states = store.connection_states

    assert await states.find("acme") is None
    assert await states.keep("acme", b"one", replaces=0, now=1)
    assert await states.find("acme") == KeptState(content=b"one", version=1)
    assert await states.keep("acme", b"two", replaces=1, now=2)
    assert await states.find("acme") == KeptState(content=b"two", version=2)
    assert await states.find("other") is None


async def test_who_read_an_older_one_replaces_nothing(store: Store) -> None:
    states = store.connection_states
    await states.keep("acme", b"one", replaces=0, now=1)
    await states.keep("acme", b"two", replaces=1, now=2)

    assert not await states.keep("acme", b"late", replaces=1, now=3)
    assert not await states.keep("acme", b"late", replaces=0, now=3)
    assert await states.find("acme") == KeptState(content=b"two", version=2)


async def test_of_changes_at_the_same_time_one_succeeds(store: Store) -> None:
    states = store.connection_states
    first = await asyncio.gather(
        *(states.keep("acme", b"%d" % number, replaces=0, now=1) for number in range(20))
    )
    second = await asyncio.gather(
        *(states.keep("acme", b"%d" % number, replaces=1, now=1) for number in range(20))
    )

    assert (first.count(True), second.count(True)) == (1, 1)


async def test_what_was_sealed_with_a_key_that_is_gone_is_learned_anew(opened: OpenStore, url: str) -> None:
    await opened.store.connection_states.keep("acme", b"one", replaces=0, now=1)
    other = await open_store(url, sealer=Sealer([b"o" * 32]))
    try:
        assert await other.store.connection_states.find("acme") == KeptState(content=b"", version=1)
        assert await other.store.connection_states.keep("acme", b"two", replaces=1, now=2)
        assert await other.store.connection_states.find("acme") == KeptState(content=b"two", version=2)
    finally:
        await other.close()
