"""A provider on the loopback: answers what an exchange says, and notes what it was asked, whatever host was meant.

Requests go the whole way, through the engine and the guarded client; only the last hop leads here.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from hub.flow.calling import Call, Reply
from hub.outbound.calling import GuardedCaller
from hub.outbound.limits import OutboundLimits
from hub.rules.egress import read_allow_list
from tests.outbound.receivers import Visit, listening
from tests.support.calling import local_client


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as it came over the wire."""

    method: str
    #: As the engine meant it, without the query.
    url: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass
class Provider:
    """What answers, and what it was asked."""

    answers: list[Mapping[str, Any]]
    asked: list[Asked] = field(default_factory=list)
    #: What no answer was left for.
    surplus: int = 0


class _Rerouted:
    """Sends requests to the loopback, and remembers where they were meant to go."""

    def __init__(self, caller: GuardedCaller, port: int) -> None:
        self._caller = caller
        self._port = port
        self.meant: list[str] = []

    async def send(self, call: Call) -> Reply:
        parts = urlsplit(call.url)
        self.meant.append(f"{parts.scheme}://{parts.netloc}")
        here = urlunsplit(("http", f"127.0.0.1:{self._port}", parts.path, parts.query, ""))
        return await self._caller.send(replace(call, url=here))


@asynccontextmanager
async def providing(answers: Sequence[Mapping[str, Any]]) -> AsyncIterator[tuple[Provider, _Rerouted]]:
    """Run a provider that gives these answers in turn."""
    provider = Provider(list(answers))
    limits = OutboundLimits(deadline_tick_seconds=0.01, idle_sweep_seconds=0.01)
    client = local_client(read_allow_list(["127.0.0.0/8"]), limits=limits)
    meant: list[str] = []

    async def behave(visit: Visit) -> None:
        while (raw := await visit.read_request()) is not None:
            provider.asked.append(_read(raw, meant[len(provider.asked)]))
            if not provider.answers:
                provider.surplus += 1
                await visit.send(b"HTTP/1.1 599 Nobody expected this\r\nContent-Length: 0\r\n\r\n")
                continue
            answer = provider.answers.pop(0)
            if answer.get("drop"):
                visit.reset()
                return
            if answer.get("hang"):
                await visit.closed_by_client()
                return
            await visit.send(_written(answer))

    async with listening(behave) as receiver:
        rerouted = _Rerouted(GuardedCaller(client), receiver.port)
        meant = rerouted.meant
        try:
            yield provider, rerouted
        finally:
            await client.aclose()


def _read(raw: bytes, host: str) -> Asked:
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    path, _, query = target.partition("?")
    headers = {}
    for line in lines:
        name, _, value = line.partition(": ")
        headers[name.lower()] = value
    pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    return Asked(method=method, url=host + path, query=pairs, headers=headers, body=body)


def _written(answer: Mapping[str, Any]) -> bytes:
    headers = {str(name).lower(): str(value) for name, value in (answer.get("headers") or {}).items()}
    body = b""
    if "json" in answer:
        headers.setdefault("content-type", "application/json")
        body = json.dumps(answer["json"]).encode()
    elif "text" in answer:
        headers.setdefault("content-type", "text/plain; charset=utf-8")
        body = str(answer["text"]).encode()
    lines = [f"HTTP/1.1 {answer.get('status', 200)} Told"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body
