"""Cancel, edit, retry, unsend: what may be done when, and what becomes of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest

from hub.flow.piece_ports import PieceRow
from hub.model.ids import Prefix, parse_id
from tests.api.test_message_sends import message, sent
from tests.support.asgi import Answered
from tests.support.hub_world import CONTACT, SANDBOX_LINE, HubWorld
from tests.support.sandbox_worker import SandboxWorker

#: Refused: not reachable. Nothing is sent.
UNREACHABLE = "+15550100404"
BY_SMS = "+15550100302"


@pytest.fixture
def worker(world: HubWorld) -> SandboxWorker:
    return SandboxWorker(world)


async def do(world: HubWorld, what: str, message_id: str, body: Any = None, **headers: str) -> Answered:
    return await world.api.post(f"/v1/messages/{message_id}/{what}", body, headers=headers)


async def types(world: HubWorld) -> Counter[str]:
    found = await world.store.events.newest(limit=200)
    return Counter(each.type for each in found if each.type.startswith("message."))


async def test_what_waits_is_cancelled_and_never_sent(world: HubWorld, worker: SandboxWorker) -> None:
    planned = await sent(world, text="later", send_at=world.clock.now_ms() + 1_000)
    answered = await do(world, "cancel", planned["message_id"])
    world.clock.advance(2_000)
    await worker.work()

    assert answered.status == 200
    assert (answered.json["status"], answered.json["cancelled"]) == ("cancelled", [planned["message_id"]])
    shown = await message(world, planned["message_id"])
    assert (shown["status"], shown["accepted_at"]) == ("cancelled", None)
    assert await types(world) == {"message.queued": 1, "message.cancelled": 1}


async def test_a_whole_set_is_cancelled_at_once(world: HubWorld) -> None:
    reply = await sent(world, texts=["a", "b", "c"])
    ids = [item["message_id"] for item in reply["items"]]
    alone = await do(world, "cancel", ids[1])
    rest = await do(world, "cancel", ids[1], {"whole_set": True})
    nothing = await do(world, "cancel", ids[0], {"whole_set": True})

    assert (alone.json["cancelled"], rest.json["cancelled"]) == ([ids[1]], [ids[0], ids[2]])
    assert (nothing.status, nothing.json["error"]["code"]) == (409, "message_state_conflict")


async def test_what_is_sent_cannot_be_cancelled(world: HubWorld, worker: SandboxWorker) -> None:
    reply = await sent(world, text="Hi")
    await worker.perform()
    answered = await do(world, "cancel", reply["message_id"])

    assert (answered.status, answered.json["error"]["code"]) == (409, "message_state_conflict")
    assert "The message is sent" in answered.json["error"]["message"]


async def test_what_failed_is_tried_again_as_the_same_message(world: HubWorld, worker: SandboxWorker) -> None:
    reply = await sent(world, text="Hi", to=UNREACHABLE)
    await worker.work()
    failed = await message(world, reply["message_id"])
    again = await do(world, "retry", reply["message_id"])
    waiting = await message(world, reply["message_id"])

    assert (failed["status"], failed["error"]["code"]) == ("failed", "not_reachable")
    assert (again.status, again.json["message_id"]) == (201, reply["message_id"])
    assert again.json["id"] != reply["id"]
    assert (waiting["status"], waiting["outbox_id"], waiting["error"]) == ("queued", again.json["id"], None)
    assert await types(world) == {"message.queued": 2, "message.failed": 1}


async def test_a_retry_is_made_once(world: HubWorld, worker: SandboxWorker) -> None:
    reply = await sent(world, text="Hi", to=UNREACHABLE)
    await worker.work()
    headers = {"Idempotency-Key": "again"}
    first = await do(world, "retry", reply["message_id"], **headers)
    second = await do(world, "retry", reply["message_id"], **headers)
    other = await do(world, "retry", reply["message_id"])

    assert first.json["id"] == second.json["id"]
    assert (other.status, other.json["error"]["code"]) == (409, "message_state_conflict")


async def test_a_failure_that_the_network_showed_is_out_of_sight_after_a_retry(
    world: HubWorld, worker: SandboxWorker
) -> None:
    """The failed attempt made a message there; the retry makes another, and one is shown."""
    reply = await sent(world, text="Hi", to="+15550100004")
    await worker.work()
    failed = await message(world, reply["message_id"])
    await do(world, "retry", reply["message_id"])
    await worker.perform()
    now = await message(world, reply["message_id"])
    listed = await world.api.get(f"/v1/messages?from=%2B{SANDBOX_LINE[1:]}&to=%2B15550100004")

    assert (failed["status"], now["status"]) == ("failed", "sent")
    assert now["guid"] != failed["guid"]
    assert [each["id"] for each in listed.json["data"]] == [reply["message_id"]]


async def test_an_edit_is_told_once_by_answer_and_evidence(world: HubWorld, worker: SandboxWorker) -> None:
    await worker.tell_capabilities()
    reply = await sent(world, text="Helo")
    await worker.work()
    edited = await do(world, "edit", reply["message_id"], {"text": "Hello"})
    await worker.work()
    shown = await message(world, reply["message_id"])

    assert (edited.status, edited.json["message_id"]) == (201, reply["message_id"])
    assert shown["text"] == "Hello"
    assert shown["edited_at"] is not None
    assert (await types(world))["message.edited"] == 1


async def test_a_message_is_taken_back_once(world: HubWorld, worker: SandboxWorker) -> None:
    reply = await sent(world, text="Oops")
    await worker.work()
    await do(world, "unsend", reply["message_id"])
    await worker.work()
    again = await do(world, "unsend", reply["message_id"])

    assert (await message(world, reply["message_id"]))["status"] == "unsent"
    assert (await types(world))["message.unsent"] == 1
    assert (again.status, again.json["error"]["code"]) == (409, "message_state_conflict")


@pytest.mark.parametrize("change", ["edit", "unsend"])
async def test_what_waits_cannot_be_changed_on_its_network(world: HubWorld, change: str) -> None:
    reply = await sent(world, text="Hi")
    answered = await do(world, change, reply["message_id"], {"text": "Ho"})

    assert (answered.status, answered.json["error"]["code"]) == (409, "message_state_conflict")


@pytest.mark.parametrize("change", ["edit", "unsend"])
async def test_an_sms_cannot_be_changed(world: HubWorld, worker: SandboxWorker, change: str) -> None:
    reply = await sent(world, text="Hi", to=BY_SMS, allow_sms_fallback=True)
    await worker.work()
    shown = await message(world, reply["message_id"])
    answered = await do(world, change, reply["message_id"], {"text": "Ho"})

    assert (shown["was_downgraded"], shown["service"]) == (True, "sms")
    assert (answered.status, answered.json["error"]["code"]) == (409, "message_state_conflict")
    assert "SMS" in answered.json["error"]["message"]


@pytest.mark.parametrize("change", ["cancel", "edit", "retry", "unsend"])
async def test_a_message_that_came_in_is_not_ours_to_change(world: HubWorld, change: str) -> None:
    guid = await world.say("Hi")
    row = await world.store.messages.by_guid(world.sandbox_line.id, guid)
    assert row is not None
    answered = await do(world, change, f"msg_{'0' * 13}", {"text": "Ho"})
    theirs = await do(world, change, guid, {"text": "Ho"})

    assert (answered.status, answered.json["error"]["code"]) == (404, "message_not_found")
    assert (theirs.status, theirs.json["error"]["code"]) == (409, "message_state_conflict")
    assert "received" in theirs.json["error"]["message"]


@pytest.mark.parametrize("change", ["cancel", "edit", "retry", "unsend"])
async def test_a_key_of_another_line_may_not(world: HubWorld, change: str) -> None:
    await world.say("Hi", line=world.other_line)
    reply = await world.api.post(
        "/v1/messages", {"from": world.other_line.handle, "to": CONTACT, "text": "Ho"}
    )
    caller = await world.caller("messages:write", lines=(world.sandbox_line,))
    answered = await caller.post(f"/v1/messages/{reply.json['message_id']}/{change}", {"text": "x"})

    assert (answered.status, answered.json["error"]["code"]) == (403, "line_not_accessible")


async def test_a_line_that_cannot_edit_says_so(world: HubWorld) -> None:
    worker = SandboxWorker(world, without=frozenset({"edit"}))
    await worker.tell_capabilities()
    reply = await sent(world, text="Hi")
    await worker.work()
    answered = await do(world, "edit", reply["message_id"], {"text": "Ho"})

    assert (answered.status, answered.json["error"]["code"]) == (400, "advanced_features_required")
    assert "edit" in answered.json["error"]["message"]


async def test_one_text_is_required_for_an_edit(world: HubWorld, worker: SandboxWorker) -> None:
    reply = await sent(world, text="Hi")
    await worker.work()
    answered = await do(world, "edit", reply["message_id"], {})

    assert (answered.status, answered.json["error"]["param"]) == (400, "text")


async def test_the_outbox_item_of_a_cancelled_send_ends_as_cancelled(world: HubWorld) -> None:
    reply = await sent(world, text="Hi")
    await do(world, "cancel", reply["message_id"])
    item = await world.store.outbox.get(parse_id(Prefix.OUTBOX, reply["id"]))

    assert item is not None
    assert item.state.name == "CANCELLED"
    event = (await world.store.events.newest(limit=1))[0]
    assert msgspec.json.decode(event.data)["cancelled_at"] == item.completed_at


async def test_a_message_in_pieces_shows_them_and_is_changed_as_a_whole(
    world: HubWorld, worker: SandboxWorker
) -> None:
    """Each piece has a status of its own; an edit names the one with the words, an unsend all of them."""
    reply = await sent(world, parts=[{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])
    await worker.work()
    known = await message(world, reply["message_id"])
    message_id, outbox_id = parse_id(Prefix.MESSAGE, known["id"]), parse_id(Prefix.OUTBOX, reply["id"])
    line_id = world.sandbox_line.id
    first = PieceRow(line_id, "P1", message_id, outbox_id, 0, 1, sent_at=5, delivered_at=6)
    last = PieceRow(line_id, "P2", message_id, outbox_id, 1, 1, sent_at=7)
    await world.store.hot.write(lambda tx: tx.pieces.merge([last, first]))
    shown = await message(world, reply["message_id"])
    edit = (await do(world, "edit", known["id"], {"text": "c"})).json
    unsend = (await do(world, "unsend", known["id"])).json
    items = [await world.store.outbox.get(parse_id(Prefix.OUTBOX, each["id"])) for each in (edit, unsend)]

    assert "pieces" not in known or known["pieces"] != shown["pieces"]
    told = {each["guid"]: each for each in shown["pieces"]}
    assert [told[guid]["status"] for guid in ("P1", "P2")] == ["delivered", "sent"]
    assert [told[guid]["part"] for guid in ("P1", "P2")] == [0, 1]
    edited, unsent = (item.payload if item is not None else {} for item in items)
    assert edited["message_guid"] in {"P1", known["guid"]}
    assert {"P1", "P2"} <= {str(each) for each in _listed(unsent["message_guids"])}


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []
