"""A world whose built-in actions are called as a run would call them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from hub.actions.built_in import BuiltInActions
from hub.actions.desk import ActionParts
from hub.actions.registry import built_in_actions
from hub.flow.generate import AiConnection
from hub.flow.ports import HotTransaction
from hub.flow.rows import DueOutbox
from hub.flow.safety import LineGuard
from hub.model.actions import ActionCall, ActionFailed
from hub.model.outbox import OperationKind
from hub.rules.lanes import shard_of
from tests.support.hub_world import CONTACT, SANDBOX_LINE, HubWorld, open_world
from tests.support.sandbox_worker import SandboxWorker

RUN = "run_0f2m4h8x0g001"


@dataclass(kw_only=True, slots=True)
class Bench:
    """A hub, its actions, and what a test asks about them."""

    world: HubWorld
    actions: BuiltInActions
    #: The folder of its SQLite file, or the URL of its database.
    place: Path | str
    _count: int = field(default=0)

    def call(self, name: str, inputs: Mapping[str, Any] | None = None, **more: Any) -> ActionCall:
        """One attempt at a step of its own, unless the key says otherwise."""
        self._count += 1
        said: dict[str, Any] = {
            "connection": None,
            "key": f"step-{self._count}",
            "attempt": 1,
            "timeout_ms": 30_000,
            "event": {},
        }
        said |= {"route": "greet", "run": RUN, "hops": 2, **more}
        return ActionCall(name=name, inputs=inputs or {}, **said)

    async def run(self, name: str, inputs: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """Do it; give the output."""
        return dict((await self.actions.run(self.call(name, inputs, **more))).output)

    async def refused(self, name: str, inputs: Mapping[str, Any] | None = None, **more: Any) -> ActionFailed:
        """Do it, which must fail; give the failure."""
        with pytest.raises(ActionFailed) as caught:
            await self.actions.run(self.call(name, inputs, **more))
        return caught.value

    async def received(self, text: str = "Do you ship to Oregon?", **more: Any) -> dict[str, Any]:
        """Let a contact write; give the event as it was recorded."""
        await self.world.say(text, **more)
        listed = await self.world.api.get("/v1/events?type=message.received&limit=1")
        assert listed.status == 200, listed.body
        event: dict[str, Any] = listed.json["data"][0]
        return event

    async def messages(self, contact: str = CONTACT, line: str = SANDBOX_LINE) -> list[dict[str, Any]]:
        """Our own messages to a contact, newest first."""
        listed = await self.world.api.get(f"/v1/messages?from={quote(line)}&to={quote(contact)}")
        return [each for each in listed.json.get("data", []) if each["is_from_me"]]

    def worker(self) -> SandboxWorker:
        """What performs things on the sandbox line, guarded as a worker is."""
        return SandboxWorker(self.world, guard=LineGuard(self.world.parts.policies))

    async def owed(self) -> list[OperationKind]:
        """What each line has to do next."""
        lines = (self.world.sandbox_line, self.world.other_line)
        found = [await self.world.store.hot.read(partial(_due, line.id)) for line in lines]
        return [OperationKind(item.kind) for items in found for item in items]

    async def item(self, output: Mapping[str, Any]) -> dict[str, Any]:
        """The outbox item that an output names."""
        listed = await self.world.api.get(f"/v1/outbox?id={output['outbox_id']}")
        assert listed.status == 200, listed.body
        item: dict[str, Any] = listed.json
        return item


async def _due(line_id: int, tx: HotTransaction) -> list[DueOutbox]:
    return await tx.due_outbox(line_id, shard_of(line_id), 100)


@asynccontextmanager
async def open_bench(place: Path | str, *, ai: AiConnection | None = None) -> AsyncIterator[Bench]:
    """Open a hub with its actions."""
    async with open_world(place) as world:
        yield Bench(world=world, actions=built_in(world, ai=ai), place=place)


def built_in(world: HubWorld, *, ai: AiConnection | None = None) -> BuiltInActions:
    """Open the built-in actions of a hub."""
    parts = world.parts
    return built_in_actions(
        ActionParts(
            store=world.store,
            directory=world.directory,
            policies=parts.policies,
            clock=world.clock,
            new_id=world.new_id,
            wake_ups=world.wake_ups,
            files=parts.files,
            downloads=parts.downloads,
            fetch_seconds=5,
            can_send=parts.can_send,
            ai=ai,
        )
    )
