"""Every request to keep a file is told once, by what became of it (metrics)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from hub.api.surface import build
from tests.outbound.receivers import answering, listening
from tests.support.asgi import Caller, HungUp
from tests.support.file_parts import BASE_URL, MOST_BYTES
from tests.support.hub_world import HubWorld
from tests.support.uploading import PNG

FORM = {"Content-Type": "multipart/form-data; boundary=xXx"}
GONE = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def outcomes() -> list[str]:
    return []


@pytest.fixture
def caller(world: HubWorld, outcomes: list[str]) -> Caller:
    return world.api.of(build(replace(world.parts, on_upload=outcomes.append)))


def a_form(*contents: bytes) -> bytes:
    part = b'--xXx\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n%s\r\n'
    return b"".join(part % content for content in contents) + b"--xXx--\r\n"


@pytest.mark.parametrize(
    ("body", "headers", "outcome"),
    [
        (b"hello", {}, "stored"),
        (b"", {}, "empty_file"),
        (b"x", {"Content-Length": str(MOST_BYTES + 1)}, "payload_too_large"),
        (a_form(b"one", b"two"), FORM, "stored"),
        (a_form(b"one", b""), FORM, "empty_file"),
        (b"none", FORM, "invalid_multipart"),
    ],
)
async def test_uploads(
    caller: Caller, outcomes: list[str], body: bytes, headers: dict[str, str], outcome: str
) -> None:
    await caller.post("/v1/files", body, headers=headers)

    assert outcomes == [outcome]


async def test_announced_files_count_when_their_bytes_come(caller: Caller, outcomes: list[str]) -> None:
    promised = await caller.post("/v1/files/presign", {"filename": "a.txt", "content_type": "text/plain"})
    path = promised.json["upload_url"].removeprefix(BASE_URL)
    assert outcomes == []

    await caller.request("PUT", path, chunks=[b"hello"])
    await caller.request("PUT", path, chunks=[b"hello"])
    await caller.request("PUT", f"{path}x", chunks=[b"hello"])

    assert outcomes == ["stored", "file_already_uploaded", "link_refused"]


async def test_files_fetched_from_an_address(caller: Caller, outcomes: list[str]) -> None:
    found = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n" % len(PNG) + PNG
    for answer in (found, GONE):
        async with listening(answering(answer)) as receiver:
            await caller.post("/v1/files/fetch", {"url": receiver.url("/a.png")})
    await caller.post("/v1/files/fetch", {"url": "http://10.0.0.1/a.png"})

    assert outcomes == ["stored", "fetch_failed", "url_refused"]


async def test_a_client_that_goes_away(caller: Caller, outcomes: list[str]) -> None:
    gone = asyncio.Event()
    gone.set()

    with pytest.raises(HungUp):
        await caller.request("POST", "/v1/files", chunks=[b"hel"], is_unfinished=True, gone=gone)

    assert outcomes == ["disconnected"]


async def test_a_fault_of_ours(caller: Caller, outcomes: list[str], tmp_path: Path) -> None:
    (tmp_path / "files").write_text("in the way")
    answered = await caller.post("/v1/files", b"hello")

    assert (answered.status, outcomes) == (503, ["failed"])
