"""Two hubs: the old one is the vendor, served on a port in that vendor's wire; the new one moves away from it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hub.api.usecases import use_cases
from hub.dialects.registry import SOURCES
from hub.flow.keys import KeyWish
from hub.flow.moved_webhooks import WebhookMover
from hub.flow.moves import MovedWebhook, MoveReport, MoveWish
from hub.flow.moving import Listeners, Moving
from hub.outbound.client import OutboundClient
from hub.outbound.vendor_calls import Patience, VendorCalls
from tests.outbound.receivers import Receiver, Visit, listening
from tests.support.asgi import Caller
from tests.support.calling import local_client
from tests.support.hub_world import HubWorld, open_world
from tests.support.served import served

BY_NAME = {each.name: each for each in SOURCES}
LISTS = ("contacts", "contact_groups", "webhooks")
KEY = "key-of-the-vendor"


@dataclass(slots=True)
class Mover:
    """Moves to a new hub, and remembers what it was told; it waits on a clock of its own."""

    world: HubWorld
    client: OutboundClient
    waited: list[float] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    made: list[MovedWebhook] = field(default_factory=list)

    async def __call__(
        self, vendor: str, address: str, key: str = KEY, *, patience: float = 60, **wish: Any
    ) -> MoveReport:
        async def sleep(seconds: float) -> None:
            self.waited.append(seconds)

        world = self.world
        calls = VendorCalls(
            self.client,
            vendor=BY_NAME[vendor].vendor,
            address=address,
            key=key,
            patience=Patience(
                most_seconds=patience, sleep=sleep, now_ms=world.clock.now_ms, on_wait=self.words.append
            ),
        )
        registry = use_cases(world.parts).webhooks
        webhooks = WebhookMover(registry=registry, directory=world.directory, clock=world.clock)
        moving = Moving(store=world.store, clock=world.clock, new_id=world.new_id, webhooks=webhooks)
        listeners = Listeners(on_progress=self.words.append, on_made=self.made.append)
        wished = MoveWish(lists=wish.pop("lists", LISTS), **wish)
        return await moving.run(BY_NAME[vendor], calls.ask, wished, listeners=listeners)

    async def contacts(self) -> list[dict[str, Any]]:
        """What the new hub has."""
        listed = (await self.world.api.get("/v1/contacts?limit=100&sort=name_asc")).json
        found: list[dict[str, Any]] = listed["data"]
        return found

    async def webhooks(self) -> list[dict[str, Any]]:
        """What the new hub has."""
        listed = (await self.world.api.get("/v1/webhooks?from=*")).json
        found: list[dict[str, Any]] = listed["data"]
        return found


@dataclass(frozen=True, slots=True)
class Vendor:
    """The old hub."""

    world: HubWorld
    url: str

    async def client(self, dialect: str) -> tuple[Caller, str]:
        """Give a client of it in the vendor's wire, and its key."""
        wish = KeyWish(name="crm", scopes=frozenset({"admin"}), dialect=dialect)
        key = (await self.world.keys.create(wish)).text
        return self.world.api.with_token(key), key


@pytest.fixture
async def move(tmp_path: Path) -> AsyncIterator[Mover]:
    """Moves to an empty hub."""
    (tmp_path / "new").mkdir()
    client = local_client()
    async with open_world(tmp_path / "new") as world:
        yield Mover(world, client)
    await client.aclose()


@pytest.fixture
async def vendor(tmp_path: Path) -> AsyncIterator[Vendor]:
    """A hub that has what is to be moved."""
    (tmp_path / "old").mkdir()
    async with open_world(tmp_path / "old") as world, served(world) as serving:
        yield Vendor(world, serving.url)


#: Gives status, headers and body for a path with its query.
Script = Callable[[str], tuple[int, Mapping[str, str], bytes]]


def told(document: object, status: int = 200, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
    """An answer; names of headers with _ for -."""
    return (
        status,
        {name.replace("_", "-"): value for name, value in headers.items()},
        json.dumps(document).encode(),
    )


@asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[Receiver]:
    """A vendor that answers as it is told, well or badly."""

    async def behave(visit: Visit) -> None:
        while (request := await visit.read_request()) is not None:
            status, headers, body = script(request.split(b" ", 2)[1].decode())
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            await visit.send(
                f"HTTP/1.1 {status} Told\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body
            )

    async with listening(behave) as receiver:
        yield receiver
