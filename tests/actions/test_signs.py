"""message.react, message.typing and message.read."""

from __future__ import annotations

from typing import Any

import pytest

from hub.model.outbox import OperationKind
from tests.actions.bench import Bench
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, STRANGER


async def test_the_event_s_message_is_reacted_to(bench: Bench) -> None:
    event = await bench.received()

    output = await bench.run("message.react", {"reaction": "love"}, event=event)
    await bench.worker().work()

    assert output["message_id"] == event["data"]["id"]
    listed = await bench.world.api.get(f"/v1/reactions?message_id={event['data']['id']}")
    assert [(each["type"], each["is_from_me"], each["added"]) for each in listed.json["data"]] == [
        ("love", True, True)
    ]


async def test_a_reaction_is_taken_back(bench: Bench) -> None:
    event = await bench.received()
    await bench.run("message.react", {"reaction": "love"}, event=event)
    await bench.worker().work()

    await bench.run("message.react", {"reaction": "love", "remove": True}, event=event)
    await bench.worker().work()

    listed = await bench.world.api.get(f"/v1/reactions?message_id={event['data']['id']}")
    assert [each["added"] for each in listed.json["data"]] == [False]


async def test_a_named_message_needs_no_event(bench: Bench) -> None:
    event = await bench.received()

    output = await bench.run("message.react", {"reaction": "👍", "message": event["data"]["id"]})

    assert (output["line"], output["to"]) == (SANDBOX_LINE, CONTACT)


async def test_what_the_network_does_not_know_yet_is_tried_again(bench: Bench) -> None:
    sent = await bench.run("message.send", {"from": SANDBOX_LINE, "to": CONTACT, "text": "Hello"})

    failed = await bench.refused("message.react", {"reaction": "love", "message": sent["message_id"]})

    assert (failed.error_class, failed.details["code"]) == ("retryable", "message_not_sent")


@pytest.mark.parametrize(
    ("name", "inputs", "error_class", "says"),
    [
        ("message.react", {"reaction": "lovely"}, "invalid", "exactly one emoji"),
        ("message.react", {"reaction": "love"}, "invalid", "nothing to react to"),
        ("message.react", {"reaction": "love", "message": "msg_0000000000000"}, "not_found", "no message"),
        ("message.react", {"reaction": "love", "message": "somewhere"}, "not_found", "no message"),
        ("message.typing", {}, "invalid", "no conversation"),
        ("message.typing", {"state": "maybe", "to": CONTACT}, "invalid", "'state'"),
        ("message.read", {"to": "nobody", "from": SANDBOX_LINE}, "invalid", "E.164"),
    ],
)
async def test_what_cannot_be_done_says_why(
    bench: Bench, name: str, inputs: dict[str, Any], error_class: str, says: str
) -> None:
    failed = await bench.refused(name, inputs)

    assert failed.error_class == error_class, failed.message
    assert says in failed.message


async def test_signs_go_to_the_event_s_conversation(bench: Bench) -> None:
    event = await bench.received()

    typing = await bench.run("message.typing", event=event)
    read = await bench.run("message.read", event=event)

    assert typing["to"] == read["to"] == CONTACT
    assert await bench.owed() == [OperationKind.TYPING]
    assert (await bench.item(typing))["payload"]["state"] == "on"
    assert (await bench.item(read))["kind"] == "read"
    await bench.worker().work()
    assert await bench.owed() == []


async def test_signs_go_elsewhere_if_that_is_said(bench: Bench) -> None:
    event = await bench.received()

    output = await bench.run("message.typing", {"to": STRANGER, "state": "off"}, event=event)
    failed = await bench.refused("message.read", {"from": OTHER_LINE}, event=event)

    assert (output["line"], output["to"]) == (SANDBOX_LINE, STRANGER)
    assert failed.error_class == "invalid"
    assert "give 'to' as well" in failed.message


async def test_signs_are_owed_once(bench: Bench) -> None:
    event = await bench.received()
    for name in ("message.typing", "message.read"):
        first = await bench.run(name, event=event, key=name)
        assert await bench.run(name, event=event, key=name) == first
    first = await bench.run("message.react", {"reaction": "love"}, event=event, key="react")
    assert await bench.run("message.react", {"reaction": "love"}, event=event, key="react") == first
    await bench.worker().work()

    listed = await bench.world.api.get(f"/v1/reactions?message_id={event['data']['id']}")
    assert len(listed.json["data"]) == 1


async def test_who_opted_out_gets_no_sign_either(bench: Bench) -> None:
    event = await bench.received("STOP")

    for name, inputs in (("message.react", {"reaction": "love"}), ("message.typing", {})):
        assert (await bench.refused(name, inputs, event=event)).error_class == "suppressed"
