"""Polls, FaceTime links, locations, backgrounds and contact cards: what the bridge says, and nothing pretended."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.test_groups import picture
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, HubWorld, line_id
from tests.support.sandbox_worker import SandboxWorker

WAIT = {"Prefer": "wait=5"}
ECHO, NOBODY = "+15550100200", "+15550100404"
POLL = {"from": SANDBOX_LINE, "to": ECHO, "title": "Lunch?", "options": ["Soup", "Salad"]}
CALL = {"from": SANDBOX_LINE, "to": CONTACT}


@pytest.fixture
def worker(world: HubWorld) -> SandboxWorker:
    worker = SandboxWorker(world)
    worker.attend()
    return worker


# ---- polls


async def test_a_poll_is_sent_voted_in_and_counted(world: HubWorld, worker: SandboxWorker) -> None:
    sent = await world.api.post("/v1/polls", POLL, headers=WAIT)
    await worker.listen()
    poll = (await world.api.get(f"/v1/polls/{sent.json['poll_id']}")).json

    assert sent.json["result"]["poll_id"] == sent.json["poll_id"] == poll["id"]
    assert (poll["title"], poll["is_from_me"], poll["outbox_id"]) == ("Lunch?", True, sent.json["id"])
    assert [(each["text"], each["votes"]) for each in poll["options"]] == [("Soup", 1), ("Salad", 0)]
    assert (poll["total_votes"], poll["votes"][0]["voter"]) == (1, ECHO)


async def test_contacts_vote_change_their_vote_and_take_it_back(world: HubWorld) -> None:
    asked = {"contact": CONTACT, "title": "When?", "options": ["Now", "Later"]}
    made = await world.api.post("/v1/sandbox/ask", asked)
    (event,) = await world.store.events.page(first_id=0, last_id=2**62, limit=9)
    poll_id = event.data.partition('"id":"')[2].partition('"')[0]
    votes = []
    for options in (["2"], ["later", "opt-1"], []):
        world.clock.advance(1)
        voted = await world.api.post("/v1/sandbox/vote", {"poll_id": poll_id, "options": options})
        assert voted.status == 201, voted.body
        votes.append((await world.api.get(f"/v1/polls/{poll_id}")).json)

    assert len(made.json["event_ids"]) == 1
    assert (votes[0]["creator"], votes[0]["is_from_me"]) == (CONTACT, False)
    assert [[each["votes"] for each in poll["options"]] for poll in votes] == [[0, 1], [1, 1], [0, 0]]


async def test_a_poll_that_the_network_does_not_have_yet_is_not_shown(world: HubWorld) -> None:
    sent = await world.api.post("/v1/polls", POLL)
    answered = await world.api.get(f"/v1/polls/{sent.json['poll_id']}")

    assert (sent.status, answered.status, answered.code) == (201, 404, "poll_not_found")


async def test_a_poll_of_another_line_is_not_for_a_restricted_key(
    world: HubWorld, worker: SandboxWorker
) -> None:
    caller = await world.caller("polls:read", lines=(world.other_line,))
    sent = await world.api.post("/v1/polls", POLL, headers=WAIT)

    assert (await caller.get(f"/v1/polls/{sent.json['poll_id']}")).status == 200  # the sandbox is open to all


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({**POLL, "options": ["One"]}, "invalid_parameter_value", "options"),
        ({**POLL, "options": [str(n) for n in range(11)]}, "invalid_parameter_value", "options"),
        ({**POLL, "options": ["Soup", "Soup "]}, "invalid_parameter_value", "options"),
        ({**POLL, "options": ["Soup", ""]}, "invalid_parameter_value", "options[1]"),
        ({**POLL, "title": ""}, "invalid_parameter_value", "title"),
        ({**POLL, "to": "nobody"}, "invalid_parameter_value", "to"),
        ({**POLL, "to": "cht_0000000000000"}, "chat_not_found", "to"),
        ({**POLL, "from": OTHER_LINE}, "contact_has_not_messaged", "to"),
        ({"from": SANDBOX_LINE, "to": ECHO, "title": "x"}, "missing_required_parameter", "options"),
    ],
)
async def test_polls_that_are_refused(world: HubWorld, body: dict[str, Any], code: str, param: str) -> None:
    answered = await world.api.post("/v1/polls", body)

    assert (answered.code, answered.param) == (code, param)


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"poll_id": "pol_0000000000000", "options": ["1"]}, "poll_not_found", "poll_id"),
        ({"poll_id": "msg_0000000000000", "options": ["1"]}, "invalid_parameter_value", "poll_id"),
        ({"options": ["3"]}, "invalid_parameter_value", "options[0]"),
        ({"options": ["1"], "contact": CONTACT}, "sandbox_contact_mismatch", "contact"),
    ],
)
async def test_votes_that_are_refused(
    world: HubWorld, worker: SandboxWorker, body: dict[str, Any], code: str, param: str
) -> None:
    poll_id = (await world.api.post("/v1/polls", POLL, headers=WAIT)).json["poll_id"]
    await worker.listen()
    answered = await world.api.post("/v1/sandbox/vote", {"poll_id": poll_id, **body})

    assert (answered.code, answered.param) == (code, param)


# ---- FaceTime


@pytest.mark.parametrize("body", [CALL, {"from": SANDBOX_LINE, "handle": "+1 555 010 0001"}])
async def test_a_facetime_link_comes_from_the_bridge(
    world: HubWorld, worker: SandboxWorker, body: dict[str, Any]
) -> None:
    answered = await world.api.post("/v1/facetime", body, headers=WAIT)

    assert answered.json["result"]["url"].startswith("https://facetime.example/join/")


async def test_a_call_that_cannot_be_is_told(world: HubWorld, worker: SandboxWorker) -> None:
    answered = await world.api.post("/v1/facetime", {**CALL, "to": NOBODY}, headers=WAIT)
    both = await world.api.post("/v1/facetime", {**CALL, "handle": ECHO})
    none = await world.api.post("/v1/facetime", {"from": SANDBOX_LINE})

    assert (answered.json["state"], answered.json["error"].partition(":")[0]) == ("failed", "not_reachable")
    assert (both.param, none.param) == ("handle", "to")


# ---- locations


async def test_locations_are_those_that_the_bridge_told(world: HubWorld, worker: SandboxWorker) -> None:
    before = (await world.api.get("/v1/locations")).json["data"]
    refreshed = await world.api.post("/v1/locations/refresh", {"from": SANDBOX_LINE}, headers=WAIT)
    listed = (await world.api.get(f"/v1/locations?from=%2B{SANDBOX_LINE[1:]}")).json["data"]
    one = await world.api.get(f"/v1/locations/{CONTACT}")

    assert (before, refreshed.json["result"]["handles"]) == ([], [CONTACT, ECHO])
    assert [each["handle"] for each in listed] == [CONTACT, ECHO]
    assert (one.json["label"], one.json["latitude"], one.json["line_id"]) == (
        "Greenwich",
        51.4779,
        line_id(world.sandbox_line),
    )
    assert (await world.api.get(f"/v1/locations/{NOBODY}")).code == "location_not_found"


async def test_who_does_not_share_is_told(world: HubWorld, worker: SandboxWorker) -> None:
    body = {"from": SANDBOX_LINE, "handle": NOBODY}
    answered = await world.api.post("/v1/locations/refresh", body, headers=WAIT)
    odd = await world.api.post("/v1/locations/refresh", {**body, "handle": "nobody"})

    assert answered.json["error"].partition(":")[0] == "not_sharing"
    assert odd.param == "handle"


# ---- backgrounds and cards


async def test_a_background_is_set_shown_and_taken_away(world: HubWorld, worker: SandboxWorker) -> None:
    await world.say("Hi")
    path = f"/v1/chats/{(await world.api.get('/v1/chats')).json['data'][0]['id']}/background"
    file_id = await picture(world)
    before = (await world.api.get(path)).json
    put = await world.api.request("PUT", path, body={"file_id": file_id}, headers=WAIT)
    after = (await world.api.get(path)).json
    gone = await world.api.delete(path, headers=WAIT)

    assert (before["has_background"], before["file_id"]) == (False, None)
    assert (put.status, put.json["result"]["version"]) == (202, 1)
    assert (after["has_background"], after["file_id"], after["version"]) == (True, file_id, 1)
    assert gone.json["state"] == "sent"
    assert (await world.api.get(path)).json["has_background"] is False


async def test_a_contact_card_is_set_shown_and_shared(world: HubWorld, worker: SandboxWorker) -> None:
    await world.say("Hi")
    chat = f"/v1/chats/{(await world.api.get('/v1/chats')).json['data'][0]['id']}/contact-card"
    path = f"/v1/lines/{line_id(world.sandbox_line)}/contact-card"
    early = await world.api.post(chat, headers=WAIT)
    unknown = (await world.api.get(path)).json
    body = {"first_name": "Ada", "sharing": {"enabled": True, "audience": "always_ask"}}
    put = await world.api.request("PUT", path, body=body, headers=WAIT)
    shown = (await world.api.get(path)).json
    refreshed = await world.api.post(f"{path}/refresh", headers=WAIT)
    shared = await world.api.post(chat, headers=WAIT)

    assert (early.json["error"].partition(":")[0], unknown["card"]) == ("no_contact_card", None)
    assert (put.status, put.json["state"], shown["card"]["first_name"]) == (202, "sent", "Ada")
    assert shown["card"]["sharing"]["audience"] == "always_ask"
    assert refreshed.json["result"]["card"] == shown["card"]
    assert (shared.status, shared.json["state"]) == (201, "sent")


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({}, "missing_required_parameter", "first_name"),
        ({"first_name": "x" * 201}, "invalid_parameter_value", "first_name"),
        ({"sharing": {"enabled": True, "audience": "all"}}, "invalid_parameter_value", "sharing.audience"),
        ({"file_id": "file_0000000000000"}, "file_not_found", "file_id"),
        ({"nickname": "x"}, "invalid_parameter_value", "nickname"),
    ],
)
async def test_cards_that_are_refused(world: HubWorld, body: dict[str, Any], code: str, param: str) -> None:
    path = f"/v1/lines/{line_id(world.sandbox_line)}/contact-card"
    answered = await world.api.request("PUT", path, body=body)

    assert (answered.code, answered.param) == (code, param)


# ---- what a line cannot


@pytest.mark.parametrize(
    ("name", "method", "path", "body"),
    [
        ("polls", "POST", "/v1/polls", POLL),
        ("facetime", "POST", "/v1/facetime", CALL),
        ("location", "POST", "/v1/locations/refresh", {"from": SANDBOX_LINE}),
        ("location", "GET", f"/v1/locations?from=%2B{SANDBOX_LINE[1:]}", None),
        ("contact_card", "PUT", "/v1/lines/{line}/contact-card", {"first_name": "Ada"}),
        ("contact_card", "POST", "/v1/lines/{line}/contact-card/refresh", None),
        ("contact_card", "POST", "/v1/chats/{chat}/contact-card", None),
        ("background", "DELETE", "/v1/chats/{chat}/background", None),
        ("unread_out", "POST", "/v1/chats/{chat}/unread", None),
        ("read_out", "POST", "/v1/chats/{chat}/read", None),
        ("typing_out", "POST", "/v1/chats/{chat}/typing", None),
    ],
)
async def test_a_lesser_line_says_what_it_lacks(
    world: HubWorld, name: str, method: str, path: str, body: Any
) -> None:
    await world.say("Hi")
    await SandboxWorker(world, without=frozenset({name})).tell_capabilities()
    chat_id = (await world.api.get("/v1/chats")).json["data"][0]["id"]
    place = path.format(line=line_id(world.sandbox_line), chat=chat_id)
    answered = await world.api.request(method, place, body=body)

    assert (answered.status, answered.code) == (400, "advanced_features_required")
    assert f"('{name}')" in answered.json["error"]["message"]


async def test_scopes(world: HubWorld) -> None:
    caller = await world.caller("polls:read", "locations:read", "lines:read")

    assert (await caller.post("/v1/polls", POLL)).code == "insufficient_scope"
    assert (await caller.post("/v1/facetime", CALL)).code == "insufficient_scope"
    assert (await caller.post("/v1/locations/refresh", {"from": SANDBOX_LINE})).code == "insufficient_scope"
    assert (await caller.get("/v1/locations")).status == 200
    assert (await caller.get("/v1/polls/pol_0000000000000")).code == "poll_not_found"
