"""A hub with one of each thing on a line that a restricted key may not use, to ask for each of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace

import msgspec

from bridge.sandbox import contacts
from hub.api.surface import build
from hub.flow.generate import AiConnection
from hub.flow.keys import KeyWish
from hub.model.draft import AiLimits, AiPrices, Delta, Draft, Prompt
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text
from hub.model.observation import Observation
from hub.model.refused import Form, Origin, RefusalCode, Refused
from tests.support.asgi import Caller
from tests.support.hub_world import CONTACT, OTHER_LINE, STRANGER, HubWorld, line_id
from tests.support.route_world import RouteWorld

#: The line that the restricted key may use; nothing happens there.
OWN_LINE = "+15550100011"
#: To be deleted, or made to answer, so that the others stay.
SPARE = "+15550100003"
POLL_GUID = "poll-guid"


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """A hub, what there is to ask for, and who asks."""

    world: HubWorld
    #: Names that the table fills into paths, queries and bodies.
    things: Mapping[str, str]
    #: What a key that is restricted to another line may not even see the name of.
    hidden: frozenset[str]
    #: Everything is allowed to it, on every line.
    everywhere: Caller
    #: Everything is allowed to it, on its own line alone.
    restricted: Caller


class Speechless:
    """A language model that is away."""

    async def draft(self, prompt: Prompt, *, max_output_tokens: int) -> Draft:
        raise InvalidRequest("ai_unavailable", "Away.")

    def stream(self, prompt: Prompt, *, max_output_tokens: int) -> AsyncGenerator[Delta]:
        raise InvalidRequest("ai_unavailable", "Away.")


_AI = AiConnection(
    drafter=Speechless(),
    model="none",
    system_prompt="",
    max_output_tokens=10,
    most_characters=10_000,
    limits=AiLimits(requests_per_hour=0, tokens_per_day=0, cost_micros_per_day=0),
    prices=AiPrices(input_micros=0, output_micros=0),
)


async def set_stage(world: HubWorld) -> Stage:
    """Make one of each."""
    world.api = world.api.of(build(replace(world.parts, ai=_AI)))
    bridge = id_text(Prefix.BRIDGE, world.other_line.bridge_id)
    made = await _post(world, "/v1/lines", {"bridge_id": bridge, "handle": OWN_LINE, "service": "imessage"})
    await world.directory.refresh()
    own = world.directory.current.lines_by_handle[OWN_LINE]
    things = {"bridge": bridge, "line": line_id(world.other_line), "own_line": made["id"]}
    things |= await _configuration(world)
    things |= await _conversation(world)
    things |= await _people(world)
    things |= await _routes(world)
    hidden = frozenset({OTHER_LINE, CONTACT, SPARE, *things.values()} - {made["id"], bridge})
    things |= await _sandbox(world)
    return Stage(
        world=world,
        things=things,
        hidden=hidden,
        everywhere=world.api,
        restricted=await world.caller("admin", lines=(own,)),
    )


async def _configuration(world: HubWorld) -> dict[str, str]:
    hook = {"from": OTHER_LINE, "url": "https://receiver.example/hook", "events": ["*"]}
    key = await world.keys.create(KeyWish(name="spare", scopes=frozenset({"lines:read"})))
    spare = await _post(world, "/v1/bridges", {"name": "spare"})
    return {
        "webhook": (await _post(world, "/v1/webhooks", hook))["id"],
        "spare_webhook": (await _post(world, "/v1/webhooks", hook))["id"],
        "key": id_text(Prefix.API_KEY, key.key.id),
        "spare_bridge": spare["id"],
        "payload": await _payload(world),
        "enrolment": (await _post(world, "/v1/enrolments", {}))["id"],
    }


async def _payload(world: HubWorld) -> str:
    """Keep something of the bridge that can be taken in."""
    bridge_id, at = world.other_line.bridge_id, world.clock.now_ms()
    seen = Observation(v=1, line=OTHER_LINE, kind="line.status", at=at, value="online")
    raw = msgspec.json.encode(seen)
    said = Refused(code=RefusalCode.UNSOUND, reason="No.", origin=Origin.FEED, raw=raw, form=Form.OBSERVATION)
    world.parts.refused.note(bridge_id, said)
    await world.parts.refused.flush(bridge_id)
    (kept,) = await world.store.refused.page(bridge_id, after=None, limit=1)
    return id_text(Prefix.REFUSED, kept.id)


async def _conversation(world: HubWorld) -> dict[str, str]:
    line, clock = world.other_line, world.clock
    inbound = await world.say("Hello", line=line)
    scene = contacts.group(line.handle, CONTACT, key="team", participants=(SPARE,))
    group = contacts.say(scene, "Hello all", guid="group-guid", at=clock.now_ms())
    direct = contacts.direct(line.handle, CONTACT)
    poll = contacts.ask(direct, "Lunch?", ("Soup", "Salad"), guid=POLL_GUID, at=clock.now_ms())
    file = contacts.attach(direct, "photo", guid="file-guid", at=clock.now_ms())
    await world.observe(line, group, poll, file)
    found = (await world.api.get(f"/v1/chats?from={_line(line.handle)}")).json["data"]
    chats = {bool(chat["is_group"]): chat["id"] for chat in found}
    sent = await _post(world, "/v1/messages", {"from": line.handle, "to": CONTACT, "text": "Hi"})
    messages = (await world.api.get(f"/v1/messages?from={_line(line.handle)}")).json["data"]
    files = [file for message in messages for file in message["attachments"]]
    deliveries = (await world.api.get("/v1/deliveries")).json["data"]
    polled = (await world.api.get("/v1/events?type=poll.created")).json["data"]
    bulk = {"from": line.handle, "text": "Hello", "recipients": [{"to": CONTACT}]}
    replay = {"webhook_id": deliveries[0]["webhook_id"], "since": 0}
    return {
        "inbound": inbound,
        "chat": chats[False],
        "group": chats[True],
        "message": sent["message_id"],
        "outbox": sent["id"],
        "file": files[0]["file_id"],
        "delivery": deliveries[0]["id"],
        "event": deliveries[0]["event_id"],
        "poll": polled[0]["data"]["id"],
        "bulk": (await _post(world, "/v1/bulk", bulk))["id"],
        "job": (await _post(world, "/v1/replays", replay))["id"],
    }


async def _sandbox(world: HubWorld) -> dict[str, str]:
    line = world.sandbox_line
    said = await world.say("Hello", line=line, contact=STRANGER)
    asked = contacts.ask(
        contacts.direct(line.handle, STRANGER), "?", ("1", "2"), guid="sandbox-poll", at=world.clock.now_ms()
    )
    await world.observe(line, asked)
    polls = (await world.api.get("/v1/events?type=poll.created")).json["data"]
    sent = await _post(world, "/v1/messages", {"from": line.handle, "to": STRANGER, "text": "Hi"})
    return {"said": said, "asked": sent["message_id"], "sandbox_poll": polls[0]["data"]["id"]}


async def _people(world: HubWorld) -> dict[str, str]:
    contact = await _post(world, "/v1/contacts", {"name": "Ann", "handles": [CONTACT], "tags": ["vip"]})
    spare = await _post(world, "/v1/contacts", {"name": "Spare", "handles": [SPARE]})
    group = await _post(world, "/v1/contact-groups", {"name": "g", "contact_ids": [CONTACT]})
    spare_group = await _post(world, "/v1/contact-groups", {"name": "spare"})
    consent = {"from": OTHER_LINE, "handle": SPARE, "state": "opted_out", "reason": "Asked us"}
    await _post(world, "/v1/consents", consent)
    return {
        "contact": contact["id"],
        "spare_contact": spare["id"],
        "contact_group": group["id"],
        "spare_contact_group": spare_group["id"],
    }


ROUTE = """
version: 1
routes:
  - id: by-hand
    trigger: [message.received, { manual: true }]
    steps: [{ set: { a: 1 } }]
"""


MADE = {"trigger": "message.received", "steps": [{"set": {"a": 1}}]}


async def _routes(world: HubWorld) -> dict[str, str]:
    await RouteWorld(world).install(ROUTE)
    run = await _post(world, "/v1/routes/by-hand/run", {})
    made, spare = [await _post(world, "/v1/routes", {"route": MADE}) for _ in range(2)]
    return {"route": "by-hand", "made_route": made["id"], "spare_route": spare["id"], "run": run["id"]}


async def _post(world: HubWorld, path: str, body: object) -> dict[str, str]:
    answered = await world.api.post(path, body)
    assert answered.status < 300, (path, answered.body)
    made: dict[str, str] = answered.json
    return made


def _line(handle: str) -> str:
    return handle.replace("+", "%2B")
