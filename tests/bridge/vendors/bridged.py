"""A hub whose line is an account at a vendor, and the vendor: two hubs, one clock's time, and the wire between them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from hub.flow.bridge_kinds import BridgeWorld, HookRequest, Surroundings
from hub.flow.ports import BridgeAdapter
from hub.flow.send import Sending, SendTimeouts
from hub.rules.lanes import shard_of
from tests.bridge.networks import Desk, desk
from tests.bridge.vendors.peer import Peer, files_of_all_kinds, links_to
from tests.support.asgi import Answered
from tests.support.hub_world import HubWorld, open_world
from tests.support.manual_time import EndOfTime
from tests.support.sandbox_worker import POLICY

PUBLIC: Final = "http://127.0.0.1:8080"
#: Of the hub's own sandbox, which plays no part: the vendor's number is a line of the hub.
OWN_SANDBOX: Final = "+15550109999"


@dataclass
class Bridged:
    """Both hubs."""

    hub: HubWorld
    vendor: Peer
    desk: Desk
    around: Surroundings
    adapter: BridgeAdapter
    sending: Sending
    hook_path: str

    @property
    def line(self) -> str:
        return self.vendor.world.sandbox_line.handle

    async def send(self, to: str, **content: Any) -> str:
        """Ask the hub for a send; give the message's id."""
        answered = await self.hub.api.post("/v1/messages", {"from": self.line, "to": to, **content})
        assert answered.status == 201, answered.body
        message_id: str = answered.json["message_id"]
        return message_id

    async def ask(self, path: str, **body: Any) -> str:
        """Ask the hub for something else that its line does; give the item that it owes."""
        answered = await self.hub.api.post(path, {"from": self.line, **body})
        assert answered.status in (200, 201), answered.body
        outbox_id: str = answered.json["id"]
        return outbox_id

    async def state(self, outbox_id: str) -> tuple[str, str | None]:
        """Tell how an item ended, and why."""
        shown = (await self.hub.api.get(f"/v1/outbox?id={outbox_id}")).json
        return shown["status"], shown["error"]

    async def perform(self, *, later_ms: int = 0) -> None:
        """Hand over what the hub owes now, once each."""
        self.tick(later_ms)
        directory = await self.hub.directory.refresh()
        line, hot = directory.lines_by_handle[self.line], self.hub.store.hot
        done: set[int] = set()
        while True:
            items = await hot.read(lambda tx: tx.due_outbox(line.id, shard_of(line.id), 100))
            now_ms = self.hub.clock.now_ms()
            item = next(
                (each for each in items if each.id not in done and each.next_attempt_at <= now_ms), None
            )
            if item is None:
                return
            done.add(item.id)
            await self.sending.step(item, line, self.adapter)

    def tick(self, milliseconds: int) -> None:
        """Let time go by at both, to the same moment."""
        now = max(self.hub.clock.now_ms(), self.vendor.world.clock.now_ms()) + milliseconds
        for world in (self.hub, self.vendor.world):
            world.clock.advance(now - world.clock.now_ms())

    async def carry(self, requests: list[HookRequest]) -> list[Answered]:
        """Carry webhooks to the hub as they came."""
        self.tick(0)
        caller = self.hub.api.with_token(None)
        return [
            await caller.request("POST", self.hook_path, body=each.body, headers=each.headers)
            for each in requests
        ]

    async def poll(self) -> None:
        """Let the hub ask for what webhooks did not bring."""
        self.tick(0)
        line = self.hub.directory.current.lines_by_handle[self.line]
        self.desk.rounds = 1
        with contextlib.suppress(EndOfTime):
            async for seen in self.adapter.events("0"):
                for each in seen if isinstance(seen, tuple) else (seen,):
                    await self.hub.observe(line, each)

    async def hear(self) -> None:
        """Let the vendor work, and all that it tells reach the hub."""
        await self.vendor.work()
        self.tick(0)
        for answered in await self.carry(await self.vendor.deliveries()):
            assert answered.status == 200, answered.body
        if self.vendor.secret is None:
            await self.poll()

    async def exchange(self) -> None:
        """Hand over, and hear what became of it."""
        await self.perform()
        await self.hear()

    async def events(self, kind: str = "*") -> list[dict[str, Any]]:
        """Give the data of the events of the line at the hub, in order."""
        line = self.hub.directory.current.lines_by_handle[self.line]
        listed = await self.hub.api.get(f"/v1/events?type={kind}&order=asc&limit=100")
        assert listed.status == 200, listed.body
        return [each for each in listed.json["data"] if each["data"].get("line_handle") == line.handle]

    async def told(self, kind: str = "*") -> list[str]:
        return [each["type"] for each in await self.events(kind)]

    async def at_vendor(self) -> list[str]:
        """Give the words that the vendor's number sent, oldest first."""
        return [each["text"] for each in (await self.vendor.messages())[::-1] if each["is_from_me"]]

    async def reactions_at_vendor(self, guid: str) -> list[dict[str, Any]]:
        """Give who has reacted to a message, as the vendor knows it."""
        listed = await self.vendor.world.api.get(f"/v1/reactions?message_id={guid}")
        found: list[dict[str, Any]] = listed.json["data"]
        return found


@contextlib.asynccontextmanager
async def bridged(vendor: Peer, place: Path) -> AsyncIterator[Bridged]:
    """Open a hub with a line at the vendor."""
    place.mkdir(exist_ok=True)  # noqa: ASYNC240 - a folder of the test, at once
    async with desk() as opened:
        opened.lines = [vendor.world.sandbox_line.handle]
        opened.links, opened.files = links_to(vendor), files_of_all_kinds()
        kind = vendor.vendor.kind

        def surroundings(bridge_id: int) -> Surroundings:
            return vendor.surroundings(opened.surroundings)

        world = BridgeWorld(kinds={kind.name: kind}, surroundings=surroundings)
        async with open_world(place, bridges=world, sandbox=OWN_SANDBOX) as hub:
            opened.clock = hub.clock
            made = await hub.api.post(
                "/v1/bridges", {"name": "vendor", "kind": kind.name, "settings": vendor.settings}
            )
            assert made.status == 201, made.body
            line = {"bridge_id": made.json["id"], "handle": opened.lines[0], "is_contact_first": False}
            assert (await hub.api.post("/v1/lines", line)).status == 201
            bridge = (await hub.directory.refresh()).lines_by_handle[opened.lines[0]].bridge_id
            around = surroundings(bridge)
            adapter = kind.open(_settings(vendor), around)
            await hub.store.lines.tell_capabilities(bridge, await adapter.capabilities())
            await hub.directory.refresh()
            sending = Sending(
                store=hub.store.hot,
                recorder=hub.recorder,
                clock=hub.clock,
                policy=POLICY,
                timeouts=SendTimeouts(perform_seconds=60, lookup_seconds=30),
                links=hub.parts.files.links,
            )
            path = str(made.json["hook_url"] or "").removeprefix(PUBLIC)
            yield Bridged(hub, vendor, opened, around, adapter, sending, path)


async def between_tests(both: Bridged) -> Bridged:
    """Begin anew: an adapter that remembers nothing, on hubs that went back to their beginning."""
    await both.adapter.aclose()
    both.adapter = both.vendor.vendor.kind.open(_settings(both.vendor), both.around)
    await both.hub.directory.refresh()
    both.tick(0)
    return both


def _settings(vendor: Peer) -> Any:
    return msgspec.convert(vendor.settings, vendor.vendor.kind.settings)
