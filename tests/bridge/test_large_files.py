"""A file of 64 MiB goes out through every bridge that uploads files, and the hub holds next to nothing of it."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bridge.registry import KINDS
from hub.flow.bridge_settings import read_settings
from hub.flow.ports import BridgeAdapter, OutgoingFile
from hub.model.errors import BlobMissing, StoreUnavailable
from hub.model.outbox import Disposition, OperationOutcome
from tests.bridge.networks import LINE, Desk, desk, serving

MIB = 1_048_576
SIZE = 64 * MIB
#: A quarter of the file, and far more than what is on its way at a time.
MOST_HELD = SIZE // 4
PIECE = MIB // 4
KEY = "k-123456789"


@dataclass
class Network:
    """Takes anything in, counts its bytes without keeping them, and answers by the path's end."""

    answers: Mapping[str, Any]
    most_bytes: int = 0

    async def take(self, request: Request) -> Response:
        count = 0
        async for piece in request.stream():
            count += len(piece)
        self.most_bytes = max(count, self.most_bytes)
        path = request.url.path
        found: Any = next((each for end, each in self.answers.items() if path.endswith(end)), {})
        return JSONResponse(found)


@dataclass
class LargeFile:
    """The hub's files: one large one, whose bytes are made while they are read; reading may end badly."""

    ends: Exception | None = None

    async def open_file(self, file_id: str) -> OutgoingFile:
        return OutgoingFile(filename="film.mp4", mime_type="video/mp4", size=SIZE, chunks=self._chunks())

    async def _chunks(self) -> AsyncIterator[bytes]:
        for number in range(SIZE // PIECE):
            if self.ends is not None and number == 8:
                raise self.ends
            await asyncio.sleep(0)
            yield bytes([number]) * PIECE


@dataclass(frozen=True)
class Case:
    """A kind of bridge, its settings and what its network answers to what."""

    kind: str
    settings: Callable[[str], dict[str, Any]]
    answers: Mapping[str, Any]


def _good(data: Any) -> dict[str, Any]:
    return {"status": 200, "message": "Success", "data": data}


CASES = (
    Case(
        kind="bluebubbles",
        settings=lambda url: {"url": url, "password": KEY},
        answers={
            "/server/info": _good({"private_api": False, "server_version": "1.9.9", "os_version": "14.0"}),
            "/message/attachment": _good({"guid": "guid-1"}),
            "": _good({"guid": "chat-1"}),
        },
    ),
    Case(
        kind="messages-dev",
        settings=lambda url: {"api_url": url, "api_key": KEY},
        answers={"/v1/files": {"id": "fil_1"}, "/v1/messages": {"id": "obx_1"}},
    ),
    Case(
        kind="msgbubbles",
        settings=lambda url: {"api_url": url, "api_key": KEY},
        answers={"/attachments": {"data": [{"id": "att_1"}]}, "/messages": {"data": {"id": "msg_1"}}},
    ),
    Case(
        kind="whatsapp",
        settings=lambda url: {
            "api_url": url,
            "access_token": KEY,
            "app_secret": KEY,
            "verify_token": KEY,
            "phone_numbers": {LINE: "123456"},
        },
        answers={"/media": {"id": "1"}, "/messages": {"messages": [{"id": "wamid.1"}]}},
    ),
)


def adapter_of(case: Case, opened: Desk, url: str, files: LargeFile) -> BridgeAdapter:
    opened.files = files  # type: ignore[assignment]  # in the place of small ones
    opened.rounds = 100
    kind = KINDS[case.kind]
    return kind.open(read_settings(kind, case.settings(url)), opened.surroundings)


async def send(case: Case, files: LargeFile) -> tuple[OperationOutcome, Network]:
    network = Network(case.answers)
    methods = ["DELETE", "GET", "POST", "PUT"]
    app = Starlette(routes=[Route("/{path:path}", network.take, methods=methods)])
    async with serving(app) as url, desk() as opened:
        adapter = adapter_of(case, opened, url, files)
        return await adapter.perform(opened.send(text="", attachments=["file_1"])), network


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)
async def test_it_goes_through_little_memory(case: Case) -> None:
    tracemalloc.start()
    try:
        outcome, network = await send(case, LargeFile())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert network.most_bytes >= SIZE, outcome
    assert outcome.disposition not in (Disposition.REJECTED, Disposition.NOT_STARTED)
    assert peak < MOST_HELD


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)
@pytest.mark.parametrize(
    ("ends", "disposition", "code"),
    [
        (BlobMissing("it is lost"), Disposition.REJECTED, "file_unavailable"),
        (StoreUnavailable("the disk is away"), Disposition.NOT_STARTED, "files_away"),
    ],
    ids=["lost", "away"],
)
async def test_what_cannot_be_read_to_its_end_was_not_sent(
    case: Case, ends: Exception, disposition: Disposition, code: str
) -> None:
    outcome, network = await send(case, LargeFile(ends))

    assert (outcome.disposition, outcome.code) == (disposition, code)
    assert network.most_bytes < SIZE
