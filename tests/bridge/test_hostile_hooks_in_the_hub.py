"""Signed bodies at the address that a network calls: never a 5xx, nothing untrue recorded, each explained."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
import structlog

from bridge.registry import KINDS
from hub.flow.bridge_kinds import BridgeWorld, Surroundings
from hub.flow.calling import Call, Reply
from tests.bridge.goldens.accounts import ACCOUNTS
from tests.bridge.goldens.cases import FOLDER, Case, read_case
from tests.bridge.goldens.playing import body_of, surroundings
from tests.bridge.goldens.wire import ScriptedWire
from tests.support.hub_world import HubWorld, open_world

pytestmark = pytest.mark.asyncio(loop_scope="module")

PUBLIC = "http://127.0.0.1:8080"
DAY_MS = 86_400_000
#: Whose signature says when it was made, and how far off that may be.
WINDOWS = {"blooio": 300_000, "messages-dev": 300_000, "msgbubbles": 300_000, "smsgate": 900_000}
BODIES = {
    "bottomless": b'{"event":' * 50_000,
    "list": b"[[]]",
    "no JSON": b"\x00\xff<xml>",
    "nothing": b"",
    "number": b"1e999",
    "other types": b'{"event":[7],"data":[1],"payload":"x","entry":{"a":1},"type":{},"object":null}',
    "unknown event": b'{"event":"message.teleported","data":{},"type":"no-such-thing","payload":{}}',
}


class Answering(ScriptedWire):
    """A vendor that knows what the golden file of its message says, however often it is asked."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        self._said = [(each.answered["status"], each.answered["json"]) for each in case.wire if each.answered]

    async def send(self, call: Call) -> Reply:
        status, answer = self._said[0] if self._said else (404, {"status": 404, "message": "none"})
        is_list = "attachments" in call.url
        body = {"data": []} if is_list else answer
        return Reply(status=status, headers=(), body=json.dumps(body).encode(), is_cut=False)


@dataclass
class Hub:
    """A hub with a bridge of each kind that is called."""

    world: HubWorld
    places: dict[str, str]

    async def call(self, kind: str, body: bytes, *, signed_at_ms: int | None = None) -> int:
        """Post a signed body; give the status."""
        now_ms = self.world.clock.now_ms() if signed_at_ms is None else signed_at_ms
        place, account = self.places[kind], ACCOUNTS[kind]
        request = account.request(body, now_ms, url=place)
        caller = self.world.api.with_token(None)
        path = place.removeprefix(PUBLIC)
        answered = await caller.request("POST", path, body=body, headers=dict(request.headers))
        return answered.status

    async def events(self) -> list[dict[str, Any]]:
        listed = await self.world.api.get("/v1/events?type=message.*&order=desc&limit=100")
        found: list[dict[str, Any]] = listed.json["data"]
        return found


def received(kind: str) -> Case:
    return read_case(FOLDER / kind / "told_received.json")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hub]:
    kinds = {name: KINDS[name] for name in ACCOUNTS}
    names: dict[int, str] = {}
    opened: list[HubWorld] = []

    def around(bridge_id: int) -> Surroundings:
        """As in the golden files; of a bridge that is being made nobody is asked anything."""
        kind = names.get(bridge_id, "blooio")
        return surroundings(opened[0].clock, Answering(received(kind)))

    place = tmp_path_factory.mktemp("hub")
    world_of = BridgeWorld(kinds=kinds, surroundings=around)
    async with open_world(place, bridges=world_of, sandbox="+15550109999", requests_per_hour=0) as world:
        opened.append(world)
        places = {}
        for number, kind in enumerate(sorted(ACCOUNTS)):
            wish = {"name": kind, "kind": kind, "settings": dict(ACCOUNTS[kind].settings)}
            made = await world.api.post("/v1/bridges", wish)
            assert made.status == 201, made.body
            places[kind] = made.json["hook_url"]
            if number == 0:
                line = {"bridge_id": made.json["id"], "handle": "+15550100000", "is_contact_first": False}
                assert (await world.api.post("/v1/lines", line)).status == 201
        for each in (await world.directory.refresh()).bridges_by_id.values():
            if each.kind in ACCOUNTS:
                names[each.id] = each.kind
        yield Hub(world, places)


@pytest.mark.parametrize("kind", sorted(ACCOUNTS))
@pytest.mark.parametrize("name", BODIES)
async def test_what_is_signed_and_of_no_use_is_answered_and_explained(hub: Hub, kind: str, name: str) -> None:
    before = await hub.events()
    with structlog.testing.capture_logs() as logs:
        status = await hub.call(kind, BODIES[name])

    assert status < 500
    [told] = [each for each in logs if each["event"] == "bridge.called"]
    assert (told["kind"], told["recorded"], told["status"]) == (kind, 0, status)
    assert told["reason"]
    assert await hub.events() == before


@pytest.mark.parametrize("kind", sorted(ACCOUNTS))
async def test_a_giant_is_refused(hub: Hub, kind: str) -> None:
    assert await hub.call(kind, b" " * 4_500_000) in {400, 413}


@pytest.mark.parametrize("kind", sorted(ACCOUNTS))
@pytest.mark.parametrize("off_ms", [-DAY_MS, DAY_MS, -(10**12), 10**12])
async def test_a_signature_of_another_time_is_believed_only_where_it_says_none(
    hub: Hub, kind: str, off_ms: int
) -> None:
    case, at = received(kind), hub.world.clock.now_ms() + off_ms
    body = case.told.get("json")
    if kind == "messages-dev":
        case.told["json"] = {**body, "timestamp": at}
    status = await hub.call(kind, body_of(case.told), signed_at_ms=at)

    assert (status in {401, 403}) is (kind in WINDOWS)


#: Where each says when its message was written, and how it writes dates.
DATES: dict[str, tuple[tuple[Any, ...], Any]] = {
    "blooio": (("received_at",), int),
    "bluebubbles": (("data", "dateCreated"), int),
    "coop": (("data", "receivedAt"), str),
    "messages-dev": (("data", "sent_at"), int),
    "msgbubbles": (("data", "created_at"), str),
    "smsgate": (("payload", "receivedAt"), str),
    "whatsapp": (("entry", 0, "changes", 0, "value", "messages", 0, "timestamp"), None),
}


@pytest.mark.parametrize("kind", sorted(DATES))
@pytest.mark.parametrize(
    ("iso", "at_ms"), [("2286-11-20T17:46:40Z", 10_000_000_000_000), ("2001-09-09T01:46:40Z", 10**12)]
)
async def test_a_message_of_another_time_is_kept_and_never_of_the_future(
    hub: Hub, kind: str, iso: str, at_ms: int
) -> None:
    path, form = DATES[kind]
    case, now_ms = received(kind), hub.world.clock.now_ms()
    text = json.dumps(case.told["json"])
    value: Any = json.loads(text)
    inner = value
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = iso if form is str else at_ms if form is int else str(at_ms // 1000)
    raw = json.dumps(value).encode()
    for name, new in (("Qm8FhbH3P7R", f"B{at_ms}"), ("1A2B-IN", f"M{at_ms}"), ("0d4b1f3a", f"{at_ms:08x}"[:8]),
                      ("rmsg_1", f"rmsg_{at_ms}"), ("a1b2c3", f"s{at_ms}"), ("wamid.IN1", f"wamid.{at_ms}"),
                      ("4F0A-IN", f"F{at_ms}")):  # fmt: skip
        raw = raw.replace(name.encode(), new.encode())

    assert await hub.call(kind, raw) == 200
    newest = (await hub.events())[0]
    assert newest["type"] == "message.received"
    assert newest["data"]["sent_at"] <= now_ms + DAY_MS
    assert newest["data"]["text"]
