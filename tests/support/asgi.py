"""Call an ASGI application as a server would: real scopes, real messages, no socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from hub.api.parts import Application


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """An answer as it went over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str | None:
        """The code of an error's envelope."""
        code: str | None = self.json.get("error", {}).get("code")
        return code

    @property
    def param(self) -> str | None:
        """The `param` of an error's envelope; None if it has no such key."""
        param: str | None = self.json["error"].get("param")
        return param


class HungUp(Exception):
    """The client went away before it was answered."""


class Caller:
    """A client in the same process. `calls` counts what it sent."""

    def __init__(self, app: Application, *, token: str | None = None) -> None:
        self._app = app
        self._token = token

    @property
    def app(self) -> Application:
        """What is asked."""
        return self._app

    @property
    def token(self) -> str | None:
        """The key that it asks with."""
        return self._token

    def with_token(self, token: str | None) -> Caller:
        """The same application, asked with another key."""
        return Caller(self._app, token=token)

    def of(self, app: Application) -> Caller:
        """Another application, asked with the same key."""
        return Caller(app, token=self._token)

    async def get(self, path: str, **more: Any) -> Answered:
        return await self.request("GET", path, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> Answered:
        return await self.request("POST", path, body=body, **more)

    async def patch(self, path: str, body: Any = None, **more: Any) -> Answered:
        return await self.request("PATCH", path, body=body, **more)

    async def delete(self, path: str, body: Any = None, **more: Any) -> Answered:
        return await self.request("DELETE", path, body=body, **more)

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        chunks: Sequence[bytes] | None = None,
        gone: asyncio.Event | None = None,
        is_unfinished: bool = False,
    ) -> Answered:
        """Send one request.

        Args:
            method: As on the request line.
            path: With its query, percent-encoded; latin-1 stands for raw bytes.
            body: Bytes as they are; anything else as JSON; None for an empty body.
            headers: Beside `Authorization`.
            chunks: The body in pieces, instead of `body`.
            gone: Once set, the client has hung up.
            is_unfinished: The body goes on after the chunks, and nothing more comes.

        Raises:
            HungUp: Nothing was answered to a client that is no longer there.
        """
        raw_path, _, query = path.partition("?")
        sent = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in (headers or {}).items()
        ]
        if self._token is not None and all(name != b"authorization" for name, _ in sent):
            sent.append((b"authorization", f"Bearer {self._token}".encode("latin-1")))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(raw_path, encoding="utf-8", errors="replace"),
            "raw_path": raw_path.encode("latin-1"),
            "query_string": query.encode("latin-1"),
            "root_path": "",
            "headers": sent,
            "client": ("127.0.0.1", 40000),
            "server": ("127.0.0.1", 8080),
        }
        pieces = list(chunks) if chunks is not None else [_encoded(body)]
        return await _exchange(self._app, scope, pieces, gone, is_unfinished=is_unfinished)


def _encoded(body: Any) -> bytes:
    if body is None:
        return b""
    return body if isinstance(body, bytes) else json.dumps(body).encode()


async def _exchange(
    app: Application,
    scope: dict[str, Any],
    chunks: list[bytes],
    gone: asyncio.Event | None,
    *,
    is_unfinished: bool,
) -> Answered:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not chunks:
            await (gone or asyncio.Event()).wait()
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks) or is_unfinished}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    if not sent:
        raise HungUp
    start, *rest = sent
    body = b"".join(message.get("body", b"") for message in rest)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in start["headers"]}
    return Answered(status=start["status"], headers=headers, body=body)
