"""GET /v1/queue: what waits, and since when."""

from __future__ import annotations

import pytest

from hub.model.delivery import DeliveryState
from tests.api.test_deliveries import finish
from tests.support.hub_world import CONTACT, OTHER_LINE, HubWorld, line_id


async def test_an_empty_queue(world: HubWorld) -> None:
    shown = (await world.api.get("/v1/queue")).json

    assert shown["deliveries"] == {
        "pending": 0, "due": 0, "scheduled": 0, "held": 0, "dead": 0,
        "oldest_pending_at": None, "oldest_pending_age_ms": None,
    }  # fmt: skip
    assert shown["outbox"] == {
        "pending": 0, "due": 0, "scheduled": 0, "retrying": 0, "processing": 0, "unknown": 0, "failed": 0,
        "oldest_pending_at": None, "oldest_pending_age_ms": None,
    }  # fmt: skip
    assert (shown["webhooks"], shown["lines"]) == ([], [])


async def test_what_waits_is_counted(world: HubWorld) -> None:
    first = await world.webhook(events=["message.received"])
    second = await world.webhook(**{"from": OTHER_LINE}, events=["message.received"])
    await world.say("dead")
    await finish(world, DeliveryState.DEAD)
    await world.say("waits", line=world.other_line)
    recorded = world.clock.now_ms()
    for text in ("one", "two"):
        body = {"from": line_id(world.sandbox_line), "to": CONTACT, "text": text}
        assert (await world.api.post("/v1/messages", body)).status == 201
    world.clock.advance(5000)
    shown = (await world.api.get("/v1/queue")).json

    assert (shown["deliveries"]["pending"], shown["deliveries"]["dead"]) == (2, 1)
    assert shown["deliveries"]["oldest_pending_at"] == recorded
    assert shown["deliveries"]["oldest_pending_age_ms"] == 5000
    assert {each["webhook_id"]: (each["due"], each["dead"]) for each in shown["webhooks"]} == {
        first["id"]: (1, 1),
        second["id"]: (1, 0),
    }
    assert (shown["outbox"]["pending"], shown["outbox"]["due"]) == (2, 2)
    assert [each["line_id"] for each in shown["lines"]] == [line_id(world.sandbox_line)]
    assert shown["counted_at"] == world.clock.now_ms()


async def test_the_queue_of_one_line(world: HubWorld) -> None:
    await world.webhook()
    own = await world.webhook(**{"from": OTHER_LINE})
    await world.say("one", line=world.other_line)
    shown = (await world.api.get(f"/v1/queue?from=%2B{OTHER_LINE[1:]}")).json

    assert shown["deliveries"]["pending"] == 1
    assert [each["webhook_id"] for each in shown["webhooks"]] == [own["id"]]


async def test_a_count_is_believed_for_a_second_and_cut_at_the_limit(world: HubWorld) -> None:
    webhooks = [await world.webhook() for _ in range(3)]
    await world.say("one")
    first = (await world.api.get("/v1/queue")).json
    await world.say("two")
    world.clock.advance(990)
    same = (await world.api.get("/v1/queue?limit=2")).json
    world.clock.advance(1000)
    after = (await world.api.get("/v1/queue")).json

    assert [each["deliveries"]["pending"] for each in (first, same, after)] == [3, 3, 6]
    assert [each["webhook_id"] for each in same["webhooks"]] == [each["id"] for each in webhooks[:2]]


@pytest.mark.parametrize(
    ("query", "code", "param"),
    [
        ("limit=0", "invalid_parameter_value", "limit"),
        ("limit=1001", "invalid_parameter_value", "limit"),
        ("from=%2B15550199999", "line_not_found", "from"),
        ("webhook=x", "invalid_parameter_value", "webhook"),
    ],
)
async def test_queue_queries_that_are_refused(world: HubWorld, query: str, code: str, param: str) -> None:
    answered = await world.api.get(f"/v1/queue?{query}")

    assert (answered.code, answered.param) == (code, param)


async def test_a_restricted_key_sees_the_queue_of_its_lines_only(world: HubWorld) -> None:
    await world.webhook()
    own = await world.webhook(**{"from": OTHER_LINE})
    await world.say("mine", line=world.other_line)
    await world.say("sandbox")
    caller = await world.caller("deliveries:read", lines=(world.other_line,))

    assert [each["webhook_id"] for each in (await caller.get("/v1/queue")).json["webhooks"]] == [own["id"]]


async def test_a_scope_is_needed(world: HubWorld) -> None:
    caller = await world.caller("events:read", "webhooks:read")

    assert (await caller.get("/v1/queue")).code == "insufficient_scope"
