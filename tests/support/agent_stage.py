"""An agent and its hub in one process: desk, signatures and journal are real, the wire between them is played."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from hub.agent.journal import Journal
from hub.agent.link import HubLink, Identity
from hub.agent.pauses import Pauses
from hub.agent.refused import ToldRefusals
from hub.agent.running import Agent, AgentParts
from hub.agent.socket import HubSocket
from hub.flow.calling import Call, CallFailed, Reply, StreamedReply
from hub.flow.ports import BridgeAdapter
from hub.flow.refused import RefusedBook
from hub.model.ids import Prefix, id_text
from hub.model.line import Bridge
from hub.model.outbox import Operation, OperationKind
from hub.rules.bridge_calls import CallPolicy
from hub.worker.remote import RemoteAdapter, RemoteParts
from tests.support.asgi import Caller
from tests.support.hub_world import HubWorld
from tests.support.played_sockets import PlayedSockets

HUB = "http://hub.example"


@dataclass
class Wire:
    """The way between agent and hub (hub.flow.calling.StreamCaller); a test may cut it."""

    api: Caller
    #: Paths asked for, in order.
    asked: list[str] = field(default_factory=list)
    #: Paths that were answered, whether or not the answer came back.
    answered: list[str] = field(default_factory=list)
    #: Loses a request (False: before the hub has it) or its answer (True: after); None lets it pass.
    cut: Callable[[str], bool | None] = lambda word: None

    async def send(self, call: Call) -> Reply:
        path = urlsplit(call.url).path
        word = path.rpartition("/")[2]
        lost = self.cut(word)
        if lost is False:
            raise CallFailed("not_sent", "the wire was cut")
        self.asked.append(word)
        headers = {name.decode(): value.decode() for name, value in call.headers}
        answered = await self.api.request(call.method, path, body=call.body, headers=headers)
        self.answered.append(word)
        if lost:
            raise CallFailed("unknown", "the wire was cut")
        return Reply(
            status=answered.status,
            headers=tuple((name.encode(), value.encode()) for name, value in answered.headers.items()),
            body=answered.body,
            is_cut=False,
        )

    @contextlib.asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[StreamedReply]:
        reply = await self.send(call)

        async def pieces() -> AsyncIterator[bytes]:
            yield reply.body

        yield StreamedReply(status=reply.status, headers=reply.headers, pieces=pieces())


class Unheard:
    """An adapter whose events nobody asks for: all else is passed on."""

    def __init__(self, adapter: BridgeAdapter) -> None:
        self.kind = adapter.kind
        self.capabilities = adapter.capabilities
        self.health = adapter.health
        self.perform = adapter.perform
        self.lookup = adapter.lookup
        self.open_attachment = adapter.open_attachment
        self.aclose = adapter.aclose

    async def events(self, cursor: str | None) -> AsyncIterator[tuple[()]]:
        while True:
            await asyncio.Event().wait()
            yield ()


@dataclass(kw_only=True)
class AgentStage:
    """A hub with one push bridge, and what runs agents for it."""

    world: HubWorld
    bridge: Bridge
    folder: Path
    wire: Wire
    policy: CallPolicy = field(default_factory=CallPolicy)
    #: What agents wait by, and where they look for their secret.
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    secret: Callable[[], str | None] = lambda: None
    #: The way of WebSockets, where there is one.
    sockets: PlayedSockets | None = None
    _chance: random.Random = field(default_factory=lambda: random.Random(11))

    @classmethod
    def of(cls, world: HubWorld, folder: Path) -> AgentStage:
        """Put an agent's machine beside a world, for its push bridge."""
        bridge = world.directory.current.bridges_by_id[world.other_line.bridge_id]
        return cls(world=world, bridge=bridge, folder=folder, wire=Wire(world.api.with_token(None)))

    def draw(self) -> str:
        """Draw a name or an id."""
        return f"{self._chance.getrandbits(64):016x}"

    def link(self) -> HubLink:
        """The bridge's way to the hub."""
        identity = Identity(
            hub=HUB, bridge=id_text(Prefix.BRIDGE, self.bridge.id), secret=self.bridge.secrets[0].text
        )
        link = HubLink(identity, self.wire, self.world.clock, self.draw)
        if self.sockets is not None:
            pauses = Pauses(asyncio.sleep, lambda: 0.0, first_seconds=0.01, longest_seconds=0.01)
            clock = self.world.clock
            link.prefer(
                HubSocket(HUB, self.sockets, link.signed, clock=clock, draw_id=self.draw, pauses=pauses)
            )
        return link

    def with_sockets(self) -> PlayedSockets:
        """Let agents open WebSockets from now on."""
        self.sockets = PlayedSockets(
            self.world.api.app, asked=self.wire.asked, answered=self.wire.answered, cut=self._cut
        )
        return self.sockets

    def _cut(self, word: str) -> bool | None:
        return self.wire.cut(word)

    def a_send(self) -> Operation:
        """A message that the line's bridge is to send."""
        line = self.world.other_line.handle
        return Operation(
            outbox_id=self.world.new_id(),
            line_handle=line,
            kind=OperationKind.SEND,
            payload={"from": line, "to": "+15550100001", "text": "hello"},
            dispatched_at=self.world.clock.now_ms(),
        )

    def remote(self) -> RemoteAdapter:
        """The hub's side: what its worker asks."""
        parts = RemoteParts(
            calls=self.world.store.bridge_calls,
            clock=self.world.clock,
            bell=self.world.parts.bell,
            new_id=self.world.new_id,
            policy=self.policy,
        )
        return RemoteAdapter(self.bridge.id, "sandbox", parts)

    @contextlib.asynccontextmanager
    async def agent(
        self, adapter: BridgeAdapter, *, folder: Path | None = None
    ) -> AsyncIterator[asyncio.Task[None]]:
        """Run an agent for a block, from its first hello; at the end it dies as if it were killed."""
        journal, link = Journal(folder or self.folder, self.draw), self.link()
        told = ToldRefusals(link, lambda: Pauses(asyncio.sleep, lambda: 0.0))
        parts = AgentParts(
            kind="sandbox",
            adapter=adapter,
            link=link,
            journal=journal,
            clock=self.world.clock,
            sleep=self.sleep,
            secret=self.secret,
            draw=lambda: 0.0,
            draw_id=self.draw,
            refused=RefusedBook(keep=told.keep, clock=self.world.clock, new_id=itertools.count(1).__next__),
        )
        agent = Agent(parts)
        running = asyncio.get_running_loop().create_task(agent.run(asyncio.Event()))
        try:
            async with asyncio.timeout(10):
                await agent.welcomed.wait()
                while self.sockets and not self.sockets.refuses and not (link.socket and link.socket.is_open):  # noqa: ASYNC110 - it has no bell
                    await asyncio.sleep(0.001)
            yield running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            journal.close()
