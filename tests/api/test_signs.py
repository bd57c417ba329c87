"""Reactions, typing and receipts: what may be sent when, and what is shown of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bridge.sandbox import contacts
from hub.api.surface import build
from hub.flow.rows import MessageRow
from hub.model.ids import Prefix, id_text, parse_id
from hub.model.line import Line
from hub.model.live import Typist
from hub.model.outbox import OperationKind, attempt_id
from tests.support.asgi import Answered, Caller
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, STRANGER, HubWorld

CHAT = f"from=%2B{SANDBOX_LINE[1:]}&to=%2B{CONTACT[1:]}"


async def react(world: HubWorld, message_id: str, **fields: Any) -> Answered:
    body = {"from": SANDBOX_LINE, "to": CONTACT, "message_id": message_id, "type": "love", **fields}
    return await world.api.post("/v1/reactions", body)


async def able(world: HubWorld, *capabilities: str) -> None:
    """Let the sandbox line's bridge tell what it can do."""
    await world.store.lines.tell_capabilities(world.sandbox_line.bridge_id, frozenset(capabilities))
    await world.directory.refresh()


@pytest.mark.parametrize("kind", ["love", "question", "👍", "👩🏽‍🚀", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "3️⃣"])
@pytest.mark.parametrize("is_removed", [False, True])
async def test_a_reaction_is_owed_as_it_was_asked_for(world: HubWorld, kind: str, is_removed: bool) -> None:
    guid = await world.say("Hi")
    answered = await react(world, guid, type=kind, remove=is_removed)
    item = await world.store.outbox.get(parse_id(Prefix.OUTBOX, answered.json["id"]))

    assert answered.status == 201
    assert item is not None
    assert item.kind is OperationKind.REACT
    assert (item.payload["type"], item.payload.get("remove", False)) == (kind, is_removed)
    assert item.payload["message_guid"] == guid
    shown = (await world.api.get(f"/v1/outbox?id={answered.json['id']}")).json
    message = (await world.api.get(f"/v1/messages/{guid}")).json
    assert shown["message_id"] == answered.json["message_id"] == message["id"]


@pytest.mark.parametrize("kind", ["heart", "", "LOVE", "👍👍", "👍 ", "emoji", 7, None])
async def test_what_is_no_reaction(world: HubWorld, kind: object) -> None:
    guid = await world.say("Hi")
    answered = await react(world, guid, type=kind)

    assert (answered.status, answered.param) == (400, "type")


@pytest.mark.parametrize(
    ("can", "kind", "missing"),
    [
        (("react_std", "text"), "👍", "react_emoji"),
        (("react_emoji",), "love", "react_std"),
        (("react_std", "react_emoji"), "👍", None),
    ],
)
async def test_a_line_that_cannot_says_so(
    world: HubWorld, can: tuple[str, ...], kind: str, missing: str | None
) -> None:
    guid = await world.say("Hi")
    await able(world, *can)
    answered = await react(world, guid, type=kind)

    if missing is None:
        assert answered.status == 201
    else:
        assert (answered.status, answered.code) == (400, "advanced_features_required")
        assert missing in answered.json["error"]["message"]


async def test_a_message_of_another_chat_is_not_there(world: HubWorld) -> None:
    guid = await world.say("Hi", contact=STRANGER)
    answered = await react(world, guid)

    assert (answered.status, answered.code, answered.param) == (404, "message_not_found", "message_id")


async def test_a_message_that_no_network_has_named_cannot_be_reacted_to(world: HubWorld) -> None:
    """By its id or by the name that we gave the attempt: the answer tells how the message stands."""
    await world.say("Hi")
    chat = await world.store.chats.by_key(world.sandbox_line.id, f"dm:{CONTACT}")
    assert chat is not None
    message_id, outbox_id = world.new_id(), world.new_id()
    guid = attempt_id(outbox_id)
    queued = _queued(message_id, guid, world.sandbox_line, chat.id)._replace(outbox_id=outbox_id)
    await world.store.hot.write(lambda tx: tx.merge_own_messages([queued]))
    for name in (id_text(Prefix.MESSAGE, message_id), guid):
        answered = await react(world, name)

        assert (answered.status, answered.code, answered.param) == (409, "message_not_sent", "message_id")
        assert "queued" in answered.json["error"]["message"]


def _queued(message_id: int, guid: str, line: Line, chat_id: int) -> MessageRow:
    return MessageRow(
        id=message_id,
        line_id=line.id,
        chat_id=chat_id,
        guid=guid,
        is_known=1,
        sender=None,
        text="Hello",
        parts=None,
        service="imessage",
        is_from_me=1,
        is_audio_message=0,
        reply_to_guid=None,
        effect=None,
        subject=None,
        outbox_id=None,
        sent_at=7,
        synced_at=7,
        delivered_at=None,
        read_at=None,
        failed_at=None,
        error=None,
        edited_at=None,
        unsent_at=None,
        queued_at=7,
    )


@pytest.mark.parametrize(
    ("capabilities", "shown"),
    [(("react_std",), [("love", False)]), (("react_many",), [("👍", True), ("love", False)])],
)
async def test_reactions_are_listed_oldest_first_with_those_taken_back(
    world: HubWorld, capabilities: tuple[str, ...], shown: list[tuple[str, bool]]
) -> None:
    """One of each person, unless the network lets people hold several."""
    await able(world, *capabilities)
    guid = await world.say("Hi")
    scene, at = contacts.direct(SANDBOX_LINE, CONTACT), world.clock.now_ms()
    await world.observe(
        world.sandbox_line,
        contacts.react(scene, guid, "love", guid="r1", at=at + 1),
        contacts.react(scene, guid, "👍", guid="r2", at=at + 2),
        contacts.react(scene, guid, "love", guid="r3", at=at + 3, is_removed=True),
    )
    listed = await world.api.get(f"/v1/reactions?message_id={guid}")

    assert [(each["type"], each["added"]) for each in listed.json["data"]] == shown


class SomebodyTypes:
    """Knows one who types, in every chat."""

    async def typists(self, chat_id: int) -> list[Typist]:
        return [Typist(chat_id, CONTACT, 1_800_000_000_007)]


async def test_who_types_now_is_told(world: HubWorld) -> None:
    await world.say("Hi")
    key = (await world.api.post("/v1/keys", {"name": "k", "scopes": ["typing:read"]})).json["api_key"]
    caller = Caller(build(replace(world.parts, live_typing=SomebodyTypes())), token=key)
    typing = (await caller.get(f"/v1/typing?{CHAT}")).json["data"]
    chat = await world.store.chats.by_key(world.sandbox_line.id, f"dm:{CONTACT}")

    assert chat is not None
    assert typing == [
        {
            "id": id_text("ind", chat.id),
            "chat_id": id_text(Prefix.CHAT, chat.id),
            "handle": CONTACT,
            "is_typing": True,
            "updated_at": 1_800_000_000_007,
        }
    ]


@pytest.mark.parametrize("noun", ["typing", "receipts"])
@pytest.mark.parametrize(
    ("query", "refused"),
    [
        ("", (400, "missing_required_parameter", "from")),
        (f"from=%2B{SANDBOX_LINE[1:]}", (400, "missing_required_parameter", "to")),
        (f"from=%2B{SANDBOX_LINE[1:]}&to=%2B15550109999", (404, "chat_not_found", "to")),
        ("from=%2B1999&to=%2B15550109999", (404, "line_not_found", "from")),
    ],
)
async def test_signs_of_a_chat_that_is_not_there(
    world: HubWorld, noun: str, query: str, refused: tuple[int, str, str]
) -> None:
    answered = await world.api.get(f"/v1/{noun}?{query}")

    assert (answered.status, answered.code, answered.param) == refused


async def test_signs_of_another_line_are_refused(world: HubWorld) -> None:
    caller = await world.caller("typing:read", "receipts:read", lines=(world.sandbox_line,))
    for noun in ("typing", "receipts"):
        answered = await caller.get(f"/v1/{noun}?from=%2B{OTHER_LINE[1:]}&to=%2B{CONTACT[1:]}")

        assert (answered.status, answered.code) == (403, "line_not_accessible")


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/v1/typing", {"state": "on"}),
        ("/v1/receipts", {}),
        ("/v1/chats/{chat}/typing", None),
        ("/v1/chats/{chat}/read", None),
    ],
)
async def test_signs_name_the_last_message_that_came_in(
    world: HubWorld, path: str, more: dict[str, object] | None
) -> None:
    """On some networks typing and reading are signs on a message; the client is not shown our addition."""
    first, last = await world.say("Hi"), await world.say("Are you there?")
    chat = (await world.api.get(f"/v1/messages/{first}")).json["chat_id"]
    body = None if more is None else {"from": SANDBOX_LINE, "to": CONTACT, **more}
    answered = await world.api.post(path.format(chat=chat), body)
    item = await world.store.outbox.get(parse_id(Prefix.OUTBOX, answered.json["id"]))

    assert item is not None
    assert item.payload["last_received_guid"] == last
    shown = (await world.api.get(f"/v1/outbox?id={answered.json['id']}")).json
    assert "last_received_guid" not in str(shown)
