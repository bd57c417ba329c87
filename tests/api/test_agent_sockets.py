"""GET /v1/bridge/connect, by the real server: who gets a socket, what ends one, and that it never decides anything."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.agent.link import HubLink, Identity
from hub.api.agent_sockets import MOST_AT_ONCE, AgentSockets
from hub.api.envelope import native_error
from hub.api.usecases import use_cases
from hub.flow.calling import CallFailed, Socket, SocketCall, SocketRefused
from hub.model.ids import Prefix, id_text
from hub.outbound.calling import GuardedCaller
from hub.outbound.client import OutboundClient
from hub.outbound.sockets import GuardedSockets
from tests.support.calling import local_client
from tests.support.hub_world import HubWorld, open_world
from tests.support.served import Served, served
from tests.worker.time_by_hand import eventually

HELLO = {"agent": "a-1", "version": "0.1.0", "kind": "sandbox", "capabilities": ["text"]}


class Machine:
    """An agent's machine, before a real server."""

    def __init__(self, hub: Served, client: OutboundClient) -> None:
        world, self.url, self.client = hub.world, hub.url, client
        self.world, self.hub = world, hub
        self.bridge = world.directory.current.bridges_by_id[world.other_line.bridge_id]
        identity = Identity(
            hub=hub.url, bridge=id_text(Prefix.BRIDGE, self.bridge.id), secret=self.bridge.secrets[0].text
        )
        self._count = 0
        self.link = HubLink(identity, GuardedCaller(client), world.clock, self.draw)

    def draw(self) -> str:
        self._count += 1
        return f"id-{self._count}"

    @contextlib.asynccontextmanager
    async def socket(self, *, headers: Mapping[str, str] | None = None) -> AsyncIterator[Socket]:
        signed = self.link.signed(self.draw(), b"") if headers is None else headers
        call = SocketCall(
            url=f"{self.url}/v1/bridge/connect",
            headers=tuple((name.encode(), value.encode()) for name, value in signed.items()),
        )
        async with GuardedSockets(self.client).connect(call) as socket:
            yield socket

    def message(self, word: str, body: Any, *, number: int = 1, text: bytes | None = None) -> bytes:
        raw = json.dumps(body).encode() if text is None else text
        signed = self.link.signed(self.draw(), raw)
        head = {name: value for name, value in signed.items() if name.startswith("webhook")}
        told = json.dumps({"id": number, "word": word, **head}).encode()
        return told[:-1] + b',"body":' + raw + b"}"

    async def ask(self, socket: Socket, word: str, body: Any, *, number: int = 1) -> dict[str, Any]:
        await socket.send(self.message(word, body, number=number))
        answer: dict[str, Any] = json.loads(await asyncio.wait_for(socket.receive(), 10))
        return answer


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    client = local_client()
    try:
        async with open_world(tmp_path) as world, served(world) as hub:
            yield Machine(hub, client)
    finally:
        await client.aclose()


async def end_of(socket: Socket) -> str:
    """Say why nothing comes any more."""
    try:
        while True:
            await asyncio.wait_for(socket.receive(), 10)
    except CallFailed as error:
        return error.detail


async def test_requests_are_answered_by_number_as_by_post(machine: Machine) -> None:
    async with machine.socket() as socket:
        welcomed = await machine.ask(socket, "hello", HELLO, number=7)
        claimed = await machine.ask(socket, "claim", {"fence": 1}, number=8)
        stranger = await machine.ask(socket, "claim", {"fence": 9}, number=9)
        shapeless = await machine.ask(socket, "claim", {"fence": "x"}, number=10)

    assert (welcomed["id"], welcomed["status"], welcomed["body"]["fence"]) == (7, 200, 1)
    assert welcomed["body"]["has_sockets"] is True
    assert (claimed["id"], claimed["body"]["calls"]) == (8, [])
    assert (stranger["status"], stranger["body"]["error"]["code"]) == (409, "bridge_superseded")
    assert (shapeless["status"], shapeless["body"]["error"]["code"]) == (400, "invalid_parameter_value")


async def test_events_are_recorded_over_it_and_a_repetition_by_post_adds_nothing(machine: Machine) -> None:
    event = {
        "v": 1, "line": machine.world.other_line.handle, "kind": "message.received",
        "at": machine.world.clock.now_ms(), "chat": {"key": "dm:+15550100001"}, "actor": "+15550100001",
        "message": {"provider_id": "IN-1", "parts": [{"type": "text", "text": "Hi"}]},
    }  # fmt: skip
    body = json.dumps({"events": [event]}).encode()
    async with machine.socket() as socket:
        told = await machine.ask(socket, "events", {"events": [event]})
    again = json.loads(await machine.link.post("events", body, machine.draw(), timeout_seconds=10))

    assert (told["status"], told["body"]["results"][0]["status"]) == (202, "recorded")
    assert again["results"][0]["status"] == "duplicate"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"webhook-signature": "v1,bm9uZQ=="}, 401),
        ({"webhook-timestamp": "1"}, 401),
        ({"x-bridge-id": "brg_0000000000000"}, 401),
    ],
    ids=["forged", "old", "unknown"],
)
async def test_who_does_not_sign_as_a_bridge_gets_none(
    machine: Machine, change: Mapping[str, str], status: int
) -> None:
    signed = {**machine.link.signed("id", b""), **change}
    with pytest.raises(SocketRefused) as caught:
        async with machine.socket(headers=signed):
            pass

    assert caught.value.status == status


async def test_without_an_upgrade_it_says_what_is_missing(machine: Machine) -> None:
    signed = dict(machine.link.signed("id", b""))
    answered = await machine.world.api.with_token(None).get("/v1/bridge/connect", headers=signed)

    assert (answered.status, answered.code, answered.param) == (400, "invalid_parameter_value", "Upgrade")


@pytest.mark.parametrize(
    "head",
    [
        b"POST /v1/bridge/connect HTTP/1.1\r\nContent-Length: 2\r\n",
        b"GET /v1/bridge/connect HTTP/1.1\r\n",
        b"GET /v1/bridge/connect HTTP/1.1\r\nContent-Length: 2\r\n",
        b"GET /v1/bridge/connect HTTP/1.1\r\nSec-WebSocket-Version: 7\r\n",
        b"GET /v1/bridge/connect HTTP/1.1\r\n" + b"X: y\r\n" * 300,
    ],
    ids=["post", "no-key", "body", "old-version", "many-headers"],
)
async def test_an_upgrade_that_is_none_is_answered_by_http(machine: Machine, head: bytes) -> None:
    port = int(machine.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head + b"Host: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n{}")
    try:
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n"), 10)
    finally:
        writer.close()
        await writer.wait_closed()

    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 405", b"HTTP/1.1 426")), answer[:200]


async def test_no_other_path_opens_one(machine: Machine) -> None:
    call = SocketCall(url=f"{machine.url}/v1/events/stream")
    with pytest.raises(SocketRefused) as caught:
        async with GuardedSockets(machine.client).connect(call):
            pass

    assert caught.value.status == 401


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"{",
        b"[]",
        b'{"id":1}',
        b"[" * 50_000,
        b"\xff\xfe",
        b'{"id":-1,"word":"ack","webhook-id":"a","webhook-timestamp":"1","webhook-signature":"b","body":{}}',
        b'{"id":1,"word":"files","webhook-id":"a","webhook-timestamp":"1","webhook-signature":"b","body":{}}',
        b'{"id":1,"word":"../keys","webhook-id":"a","webhook-timestamp":"1","webhook-signature":"b","body":{}}',
    ],
    ids=["empty", "cut", "list", "bare", "deep", "no-text", "negative", "files", "elsewhere"],
)  # fmt: skip
async def test_what_is_no_message_ends_it(machine: Machine, message: bytes) -> None:
    async with machine.socket() as socket:
        await socket.send(message)

        assert "(1008)" in await end_of(socket)


async def test_a_message_without_a_sound_signature_is_refused_and_ends_it(machine: Machine) -> None:
    async with machine.socket() as socket:
        message = machine.message("claim", {"fence": 1}).replace(b'"fence": 1', b'"fence": 2')
        await socket.send(message)
        answer = json.loads(await asyncio.wait_for(socket.receive(), 10))

        assert (answer["status"], answer["body"]["error"]["code"]) == (401, "invalid_signature")
        assert "(1008)" in await end_of(socket)


async def test_a_message_that_is_too_long_ends_it(machine: Machine) -> None:
    async with machine.socket() as socket:
        await socket.send(b" " * 80_000)

        assert "(1009)" in await end_of(socket)


async def test_of_one_bridge_the_oldest_gives_way(machine: Machine) -> None:
    async with machine.socket() as first, machine.socket() as second, machine.socket() as third:
        assert "(1013)" in await end_of(first)
        for socket in (second, third):
            assert (await machine.ask(socket, "hello", HELLO))["status"] == 200


async def test_one_that_reads_no_answers_is_not_read_for_ever(machine: Machine) -> None:
    """More than so many requests are never under way at once."""
    async with machine.socket() as socket:
        await machine.ask(socket, "hello", HELLO)
        for number in range(MOST_AT_ONCE + 8):
            await socket.send(machine.message("claim", {"fence": 1, "wait_s": 25}, number=number))
        await socket.send(machine.message("hello", HELLO, number=99))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.receive(), 0.1)


async def test_a_hub_that_stops_closes_them_and_waits_for_no_claim(machine: Machine) -> None:
    gauge = machine.world.parts.live.metrics.agent_sockets
    async with machine.socket() as socket:
        await machine.ask(socket, "hello", HELLO)
        await socket.send(machine.message("claim", {"fence": 1, "wait_s": 25}))
        await eventually(lambda: gauge._value.get() == 1)
        machine.hub.stop()

        assert "(1012)" in await end_of(socket)
        await eventually(lambda: gauge._value.get() == 0)


async def test_requests_are_counted_whichever_way_they_came(machine: Machine) -> None:
    counted = machine.world.parts.live.metrics.bridge_requests
    async with machine.socket() as socket:
        await machine.ask(socket, "hello", HELLO)
        await machine.ask(socket, "claim", {"fence": 2})
    await machine.link.post("hello", json.dumps(HELLO).encode(), "by-post", timeout_seconds=10)

    assert counted.labels("hello", "answered")._value.get() == 2
    assert counted.labels("claim", "bridge_superseded")._value.get() == 1


class Door:
    """The door itself, without a server."""

    def __init__(self, world: HubWorld, **more: Any) -> None:
        self.sockets = AgentSockets(
            world.parts, use_cases(world.parts), told=lambda error: native_error(error, "req_1"), **more
        )
        bridge = world.directory.current.bridges_by_id[world.other_line.bridge_id]
        identity = Identity(hub="", bridge=id_text(Prefix.BRIDGE, bridge.id), secret=bridge.secrets[0].text)
        link = HubLink(identity, GuardedCaller(local_client()), world.clock, lambda: "id")
        headers = [(name.encode(), value.encode()) for name, value in link.signed("id", b"").items()]
        self._scope = {"type": "websocket", "path": "/v1/bridge/connect", "headers": headers}
        self.told: list[dict[str, Any]] = []

    async def open(self) -> None:
        """Open a socket over which nothing comes, and stay until it ends."""
        connect = [{"type": "websocket.connect"}]

        async def receive() -> dict[str, Any]:
            if connect:
                return connect.pop()
            await asyncio.Event().wait()
            raise AssertionError("nothing comes")

        async def send(message: Any) -> None:
            self.told.append(message)

        async def nobody(scope: Any, receive: Any, send: Any) -> None:
            raise AssertionError("nothing is asked")

        await self.sockets(self._scope, receive, send, nobody)


async def test_one_over_which_nothing_comes_is_closed(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        door = Door(world, silent_seconds=0.01)
        await door.open()

    assert [each["type"] for each in door.told] == ["websocket.accept", "websocket.close"]
    assert door.told[1]["code"] == 1013


@pytest.mark.parametrize("most", [0, 1])
async def test_more_than_the_process_may_keep_are_refused(tmp_path: Path, most: int) -> None:
    async with open_world(tmp_path) as world:
        limits = replace(world.parts.bridge_limits, most_sockets=most)
        world.parts = replace(world.parts, bridge_limits=limits)
        door = Door(world)
        door.sockets._open = {} if most == 0 else {1: [object()]}  # type: ignore[list-item]  # another bridge's
        await door.open()

    assert (door.told[0]["type"], door.told[0]["status"]) == ("websocket.http.response.start", 429)
    assert json.loads(door.told[1]["body"])["error"]["code"] == "too_many_streams"
