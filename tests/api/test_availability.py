"""Reachability: asked over the line, waited for, remembered, and never pretended."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.flow.rows import OutboxUpdate
from hub.model.ids import Prefix, id_text
from hub.model.outbox import OperationKind, OutboxState
from hub.rules.lanes import shard_of
from hub.rules.turns import next_turn
from tests.api.test_contacts import made
from tests.support.hub_world import CONTACT, SANDBOX_LINE, HubWorld, line_id, open_world

PATH = f"/v1/availability?from={SANDBOX_LINE}&handle={CONTACT}"
YES = {"imessage": True, "sms": True, "facetime": False}


class Network:
    """Does what a worker and a bridge would do: answers the checks of the sandbox line."""

    def __init__(self, world: HubWorld, told: dict[str, Any]) -> None:
        self.world = world
        self.told = told
        self.asked: list[list[str]] = []
        self._seen: set[int] = set()
        #: Whoever naps meanwhile waits for the answer: their patience must not run out while it is written.
        self._answering = asyncio.Lock()
        self.state = OutboxState.SENT
        self.error: str | None = None

    async def __call__(self, seconds: float) -> None:
        async with self._answering:
            await self._answer()

    async def _answer(self) -> None:
        line = self.world.sandbox_line
        due = await self.world.store.hot.read(lambda tx: tx.due_outbox(line.id, shard_of(line.id), 100))
        for item in [each for each in due if each.id not in self._seen]:
            self._seen.add(item.id)
            assert item.kind == OperationKind.CHECK
            handles: list[str] = msgspec.json.decode(item.payload)["handles"]
            self.asked.append(handles)
            result = json.dumps({"handles": {each: self.told.get(each) for each in handles}})
            await self._finish(item.id, result)

    async def _finish(self, item_id: int, result: str) -> None:
        now = self.world.clock.now_ms()
        for state in (OutboxState.DISPATCHED, self.state):
            is_over = state is not OutboxState.DISPATCHED
            update = OutboxUpdate(
                item_id, state, 1, now, now, None, self.error, now if is_over else None, 0, result
            )
            await self.world.store.hot.write(lambda tx, update=update: tx.update_outbox([update]))  # type: ignore[misc] # bound early on purpose


@pytest.fixture
async def able(world: HubWorld) -> HubWorld:
    """A hub whose sandbox line can tell, and whose other line cannot."""
    for line, names in ((world.sandbox_line, frozenset({"availability"})), (world.other_line, frozenset())):
        await world.store.lines.tell_capabilities(line.bridge_id, names)
    return world


def network(world: HubWorld, **told: Any) -> Network:
    answering = Network(world, {CONTACT: YES, **told})
    world.naps.meanwhile = answering
    return answering


async def test_a_handle_is_asked_about_once_and_then_remembered(able: HubWorld) -> None:
    answering = network(able)
    first, second = await able.api.get(PATH), await able.api.get(PATH)

    assert first.json | {"request_id": None} == {
        "handle": CONTACT,
        "line_id": line_id(able.sandbox_line),
        "imessage": True,
        "sms": True,
        "rcs": None,
        "whatsapp": None,
        "facetime": False,
        "service": "imessage",
        "checked_at": first.json["checked_at"],
        "is_cached": False,
        "error": None,
        "request_id": None,
    }
    assert second.json | {"request_id": None} == first.json | {"request_id": None, "is_cached": True}
    assert answering.asked == [[CONTACT]]


async def test_an_answer_is_believed_for_its_time_unless_asked_anew(able: HubWorld) -> None:
    answering = network(able)
    await able.api.get(PATH)
    able.clock.advance(3_600_000 - 1_000)
    fresh = await able.api.get(PATH)
    anew = await able.api.get(f"{PATH}&refresh=true")
    able.clock.advance(3_600_001)
    late = await able.api.get(PATH)

    assert [each.json["is_cached"] for each in (fresh, anew, late)] == [True, False, False]
    assert len(answering.asked) == 3


@pytest.mark.parametrize(
    "written", ["+15550100001", "%2B15550100001", "1%20555%200100001", "%2B1%20(555)%20010-0001"]
)
async def test_a_handle_however_it_is_written(able: HubWorld, written: str) -> None:
    network(able)
    answered = await able.api.get(f"/v1/availability?from={SANDBOX_LINE}&handle={written}")

    assert (answered.status, answered.json["handle"]) == (200, CONTACT)


@pytest.mark.parametrize(
    ("told", "service"),
    [
        ({"imessage": False, "sms": True}, "sms"),
        ({"imessage": False, "sms": False}, None),
        ({"whatsapp": True}, "whatsapp"),
        ({"imessage": True, "service": "sms"}, "sms"),
        ({"imessage": "yes", "service": "pigeon"}, None),
    ],
)
async def test_the_service_is_the_best_that_is_told(
    able: HubWorld, told: dict[str, Any], service: str | None
) -> None:
    network(able, **{CONTACT: told})

    assert (await able.api.get(PATH)).json["service"] == service


async def test_who_asks_meanwhile_waits_for_the_same_answer(able: HubWorld) -> None:
    unanswered = await able.api.get(PATH, headers={"Prefer": "wait=0"})
    answering = network(able)
    answers = await asyncio.gather(able.api.get(PATH), able.api.get(PATH))

    assert (unanswered.status, unanswered.code) == (503, "service_unavailable")
    assert "retry-after" in unanswered.headers
    assert [each.json["imessage"] for each in answers] == [True, True]
    assert answering.asked == [[CONTACT]]


async def test_an_answer_that_came_too_late_is_found_by_the_next(able: HubWorld) -> None:
    await able.api.get(PATH, headers={"Prefer": "wait=0"})
    answering = network(able)
    await answering(0)
    found = await able.api.get(PATH, headers={"Prefer": "wait=0"})

    assert (found.status, found.json["imessage"]) == (200, True)
    assert answering.asked == [[CONTACT]]


async def test_a_check_that_failed_is_told_and_made_again(able: HubWorld) -> None:
    answering = network(able)
    answering.state, answering.error = OutboxState.FAILED, "offline: the phone is away."
    failed = await able.api.get(PATH)
    answering.state, answering.error = OutboxState.SENT, None
    again = await able.api.get(PATH)

    assert (failed.status, "the phone is away" in failed.json["error"]["message"]) == (503, True)
    assert (again.status, len(answering.asked)) == (200, 2)


async def test_many_are_asked_about_at_once_and_only_those_not_known(able: HubWorld) -> None:
    answering = network(able, **{"a@b.de": {"imessage": False}})
    await able.api.get(PATH)
    body = {"from": SANDBOX_LINE, "handles": [CONTACT, "A@b.de", "+15550100007", "a@b.de"]}
    answered = await able.api.post("/v1/availability", body)
    told = [(each["handle"], each["imessage"], each["is_cached"]) for each in answered.json["data"]]

    assert told == [
        (CONTACT, True, True),
        ("a@b.de", False, False),
        ("+15550100007", None, False),
        ("a@b.de", False, False),
    ]
    assert "said nothing" in answered.json["data"][2]["error"]
    assert answering.asked == [[CONTACT], ["a@b.de", "+15550100007"]]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"handles": []}, "handles"),
        ({"handles": ["x@y.z"] * 101}, "handles"),
        ({"handles": ["x@y.z", "nobody"]}, "handles[1]"),
        ({"handles": ["0170 1234567"]}, "handles[0]"),
        ({"handles": ["x@y.z"], "colour": "red"}, "colour"),
    ],
)
async def test_bad_input_names_the_field(able: HubWorld, body: dict[str, Any], param: str) -> None:
    answered = await able.api.post("/v1/availability", body)

    assert (answered.status, answered.code, answered.param) == (400, "invalid_parameter_value", param)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("handle=x@y.z&from=%2B15550199999", 404, "line_not_found"),
        ("from=%2B15550100000", 400, "missing_required_parameter"),
        ("handle=nobody", 400, "invalid_parameter_value"),
        ("handle=x@y.z&from=%2B15550100010", 400, "advanced_features_required"),
    ],
)
async def test_what_cannot_be_asked(able: HubWorld, query: str, status: int, code: str) -> None:
    answered = await able.api.get(f"/v1/availability?{query}")

    assert (answered.status, answered.code) == (status, code)


async def test_a_line_that_cannot_tell_says_so_even_of_what_is_known(able: HubWorld) -> None:
    network(able)
    await able.api.get(PATH)
    line = await able.api.patch(
        f"/v1/lines/{line_id(able.sandbox_line)}", {"capabilities_off": ["availability"]}
    )
    answered, unnamed = await able.api.get(PATH), await able.api.get(f"/v1/availability?handle={CONTACT}")

    assert line.status == 200, line.body
    for each in (answered, unnamed):
        assert (each.status, each.code) == (400, "advanced_features_required")
        assert "availability" in each.json["error"]["message"]


async def test_a_restricted_key_asks_over_its_own_lines(able: HubWorld) -> None:
    network(able)
    api = await able.caller("contacts:read", lines=(able.other_line,))
    bridge = able.other_line.bridge_id
    await able.store.lines.add(replace(able.other_line, id=9, handle="+15550100020", bridge_id=bridge))
    refused = await api.get(f"/v1/availability?handle={CONTACT}&from=%2B15550100020")

    assert (refused.status, refused.code) == (403, "line_not_accessible")
    assert (await api.get(PATH)).status == 200


async def test_a_contact_is_reached_by_any_of_its_handles(able: HubWorld) -> None:
    network(able, **{"ann@example.com": {"imessage": False, "sms": False, "facetime": False}})
    contact = await made(able, name="Ann", handles=[CONTACT, "ann@example.com"])
    answered = await able.api.get(f"/v1/contacts/{contact['id']}/capabilities")

    assert answered.json["contact_id"] == contact["id"]
    assert answered.json["capabilities"] == {
        "imessage": True, "sms": True, "rcs": None, "whatsapp": None, "facetime": False,
    }  # fmt: skip
    assert [each["imessage"] for each in answered.json["handles"]] == [True, False]
    assert answered.json["last_checked"] == answered.json["handles"][0]["checked_at"]


async def test_what_is_not_known_of_one_handle_is_not_denied_for_the_contact(able: HubWorld) -> None:
    network(able, **{CONTACT: {"imessage": False}})
    contact = await made(able, name="Ann", handles=[CONTACT, "ann@example.com"])
    answered = await able.api.get(f"/v1/contacts/{contact['id']}/capabilities", headers={"Prefer": "wait=5"})

    assert answered.json["capabilities"]["imessage"] is False
    assert answered.json["handles"][1]["error"] is not None


async def test_a_contact_without_handle_cannot_be_reached(able: HubWorld) -> None:
    contact = await made(able, name="Ann")
    answered = await able.api.get(f"/v1/contacts/{contact['id']}/capabilities")

    assert (answered.status, answered.code) == (400, "invalid_parameter_value")
    assert (await able.api.get("/v1/contacts/x@y.z/capabilities")).code == "contact_not_found"


async def test_zero_hours_remember_nothing(tmp_path: Path) -> None:
    async with open_world(tmp_path, availability_keep_ms=0) as world:
        await world.store.lines.tell_capabilities(world.sandbox_line.bridge_id, frozenset({"availability"}))
        answering = network(world)
        for _ in range(2):
            assert (await world.api.get(PATH)).json["is_cached"] is False
        assert len(answering.asked) == 2


async def test_who_asks_does_not_wait_for_all_that_is_to_be_sent(able: HubWorld) -> None:
    for _ in range(3):
        await able.api.post("/v1/messages", {"from": SANDBOX_LINE, "to": CONTACT, "text": "Hi"})
    await able.api.get(PATH, headers={"Prefer": "wait=0"})
    line = able.sandbox_line
    due = await able.store.hot.read(lambda tx: tx.due_outbox(line.id, shard_of(line.id), 9))

    assert next_turn(due, able.clock.now_ms()).item in [each for each in due if each.kind == "check"]


async def test_the_check_is_an_outbox_item_like_any_other(able: HubWorld) -> None:
    await able.api.get(PATH, headers={"Prefer": "wait=0"})
    line = able.sandbox_line
    item = (await able.store.hot.read(lambda tx: tx.due_outbox(line.id, shard_of(line.id), 9)))[0]
    shown = (await able.api.get(f"/v1/outbox?id={id_text(Prefix.OUTBOX, item.id)}")).json

    assert (shown["kind"], shown["status"], shown["payload"]["handles"]) == ("check", "pending", [CONTACT])
