"""`Prefer: wait=N`: the answer comes with the verdict, or when the time is over; nobody waits for who has left."""

from __future__ import annotations

import asyncio

import pytest

from hub.flow.rows import OutboxUpdate
from hub.model.ids import Prefix, parse_id
from hub.model.outbox import OutboxState
from tests.support.asgi import HungUp
from tests.support.hub_world import CONTACT, SANDBOX_LINE, HubWorld

SEND = {"from": SANDBOX_LINE, "to": CONTACT, "text": "Hello"}
WAIT = {"Prefer": "wait=10"}


async def step(world: HubWorld, outbox_id: str, state: OutboxState, *, error: str | None = None) -> None:
    """Do what a worker would do to an outbox item."""
    item_id, now = parse_id(Prefix.OUTBOX, outbox_id), world.clock.now_ms()
    done_at = now if state >= OutboxState.SENT else None
    for each in dict.fromkeys((OutboxState.DISPATCHED, state)):
        update = OutboxUpdate(item_id, each, 1, now, now, None, error, done_at)
        assert await world.store.hot.write(lambda tx, update=update: tx.update_outbox([update])) == {item_id}  # type: ignore[misc] # bound early on purpose


async def test_without_the_wish_nobody_waits(world: HubWorld) -> None:
    answered = await world.api.post("/v1/typing", {"from": SANDBOX_LINE, "to": CONTACT})

    assert answered.json["status"] == "pending"
    assert "preference-applied" not in answered.headers
    assert not {"state", "error", "result"} & set(answered.json)
    assert world.naps.taken == []


async def test_the_time_over_the_item_is_told_as_it_stands(world: HubWorld) -> None:
    answered = await world.api.post("/v1/messages", SEND, headers=WAIT)

    assert (answered.status, answered.headers["preference-applied"]) == (201, "wait=10")
    assert (answered.json["status"], answered.json["state"]) == ("pending", "pending")
    assert (answered.json["error"], answered.json["result"]) == (None, None)
    assert abs(sum(world.naps.taken) - 10) < 0.1


@pytest.mark.parametrize(
    ("state", "error", "status"),
    [
        (OutboxState.SENT, None, "sent"),
        (OutboxState.FAILED, "no_such_number: nobody there.", "failed"),
    ],
)
async def test_the_verdict_ends_the_wait(
    world: HubWorld, state: OutboxState, error: str | None, status: str
) -> None:
    made = await world.api.post("/v1/messages", SEND)

    async def work(seconds: float) -> None:
        if len(world.naps.taken) == 2:
            await step(world, made.json["id"], state, error=error)

    world.naps.meanwhile = work
    answered = await world.api.get(f"/v1/outbox?id={made.json['id']}", headers=WAIT)

    assert answered.headers["preference-applied"] == "wait=10"
    assert (answered.json["status"], answered.json["state"]) == (status, state.name.lower())
    assert answered.json["error"] == error
    assert len(world.naps.taken) == 2


async def test_a_repeat_under_an_idempotency_key_gets_the_verdict_of_the_first(world: HubWorld) -> None:
    headers = {"Idempotency-Key": "k1"}
    made = await world.api.post("/v1/messages", SEND, headers=headers)
    await step(world, made.json["id"], OutboxState.SENT)
    again = await world.api.post("/v1/messages", SEND, headers=headers | WAIT)

    assert (again.json["id"], again.json["status"], again.json["state"]) == (made.json["id"], "sent", "sent")
    assert again.headers["idempotent-replayed"] == "true"
    assert world.naps.taken == []


@pytest.mark.parametrize(
    ("wish", "applied"), [("wait=0", "wait=0"), ("wait=3600", "wait=30"), ("respond-async", None)]
)
async def test_how_much_of_the_wish_is_granted(world: HubWorld, wish: str, applied: str | None) -> None:
    made = await world.api.post("/v1/messages", SEND)
    answered = await world.api.get(f"/v1/outbox?id={made.json['id']}", headers={"Prefer": wish})

    assert answered.headers.get("preference-applied") == applied
    assert sum(world.naps.taken) < 30.1


async def test_what_is_no_time_is_refused_before_anything_is_owed(world: HubWorld) -> None:
    answered = await world.api.post("/v1/messages", SEND, headers={"Prefer": "wait=soon"})

    assert (answered.status, answered.code, answered.param) == (400, "invalid_parameter_value", "Prefer")
    assert world.wake_ups.lines == []


async def test_a_caller_who_leaves_is_not_waited_for(world: HubWorld) -> None:
    """Nothing of the wait stays behind, and the send is still owed."""
    gone, napping = asyncio.Event(), asyncio.Event()

    async def leave(seconds: float) -> None:
        napping.set()
        gone.set()
        await asyncio.Event().wait()

    made = await world.api.post("/v1/messages", SEND)
    world.naps.meanwhile = leave
    before = asyncio.all_tasks()
    with pytest.raises(HungUp):
        await world.api.get(f"/v1/outbox?id={made.json['id']}", headers=WAIT, gone=gone)

    assert napping.is_set()
    assert asyncio.all_tasks() == before
    assert (await world.api.get(f"/v1/outbox?id={made.json['id']}")).json["status"] == "pending"
