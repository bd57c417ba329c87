"""An attachment of 64 MiB comes in from every network that is asked for it, and the hub holds next to nothing of it."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bridge.registry import KINDS
from hub.files.folder import FolderBlobs
from hub.flow.bridge_settings import read_settings
from hub.flow.closing import closing
from hub.flow.file_intake import Claims
from hub.flow.file_store import Content, Filling
from hub.model.errors import InvalidRequest
from tests.bridge.networks import LINE, desk, serving
from tests.support.file_parts import intake
from tests.support.hub_world import HubWorld, open_world

MIB = 1_048_576
SIZE = 64 * MIB
#: A quarter of the file, and far more than what is on its way at a time.
MOST_HELD = SIZE // 4
PIECE = MIB // 4
KEY = "k-123456789"
#: How a film begins, whatever its sender calls it.
FILM = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"


@dataclass(frozen=True)
class Case:
    """A kind of bridge, its settings, and how it calls an attachment."""

    kind: str
    settings: Callable[[str], dict[str, Any]]
    ref: str


CASES = (
    Case(kind="bluebubbles", settings=lambda url: {"url": url, "password": KEY}, ref="at_1"),
    Case(
        kind="smsgate",
        settings=lambda url: {"url": url, "username": "me", "password": KEY, "signing_key": KEY},
        ref="m1/1",
    ),
    Case(
        kind="twilio",
        settings=lambda url: {"api_url": url, "account_sid": f"AC{'0' * 32}", "auth_token": KEY},
        ref=f"Messages/MM{'0' * 32}/Media/ME{'0' * 32}",
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
        ref="777",
    ),
)


async def give(request: Request) -> Response:
    """Give the film; WhatsApp first says where it is."""
    if request.url.path.endswith("/777"):
        return JSONResponse({"url": f"{request.base_url}film"})
    return StreamingResponse(_film())


async def _film() -> AsyncIterator[bytes]:
    yield FILM.ljust(PIECE, b"\x00")
    for number in range(1, SIZE // PIECE):
        yield bytes([number]) * PIECE


async def bring(case: Case, world: HubWorld, folder: Path, *, most_bytes: int) -> Content:
    """Take an attachment in, from the network into a folder."""
    found: list[Content] = []

    async def settle(content: Content) -> Filling:
        found.append(content)
        return Filling.DONE

    app = Starlette(routes=[Route("/{path:path}", give)])
    taking = intake(world.store, FolderBlobs(folder), world.clock, world.new_id, most_bytes=most_bytes)
    async with serving(app) as url, desk() as opened:
        kind = KINDS[case.kind]
        adapter = kind.open(read_settings(kind, case.settings(url)), opened.surroundings)
        async with closing(adapter.open_attachment(case.ref)) as chunks:
            await taking.take(chunks, Claims(mime_type="image/png"), settle)
    (content,) = found
    return content


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    async with open_world(tmp_path) as world:
        yield world


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)
async def test_it_comes_through_little_memory(case: Case, world: HubWorld, tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        content = await bring(case, world, tmp_path / "kept", most_bytes=SIZE)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert (content.blob.size, content.mime_type) == (SIZE, "video/mp4")
    assert peak < MOST_HELD


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)
async def test_one_that_is_too_large_is_left_in_the_middle(
    case: Case, world: HubWorld, tmp_path: Path
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await bring(case, world, tmp_path / "kept", most_bytes=MIB)

    assert caught.value.code == "payload_too_large"
    assert not [path for path in (tmp_path / "kept").rglob("*") if path.is_file()]
