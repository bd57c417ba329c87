"""One request under one idempotency key is done once, however often and however simultaneously it comes."""

from __future__ import annotations

import asyncio

import pytest

from hub.rules.lanes import shard_of
from tests.support.hub_world import CONTACT, SANDBOX_LINE, HubWorld

SEND = {"from": SANDBOX_LINE, "to": CONTACT, "text": "Hello"}
KEY = {"Idempotency-Key": "order-1"}


async def pending_sends(world: HubWorld) -> int:
    line = world.sandbox_line
    return len(await world.store.hot.read(lambda tx: tx.due_outbox(line.id, shard_of(line.id), 100)))


async def test_a_repeat_gets_the_first_answer(world: HubWorld) -> None:
    first = await world.api.post("/v1/messages", SEND, headers=KEY)
    again = await world.api.post("/v1/messages", dict(reversed(SEND.items())), headers=KEY)

    assert (first.status, again.status) == (201, 201)
    assert first.json["id"] == again.json["id"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert await pending_sends(world) == 1


async def test_another_body_is_a_conflict(world: HubWorld) -> None:
    await world.api.post("/v1/messages", SEND, headers=KEY)
    answered = await world.api.post("/v1/messages", {**SEND, "text": "Other"}, headers=KEY)

    assert (answered.status, answered.code) == (409, "idempotency_key_conflict")
    assert answered.param == "Idempotency-Key"
    assert await pending_sends(world) == 1


async def test_another_endpoint_is_a_conflict(world: HubWorld) -> None:
    body = {"from": SANDBOX_LINE, "to": CONTACT}
    await world.api.post("/v1/receipts", body, headers=KEY)
    answered = await world.api.post("/v1/typing", body, headers=KEY)

    assert answered.code == "idempotency_key_conflict"


async def test_each_api_key_has_its_own(world: HubWorld) -> None:
    await world.api.post("/v1/messages", SEND, headers=KEY)
    other = await world.caller("messages:write")
    answered = await other.post("/v1/messages", {**SEND, "text": "Other"}, headers=KEY)

    assert answered.status == 201


async def test_concurrent_duplicates_send_once(world: HubWorld) -> None:
    answers = await asyncio.gather(
        *(world.api.post("/v1/messages", SEND, headers=KEY) for _ in range(40)),
        *(world.api.post("/v1/messages", {**SEND, "text": "Other"}, headers=KEY) for _ in range(5)),
    )

    accepted = [answer for answer in answers if answer.status == 201]
    assert len({answer.json["id"] for answer in accepted}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in accepted) == 1
    assert sorted(answer.status for answer in answers) in ([201] * 40 + [409] * 5, [201] * 5 + [409] * 40)
    assert await pending_sends(world) == 1


async def test_without_a_key_each_request_sends(world: HubWorld) -> None:
    answers = [await world.api.post("/v1/messages", SEND) for _ in range(2)]

    assert len({answer.json["id"] for answer in answers}) == 2


@pytest.mark.parametrize("key", ["", "x" * 256, "with blank", "ä"], ids=["empty", "long", "blank", "latin"])
async def test_keys_that_cannot_be_used(world: HubWorld, key: str) -> None:
    answered = await world.api.post("/v1/messages", SEND, headers={"Idempotency-Key": key})

    assert (answered.status, answered.code) == (400, "invalid_parameter_value")
    assert answered.param == "Idempotency-Key"


async def test_a_refused_request_does_not_use_up_its_key(world: HubWorld) -> None:
    refused = await world.api.post("/v1/messages", {**SEND, "to": "nobody"}, headers=KEY)
    accepted = await world.api.post("/v1/messages", SEND, headers=KEY)

    assert (refused.status, accepted.status) == (400, 201)
