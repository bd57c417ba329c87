"""What tests of bridges to vendors need: the vendor's API on the loopback, and the surroundings of an adapter."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request

from hub.api.serving import ABORT
from hub.app.connections import Connection
from hub.flow.bridge_kinds import Surroundings
from hub.flow.ports import BridgeAdapter, OutgoingFile
from hub.model.errors import AttachmentGone
from hub.model.ids import IdFactory
from hub.model.observation import Observation
from hub.model.outbox import Operation, OperationKind
from hub.outbound.calling import GuardedCaller
from hub.outbound.client import OutboundClient
from hub.outbound.sockets import GuardedSockets
from hub.rules.egress import EgressPolicy
from tests.support.manual_time import EndOfTime, ManualClock
from tests.worker.time_by_hand import eventually

LINE = "+15550100000"
CONTACT = "+15550100001"
HOOK_URL = "https://hub.example/v1/bridge/hooks/brg_1/s3cret"


@contextlib.asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[str]:
    """Serve on a free port for the length of a block; give the address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, http=Connection, lifespan="off", log_config=None))
        task = asyncio.create_task(server.serve([listener]))
        try:
            await eventually(lambda: server.started)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await asyncio.wait_for(task, 20)


def hang_up(request: Request) -> None:
    """Cut the connection off: whoever asked gets no answer."""
    request.scope["extensions"][ABORT]()


@dataclass
class Shelf:
    """Files that are sent, by id; any that is not listed has a few bytes of a picture."""

    files: dict[str, tuple[str, bytes] | None] = field(default_factory=dict)
    #: How large the hub says that a file is, where that is not what its bytes are.
    sizes: dict[str, int] = field(default_factory=dict)

    async def open_file(self, file_id: str) -> OutgoingFile:
        found = self.files.get(file_id, ("image/png", b"\x89PNG picture"))
        if found is None:
            raise AttachmentGone(f"{file_id} is not among the hub's files")
        mime_type, content = found
        size = self.sizes.get(file_id, len(content))
        return OutgoingFile(
            filename=f"{file_id}.bin", mime_type=mime_type, size=size, chunks=_pieces(content)
        )


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content[:3]
    yield content[3:]


@dataclass
class Links:
    """Addresses of files, while the hub has a public one."""

    base: str | None = "https://hub.example"

    def address(self, file_id: str) -> str | None:
        return None if self.base is None else f"{self.base}/v1/files/{file_id}/content?signature=x"


class Desk:
    """The surroundings of one adapter, and the time that a test moves."""

    def __init__(self, *, rounds: int = 1) -> None:
        self.clock = ManualClock()
        self.client = OutboundClient(EgressPolicy(allow_hosts=frozenset({"127.0.0.1"})))
        self.files, self.links = Shelf(), Links()
        self.lines: list[str] = [LINE]
        self.hook_url: str | None = HOOK_URL
        #: How often somebody may wait before the time is over.
        self.rounds = rounds
        self.waited: list[float] = []
        self._new_id = IdFactory(0, self.clock.now_ms)

    async def _sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.rounds -= 1
        if self.rounds <= 0:
            raise EndOfTime
        self.clock.advance(round(seconds * 1000))

    @property
    def surroundings(self) -> Surroundings:
        return Surroundings(
            clock=self.clock,
            sleep=self._sleep,
            caller=GuardedCaller(self.client),
            sockets=GuardedSockets(self.client),
            files=self.files,
            links=self.links,
            lines=lambda: tuple(self.lines),
            draw=lambda: 0.5,
            hook_url=self.hook_url,
        )

    def operation(self, kind: OperationKind, **payload: object) -> Operation:
        return Operation(
            outbox_id=self._new_id(),
            line_handle=self.lines[0],
            kind=kind,
            payload={"from": self.lines[0], "to": CONTACT, **payload},
            dispatched_at=self.clock.now_ms(),
        )

    def send(self, text: str = "hello", **payload: object) -> Operation:
        return self.operation(OperationKind.SEND, text=text, **payload)

    async def listen(
        self, adapter: BridgeAdapter, *, rounds: int = 1, cursor: str | None = None
    ) -> list[Observation]:
        """Give what an adapter tells until it has waited so often."""
        self.rounds = rounds
        told: list[Observation] = []
        try:
            async for observation in adapter.events(cursor):
                told += observation if isinstance(observation, tuple) else (observation,)
        except EndOfTime:
            return told
        raise AssertionError("the events of a bridge never end")


@contextlib.asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    """Give surroundings whose connections are closed in the end."""
    opened = Desk()
    try:
        yield opened
    finally:
        await opened.client.aclose()
