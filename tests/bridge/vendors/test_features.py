"""What a vendor's contract has goes both ways between two hubs; what it has not is refused by the capability's name."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import pytest

from hub.flow.attachments import AttachmentFetching
from hub.flow.downloads import Download, Downloads
from hub.flow.ports import BridgeAdapter
from tests.bridge.conformance import MEMBERS, NEWCOMER
from tests.bridge.networks import CONTACT
from tests.bridge.vendors.bridged import PUBLIC, Bridged
from tests.support.asgi import Answered
from tests.support.hub_world import HubWorld
from tests.support.sandbox_worker import SandboxWorker

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: The simulated network fails what is sent here, after it was sent.
FAILING: Final = "+15550100004"
GROUP: Final = "trip-with-a-vendor"


async def can(both: Bridged, *names: str) -> bool:
    return set(names) <= await both.adapter.capabilities()


async def talked(both: Bridged) -> dict[str, str]:
    """Let the contact write and the hub answer; give the ids of both messages and of the chat."""
    await both.vendor.act("say", contact=CONTACT, text="Tea?")
    await both.hear()
    own = await both.send(CONTACT, text="Coffe")
    await both.exchange()
    await both.hear()
    [came] = await both.events("message.received")
    return {"theirs": came["data"]["id"], "ours": own, "chat": came["data"]["chat_id"]}


Ask = Callable[[Bridged, dict[str, str]], tuple[str, str, dict[str, Any]]]


def _filled(value: Any, known: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_filled(each, known) for each in value]
    return value.format(**known) if isinstance(value, str) else value


def _post(path: str, **body: Any) -> Ask:
    """A request of the hub; names in the path and in the body stand for what `talked` gives."""

    def ask(both: Bridged, known: dict[str, str]) -> tuple[str, str, dict[str, Any]]:
        given = {"from": both.line, "to": CONTACT} if "{" not in path and "from" not in body else {}
        filled = {name: _filled(value, known) for name, value in body.items()}
        line = both.line if filled.get("from") == "line" else None
        return "POST", path.format(**known), {**given, **filled, **({"from": line} if line else {})}

    return ask


#: What a client asks of the hub, and the capability that its line needs for it.
ASKED: Final[dict[str, tuple[str, Ask]]] = {
    "a file": ("attachments", _post("/v1/messages", text="look", attachments=["{file}"])),
    "a reply": ("reply", _post("/v1/messages", text="Yes", reply_to="{theirs}")),
    "a tapback": ("react_std", _post("/v1/reactions", message_id="{theirs}", type="love")),
    "an edit": ("edit", _post("/v1/messages/{ours}/edit", text="Coffee")),
    "an effect": ("effects", _post("/v1/messages", text="Yes!", effect="confetti")),
    "an emoji": ("react_emoji", _post("/v1/reactions", message_id="{theirs}", type="🎉")),
    "groups": ("group_create", _post("/v1/chats", **{"from": "line"}, participants=list(MEMBERS), text="hi")),
    "a group without words": ("group_empty", _post("/v1/chats", **{"from": "line"}, participants=list(MEMBERS))),
    "polls": ("polls", _post("/v1/polls", title="Lunch?", options=["Soup", "Salad"])),
    "read marks": ("read_out", _post("/v1/receipts")),
    "typing": ("typing_out", _post("/v1/typing", state="on")),
    "unread marks": ("unread_out", _post("/v1/chats/{chat}/unread")),
    "video calls": ("facetime", _post("/v1/facetime")),
    "who can be reached": ("availability", _post("/v1/availability", **{"from": "line"}, handles=[CONTACT])),
    "an unsend": ("unsend", _post("/v1/messages/{ours}/unsend")),
}  # fmt: skip


async def test_each_is_done_or_refused_by_name(both: Bridged) -> None:
    known = await talked(both)
    uploaded = await both.hub.api.request(
        "POST", "/v1/files", body=b"\x89PNG\r\n\x1a\n mine", headers={"Content-Type": "image/png"}
    )
    known["file"] = uploaded.json["id"]
    expected, happened, owed = {}, {}, {}
    for name, (capability, ask) in ASKED.items():
        is_able = await can(both, capability)
        expected[name] = "done" if is_able else f"advanced_features_required '{capability}'"
        method, path, body = ask(both, known)
        headers = {"Prefer": "wait=0"} if path == "/v1/availability" else {}
        answered = await both.hub.api.request(method, path, body=body, headers=headers)
        if answered.status == 400 and f"'{capability}'" in answered.json["error"]["message"]:
            happened[name] = f"{answered.code} '{capability}'"
            continue
        assert answered.status < 300, (name, answered.body)
        owed[name], happened[name] = str(answered.json.get("id", "")), "done"
    await both.exchange()

    assert happened == expected
    owed = {name: outbox_id for name, outbox_id in owed.items() if outbox_id.startswith("obx_")}
    ends = {name: await both.state(outbox_id) for name, outbox_id in owed.items()}
    assert ends == dict.fromkeys(owed, ("sent", None))


async def test_words_of_ours_are_changed_at_the_vendor(both: Bridged) -> None:
    if not await can(both, "edit"):
        return  # refused by name, above
    own = await both.send(CONTACT, text="Coffe")
    await both.exchange()
    assert (await both.hub.api.post(f"/v1/messages/{own}/edit", {"text": "Coffee"})).status == 201
    await both.exchange()

    assert await both.at_vendor() == ["Coffee"]
    assert (await both.told("message.*")).count("message.edited") == 1


async def test_words_of_ours_are_taken_back_at_the_vendor(both: Bridged) -> None:
    """Soon: a network lets nobody do so later than two minutes after."""
    if not await can(both, "unsend"):
        return  # refused by name, above
    own = await both.send(CONTACT, text="Coffe")
    await both.exchange()
    assert (await both.hub.api.post(f"/v1/messages/{own}/unsend", {})).status == 201
    await both.exchange()

    assert (await both.told("message.*")).count("message.unsent") == 1
    [mine] = [each for each in await both.vendor.messages() if each["is_from_me"]]
    assert mine["status"] == "unsent" or mine.get("unsent_at"), mine


async def test_words_of_theirs_change_and_go_where_the_vendor_tells(both: Bridged) -> None:
    if not await can(both, "edit", "unsend"):
        return  # their webhooks know no such event
    said = await both.vendor.act("say", contact=CONTACT, text="Te?")
    await both.hear()
    await both.vendor.act("edit", message_id=said["message_guid"], text="Tea?")
    await both.hear()
    [edited] = await both.events("message.edited")
    await both.vendor.act("unsend", message_id=said["message_guid"])
    await both.hear()
    await both.carry(await both.vendor.deliveries(again=True))

    assert edited["data"]["text"] == "Tea?"
    assert (await both.told("message.*")).count("message.unsent") == 1


async def test_a_group_is_heard_and_answered(both: Bridged) -> None:
    await both.vendor.act("group", contact=CONTACT, group=GROUP, participants=[MEMBERS[1]], name="Trip")
    await both.vendor.act("say", contact=CONTACT, group=GROUP, text="Who drives?")
    await both.hear()
    if both.vendor.vendor.name == "ava":
        return  # it knows no groups: what is said in one looks like any other message
    [heard] = await both.events("message.received")
    asked = {"from": both.line, "to": heard["data"]["chat_id"], "text": "I do"}
    assert (await both.hub.api.post("/v1/messages", asked)).status == 201
    await both.exchange()

    assert (heard["data"]["is_group"], heard["data"]["sender"]) == (True, CONTACT)
    [mine] = [each for each in await both.vendor.messages() if each["is_from_me"]]
    assert (mine["text"], mine["chat_id"]) == ("I do", (await _group(both))["id"])


async def test_a_group_is_made_and_changed(both: Bridged) -> None:
    if not await can(both, "group_create"):
        return  # refused by name, above
    body = {"from": both.line, "participants": list(MEMBERS), "text": "hi all", "name": "Trip"}
    made = await both.hub.api.post("/v1/chats", body)
    assert made.status == 201, made.body
    await both.exchange()
    await both.hear()
    chat_id = (await both.hub.api.get(f"/v1/outbox?id={made.json['id']}")).json["result"]["chat_id"]
    renamed = await both.hub.api.request("PATCH", f"/v1/chats/{chat_id}", body={"name": "Tour"})
    assert renamed.status == 202, renamed.body
    if await can(both, "group_members"):
        joined = await both.hub.api.post(f"/v1/chats/{chat_id}/participants", {"handle": NEWCOMER})
        assert joined.status in (201, 202), joined.body
    await both.exchange()

    group = await _group(both)
    people = {*MEMBERS, *([NEWCOMER] if await can(both, "group_members") else [])}
    assert (group["name"], set(group["participants"]) - {both.line}) == ("Tour", people)
    assert await both.at_vendor() == ["hi all"]
    assert (await both.told("message.*")).count("message.sent") == 1


async def _group(both: Bridged) -> dict[str, Any]:
    """Give the group that the vendor's number is in."""
    line = both.line.replace("+", "%2B")
    listed = (await both.vendor.world.api.get(f"/v1/chats?from={line}&is_group=true")).json["data"]
    found: dict[str, Any] = listed[0]
    return found


async def test_a_message_that_fails_there_fails_here(both: Bridged) -> None:
    await both.vendor.act("say", contact=FAILING, text="Hello")
    await both.hear()
    await both.send(FAILING, text="Hello?")
    for _ in range(3):
        await both.exchange()
        both.tick(5_000)

    told = await both.told("message.*")
    name = both.vendor.vendor.name
    # messages.dev says so in its outbox only, and before it is out; AVA shows how it ended, not that it was out before.
    assert told.count("message.failed") == (0 if name == "messages-dev" else 1)
    assert told.count("message.sent") == (0 if name == "ava" else 1)


async def test_a_webhook_that_overtakes_the_answer_is_the_same_message(both: Bridged) -> None:
    if both.vendor.secret is None:
        return  # it is asked, and cannot overtake anything
    way, passed = both.vendor.way, both.vendor.way.send

    async def slow(call: Any) -> Any:
        reply = await passed(call)
        if call.method == "POST" and b"Hello!" in call.body:
            await both.vendor.work()
            await both.carry(await both.vendor.deliveries())
        return reply

    way.send = slow  # type: ignore[method-assign]  # the answer is on its way while the webhook arrives
    try:
        await both.send(CONTACT, text="Hello!")
        await both.perform()
    finally:
        del way.send
    await both.hear()
    await both.poll()

    assert await both.at_vendor() == ["Hello!"]
    assert (await both.told("message.*")).count("message.sent") == 1
    line = both.line.replace("+", "%2B")
    listed = (await both.hub.api.get(f"/v1/messages?from={line}")).json["data"]
    assert [each["text"] for each in listed if each["is_from_me"]] == ["Hello!"]


class Elsewhere:
    """Downloads from a hub that is served at another address than it says."""

    def __init__(self, downloads: Downloads, url: str) -> None:
        self._downloads, self._url = downloads, url

    @contextlib.asynccontextmanager
    async def open(self, url: str, *, most_bytes: int, timeout_seconds: float) -> AsyncIterator[Download]:
        there = url.replace(PUBLIC, self._url)
        async with self._downloads.open(
            there, most_bytes=most_bytes, timeout_seconds=timeout_seconds
        ) as found:
            yield found


async def fetched(world: HubWorld, adapters: dict[int, BridgeAdapter], downloads: Downloads) -> None:
    """Fetch the files that came in."""
    fetching = AttachmentFetching(
        store=world.store,
        intake=world.parts.files.intake,
        adapters=adapters,
        downloads=downloads,
        clock=world.clock,
        timeout_seconds=20,
    )
    await fetching.run_due()


async def test_a_file_of_theirs_arrives_with_its_content(both: Bridged) -> None:
    vendor = both.vendor.world
    await both.vendor.act("attach", contact=CONTACT, attachment="photo", text="look")
    sandbox: BridgeAdapter = SandboxWorker(vendor).bridge
    await fetched(vendor, {vendor.sandbox_line.bridge_id: sandbox}, vendor.parts.downloads)
    await both.hear()
    [came] = await both.events("message.received")
    if both.vendor.vendor.name == "ava":
        assert came["data"]["attachments"] == []  # it knows words only
        return
    downloads = Elsewhere(both.hub.parts.downloads, both.vendor.url)
    line = both.hub.directory.current.lines_by_handle[both.line]
    await fetched(both.hub, {line.bridge_id: both.adapter}, downloads)

    [theirs] = [each for each in await both.vendor.messages() if not each["is_from_me"]]
    ours = (await both.hub.api.get(f"/v1/messages/{came['data']['id']}")).json
    there = await _content(vendor, theirs)
    here = await _content(both.hub, ours)
    assert (here.status, there.status) == (200, 200), (here.body, there.body)
    assert here.body == there.body


async def _content(world: HubWorld, message: dict[str, Any]) -> Answered:
    """Fetch the file of a message by its address."""
    return await world.api.get(message["attachments"][0]["url"].removeprefix(PUBLIC))
