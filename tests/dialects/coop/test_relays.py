"""Relays are bridges: how they are, what waits at them, and what is told when they come and go."""

from __future__ import annotations

from hub.model.observation import Observation
from tests.dialects.coop.mail import Mail
from tests.dialects.coop.test_checklist import send
from tests.dialects.coop.test_webhooks import register
from tests.support.asgi import Caller
from tests.support.hub_world import CONTACT, HubWorld
from tests.support.sandbox_worker import SandboxWorker


async def test_a_relay_shows_what_waits_and_what_went(
    world: HubWorld, api: Caller, worker: SandboxWorker
) -> None:
    relay = (await api.get("/api/v1/relays")).json["data"][0]
    await send(api, to=CONTACT)
    waiting = (await api.get(f"/api/v1/relays/{relay['id']}")).json
    await worker.work()
    await world.say("Hi")
    await world.line_health.look_after(world.sandbox_line)
    world.clock.advance(1_500)
    done = (await api.get(f"/api/v1/relays/{relay['id']}")).json

    assert {name: waiting[name] for name in relay} == relay
    assert waiting["health"] == {
        "cpu": None, "memory": None, "queueDepth": 1, "throughput": {"sentToday": 0, "receivedToday": 0},
    }  # fmt: skip
    assert done["health"]["queueDepth"] == 0
    assert done["health"]["throughput"] == {"sentToday": 1, "receivedToday": 1}


async def test_a_relay_that_goes_and_comes_is_told(world: HubWorld, api: Caller, mail: Mail) -> None:
    await register(api, events=["relay.online", "relay.offline"])
    relay = (await api.get("/api/v1/relays")).json["data"][0]
    shown = []
    for state in ("offline", "online"):
        await world.observe(world.sandbox_line, _status(world, state))
        for _ in range(40):
            world.clock.advance(60_000)
            line = (await world.directory.refresh()).lines_by_id[world.sandbox_line.id]
            await world.line_health.look_after(line)
        shown.append((await api.get(f"/api/v1/relays/{relay['id']}")).json["status"])
    await mail.deliver()

    assert shown == ["offline", "online"]
    assert [(each.json["event"], each.json["data"]) for each in mail.letters] == [
        (f"relay.{state}", {"id": relay["id"], "name": "sandbox", "status": state})
        for state in ("offline", "online")
    ]


def _status(world: HubWorld, state: str) -> Observation:
    at = world.clock.now_ms()
    return Observation(v=1, line=world.sandbox_line.handle, kind="line.status", at=at, value=state)
