"""A hub bridged to a hub in every dialect carries a conversation both ways, once each, whatever happens on the way."""

from __future__ import annotations

import random

import pytest

from hub.flow.calling import Reply
from tests.bridge.networks import CONTACT
from tests.bridge.vendors.bridged import Bridged

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def able(both: Bridged, *names: str) -> bool:
    return set(names) <= await both.adapter.capabilities()


async def test_what_a_contact_writes_arrives_and_is_answered(both: Bridged) -> None:
    await both.vendor.act("say", contact=CONTACT, text="Hello?")
    await both.hear()
    [came] = await both.events("message.received")
    await both.send(CONTACT, text="Hello!")
    await both.exchange()
    await both.hear()

    assert (came["data"]["text"], came["data"]["sender"], came["data"]["is_group"]) == (
        "Hello?", CONTACT, False,
    )  # fmt: skip
    assert await both.at_vendor() == ["Hello!"]
    told = await both.told("message.*")
    assert sorted(set(told)) == sorted(
        {"message.queued", "message.received", "message.sent"}
        | ({"message.delivered"} if await able(both, "delivered") else set())
        | ({"message.read"} if await able(both, "read_in") else set())
    )
    assert len(told) == len(set(told))


async def test_a_reaction_goes_both_ways(both: Bridged) -> None:
    said = await both.vendor.act("say", contact=CONTACT, text="Tea?")
    await both.hear()
    [came] = await both.events("message.received")
    if not await able(both, "react_std"):
        asked = {"from": both.line, "to": CONTACT, "message_id": came["data"]["id"], "type": "love"}
        assert (await both.hub.api.post("/v1/reactions", asked)).code == "advanced_features_required"
        return
    await both.ask("/v1/reactions", to=CONTACT, message_id=came["data"]["id"], type="love")
    await both.exchange()
    await both.vendor.act("react", contact=CONTACT, message_id=said["message_guid"], type="like")
    await both.hear()
    await both.carry(await both.vendor.deliveries(again=True))
    await both.poll()

    told = [
        (each["type"], each["data"]["type"], each["data"]["is_from_me"])
        for each in await both.events("reaction.*")
    ]
    own = [("reaction.added", "love", True)] if both.vendor.vendor.tells_own_reactions else []
    assert sorted(told) == [("reaction.added", "like", False), *own]
    assert {each["type"] for each in await both.reactions_at_vendor(said["message_guid"])} == {"like", "love"}


async def test_signs_of_life_reach_the_vendor(both: Bridged) -> None:
    await both.vendor.act("say", contact=CONTACT, text="Tea?")
    await both.hear()
    if not await able(both, "read_out"):
        refused = await both.hub.api.post("/v1/receipts", {"from": both.line, "to": CONTACT})
        assert refused.code == "advanced_features_required"
        return
    asked = [await both.ask("/v1/receipts", to=CONTACT)]
    if await able(both, "typing_out"):
        asked.append(await both.ask("/v1/typing", to=CONTACT, state="on"))
    await both.perform()

    assert [await both.state(each) for each in asked] == [("sent", None)] * len(asked)


async def test_a_file_of_ours_reaches_the_vendor(both: Bridged) -> None:
    uploaded = await both.hub.api.request(
        "POST", "/v1/files", body=b"\x89PNG\r\n\x1a\n mine", headers={"Content-Type": "image/png"}
    )
    if not await able(both, "attachments"):
        asked = {"from": both.line, "to": CONTACT, "text": "look", "attachments": [uploaded.json["id"]]}
        assert (await both.hub.api.post("/v1/messages", asked)).code == "advanced_features_required"
        return
    await both.send(CONTACT, text="look", attachments=[uploaded.json["id"]])
    await both.exchange()

    [mine] = [each for each in await both.vendor.messages() if each["is_from_me"]]
    assert (mine["text"], [each["mime_type"] for each in mine["attachments"]]) == ("look", ["image/png"])


async def test_a_lost_answer_sends_once(both: Bridged) -> None:
    both.vendor.way.loses_answer.add(b"Precious")
    await both.send(CONTACT, text="Precious")
    await both.perform()
    both.vendor.way.loses_answer.clear()
    for _ in range(4):
        await both.vendor.work()
        await both.perform(later_ms=20_000)
    await both.hear()

    assert await both.at_vendor() == ["Precious"]
    assert (await both.told("message.*")).count("message.sent") == 1
    assert "message.failed" not in await both.told("message.*")


async def test_a_lost_request_is_made_again_only_where_repeats_are_dropped(both: Bridged) -> None:
    both.vendor.way.loses_request.add(b"Precious")
    await both.send(CONTACT, text="Precious")
    await both.perform()
    both.vendor.way.loses_request.clear()
    for _ in range(6):
        await both.perform(later_ms=30_000)
    await both.hear()

    is_made_again = await able(both, "idempotent_send")
    assert await both.at_vendor() == (["Precious"] if is_made_again else [])
    assert ("message.failed" in await both.told("message.*")) is not is_made_again


async def test_too_often_waits_as_long_as_the_vendor_says(both: Bridged) -> None:
    both.vendor.way.forges[b"Patience"] = Reply(
        status=429, headers=((b"Retry-After", b"7"),), body=b"{}", is_cut=False
    )
    await both.send(CONTACT, text="Patience")
    await both.perform()
    both.vendor.way.forges.clear()
    await both.perform(later_ms=6_000)
    assert await both.at_vendor() == []
    await both.perform(later_ms=1_000)

    assert await both.at_vendor() == ["Patience"]


async def test_a_broken_vendor_sends_once(both: Bridged) -> None:
    """An error of the vendor's own says nothing about what was done."""
    both.vendor.way.forges[b"Fragile"] = Reply(status=500, headers=(), body=b"<html>", is_cut=False)
    await both.send(CONTACT, text="Fragile")
    await both.perform()
    both.vendor.way.forges.clear()
    for _ in range(6):
        await both.perform(later_ms=30_000)

    assert await both.at_vendor() == (["Fragile"] if await able(both, "idempotent_send") else [])


async def test_webhooks_in_any_order_and_number_tell_each_thing_once(both: Bridged) -> None:
    if both.vendor.secret is None:
        assert both.vendor.vendor.kind.open_hooks is None  # it is asked, and nobody can tell anything
        return
    await both.vendor.act("say", contact=CONTACT, text="one")
    await both.vendor.act("say", contact=CONTACT, text="two")
    await both.send(CONTACT, text="three")
    await both.perform()
    await both.vendor.work()
    requests = await both.vendor.deliveries() * 3
    random.Random(7).shuffle(requests)
    await both.carry(requests)
    await both.carry(await both.vendor.deliveries(again=True))
    await both.poll()

    told = await both.told("message.*")
    assert told.count("message.received") == 2
    assert sorted(set(told) - {"message.received"}) == sorted(
        each for each in told if each != "message.received"
    )


async def test_what_webhooks_did_not_bring_is_asked_for(both: Bridged) -> None:
    await both.vendor.act("say", contact=CONTACT, text="Anybody?")
    await both.send(CONTACT, text="Yes")
    await both.perform()
    await both.vendor.work()
    for _ in range(2):
        await both.poll()

    told = await both.told("message.*")
    assert (told.count("message.received"), told.count("message.sent")) == (1, 1)


async def test_what_is_not_signed_is_not_believed(both: Bridged) -> None:
    if both.vendor.secret is None:
        assert both.vendor.vendor.kind.open_hooks is None  # it is asked, and nobody can tell anything
        return
    await both.vendor.act("say", contact=CONTACT, text="forged")
    [request] = await both.vendor.deliveries()
    caller = both.hub.api.with_token(None)
    for body, headers in (
        (request.body.replace(b"forged", b"Forged"), request.headers),
        (request.body, {}),
        (request.body, {name: value.upper() + "0" for name, value in request.headers.items()}),
    ):
        answered = await caller.request("POST", both.hook_path, body=body, headers=headers)
        assert answered.status == 403

    assert await both.told("message.*") == []


async def test_the_examination_finds_the_number_and_the_webhook(both: Bridged) -> None:
    examined = await both.hub.api.post(
        f"/v1/bridges/{(await both.hub.api.get('/v1/bridges')).json['data'][-1]['id']}/examine", {}
    )
    shown = str(examined.json["findings"])

    assert "failed" not in {each["state"] for each in examined.json["findings"]}, shown
    assert both.vendor.key not in shown
    assert both.line not in shown
