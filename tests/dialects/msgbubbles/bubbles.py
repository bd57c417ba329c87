"""What the tests of MsgBubbles share: a client, its messages, and golden answers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hub.dialects.msgbubbles import DIALECT
from hub.flow.keys import KeyWish
from tests.support.asgi import Answered, Caller
from tests.support.hub_world import CONTACT, SANDBOX_LINE, HubWorld

GOLDEN = Path(__file__).parent / "golden"
SECOND, THIRD = "+15550100002", "+15550100003"
#: Magic numbers of the sandbox.
BY_SMS, UNREACHABLE, OFFLINE = "+15550100302", "+15550100404", "+15550100503"
SEND = {"to": CONTACT, "from_handle": SANDBOX_LINE, "text": "your order shipped!"}
#: Of the right form, and none of ours.
FOREIGN = "0d4b1f3a-0000-4000-8000-000000000000"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_VARIES = (
    (UUID, "UUID"),
    (TIME, "TIME"),
    (re.compile(r"req_\w+"), "req_"),
    (re.compile(r"whsec_\S+"), "whsec_"),
)
_LINK = re.compile(r"https?://\S+")


async def a_client(world: HubWorld, **wish: Any) -> Caller:
    """A client with a key of this dialect."""
    made = KeyWish(**{"name": "bubbles", "scopes": DIALECT.scopes, "dialect": DIALECT.name, **wish})
    return world.api.with_token((await world.keys.create(made)).text)


def told(answered: Answered) -> tuple[int, str]:
    """Status and code of an error in the flat envelope, which is checked."""
    body = answered.json
    assert set(body) == {"error", "message", "request_id"}, body
    assert isinstance(body["error"], str), body
    assert isinstance(body["message"], str), body
    assert body["request_id"] == answered.headers["x-request-id"]
    assert body["request_id"].startswith("req_")
    return answered.status, body["error"]


def golden(name: str, body: Any) -> None:
    """Compare an answer with what is kept, ids, times and addresses aside."""
    kept = json.loads((GOLDEN / f"{name}.json").read_text())
    assert kept == _plain(body)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if not isinstance(value, str):
        return value
    if _LINK.fullmatch(value):
        return "URL" if "127.0.0.1" in value else value
    return next((word for form, word in _VARIES if form.fullmatch(value)), value)


async def sent(client: Caller, *, headers: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """Send; give the message."""
    answered = await client.post("/v1/messages", {**SEND, **more}, headers=headers)
    assert answered.status == 202, answered.body
    message: dict[str, Any] = answered.json["data"]
    return message


async def read(client: Caller, path: str) -> dict[str, Any]:
    """Read one thing."""
    answered = await client.get(path)
    assert answered.status == 200, answered.body
    data: dict[str, Any] = answered.json["data"]
    return data


async def group(client: Caller, *people: str, **more: Any) -> dict[str, Any]:
    """Make a group; give the chat."""
    body = {
        "from_handle": SANDBOX_LINE,
        "addresses": people or (CONTACT, SECOND),
        "message": "Hello both",
        **more,
    }
    answered = await client.post("/v1/chats", body)
    assert answered.status == 201, answered.body
    chat: dict[str, Any] = answered.json["data"]
    return chat


def form(*files: tuple[str, str, bytes]) -> tuple[bytes, dict[str, str]]:
    """A form with files (name, type, bytes), and its header."""
    place = '--x\r\nContent-Disposition: form-data; name="file"; filename="{}"\r\nContent-Type: {}\r\n\r\n'
    parts = [place.format(name, kind).encode() + content + b"\r\n" for name, kind, content in files]
    return b"".join(parts) + b"--x--\r\n", {"Content-Type": "multipart/form-data; boundary=x"}


async def staged(client: Caller, count: int = 1) -> list[str]:
    """Stage files; give their ids."""
    body, headers = form(*((f"{n}.txt", "text/plain", f"file {n}".encode()) for n in range(count)))
    answered = await client.post("/v1/attachments", body, headers=headers)
    assert answered.status == 201, answered.body
    return [each["id"] for each in answered.json["data"]]


def quoted(handle: str) -> str:
    """A handle in a path or a query."""
    return quote(handle, safe="")
