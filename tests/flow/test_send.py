"""One step of one send, on the real store: marked before the call, and never called twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from hub.flow.consent import ConsentBook
from hub.flow.ingest import BridgeRequest
from hub.flow.opt_outs import OptOuts
from hub.flow.rows import DueOutbox, OutboxRow
from hub.flow.send import Sending, SendTimeouts
from hub.model.consent import ConsentAction, ConsentSource
from hub.model.outbox import Disposition, Operation, OperationOutcome, OutboxState, attempt_id
from hub.rules.lanes import shard_of
from hub.rules.sending import SendPolicy
from tests.support.hub_world import CONTACT, HubWorld, open_world
from tests.support.scripted_bridge import Act, ScriptedBridge
from tests.support.sightings import a_message, seen
from tests.worker.time_by_hand import eventually

POLICY = SendPolicy(
    most_attempts=8,
    retry_ms=1_000,
    retry_max_ms=9_000,
    lookup_ms=5_000,
    unknown_after_ms=60_000,
    in_flight_ms=300_000,
    fleeting_ms=10_000,
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    async with open_world(tmp_path) as opened:
        yield opened


def sending(world: HubWorld) -> Sending:
    consents = ConsentBook(
        store=world.store,
        directory=world.parts.directory,
        take_ids=world.new_id.take,
        wake_ups=world.wake_ups,
        clock=world.clock,
    )
    return Sending(
        store=world.store.hot,
        recorder=world.recorder,
        clock=world.clock,
        policy=POLICY,
        timeouts=SendTimeouts(perform_seconds=20.0, lookup_seconds=20.0),
        opt_outs=OptOuts(consents, world.parts.policies),
    )


async def owe(world: HubWorld) -> DueOutbox:
    now, line = world.clock.now_ms(), world.sandbox_line
    payload = msgspec.json.encode({"from": line.handle, "to": CONTACT, "text": "hi"}).decode()
    row = OutboxRow(world.new_id(), line.id, shard_of(line.id), None, "send", payload, now, now)
    await world.store.hot.write(lambda tx: tx.insert_outbox([row]))
    return await due(world)


async def due(world: HubWorld) -> DueOutbox:
    line_id = world.sandbox_line.id
    [item] = await world.store.hot.read(lambda tx: tx.due_outbox(line_id, shard_of(line_id), 9))
    return item


async def state_of(world: HubWorld, item: DueOutbox) -> OutboxState:
    stored = await world.store.outbox.get(item.id)
    assert stored is not None
    return stored.state


async def test_the_hand_over_is_durable_before_the_bridge_is_called(world: HubWorld) -> None:
    bridge = ScriptedBridge(world.clock)
    bridge.script.append(Act.HANG)
    item = await owe(world)
    stepping = asyncio.ensure_future(sending(world).step(item, world.sandbox_line, bridge))
    await eventually(lambda: bridge.sent)

    assert await state_of(world, item) is OutboxState.DISPATCHED
    bridge.answer_now.set()
    await stepping
    assert await state_of(world, item) is OutboxState.SENT


async def test_two_who_have_the_same_item_send_it_once(world: HubWorld) -> None:
    """As when a shard changes hands while both workers hold what they have read."""
    bridge = ScriptedBridge(world.clock)
    item = await owe(world)
    steps = await asyncio.gather(*(sending(world).step(item, world.sandbox_line, bridge) for _ in range(5)))

    assert bridge.sent == [item.id]
    assert [step.state for step in steps if step is not None] == [OutboxState.SENT]


async def test_a_late_success_after_the_new_owner_looked_it_up_is_kept(world: HubWorld) -> None:
    bridge = ScriptedBridge(world.clock, can_look_up=False)
    bridge.script.append(Act.HANG)
    item = await owe(world)
    stepping = asyncio.ensure_future(sending(world).step(item, world.sandbox_line, bridge))
    await eventually(lambda: bridge.sent)
    await sending(world).step(await due(world), world.sandbox_line, bridge)
    assert await state_of(world, item) is OutboxState.UNKNOWN

    bridge.answer_now.set()
    await stepping

    assert await state_of(world, item) is OutboxState.SENT
    assert bridge.performed == [item.id]


async def test_a_finished_item_is_not_moved_by_a_late_look_up(world: HubWorld) -> None:
    bridge = ScriptedBridge(world.clock)
    bridge.script.append(Act.LOST_ANSWER)
    item = await owe(world)
    await sending(world).step(item, world.sandbox_line, bridge)
    unknown = await due(world)
    await sending(world).step(unknown, world.sandbox_line, bridge)
    assert await state_of(world, item) is OutboxState.SENT
    bridge.can_look_up = False
    world.clock.advance(100_000)

    assert await sending(world).step(unknown, world.sandbox_line, bridge) is None
    assert await state_of(world, item) is OutboxState.SENT


class SlowBridge(ScriptedBridge):
    """Says, after a worker has stood still, that the first try certainly did not start."""

    async def perform(self, operation: Operation) -> OperationOutcome:
        if not self.performed:
            self.performed.append(operation.outbox_id)
            await self.answer_now.wait()
            return OperationOutcome(
                disposition=Disposition.NOT_STARTED, code="line_offline", is_retry_safe=True
            )
        return await super().perform(operation)


async def test_what_ended_while_a_worker_stood_still_is_not_begun_again(world: HubWorld) -> None:
    """People were told that nobody knows, and may have sent it anew: a try again would be a second text."""
    bridge = SlowBridge(world.clock)
    item = await owe(world)
    stepping = asyncio.ensure_future(sending(world).step(item, world.sandbox_line, bridge))
    await eventually(lambda: bridge.performed)
    world.clock.advance(100_000)
    await sending(world).step(await due(world), world.sandbox_line, bridge)
    assert await state_of(world, item) is OutboxState.FAILED

    bridge.answer_now.set()

    assert await stepping is None
    assert await state_of(world, item) is OutboxState.FAILED


async def test_a_late_word_of_an_earlier_try_does_not_free_what_is_under_way(world: HubWorld) -> None:
    """The new owner looked it up, and is trying it again; freed, it would be tried a third time beside that."""
    bridge = SlowBridge(world.clock, is_idempotent=True)
    item = await owe(world)
    stepping = asyncio.ensure_future(sending(world).step(item, world.sandbox_line, bridge))
    await eventually(lambda: bridge.performed)
    await sending(world).step(await due(world), world.sandbox_line, bridge)
    bridge.script.append(Act.HANG)
    second = ScriptedBridge(world.clock, is_idempotent=True, script=bridge.script)
    again = asyncio.ensure_future(sending(world).step(await due(world), world.sandbox_line, second))
    await eventually(lambda: second.sent)

    bridge.answer_now.set()
    assert await stepping is None
    assert await state_of(world, item) is OutboxState.DISPATCHED

    second.answer_now.set()
    await again
    assert await state_of(world, item) is OutboxState.SENT


async def test_an_item_that_was_read_before_another_try_is_not_handed_over(world: HubWorld) -> None:
    """Whoever stood still after it read knows nothing of the parts that went out meanwhile."""
    bridge = ScriptedBridge(world.clock)
    bridge.script.append(Act.OFFLINE)
    item = await owe(world)
    await sending(world).step(item, world.sandbox_line, bridge)
    assert await state_of(world, item) is OutboxState.PENDING

    assert await sending(world).step(item, world.sandbox_line, bridge) is None
    assert bridge.performed == [item.id]


async def test_a_refusal_because_the_contact_opted_out_is_an_opt_out(world: HubWorld) -> None:
    """The network heard STOP, and the hub did not: from now on the hub does not try either."""
    bridge = ScriptedBridge(world.clock)
    bridge.script.append(Act.OPTED_OUT)
    item = await owe(world)

    step = await sending(world).step(item, world.sandbox_line, bridge)

    assert step is not None
    assert (step.state, step.error) == (OutboxState.FAILED, "contact_opted_out: the network heard STOP")
    [standing] = await world.store.consents.of([world.sandbox_line.id], CONTACT)
    assert (standing.action, standing.source) == (ConsentAction.OPTED_OUT, ConsentSource.NETWORK)


class MistakenBridge(ScriptedBridge):
    """Takes the first message that says the same for the send that is looked for."""

    asked: Operation | None = None

    async def lookup(self, operation: Operation) -> OperationOutcome:
        self.asked = operation
        return OperationOutcome(disposition=Disposition.ACCEPTED, provider_id="GUID-OF-FIRST")


async def test_another_sends_message_is_no_proof(world: HubWorld) -> None:
    """A line has said the same before; after a crash a bridge cannot tell the two by their words."""
    bridge, now = MistakenBridge(world.clock), world.clock.now_ms()
    first = await owe(world)
    message = a_message("GUID-OF-FIRST", "hi", is_from_me=True, attempt_id=attempt_id(first.id), sent_at=now)
    shown = (seen("message.sent", message=message),)
    await world.ingest(BridgeRequest(world.sandbox_line.bridge_id, "r", b"{}", shown))
    await sending(world).step(first, world.sandbox_line, bridge)
    bridge.script.append(Act.LOST_REQUEST)
    await sending(world).step(await owe(world), world.sandbox_line, bridge)

    step = await sending(world).step(await due(world), world.sandbox_line, bridge)

    assert step is not None
    assert (step.state, step.error and step.error.partition(":")[0]) == (OutboxState.UNKNOWN, "not_found")
    assert bridge.asked is not None
    assert bridge.asked.taken == {"GUID-OF-FIRST"}
