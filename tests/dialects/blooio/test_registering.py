"""Registering webhooks again: at once, after their end, and after the hub gave one up, which the vendor never does."""

from __future__ import annotations

import asyncio
from typing import Any

from hub.worker.maintenance import EXPIRED
from tests.support.asgi import Answered, Caller
from tests.support.hub_world import HubWorld

URL = "https://receiver.example/hook"
GONE = "HTTP 410: the receiver is gone for good; disabled"


async def register(api: Caller, **more: Any) -> Answered:
    return await api.post("/v2/api/webhooks", {"webhook_url": URL, **more})


async def shown(api: Caller, webhook_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await api.get(f"/v2/api/webhooks/{webhook_id}")).json
    return found


async def switch_off(world: HubWorld, reason: str) -> None:
    """Do as the worker does."""
    (webhook,) = await world.store.webhooks.all()
    assert await world.store.webhooks.disable(webhook.id, reason=reason, at=world.clock.now_ms())


async def test_callers_at_the_same_time_make_one(api: Caller) -> None:
    """Each process of a client may register when it starts."""
    answered = await asyncio.gather(*(register(api) for _ in range(6)))
    listed = (await api.get("/v2/api/webhooks")).json["webhooks"]

    assert sorted(each.status for each in answered) == [200] * 5 + [201]
    assert {each.json["webhook_id"] for each in answered} == {listed[0]["webhook_id"]}
    assert len(listed) == 1


async def test_each_rotation_at_the_same_time_is_counted(api: Caller) -> None:
    webhook_id = (await register(api)).json["webhook_id"]
    path = f"/v2/api/webhooks/{webhook_id}/secret/rotate"
    rotated = await asyncio.gather(*(api.post(path) for _ in range(3)))

    assert sorted(each.json["rotation_count"] for each in rotated) == [1, 2, 3]


async def test_one_that_the_hub_gave_up_is_tried_again(world: HubWorld, api: Caller) -> None:
    webhook_id = (await register(api)).json["webhook_id"]
    await switch_off(world, GONE)
    before = await shown(api, webhook_id)
    again = await register(api)

    assert before["is_active"] is False
    assert (again.status, again.json["webhook_id"]) == (200, webhook_id)
    assert (await shown(api, webhook_id))["is_active"] is True


async def test_one_that_its_owner_paused_stays_paused(api: Caller) -> None:
    webhook_id = (await register(api)).json["webhook_id"]
    await api.patch(f"/v2/api/webhooks/{webhook_id}", {"deprecate": True})
    again = await register(api)

    assert again.status == 200
    assert (await shown(api, webhook_id))["is_active"] is False


async def test_an_address_whose_webhook_has_ended_gets_another(world: HubWorld, api: Caller) -> None:
    first = await register(api, valid_until=world.clock.now_ms() + 1_000)
    early = await register(api)
    world.clock.advance(2_000)
    second = await register(api)

    assert (first.status, early.status, second.status) == (201, 200, 201)
    assert second.json["webhook_id"] != first.json["webhook_id"]
    assert second.json["signing_secret"].startswith("whsec_")


async def test_a_later_end_wakes_one_that_had_ended(world: HubWorld, api: Caller) -> None:
    webhook_id = (await register(api, valid_until=world.clock.now_ms() + 1_000)).json["webhook_id"]
    world.clock.advance(2_000)
    await switch_off(world, EXPIRED)
    past = await api.patch(f"/v2/api/webhooks/{webhook_id}", {"valid_until": world.clock.now_ms() - 1})
    later = await api.patch(f"/v2/api/webhooks/{webhook_id}", {"valid_until": -1})

    assert (past.json["is_active"], later.json["is_active"], later.json["valid_until"]) == (False, True, -1)


async def test_a_key_for_one_number_has_a_webhook_of_its_own(
    world: HubWorld, api: Caller, one: Caller
) -> None:
    """What another key registered for every number is not this one's to see, or to switch on."""
    everywhere = (await register(api)).json["webhook_id"]
    await switch_off(world, GONE)
    own = await register(one)

    assert (own.status, own.json["webhook_id"] != everywhere) == (201, True)
    assert (await shown(api, everywhere))["is_active"] is False
