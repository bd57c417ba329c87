"""Accepting sends: one transaction for a crowd, one send for an idempotency key, whatever else is in the batch."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.flow.guards import SendGuard
from hub.flow.outgoing import Order, Outgoing
from hub.flow.ports import HotTransaction
from hub.flow.repeating import Accepted, Repeatable
from hub.flow.safety import Verdict
from hub.flow.safety import Wish as Guarded
from hub.flow.wishes import Wish
from hub.model.errors import InvalidRequest
from hub.model.outbox import OperationKind
from tests.support.hub_world import CONTACT, HubWorld, open_world

PAYLOAD = {"to": CONTACT, "text": "Hi"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    async with open_world(tmp_path) as opened:
        yield opened


def outgoing(world: HubWorld) -> Outgoing:
    return Outgoing(
        store=world.store,
        directory=world.directory,
        clock=world.clock,
        new_id=world.new_id,
        wake_ups=world.wake_ups,
    )


async def accept(taker: Outgoing, world: HubWorld, key: str | None, request: bytes) -> Accepted | None:
    """Accept a send; None for a conflict."""
    repeatable = None if key is None else Repeatable(scope="key:1", key=key, request_hash=request)
    try:
        return await taker.accept(
            world.sandbox_line, OperationKind.SEND, PAYLOAD, api_key_id=1, repeatable=repeatable
        )
    except InvalidRequest as error:
        if error.code != "idempotency_key_conflict":
            raise
        return None


def sends(folder: Path) -> list[int]:
    """Everything that is owed, read from the file itself: the lane shows only what comes next."""
    with closing(sqlite3.connect(folder / "hub.db")) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM outbox WHERE state < 3 ORDER BY id")]


async def test_a_crowd_is_accepted_in_order_and_wakes_its_line_once_a_batch(
    world: HubWorld, tmp_path: Path
) -> None:
    taker = outgoing(world)
    accepted = await asyncio.gather(*(accept(taker, world, None, b"") for _ in range(50)))

    assert [each.outbox_id for each in accepted if each] == sends(tmp_path)
    assert 1 <= len(world.wake_ups.lines) <= 2, "the first goes alone, the others share a transaction"


async def test_an_inactive_line(world: HubWorld) -> None:
    line = replace(world.sandbox_line, is_active=False)
    with pytest.raises(InvalidRequest) as refused:
        await outgoing(world).accept(line, OperationKind.SEND, PAYLOAD, api_key_id=None)

    assert refused.value.code == "line_inactive"


@pytest.mark.slow
async def test_any_crowd_sends_each_key_once(tmp_path: Path) -> None:
    """Requests that come together and apart, with and without keys, some under a key of another request."""
    wishes = st.lists(
        st.lists(
            st.tuples(st.sampled_from([None, "a", "b", "c"]), st.sampled_from([b"1", b"2"])), max_size=8
        ),
        max_size=4,
    )
    async with open_world(tmp_path) as world:
        loop = asyncio.get_running_loop()
        examples = iter(range(10**6))

        async def check(crowds: list[list[tuple[str | None, bytes]]]) -> None:
            taker, before, mark = outgoing(world), len(sends(tmp_path)), next(examples)
            first: dict[str, bytes] = {}
            by_key: dict[str, set[int]] = {}
            expected = 0
            for crowd in crowds:
                answers = await asyncio.gather(
                    *(accept(taker, world, key and f"{mark}:{key}", request) for key, request in crowd)
                )
                for (key, request), answer in zip(crowd, answers, strict=True):
                    if key is None:
                        expected += 1
                        assert answer is not None
                        assert not answer.is_replayed
                        continue
                    owner = first.setdefault(key, request)
                    assert (answer is not None) == (request == owner)
                    if answer is not None:
                        by_key.setdefault(key, set()).add(answer.outbox_id)
            assert all(len(ids) == 1 for ids in by_key.values())
            assert len(sends(tmp_path)) - before == expected + len(by_key)

        @settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(crowds=wishes)
        def holds(crowds: list[list[tuple[str | None, bytes]]]) -> None:
            asyncio.run_coroutine_threadsafe(check(crowds), loop).result(30)

        await asyncio.to_thread(holds)


async def test_a_line_whose_bridge_cannot_send_refuses(world: HubWorld) -> None:
    outgoing = Outgoing(
        store=world.store,
        directory=world.directory,
        clock=world.clock,
        new_id=world.new_id,
        wake_ups=world.wake_ups,
        can_send=lambda line: line != world.other_line,
    )

    with pytest.raises(InvalidRequest) as refused:
        await outgoing.accept(world.other_line, OperationKind.SEND, {"text": "hi"}, api_key_id=None)

    assert (refused.value.code, refused.value.param) == ("advanced_features_required", "from")


@dataclass
class Refusing:
    """A guard that refuses sends of these words, and counts the others."""

    words: str = "spam"
    counted: list[tuple[object, bool]] = field(default_factory=list)

    async def admit(
        self, tx: HotTransaction, wishes: Sequence[Guarded], now_ms: int
    ) -> list[InvalidRequest | None]:
        self.counted += [(wish.payload.get("text"), wish.is_counted) for wish in wishes]
        return [
            InvalidRequest("contact_opted_out", "No.", param="to")
            if wish.payload.get("text") == self.words
            else None
            for wish in wishes
        ]

    async def release(self, tx: HotTransaction, wish: Guarded, now_ms: int) -> Verdict:
        return None


def asking(text: str, **more: Any) -> Wish:
    return Wish(kind=OperationKind.SEND, payload={"to": CONTACT, "text": text}, **more)


def guarded(world: HubWorld, guard: SendGuard) -> Outgoing:
    return Outgoing(
        store=world.store,
        directory=world.directory,
        clock=world.clock,
        new_id=world.new_id,
        wake_ups=world.wake_ups,
        guard=guard,
    )


async def test_who_is_refused_does_not_hold_up_those_it_shares_a_batch_with(
    world: HubWorld, tmp_path: Path
) -> None:
    taker, line = guarded(world, Refusing()), world.sandbox_line
    answers = await asyncio.gather(
        *(taker.accept_set(line, [asking(text)], api_key_id=None) for text in ("a", "spam", "b", "spam")),
        return_exceptions=True,
    )

    assert [isinstance(answer, InvalidRequest) for answer in answers] == [False, True, False, True]
    assert len(sends(tmp_path)) == 2


async def test_a_refused_request_may_be_repeated_under_its_key(world: HubWorld) -> None:
    """Nothing was done, so nothing is remembered."""
    guard, key = Refusing(), Repeatable(scope="key:1", key="k", request_hash=b"1")
    taker, line = guarded(world, guard), world.sandbox_line
    for _ in range(2):
        with pytest.raises(InvalidRequest, match=r"No\."):
            await taker.accept_set(line, [asking("spam")], api_key_id=None, repeatable=key)
    guard.words = ""

    accepted = await taker.accept_set(line, [asking("spam")], api_key_id=None, repeatable=key)

    assert not accepted.is_replayed


async def test_of_a_set_all_is_owed_or_nothing(world: HubWorld, tmp_path: Path) -> None:
    taker, line = guarded(world, Refusing()), world.sandbox_line
    key = Repeatable(scope="key:1", key="k", request_hash=b"1")
    with pytest.raises(InvalidRequest, match=r"No\."):
        await taker.accept_set(line, [asking("a"), asking("spam")], api_key_id=None, repeatable=key)
    assert sends(tmp_path) == []

    accepted = await taker.accept_set(line, [asking("a"), asking("b")], api_key_id=None, repeatable=key)

    assert [item.outbox_id for item in accepted.items] == sends(tmp_path)


async def test_what_is_put_off_is_counted_when_it_goes_out(world: HubWorld) -> None:
    guard = Refusing()
    taker, later = guarded(world, guard), world.clock.now_ms() + 1_000
    wishes = [
        asking("now"),
        asking("later", send_at=later),
        asking("bulk", job_id=7),
        asking("over", send_at=1),
    ]
    await taker.accept_set(world.sandbox_line, wishes, api_key_id=None)

    assert guard.counted[-4:] == [("now", True), ("later", False), ("bulk", False), ("over", True)]


async def test_many_are_accepted_together_each_for_itself_and_once(world: HubWorld, tmp_path: Path) -> None:
    """As a bulk job that was killed and begins its page again."""
    taker = guarded(world, Refusing())
    texts = ["a", "spam", "b", "c"]
    orders = [
        Order(asking(text, job_id=7), Repeatable(scope="job:7", key=str(place), request_hash=b"1"))
        for place, text in enumerate(texts)
    ]
    first = await taker.accept_many(world.sandbox_line, orders[:3], api_key_id=None)
    again = await taker.accept_many(world.sandbox_line, orders, api_key_id=None)

    assert [isinstance(answer, Accepted) for answer in again] == [True, False, True, True]
    ids = [answer.outbox_id for answer in again if isinstance(answer, Accepted)]
    assert ids == sends(tmp_path)
    assert ids[:2] == [answer.outbox_id for answer in first if isinstance(answer, Accepted)]
    item = await world.store.outbox.get(ids[0])
    assert item is not None
    message = await world.store.messages.get(item.message_id or 0)
    assert message is not None
    assert message.job_id == 7
