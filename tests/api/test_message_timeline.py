"""What happened to our messages on the sandbox's network is told in the order of time, tries and errors included."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.hub_world import CONTACT, SANDBOX_LINE, HubWorld
from tests.support.sandbox_worker import SandboxWorker


async def sent(world: HubWorld, to: str = CONTACT, **fields: Any) -> str:
    """Send a message; give its id."""
    body = {"from": SANDBOX_LINE, "to": to, "text": "Hello", **fields}
    made = await world.api.post("/v1/messages", body)
    assert made.status == 201, made.body
    item = await world.api.get(f"/v1/outbox?id={made.json['id']}")
    message_id: str = item.json["message_id"]
    return message_id


async def timeline(world: HubWorld, message_id: str) -> Any:
    answered = await world.api.get(f"/v1/messages/{message_id}/timeline")
    assert answered.status == 200, answered.body
    return answered.json


def states(told: Any) -> list[str]:
    dates = [each["at"] for each in told["entries"] if each["at"] is not None]
    assert dates == sorted(dates)
    return [each["state"] for each in told["entries"]]


async def test_a_message_that_waits(world: HubWorld) -> None:
    message_id = await sent(world)
    told = await timeline(world, message_id)

    assert (states(told), told["status"]) == (["queued"], "queued")
    assert (told["message_id"], told["attempts"], told["last_error"]) == (message_id, 0, None)


async def test_a_message_that_was_read(world: HubWorld) -> None:
    message_id = await sent(world)
    world.clock.advance(5)
    await SandboxWorker(world).work()
    told = await timeline(world, message_id)
    attempt = next(each for each in told["entries"] if each["state"] == "attempt")

    assert states(told) == ["queued", "attempt", "sent", "delivered", "read"]
    assert (told["status"], told["attempts"], told["last_error"]) == ("read", 1, None)
    assert (attempt["attempt"]["kind"], attempt["attempt"]["number"]) == ("send", 1)
    assert (attempt["attempt"]["state"], attempt["error"]) == ("sent", None)


@pytest.mark.parametrize(("to", "error"), [("+15550100404", "not_reachable"), ("+15550100022", "22")])
async def test_a_message_that_failed(world: HubWorld, to: str, error: str) -> None:
    message_id = await sent(world, to)
    world.clock.advance(5)
    await SandboxWorker(world).work()
    told = await timeline(world, message_id)

    assert [state for state in states(told) if state != "sent"] == ["queued", "attempt", "failed"]
    assert told["status"] == "failed"
    assert error in told["last_error"]
    assert all(error in each["error"] for each in told["entries"] if each["state"] in {"attempt", "failed"})


async def test_tries_are_counted(world: HubWorld) -> None:
    """The line is offline for three seconds: the last try is shown, the others count."""
    message_id, worker = await sent(world, "+15550100503"), SandboxWorker(world)
    for _ in range(4):
        await worker.perform()
        world.clock.advance(4_000)
    await worker.work()
    told = await timeline(world, message_id)
    attempts = [each["attempt"] for each in told["entries"] if each["state"] == "attempt"]

    assert told["attempts"] > 1
    assert [(each["number"], each["state"]) for each in attempts] == [(told["attempts"], "sent")]
    assert told["status"] == "read"


async def test_the_verdict_is_waited_for(world: HubWorld) -> None:
    """While a worker is at work the answer comes with it."""
    SandboxWorker(world).attend()
    body = {"from": SANDBOX_LINE, "to": CONTACT, "text": "Hello"}
    good = await world.api.post("/v1/messages", body, headers={"Prefer": "wait=10"})
    bad = await world.api.post("/v1/messages", body | {"to": "+15550100404"}, headers={"Prefer": "wait=10"})

    assert (good.json["status"], good.json["state"], good.json["error"]) == ("sent", "sent", None)
    assert (bad.json["status"], bad.json["state"]) == ("failed", "failed")
    assert "not_reachable" in bad.json["error"]
    assert sum(world.naps.taken) < 1


@pytest.mark.parametrize("kind", ["love", "🎉"])
async def test_a_reaction_and_its_end_are_seen(world: HubWorld, kind: str) -> None:
    guid, worker = await world.say("Hi"), SandboxWorker(world)
    body = {"from": SANDBOX_LINE, "to": CONTACT, "message_id": guid, "type": kind}
    for is_removed, added in ((False, True), (True, False)):
        world.clock.advance(1_000)
        assert (await world.api.post("/v1/reactions", {**body, "remove": is_removed})).status == 201
        await worker.work()
        listed = (await world.api.get(f"/v1/reactions?message_id={guid}")).json["data"]

        assert [(each["type"], each["is_from_me"], each["added"]) for each in listed] == [(kind, True, added)]


async def test_a_planned_message_that_was_cancelled(world: HubWorld) -> None:
    send_at = world.clock.now_ms() + 60_000
    message_id = await sent(world, send_at=send_at)
    world.clock.advance(1_000)
    assert (await world.api.post(f"/v1/messages/{message_id}/cancel")).status == 200
    told = await timeline(world, message_id)

    assert {each["state"]: each["at"] for each in told["entries"]} == {
        "queued": send_at - 60_000,
        "cancelled": send_at - 59_000,
        "scheduled": send_at,
    }
    assert told["status"] == "cancelled"


async def test_a_message_that_was_changed_and_taken_back(world: HubWorld) -> None:
    """Each change is a try of its own."""
    message_id, worker = await sent(world), SandboxWorker(world)
    world.clock.advance(5)
    await worker.work()
    for change, body in (("edit", {"text": "Hello!"}), ("unsend", None)):
        world.clock.advance(1_000)
        assert (await world.api.post(f"/v1/messages/{message_id}/{change}", body)).status == 201
        await worker.work()
    told = await timeline(world, message_id)
    tries = [each["attempt"]["kind"] for each in told["entries"] if each["state"] == "attempt"]

    assert tries == ["send", "edit", "unsend"]
    assert {"edited", "unsent"} <= set(states(told))
    assert (told["status"], told["attempts"]) == ("unsent", 1)


async def test_a_message_that_was_retried(world: HubWorld) -> None:
    """Both sends are told, each with its own outbox item."""
    message_id, worker = await sent(world, "+15550100404"), SandboxWorker(world)
    await worker.work()
    world.clock.advance(1_000)
    retried = await world.api.post(f"/v1/messages/{message_id}/retry")
    await worker.work()
    told = await timeline(world, message_id)
    items = [each["attempt"]["outbox_id"] for each in told["entries"] if each["state"] == "attempt"]

    assert retried.status == 201
    assert len(set(items)) == 2
    assert items[-1] == retried.json["id"]
    assert (told["status"], told["attempts"]) == ("failed", 2)


async def test_a_message_that_went_over_a_lesser_service(world: HubWorld) -> None:
    message_id = await sent(world, "+15550100302", allow_sms_fallback=True)
    world.clock.advance(5)
    await SandboxWorker(world).work()
    told = await timeline(world, message_id)

    assert {"queued", "attempt", "sent", "downgraded", "delivered"} <= set(states(told))
    assert all(each["at"] is not None for each in told["entries"])
