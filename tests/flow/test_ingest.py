"""Taking in what bridges saw: durable, once, and only what the bridge may speak of."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as changed

from hub.flow.event_store import Event
from hub.flow.ingest import BridgeRequest, ObservationResult
from hub.flow.repositories import DeliveryFilter
from hub.flow.rows import OutboxRow
from hub.model.delivery import DeliveryState
from hub.model.ids import Prefix, id_text, parse_id
from hub.model.line import Line
from hub.model.observation import Observation, ObservedMessage
from hub.model.outbox import attempt_id
from hub.rules.lanes import shard_of
from tests.support.histories import distort, histories
from tests.support.hub_world import HubWorld, open_world
from tests.support.sightings import CONTACT, a_message, seen

RECEIVED = seen("message.received", actor=CONTACT, message=a_message("G1", "hello"))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    async with open_world(tmp_path) as opened:
        yield opened


async def take(
    world: HubWorld, *observations: Observation, request_id: str | None = None, line: Line | None = None
) -> tuple[ObservationResult, ...]:
    """Take in a request from a line's bridge."""
    bridge_id = (line or world.sandbox_line).bridge_id
    return await world.ingest(
        BridgeRequest(bridge_id, request_id or f"r{world.new_id()}", b"{}", observations)
    )


async def events(world: HubWorld) -> list[Event]:
    return await world.store.events.page(first_id=0, last_id=2**62, limit=10_000)


def statuses(results: tuple[ObservationResult, ...]) -> list[str]:
    return [result.status for result in results]


async def own_item(world: HubWorld, line: Line, **payload: object) -> int:
    """Owe a send."""
    number, now = world.new_id(), world.clock.now_ms()
    text = msgspec.json.encode({"from": line.handle, "to": CONTACT, **payload}).decode()
    row = OutboxRow(number, line.id, shard_of(line.id), None, "send", text, now, now)
    await world.store.hot.write(lambda tx: tx.insert_outbox([row]))
    return number


# ---- repeats


async def test_a_repeated_request_adds_nothing(world: HubWorld) -> None:
    first = await take(world, RECEIVED, request_id="r")
    again = await take(world, RECEIVED, request_id="r")

    assert (statuses(first), statuses(again)) == (["recorded"], ["duplicate"])
    assert len(await events(world)) == 1


async def test_the_same_observation_in_another_request_adds_nothing(world: HubWorld) -> None:
    await take(world, RECEIVED)

    assert statuses(await take(world, RECEIVED)) == ["duplicate"]
    assert len(await events(world)) == 1


async def test_repeats_within_a_request_and_a_batch_are_recorded_once(world: HubWorld) -> None:
    answers = await asyncio.gather(*(take(world, RECEIVED, RECEIVED, request_id="r") for _ in range(10)))

    told = [status for results in answers for status in statuses(results)]
    assert told.count("recorded") == 1
    assert told.count("duplicate") == 19
    assert len(await events(world)) == 1


# ---- lines


async def test_a_line_of_nobody_is_refused_and_the_others_are_taken(world: HubWorld) -> None:
    foreign = changed(RECEIVED, line="+15550109999")
    other = seen("message.received", actor=CONTACT, message=a_message("G2"))

    results = await take(world, foreign, RECEIVED, foreign, other)

    assert statuses(results) == ["refused", "recorded", "refused", "recorded"]
    assert results[0].code == "line_not_found"


async def test_a_bridge_does_not_speak_for_anothers_line(world: HubWorld) -> None:
    assert statuses(await take(world, RECEIVED, line=world.other_line)) == ["refused"]
    assert await events(world) == []


async def test_a_refused_request_may_be_repeated_when_its_line_exists(world: HubWorld) -> None:
    foreign = changed(RECEIVED, line="+15550109999")
    assert statuses(await take(world, RECEIVED, foreign, request_id="r")) == ["recorded", "refused"]
    await world.store.lines.add(replace(world.sandbox_line, id=world.new_id(), handle="+15550109999"))
    await world.directory.refresh()

    assert statuses(await take(world, RECEIVED, foreign, request_id="r")) == ["duplicate", "recorded"]
    assert statuses(await take(world, RECEIVED, foreign, request_id="r")) == ["duplicate", "duplicate"]


# ---- webhooks


async def test_a_webhook_registered_elsewhere_gets_what_is_accepted_afterwards(world: HubWorld) -> None:
    """The snapshot of this process is stale; the transaction notices."""
    stale = world.directory.current
    answer = await world.webhook()
    world.directory.current = stale
    await take(world, RECEIVED)

    [delivery] = await world.store.deliveries.list(DeliveryFilter(), after=None, limit=9)
    assert id_text(Prefix.WEBHOOK, delivery.webhook_id) == answer["id"]


async def test_the_range_that_is_told_covers_the_deliveries(world: HubWorld) -> None:
    await world.webhook()
    await world.webhook()
    await take(world, RECEIVED, seen("message.received", actor=CONTACT, message=a_message("G2")))

    rows = await world.store.deliveries.list(DeliveryFilter(), after=None, limit=9)
    assert world.wake_ups.ranges == [(min(row.id for row in rows), max(row.id for row in rows))]


async def test_what_a_disabled_webhook_misses_is_held(world: HubWorld) -> None:
    answer = await world.webhook()
    webhook_id = parse_id(Prefix.WEBHOOK, answer["id"])
    await world.store.webhooks.disable(webhook_id, reason="test", at=1)
    await take(world, RECEIVED)

    [delivery] = await world.store.deliveries.list(DeliveryFilter(), after=None, limit=9)
    assert delivery.state is DeliveryState.HELD
    assert world.wake_ups.ranges == []


# ---- company


async def test_a_bad_request_does_not_harm_those_it_shares_a_batch_with(world: HubWorld) -> None:
    surrogate = seen("message.received", actor=CONTACT, message=a_message("BAD", "\ud800"))

    async def one(number: int) -> list[str]:
        observation = (
            surrogate
            if number == 3
            else seen("message.received", actor=CONTACT, message=a_message(f"G{number}"))
        )
        return statuses(await take(world, observation))

    answers = await asyncio.gather(*(one(number) for number in range(8)), return_exceptions=True)

    failed = [number for number, answer in enumerate(answers) if isinstance(answer, BaseException)]
    assert failed == [3]
    assert len(await events(world)) == 7


# ---- evidence about our own sends


def sent(outbox_id: int, **fields: Any) -> Observation:
    message = ObservedMessage(
        provider_id="G9",
        is_from_me=fields.pop("is_from_me", True),
        attempt_id=attempt_id(outbox_id),
        **fields,
    )
    return seen("message.sent", message=message)


async def data_of_only_event(world: HubWorld) -> dict[str, Any]:
    [event] = await events(world)
    data: dict[str, Any] = msgspec.json.decode(event.data)
    return data | {"type": event.type}


async def test_evidence_of_our_own_item_names_it(world: HubWorld) -> None:
    item = await own_item(world, world.sandbox_line, text="hi")
    await take(world, sent(item))

    assert (await data_of_only_event(world))["outbox_id"] == id_text(Prefix.OUTBOX, item)


@pytest.mark.parametrize("is_known", [True, False])
async def test_evidence_may_not_quote_another_lines_item(world: HubWorld, is_known: bool) -> None:
    """Neither its id nor its words come out, and the direction is not believed to be ours because of it."""
    item = await own_item(world, world.other_line, text="secret") if is_known else world.new_id()
    quoting = changed(sent(item, is_from_me=None), kind="message.received", actor=CONTACT)
    await take(world, quoting)

    data = await data_of_only_event(world)
    assert data["outbox_id"] is None
    assert data["type"] == "message.received"
    assert data["text"] is None


@pytest.mark.parametrize("kind", ["message.sent", "status.sent"])
async def test_bare_evidence_carries_what_was_sent(world: HubWorld, kind: Any) -> None:
    item = await own_item(world, world.sandbox_line, text="hi", attachments=["file_1"])
    await take(world, changed(sent(item), kind=kind))

    data = await data_of_only_event(world)
    assert data["text"] == "hi"
    assert len(data["attachments"]) == 1


async def test_what_the_network_shows_beats_what_was_sent(world: HubWorld) -> None:
    item = await own_item(world, world.sandbox_line, text="hi")
    await take(world, sent(item, parts=a_message(text="HI!").parts))

    assert (await data_of_only_event(world))["text"] == "HI!"


async def test_an_edited_message_is_not_given_its_old_words(world: HubWorld) -> None:
    item = await own_item(world, world.sandbox_line, text="hi")
    await take(world, sent(item, edited_at=1_800_000_000_000))

    texts = {msgspec.json.decode(event.data)["text"] for event in await events(world)}
    assert texts == {None}


# ---- any order


async def outcome_of(folder: Path, told: list[Observation], size: int) -> tuple[Any, ...]:
    """Tell a history in requests of a size; give events and final rows, without ids and times of ours."""
    async with open_world(folder) as world:
        for start in range(0, len(told), size):
            await take(world, *told[start : start + size])
        facts = sorted((event.type, event.occurred_at) for event in await events(world))
        keys = sorted(
            {(event.type, msgspec.json.decode(event.data).get("guid")) for event in await events(world)}
        )
        rows = [
            await world.store.messages.by_guid(world.sandbox_line.id, f"GUID-{number}") for number in range(3)
        ]
        messages = [row and row._replace(id=0, chat_id=int(row.chat_id > 0), synced_at=0) for row in rows]
        reactions = [
            [(each.sender, each.type, each.is_added, each.sent_at) for each in found]
            for row in rows
            if row
            for found in [await world.store.messages.reactions(world.sandbox_line.id, row.guid)]
        ]
        return len(facts), keys, messages, reactions


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), size=st.integers(1, 7))
def test_a_shuffled_and_repeated_history_ends_the_same(data: st.DataObject, size: int) -> None:
    shown = data.draw(histories())
    told = data.draw(distort(shown))
    outcomes = []
    for history in (shown, told):
        with tempfile.TemporaryDirectory() as folder:
            outcomes.append(asyncio.run(outcome_of(Path(folder), history, size)))

    assert outcomes[0] == outcomes[1]
