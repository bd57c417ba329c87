"""Attachments that come in are kept: noted with their message, fetched from their bridge, and led to by the event."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.flow.attachments import RETRY_SECONDS, AttachmentFetching
from hub.flow.file_store import Stored
from hub.flow.files import read_file_id
from hub.model.delivery import Outcome
from hub.model.observation import Observation, ObservedChat, ObservedMessage, Part
from hub.outbound.downloads import GuardedDownloads
from tests.outbound.receivers import answering, listening
from tests.support.file_parts import BASE_URL, MOST_BYTES
from tests.support.hub_world import CONTACT, HubWorld
from tests.support.scripted_bridge import ScriptedBridge

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(50)


def said(world: HubWorld, *parts: Part, guid: str = "GUID-1", **more: Any) -> Observation:
    """A contact sends a message with these parts."""
    return Observation(
        v=1,
        line=world.other_line.handle,
        kind="message.received",
        at=world.clock.now_ms(),
        chat=ObservedChat(key=f"dm:{CONTACT}"),
        actor=CONTACT,
        message=ObservedMessage(provider_id=guid, parts=parts, is_from_me=False, **more),
    )


PHOTO = Part(type="attachment", ref="att-1", filename="../photo.png", mime_type="image/png", size=58)


class Fetching:
    """A worker's part, on a bridge that the test scripts."""

    def __init__(self, world: HubWorld) -> None:
        self.world = world
        self.bridge = ScriptedBridge(clock=world.clock)
        downloads = world.parts.downloads
        assert isinstance(downloads, GuardedDownloads)
        self.fetching = AttachmentFetching(
            store=world.store,
            intake=world.parts.files.intake,
            adapters={world.other_line.bridge_id: self.bridge},
            downloads=downloads,
            clock=world.clock,
            timeout_seconds=5,
        )
        self.outcomes: list[Outcome] = []
        self.fetching.on_tried = self.outcomes.append

    async def run(self) -> int:
        return await self.fetching.run_due()

    async def observe(self, *parts: Part, **more: Any) -> dict[str, Any]:
        """Take a message in; give its attachment as the event shows it."""
        (event_id,) = await self.world.observe(self.world.other_line, said(self.world, *parts, **more))
        event = await self.world.store.events.get(event_id)
        assert event is not None
        attachment: dict[str, Any] = msgspec.json.decode(event.data)["attachments"][-1]
        return attachment

    async def state(self, attachment: dict[str, Any]) -> tuple[str, str | None]:
        shown = (await self.world.api.get(f"/v1/files/{attachment['file_id']}")).json
        return shown["state"], shown["error"]

    async def read(self, attachment: dict[str, Any]) -> Any:
        return await self.world.api.with_token(None).get(attachment["url"].removeprefix(BASE_URL))


@pytest.fixture
def fetching(world: HubWorld) -> Fetching:
    return Fetching(world)


async def test_the_event_leads_to_bytes_that_are_fetched_afterwards(fetching: Fetching) -> None:
    fetching.bridge.attachments["att-1"] = [PNG[:20], PNG[20:]]
    attachment = await fetching.observe(Part(type="text", text="Look"), PHOTO)
    assert await fetching.state(attachment) == ("pending", None)
    assert (attachment["filename"], attachment["mime_type"], attachment["size"]) == (
        "../photo.png", "image/png", 58,
    )  # fmt: skip

    assert await fetching.run() == 1

    assert await fetching.state(attachment) == ("stored", None)
    read = await fetching.read(attachment)
    assert (read.status, read.body) == (200, PNG)
    assert read.headers["content-disposition"] == 'inline; filename="photo.png"'
    assert await fetching.run() == 0


async def test_whoever_reads_before_the_bytes_are_there_waits_for_them(
    world: HubWorld, fetching: Fetching
) -> None:
    fetching.bridge.attachments["att-1"] = [PNG]
    attachment = await fetching.observe(PHOTO)
    woken = world.wake_ups.files

    async def fetch(_: float) -> None:
        assert world.wake_ups.files == woken + 1, "whoever waits has it fetched now"
        await fetching.run()

    world.naps.meanwhile = fetch

    assert (await fetching.read(attachment)).body == PNG
    assert len(world.naps.taken) == 1


async def test_whoever_reads_what_does_not_come_is_told_to_ask_again(fetching: Fetching) -> None:
    attachment = await fetching.observe(PHOTO)

    read = await fetching.read(attachment)

    assert (read.status, read.code, read.headers["retry-after"]) == (409, "file_not_ready", "2")


async def test_messages_show_their_attachments_with_fresh_addresses(
    world: HubWorld, fetching: Fetching
) -> None:
    fetching.bridge.attachments["att-1"] = [PNG]
    first = await fetching.observe(PHOTO)
    await fetching.run()
    world.clock.advance(26 * 3_600_000)

    listed = await world.api.get(f"/v1/messages?from=%2B15550100010&to=%2B{CONTACT[1:]}")

    shown = listed.json["data"][0]["attachments"][0]
    assert shown["file_id"] == first["file_id"]
    assert (await fetching.read(first)).code == "link_refused"
    assert (await fetching.read(shown)).body == PNG


async def test_a_message_that_is_told_again_has_the_same_file(world: HubWorld, fetching: Fetching) -> None:
    first = await fetching.observe(PHOTO)
    other = await fetching.observe(PHOTO, guid="GUID-2")
    await world.observe(world.other_line, said(world, PHOTO))

    listed = await world.api.get(f"/v1/messages?from=%2B15550100010&to=%2B{CONTACT[1:]}")

    ids = {each["guid"]: each["attachments"][0]["file_id"] for each in listed.json["data"]}
    assert ids == {"GUID-1": first["file_id"], "GUID-2": other["file_id"]}
    assert first["file_id"] != other["file_id"]


async def test_an_attachment_belongs_to_its_line(world: HubWorld, fetching: Fetching) -> None:
    attachment = await fetching.observe(PHOTO)
    theirs = await world.caller("files:read", lines=(world.other_line,))
    others = await world.caller("files:read", lines=(world.sandbox_line,))

    assert (await theirs.get(f"/v1/files/{attachment['file_id']}")).status == 200
    assert (await others.get(f"/v1/files/{attachment['file_id']}")).code == "line_not_accessible"


async def test_an_attachment_stays_with_its_message(world: HubWorld, fetching: Fetching) -> None:
    attachment = await fetching.observe(PHOTO)

    assert (await world.api.delete(f"/v1/files/{attachment['file_id']}")).code == "file_in_use"
    assert await world.store.files.release_orphans(limit=9, now=0) == 0


async def test_bytes_at_an_address_are_fetched_through_the_guard(fetching: Fetching) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n" % len(PNG) + PNG
    async with listening(answering(answer)) as receiver:
        good = await fetching.observe(Part(type="attachment", url=receiver.url("/a.png")))
        bad = await fetching.observe(Part(type="sticker", url="http://10.0.0.1/x"), guid="GUID-2")
        await fetching.run()

    assert (await fetching.read(good)).body == PNG
    assert (await fetching.state(bad))[0] == "failed"
    assert (await fetching.read(bad)).code == "file_unavailable"


@pytest.mark.parametrize(
    ("pieces", "state", "why"),
    [
        (None, "failed", "the network does not have it"),
        ([], "failed", "empty"),
        ([b"x" * (MOST_BYTES + 1)], "failed", "larger"),
        ([PNG, RuntimeError("broke")], "pending", "the bridge failed (RuntimeError)"),
        ([PNG, OSError("gone")], "pending", "the bridge failed (OSError)"),
    ],
)
async def test_what_cannot_be_fetched_ends_or_is_tried_again(
    fetching: Fetching, pieces: list[bytes | Exception] | None, state: str, why: str
) -> None:
    if pieces is not None:
        fetching.bridge.attachments["att-1"] = pieces
    attachment = await fetching.observe(PHOTO)

    await fetching.run()

    shown = await fetching.state(attachment)
    assert shown[0] == state
    assert why in (shown[1] or "")
    assert fetching.outcomes == [Outcome.RETRYABLE if state == "pending" else Outcome.PERMANENT]


async def test_a_bridge_that_never_gives_it_ends_as_failed(world: HubWorld, fetching: Fetching) -> None:
    fetching.bridge.attachments["att-1"] = [RuntimeError("asleep")]
    attachment = await fetching.observe(PHOTO)

    tries = 0
    for seconds in (0, *RETRY_SECONDS):
        world.clock.advance(seconds * 1000 - 1 if seconds else 0)
        if seconds:
            assert await fetching.run() == 0, "not before its time"
            world.clock.advance(1)
        tries += await fetching.run()

    assert tries == len(RETRY_SECONDS) + 1
    assert fetching.outcomes == [Outcome.RETRYABLE] * len(RETRY_SECONDS) + [Outcome.PERMANENT]
    assert (await fetching.state(attachment))[0] == "failed"


async def test_a_worker_that_died_in_the_middle_is_replaced(world: HubWorld, fetching: Fetching) -> None:
    fetching.bridge.attachments["att-1"] = [PNG]
    attachment = await fetching.observe(PHOTO)
    until = world.clock.now_ms() + 35_000
    await world.store.files.lease(read_file_id(attachment["file_id"]), attempt_count=1, next_attempt_at=until)
    assert await fetching.run() == 0

    world.clock.advance(35_000)

    assert await fetching.run() == 1
    assert await fetching.state(attachment) == ("stored", None)
    assert fetching.outcomes == [Outcome.SUCCESS]


async def test_ingest_asks_for_a_fetch_only_where_there_is_something(world: HubWorld) -> None:
    await world.say("words only")
    assert world.wake_ups.files == 0
    await world.observe(world.other_line, said(world, PHOTO))
    assert world.wake_ups.files == 1


async def test_nothing_is_left_where_fetching_failed(
    world: HubWorld, fetching: Fetching, tmp_path: Path
) -> None:
    fetching.bridge.attachments["att-1"] = [PNG, RuntimeError("broke")]
    await fetching.observe(PHOTO)
    await fetching.run()

    assert [path for path in (tmp_path / "files").rglob("*") if path.is_file()] == []
    assert await world.store.files.stored() == Stored(count=0, size=0)
