"""Connections are tested before somebody needs them: about once a day, and what that showed is kept."""

from __future__ import annotations

from hub.connectors.states import StateBook
from hub.connectors.watching import ConnectionWatch
from hub.flow.connection_states import ConnectionStanding
from hub.flow.repositories import Store
from hub.rules.connectors.testing import EVERY_MS, FIRST_MS
from tests.connectors.golden import NAME, Engine, connection_of, engine
from tests.connectors.provider import providing
from tests.connectors.test_credentials import ACME, KEY, REFUSED

ANN = {"json": {"name": "Ann"}}
MOST_MS = round(EVERY_MS * 1.1)


def watching(store: Store, wired: Engine, *, is_testing: bool = True) -> ConnectionWatch:
    return ConnectionWatch(
        wired.actions, StateBook(store.connection_states), wired.clock, is_testing=is_testing
    )


async def looked(watch: ConnectionWatch) -> ConnectionStanding:
    (found,) = [each for each in await watch.go_round(lambda: True) if each.name == NAME]
    return found


async def test_each_is_tested_about_once_a_day(store: Store) -> None:
    async with providing([ANN, REFUSED, ANN]) as (provider, caller):
        wired = engine(store, caller, [connection_of(ACME, KEY)])
        watch, clock = watching(store, wired), wired.clock
        first = await looked(watch)
        assert (first.state, first.tested_at, len(provider.asked)) == ("ok", None, 0)

        clock.advance(FIRST_MS)
        tested_at = clock.now_ms()
        believed = await looked(watch)
        clock.advance(EVERY_MS // 2)
        assert (await looked(watch)).tested_at == tested_at
        clock.advance(MOST_MS)
        refused = await looked(watch)
        clock.advance(MOST_MS)
        again = await looked(watch)

    assert (believed.state, believed.works, believed.told) == ("ok", True, "Ann")
    assert (refused.state, refused.works) == ("paused", False)
    assert refused.reason == refused.told == "Acme answered 401: no such key: ***"
    assert (again.state, again.reason, again.told) == ("ok", None, "Ann")
    assert len(provider.asked) == 3


async def test_one_that_cannot_be_asked_is_failing_and_not_paused(store: Store) -> None:
    async with providing([{"status": 500, "json": {}}]) as (_, caller):
        wired = engine(store, caller, [connection_of(ACME, KEY)])
        watch = watching(store, wired)
        await looked(watch)
        wired.clock.advance(FIRST_MS)
        found = await looked(watch)

    assert (found.state, found.works, found.paused_at) == ("failing", False, None)
    assert found.reason


async def test_other_credentials_are_tested_soon(store: Store) -> None:
    async with providing([ANN, ANN]) as (provider, caller):
        wired = engine(store, caller, [connection_of(ACME, KEY)])
        watch = watching(store, wired)
        await looked(watch)
        wired.clock.advance(FIRST_MS)
        await looked(watch)
        other = connection_of(ACME, {**KEY, "auth": {"key": {"key": "test-key-2"}}})
        changed = watching(store, engine(store, caller, [other], clock=wired.clock))
        await looked(changed)
        wired.clock.advance(FIRST_MS)
        found = await looked(changed)

    assert len(provider.asked) == 2
    assert found.tested_at == wired.clock.now_ms()


async def test_none_is_tested_where_that_is_switched_off_or_another_process_does_it(store: Store) -> None:
    async with providing([]) as (provider, caller):
        wired = engine(store, caller, [connection_of(ACME, KEY)])
        quiet, lost = watching(store, wired, is_testing=False), watching(store, wired)
        await looked(quiet)
        await looked(lost)
        wired.clock.advance(MOST_MS)
        shown = await looked(quiet)
        nothing = await lost.go_round(lambda: False)

    assert (shown.state, shown.tested_at) == ("ok", None)
    assert nothing == []
    assert provider.asked == []
