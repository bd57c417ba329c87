"""Uploads over the API, and reads at the addresses that come of them."""

from __future__ import annotations

from typing import Any

from tests.support.asgi import Answered
from tests.support.file_parts import BASE_URL
from tests.support.hub_world import HubWorld

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(50)


async def upload(world: HubWorld, content: bytes = b"hello", **headers: str) -> dict[str, Any]:
    sent = {"Content-Type": "text/plain", "X-Filename": "a.txt"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    answered = await world.api.post("/v1/files", content, headers=sent)
    assert answered.status == 201, answered.body
    stored: dict[str, Any] = answered.json
    return stored


def path_of(url: str) -> str:
    assert url.startswith(f"{BASE_URL}/v1/files/")
    return url.removeprefix(BASE_URL)


async def read(world: HubWorld, url: str, method: str = "GET", **headers: str) -> Answered:
    """Read an address as somebody without a key."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return await world.api.with_token(None).request(method, path_of(url), headers=sent)
