"""A token that is no token is noticed, and a refresh token that is good for one use is never lost by us."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.connectors.locks import LockTaken
from hub.flow.calling import Call, Caller, Reply
from hub.flow.connection_events import ConnectionChange
from hub.flow.repositories import Store
from hub.model.actions import ActionFailed
from tests.connectors.golden import NAME, Engine, clock_at, connection_of, engine
from tests.connectors.provider import providing
from tests.connectors.test_credentials import ACME, CALL, CLIENT, OK, REFRESH, token

REFUSED = {"status": 401, "json": {"message": "the token is over"}}


async def test_a_pause_overwrites_no_refresh_token_that_came_meanwhile(store: Store) -> None:
    """Two runs of one process: while one notes that the connection is refused, the other gets the next token."""
    works: list[Engine] = []

    async def hear(change: ConnectionChange) -> None:
        if change.is_paused:
            await works[0].actions.run(CALL)

    first = [token(1, refresh_token="test-refresh-2"), REFUSED, token(2, refresh_token="test-refresh-3")]
    meanwhile = [REFUSED, token(3, refresh_token="test-refresh-4"), OK]
    async with providing([*first, REFUSED, *meanwhile, token(4), OK]) as (provider, caller):
        clock = clock_at()
        works.append(engine(store, caller, [connection_of(ACME, REFRESH)], clock=clock, tell=hear))
        with pytest.raises(ActionFailed):
            await works[0].actions.run(CALL)
        clock.advance(3_600_000)
        await works[0].actions.run(CALL)

    wished = [each.form["refresh_token"] for each in provider.asked if each.url.endswith("/token")]
    assert wished == ["test-refresh-1", "test-refresh-2", "test-refresh-3", "test-refresh-4"]


async def test_other_credentials_in_between_lose_no_refresh_token(store: Store) -> None:
    """A command that is run with other variables, or a process that reads the file later."""
    wrong = {"auth": {"refresh": {**REFRESH["auth"]["refresh"], "refresh_token": "test-refresh-old"}}}
    refused = {"status": 400, "json": {"error": "invalid_grant"}}
    answers = [token(1, refresh_token="test-refresh-2"), OK, refused, refused, token(3), OK]
    async with providing(answers) as (provider, caller):
        clock = clock_at()
        right = engine(store, caller, [connection_of(ACME, REFRESH)], clock=clock)
        other = engine(store, caller, [connection_of(ACME, wrong)], clock=clock)
        await right.actions.run(CALL)
        assert not (await other.actions.test(NAME)).works
        with pytest.raises(ActionFailed):
            await other.actions.run(CALL)
        assert not (await other.actions.test(NAME)).works
        clock.advance(3_600_000)
        await right.actions.run(CALL)

    wished = [each.form["refresh_token"] for each in provider.asked if each.url.endswith("/token")]
    assert wished == ["test-refresh-1", *["test-refresh-old"] * 2, "test-refresh-2"]


@pytest.mark.parametrize(
    "given",
    [
        {"access_token": None},
        {"access_token": ""},
        {"access_token": " "},
        {"access_token": True},
        {"access_token": {"value": "test-token-x"}},
        {"access_token": "test-token\nx"},
        {"access_token": "test-tökén"},
        {"access_token": "test-token-1", "instance_url": None},
        {"error": "invalid_grant"},
    ],
    ids=repr,
)
async def test_what_is_no_token_pauses_the_connection_and_is_not_sent(
    store: Store, given: dict[str, Any]
) -> None:
    answer = {"json": {"instance_url": "https://eu.acme.example", **given}}
    async with providing([answer]) as (provider, caller):
        works = engine(store, caller, [connection_of(ACME, CLIENT)])
        told = []
        for _ in range(2):
            with pytest.raises(ActionFailed) as failed:
                await works.actions.run(CALL)
            told.append(failed.value)

    assert [each.error_class for each in told] == ["auth", "auth"]
    assert told[0].message.startswith("Acme gave no token for golden: ")
    assert "test-t" not in told[0].message
    assert "is paused since" in told[1].message
    assert len(provider.asked) == 1


@pytest.mark.parametrize("seconds", ["²", "1" * 5_000, "-1", -1, 0, 1e12, "soon", True, [3600], None])
async def test_a_token_is_used_until_it_is_refused_where_nothing_says_how_long(
    store: Store, seconds: object
) -> None:
    answers = [token(1, expires_in=seconds), OK, OK]
    async with providing(answers) as (provider, caller):
        works = engine(store, caller, [connection_of(ACME, REFRESH)])
        await works.actions.run(CALL)
        works.clock.advance(86_400_000)
        await works.actions.run(CALL)

    assert [each.url.endswith("/token") for each in provider.asked] == [True, False, False]


async def test_the_address_that_comes_with_a_new_token_counts_at_once(store: Store) -> None:
    answers = [
        token(1, instance_url="https://eu.acme.example"),
        REFUSED,
        token(2, instance_url="https://us.acme.example"),
        OK,
    ]
    async with providing(answers) as (provider, caller):
        await engine(store, caller, [connection_of(ACME, CLIENT)]).actions.run(CALL)

    assert [each.url for each in provider.asked][1::2] == [
        "https://eu.acme.example/look",
        "https://us.acme.example/look",
    ]


class _Noting:
    """Notes how long each request may take."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self.seconds: list[float] = []

    async def send(self, call: Call) -> Reply:
        self.seconds.append(call.timeout_seconds)
        return await self._caller.send(call)


@pytest.mark.parametrize(("timeout_ms", "seconds"), [(1_000, 4.0), (20_000, 20.0), (600_000, 30.0)])
async def test_a_request_for_a_token_has_a_moment_and_ends_before_its_lock(
    store: Store, timeout_ms: int, seconds: float
) -> None:
    async with providing([token(1), OK]) as (_, caller):
        noting = _Noting(caller)
        works = engine(store, noting, [connection_of(ACME, REFRESH)])
        await works.actions.run(replace(CALL, timeout_ms=timeout_ms))

    assert noting.seconds == [seconds, timeout_ms / 1000]


# ---- locks


async def test_who_was_too_slow_does_not_free_the_lock_of_the_next(store: Store) -> None:
    async with providing([]) as (_, caller):
        works = engine(store, caller, [])
        slow = works.locks.held("it", patience_ms=0, lease_ms=1_000)
        await slow.__aenter__()
        works.clock.advance(2_000)
        async with works.locks.held("it", patience_ms=100, lease_ms=60_000):
            await slow.__aexit__(None, None, None)
            with pytest.raises(LockTaken):
                async with works.locks.held("it", patience_ms=0, lease_ms=1_000):
                    pass
