"""Adapters come, change and go with the bridges; feeds follow them, and pass over what cannot be taken in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bridge.sandbox import contacts
from hub.flow.capabilities import CapabilityBook
from hub.flow.heartbeats import Heartbeats
from hub.flow.ingest import BridgeRequest
from hub.flow.ports import BridgeAdapter
from hub.model.ids import Prefix, id_text
from hub.model.line import Bridge
from hub.model.observation import Observation
from hub.rules.lanes import SHARD_COUNT
from hub.worker.adapters import AdapterBook
from hub.worker.feeds import Feeds
from tests.support.hub_world import OTHER_LINE, HubWorld, open_world
from tests.support.scripted_bridge import ScriptedBridge


@dataclass
class Network(ScriptedBridge):
    """A bridge that tells what a test puts in, and notes when it is left."""

    waiting: asyncio.Queue[Observation | tuple[Observation, ...]] = field(default_factory=asyncio.Queue)
    asked_from: list[str | None] = field(default_factory=list)
    state: tuple[str, str | None] = ("online", None)
    listened: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    hung_up: int = 0

    async def health(self) -> tuple[str, str | None]:
        return self.state

    async def events(self, cursor: str | None) -> AsyncIterator[Any]:
        self.asked_from.append(cursor)
        self.listened.set()
        try:
            while True:
                yield await self.waiting.get()
                self.waiting.task_done()  # asked for the next one: this one is recorded
        finally:
            self.hung_up += 1

    async def aclose(self) -> None:
        self.closed.set()


@dataclass
class Desk:
    """A hub whose bridge `push` runs inside it, as a network that a test plays."""

    world: HubWorld
    book: AdapterBook
    feeds: Feeds
    networks: list[Network]
    refused: list[int] = field(default_factory=list)

    @property
    def bridge(self) -> Bridge:
        return self.world.directory.current.bridges_by_id[self.world.other_line.bridge_id]

    async def change(self, **changes: Any) -> frozenset[int]:
        """Change the bridge and take it over, as a worker does."""
        await self.world.store.bridges.change(self.bridge.id, lambda bridge: replace(bridge, **changes))
        await self.world.directory.refresh()
        changed = self.book.refresh()
        self.feeds.adapters_changed(changed)
        return changed

    async def told(self, observation: Observation | tuple[Observation, ...]) -> None:
        """Let the newest network tell, and wait until that was taken in."""
        self.networks[-1].waiting.put_nowait(observation)
        await self.networks[-1].waiting.join()

    async def restart(self) -> None:
        """Let another process listen in the place of this one."""
        await self.feeds.stop()
        self.feeds = feeds_of(self.world, self.book)
        self.feeds.own(range(SHARD_COUNT))
        await self.feeds.ask_capabilities()

    async def statuses(self) -> list[tuple[str, str, str | None]]:
        """The statuses of lines that were told: its last digits, status, reason."""
        listed = await self.world.api.get("/v1/events?type=line.status_changed")
        told = [each["data"] for each in listed.json["data"]]
        return sorted((each["line_handle"][-2:], each["status"], each["reason"]) for each in told)

    async def words(self) -> list[str]:
        listed = await self.world.api.get(f"/v1/messages?from={OTHER_LINE.replace('+', '%2B')}")
        return sorted(each["text"] for each in listed.json["data"])


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_world(tmp_path) as world:
        networks: list[Network] = []

        def opened(bridge: Bridge) -> BridgeAdapter | None:
            if bridge.id != world.other_line.bridge_id:
                return None
            if bridge.settings == {"broken": True}:
                raise ValueError("these are settings of another version")
            networks.append(Network(world.clock))
            return networks[-1]

        book = AdapterBook(world.directory, opened, grace_seconds=0.01)
        feeds = feeds_of(world, book)
        desk = Desk(world, book, feeds, networks)
        feeds.on_refused = lambda: desk.refused.append(1)
        book.refresh()
        feeds.own(range(SHARD_COUNT))
        await networks[0].listened.wait()
        yield desk
        with contextlib.suppress(asyncio.CancelledError):
            await feeds.stop()
        await book.aclose()


def feeds_of(world: HubWorld, book: AdapterBook) -> Feeds:
    return Feeds(
        adapters=book,
        bridges=world.store.bridges,
        ingest=world.ingest,
        new_id=world.new_id,
        capabilities=CapabilityBook(world.store.lines, world.directory, world.wake_ups),
        heartbeats=Heartbeats(world.store.bridges, world.clock),
        directory=world.directory,
        clock=world.clock,
        refused=world.parts.refused,
        health=world.store.health,
    )


def said(guid: str, text: str, *, at: int = 1_780_000_000_000, cursor: str | None = None) -> Observation:
    """A contact writes."""
    scene = contacts.direct(OTHER_LINE, "+15550100042")
    observation: Observation = contacts.say(scene, text, guid=guid, at=at)
    return msgspec.structs.replace(observation, cursor=cursor)


async def test_a_bridge_has_one_adapter_until_its_settings_change(desk: Desk) -> None:
    assert await desk.change(name="renamed") == frozenset()
    assert await desk.change(settings={"url": "b"}) == {desk.bridge.id}
    await desk.networks[0].closed.wait()

    assert len(desk.networks) == 2
    assert desk.networks[0].hung_up == 1
    assert desk.book[desk.bridge.id] is desk.networks[1]


async def test_a_bridge_that_is_switched_off_has_none(desk: Desk) -> None:
    await desk.change(is_enabled=False)
    await desk.networks[0].closed.wait()

    assert dict(desk.book) == {}
    assert await desk.change(is_enabled=True) == {desk.bridge.id}
    await desk.networks[1].listened.wait()


async def test_settings_that_cannot_be_used_stop_nothing_else(desk: Desk) -> None:
    await desk.change(settings={"broken": True})

    assert dict(desk.book) == {}
    await desk.change(settings={"url": "b"})
    assert list(desk.book) == [desk.bridge.id]


async def test_what_is_told_is_recorded_and_the_cursor_kept(desk: Desk) -> None:
    await desk.told(said("G1", "one", cursor="7"))
    await desk.change(settings={"url": "b"})
    await desk.networks[1].listened.wait()

    assert await desk.words() == ["one"]
    assert desk.networks[1].asked_from == ["7"]


async def test_a_page_of_history_is_recorded_as_one(desk: Desk) -> None:
    requests: list[BridgeRequest] = []
    ingest = desk.world.ingest

    async def noted(request: BridgeRequest) -> Any:
        requests.append(request)
        return await ingest(request)

    desk.feeds._ingest = noted
    await desk.told(tuple(said(f"G{n}", str(n), cursor=str(n)) for n in range(5)))

    assert [len(each.observations) for each in requests] == [5]
    assert await desk.words() == list("01234")


async def test_what_cannot_be_taken_in_is_passed_over(desk: Desk) -> None:
    future = said("G1", "from the future", at=32_503_680_000_000, cursor="1")
    halved = said("G2", "half of \ud83d", cursor="2")
    await desk.told(future)
    await desk.told((halved, said("G3", "sound", cursor="3")))

    assert await desk.words() == ["sound"]
    assert len(desk.refused) == 2
    [kept] = [each.cursor for each in await desk.world.store.bridges.all() if each.id == desk.bridge.id]
    assert kept == "3"


async def test_a_change_of_health_is_told_once_for_each_line(desk: Desk) -> None:
    for state in [("online", None), ("offline", "no answer"), ("offline", "no answer"), ("online", None)]:
        desk.networks[0].state = state
        desk.world.clock.advance(1_000)
        await desk.feeds.ask_capabilities()

    assert await desk.statuses() == [("10", "offline", "no answer"), ("10", "online", None)]


async def test_a_bridge_that_came_back_while_nobody_listened_is_told_of(desk: Desk) -> None:
    """What an earlier process has said stands until it is said anew, and is not said twice."""
    desk.networks[0].state = ("offline", "no answer")
    await desk.feeds.ask_capabilities()
    desk.world.clock.advance(1_000)
    await desk.restart()
    assert await desk.statuses() == [("10", "offline", "no answer")]

    desk.networks[0].state = ("online", None)
    desk.world.clock.advance(1_000)
    await desk.restart()

    assert await desk.statuses() == [("10", "offline", "no answer"), ("10", "online", None)]
    record = await desk.world.store.health.get(desk.world.other_line.id)
    assert record is not None
    assert record.bridge_status == "online"


async def test_a_line_that_moves_is_as_its_new_bridge_is(desk: Desk) -> None:
    world, line = desk.world, desk.world.sandbox_line
    offline = contacts.line_status(line.handle, "degraded", at=world.clock.now_ms(), reason="the old one")
    await world.observe(line, offline)
    desk.networks[0].state = ("offline", "no answer")
    await desk.feeds.ask_capabilities()
    world.clock.advance(1_000)

    moved = {"bridge_id": id_text(Prefix.BRIDGE, desk.bridge.id)}
    assert (await world.api.patch(f"/v1/lines/{id_text(Prefix.LINE, line.id)}", moved)).status == 200
    record = await world.store.health.get(line.id)
    assert record is not None
    assert (record.bridge_status, record.bridge_reason) == (None, None)
    await world.directory.refresh()
    await desk.feeds.ask_capabilities()

    assert await desk.statuses() == [
        ("00", "degraded", "the old one"),
        ("00", "offline", "no answer"),
        ("10", "offline", "no answer"),
    ]


async def test_what_a_second_bridge_says_of_a_line_is_not_how_the_line_is(desk: Desk) -> None:
    world, line = desk.world, desk.world.other_line
    second = {"fallback_bridge_id": id_text(Prefix.BRIDGE, world.sandbox_line.bridge_id)}
    assert (await world.api.patch(f"/v1/lines/{id_text(Prefix.LINE, line.id)}", second)).status == 200
    await world.directory.refresh()
    told = contacts.line_status(line.handle, "offline", at=world.clock.now_ms(), reason="no SMS")
    await world.ingest(BridgeRequest(world.sandbox_line.bridge_id, "r", b"{}", (told,)))

    assert await world.store.health.get(line.id) is None
