"""Files in sends: named in POST /v1/messages and /v1/audio-messages, kept with the message, and given to bridges."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from hub.flow.files import read_file_id
from hub.flow.outgoing_files import StoredFiles
from hub.flow.sent_parts import sent_parts, with_our_files
from hub.model.errors import AttachmentGone
from hub.model.ids import Prefix, parse_id
from hub.model.observation import KeptPart, Observation, ObservedChat, ObservedMessage, Part
from hub.model.outbox import attempt_id
from tests.support.asgi import Answered
from tests.support.file_parts import BASE_URL
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, STRANGER, HubWorld
from tests.support.sandbox_worker import SandboxWorker

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(50)
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(30)
SEND = {"from": SANDBOX_LINE, "to": CONTACT}
NO_SUCH = "file_0000000000000"


async def upload(world: HubWorld, content: bytes = PNG, kind: str = "image/png", name: str = "a.png") -> str:
    headers = {"Content-Type": kind, "X-Filename": name}
    file_id: str = (await world.api.post("/v1/files", content, headers=headers)).json["id"]
    return file_id


async def send(world: HubWorld, **body: Any) -> Answered:
    return await world.api.post("/v1/messages", {**SEND, **body})


async def speak(world: HubWorld, **body: Any) -> Answered:
    return await world.api.post("/v1/audio-messages", {**SEND, **body})


async def newest(world: HubWorld) -> dict[str, Any]:
    listed = await world.api.get(f"/v1/messages?from=%2B{SANDBOX_LINE[1:]}&to=%2B{CONTACT[1:]}&limit=1")
    message: dict[str, Any] = listed.json["data"][0]
    return message


async def test_a_file_goes_with_a_message_and_stays_with_it(world: HubWorld) -> None:
    file_id = await upload(world)

    answered = await send(world, text="Look", attachments=[file_id])

    assert answered.status == 201, answered.body
    (attachment,) = (await newest(world))["attachments"]
    assert (attachment["file_id"], attachment["filename"], attachment["mime_type"], attachment["size"]) == (
        file_id, "a.png", "image/png", len(PNG),
    )  # fmt: skip
    read = await world.api.with_token(None).get(attachment["url"].removeprefix(BASE_URL))
    assert read.body == PNG
    assert (await world.api.delete(f"/v1/files/{file_id}")).code == "file_in_use"
    shown = await world.api.get(f"/v1/outbox?id={answered.json['id']}")
    assert shown.json["payload"] == {**SEND, "text": "Look", "attachments": [file_id]}


async def test_the_event_of_a_sent_file_leads_to_it(world: HubWorld) -> None:
    file_id = await upload(world)
    sent = (await send(world, attachments=[file_id])).json
    shown = Observation(
        v=1,
        line=SANDBOX_LINE,
        kind="message.sent",
        at=world.clock.now_ms(),
        chat=ObservedChat(key=f"dm:{CONTACT}"),
        message=ObservedMessage(
            provider_id="NETWORKS-GUID",
            parts=(Part(type="attachment", ref="networks-own", filename="IMG_1.PNG", mime_type="image/png"),),
            is_from_me=True,
            attempt_id=attempt_id(parse_id(Prefix.OUTBOX, sent["id"])),
        ),
    )

    (event_id,) = await world.observe(world.sandbox_line, shown)

    event = await world.store.events.get(event_id)
    assert event is not None
    assert event.type == "message.sent"
    (attachment,) = msgspec.json.decode(event.data)["attachments"]
    assert attachment["file_id"] == file_id
    read = await world.api.with_token(None).get(attachment["url"].removeprefix(BASE_URL))
    assert read.body == PNG
    assert (await newest(world))["attachments"][0]["file_id"] == file_id
    assert world.wake_ups.files == 0, "there is nothing to fetch"


@pytest.mark.parametrize(
    "event_type", ["message.queued", "message.sent", "message.cancelled", "message.failed"]
)
async def test_events_that_the_hub_tells_itself_lead_to_the_file(world: HubWorld, event_type: str) -> None:
    worker = SandboxWorker(world)
    to = "+15550100404" if event_type == "message.failed" else CONTACT
    sent = (await send(world, to=to, text="Look", attachments=[await upload(world)])).json
    if event_type == "message.cancelled":
        assert (await world.api.post(f"/v1/messages/{sent['message_id']}/cancel", {})).status == 200
    await worker.work()

    told = (await world.api.get(f"/v1/events?type={event_type}")).json["data"]

    (attachment,) = told[0]["data"]["attachments"]
    read = await world.api.with_token(None).get(attachment["url"].removeprefix(BASE_URL))
    assert read.body == PNG


async def test_one_file_can_be_sent_again(world: HubWorld) -> None:
    file_id = await upload(world)

    assert [(await send(world, attachments=[file_id])).status for _ in range(2)] == [201, 201]


async def test_a_file_without_bytes_is_not_sent(world: HubWorld) -> None:
    promised = await world.api.post("/v1/files/presign", {"filename": "a", "content_type": "image/png"})

    answered = await send(world, attachments=[promised.json["id"]])

    assert (answered.status, answered.code, answered.param) == (409, "file_not_ready", "attachments[0]")


async def test_files_of_others_are_not_sent(world: HubWorld) -> None:
    file_id = await upload(world)
    caller = await world.caller("messages:write", lines=(world.sandbox_line,))

    answered = await caller.post("/v1/messages", {**SEND, "attachments": [file_id]})

    assert (answered.status, answered.code, answered.param) == (403, "line_not_accessible", "attachments[0]")


async def test_a_sound_goes_as_a_voice_message(world: HubWorld) -> None:
    file_id = await upload(world, WAV, "audio/wav", "memo.wav")

    answered = await speak(world, audio_message=file_id)

    assert (answered.status, answered.json["status"]) == (201, "pending")
    message = await newest(world)
    assert (message["is_audio_message"], message["text"]) == (True, None)
    assert message["attachments"][0]["file_id"] == file_id
    assert (await world.api.delete(f"/v1/files/{file_id}")).code == "file_in_use"


async def test_what_is_no_sound_is_no_voice_message(world: HubWorld) -> None:
    answered = await speak(world, audio_message=await upload(world))

    assert (answered.status, answered.code, answered.param) == (
        400, "invalid_parameter_value", "audio_message",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ({}, 400, "missing_required_parameter", "audio_message"),
        ({"audio_message": NO_SUCH}, 404, "file_not_found", "audio_message"),
        ({"audio_message": "msg_1"}, 400, "invalid_parameter_value", "audio_message"),
        ({"audio_message": ["x"]}, 400, "invalid_parameter_value", "audio_message"),
        ({"audio_message": NO_SUCH, "from": "+15550109999"}, 404, "line_not_found", "from"),
    ],
)
async def test_bad_voice_messages(
    world: HubWorld, body: dict[str, Any], status: int, code: str, param: str
) -> None:
    answered = await speak(world, **body)

    assert (answered.status, answered.code, answered.param) == (status, code, param)


async def test_08_voice_messages_wait_for_the_contact_too(world: HubWorld) -> None:
    file_id = await upload(world, WAV, "audio/wav")

    answered = await world.api.post(
        "/v1/audio-messages", {"from": OTHER_LINE, "to": STRANGER, "audio_message": file_id}
    )

    assert (answered.status, answered.code, answered.param) == (403, "contact_has_not_messaged", "to")
    assert answered.json["error"]["type"] == "invalid_request_error"


async def test_a_message_that_waits_is_not_answered_by_voice(world: HubWorld) -> None:
    waiting = (await send(world, text="Hi")).json["message_id"]

    answered = await speak(world, audio_message=await upload(world, WAV, "audio/wav"), reply_to=waiting)

    assert (answered.status, answered.code, answered.param) == (409, "message_not_sent", "reply_to")


async def test_a_line_that_cannot_says_so(world: HubWorld) -> None:
    file_id = await upload(world, WAV, "audio/wav")
    line = world.sandbox_line
    await world.store.lines.tell_capabilities(line.bridge_id, frozenset({"text", "attachments"}))
    await world.directory.refresh()

    answered = await speak(world, audio_message=file_id)

    assert (answered.status, answered.code) == (400, "advanced_features_required")
    assert "'audio'" in answered.json["error"]["message"]


async def test_bridges_are_given_the_bytes(world: HubWorld) -> None:
    file_id = await upload(world)
    files = StoredFiles(world.store, world.parts.files.blobs)

    opened = await files.open_file(file_id)

    assert (opened.filename, opened.mime_type, opened.size) == ("a.png", "image/png", len(PNG))
    assert b"".join([piece async for piece in opened.chunks]) == PNG
    for unknown in (NO_SUCH, "msg_1", ""):
        with pytest.raises(AttachmentGone):
            await files.open_file(unknown)


SENT = sent_parts({"text": "x", "attachments": ["file_1", "file_2"]})


def names(*parts: Part) -> list[str | None]:
    return [part.file_id if isinstance(part, KeptPart) else None for part in with_our_files(parts, SENT)]


def shown(ref: str | None = None, kind: Any = "attachment") -> Part:
    return Part(type=kind, ref=ref, filename="IMG_1.png")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((), []),
        ((shown("file_2"),), ["file_2"]),
        ((shown("A"), shown("B")), ["file_1", "file_2"]),
        ((shown("A"), shown(None, "text"), shown("B")), ["file_1", None, "file_2"]),
        ((shown("A"),), [None]),
        ((shown("A"), shown("B"), shown("C")), [None, None, None]),
    ],
)
def test_what_a_network_shows_of_our_send_names_our_files(
    parts: tuple[Part, ...], expected: list[str | None]
) -> None:
    assert names(*parts) == expected


def test_what_a_file_is_we_know_and_what_became_of_it_the_network() -> None:
    sent = sent_parts({"attachments": ["file_1"], "files": {"file_1": {"filename": "a.wav", "size": 5}}})
    shown = Part(
        type="audio", ref="A", filename="Audio Message.caf", mime_type="audio/x-caf", transcription="hi"
    )

    (part,) = with_our_files((shown,), sent)

    assert part == KeptPart(
        type="audio", ref="file_1", filename="a.wav", mime_type="audio/x-caf", size=5, transcription="hi",
        file_id="file_1",
    )  # fmt: skip


async def test_a_bridge_that_shows_the_id_of_our_file_unasked_gets_a_file_of_its_own(world: HubWorld) -> None:
    file_id = await upload(world)
    forged = Observation(
        v=1,
        line=OTHER_LINE,
        kind="message.received",
        at=world.clock.now_ms(),
        chat=ObservedChat(key=f"dm:{CONTACT}"),
        actor=CONTACT,
        message=ObservedMessage(
            provider_id="G", parts=(Part(type="attachment", ref=file_id),), is_from_me=False
        ),
    )

    (event_id,) = await world.observe(world.other_line, forged)

    event = await world.store.events.get(event_id)
    assert event is not None
    assert file_id not in event.data
    assert await world.store.files.lines_of(read_file_id(file_id)) == frozenset()


async def test_a_file_that_is_to_go_once_goes_once(world: HubWorld) -> None:
    file_id = await upload(world)
    once = {"attachments": [file_id], "first_use": True}

    first, second = await asyncio.gather(send(world, **once), send(world, **once))
    others = await send(world, attachments=[file_id])

    assert sorted([first.status, second.status]) == [201, 409]
    late = first if first.status == 409 else second
    assert (late.code, late.param) == ("file_in_use", "attachments")
    assert others.status == 201


async def test_a_repeat_of_a_first_use_is_no_second_use(world: HubWorld) -> None:
    body = {**SEND, "parts": [{"type": "attachment", "file_id": await upload(world)}], "first_use": True}
    first = await world.api.post("/v1/messages", body, headers={"Idempotency-Key": "once"})
    again = await world.api.post("/v1/messages", body, headers={"Idempotency-Key": "once"})
    other = await world.api.post("/v1/messages", body, headers={"Idempotency-Key": "twice"})
    freed = await world.api.post(
        "/v1/messages", {**SEND, "text": "words"}, headers={"Idempotency-Key": "twice"}
    )

    assert (first.status, again.status, again.json["id"]) == (201, 201, first.json["id"])
    assert (other.status, other.code) == (409, "file_in_use")
    assert freed.status == 201


async def test_a_file_says_which_message_it_went_with(world: HubWorld) -> None:
    file_id = await upload(world)
    before = await world.api.get(f"/v1/files/{file_id}")
    message_id = (await send(world, attachments=[file_id])).json["message_id"]
    await send(world, attachments=[file_id])
    after = await world.api.get(f"/v1/files/{file_id}")

    assert (before.json["message_id"], after.json["message_id"]) == (None, message_id)
