"""WebSockets: opened under the guard, whole messages within limits, and every end is told."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from hub.flow.calling import CallFailed, SocketCall, SocketRefused
from hub.outbound import OutboundClient
from hub.outbound.sockets import GuardedSockets
from hub.rules.egress import EgressPolicy, read_allow_list
from tests.outbound.certificates import Authority
from tests.outbound.conftest import MakeClient, Names
from tests.outbound.receivers import Behaviour, Visit, answering, listening
from tests.outbound.test_proxying import tunnelling

SILENT = logging.Logger("silent")
SILENT.disabled = True


@dataclass
class Peer:
    """The other side of an open socket."""

    visit: Visit
    protocol: ServerProtocol
    request: Request

    async def flush(self) -> None:
        for data in self.protocol.data_to_send():
            if data:
                await self.visit.send(data)

    async def raw(self, frame: Frame) -> None:
        await self.visit.send(frame.serialize(mask=False))

    async def frames(self) -> list[Frame]:
        """Wait for what comes next; nothing when the client is gone."""
        while True:
            data = await self.visit.reader.read(65_536)
            if not data:
                return []
            self.protocol.receive_data(data)
            await self.flush()
            if found := [each for each in self.protocol.events_received() if isinstance(each, Frame)]:
                return found


Talk = Callable[[Peer], Awaitable[None]]


def speaking(talk: Talk) -> Behaviour:
    """Open the WebSocket, then talk."""

    async def behave(visit: Visit) -> None:
        protocol = ServerProtocol(logger=SILENT)
        protocol.receive_data(await visit.reader.readuntil(b"\r\n\r\n"))
        (request,) = protocol.events_received()
        assert isinstance(request, Request)
        protocol.send_response(protocol.accept(request))
        peer = Peer(visit, protocol, request)
        await peer.flush()
        await talk(peer)

    return behave


async def echo(peer: Peer) -> None:
    while frames := await peer.frames():
        for frame in frames:
            if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
                await peer.raw(Frame(frame.opcode, frame.data))
        if peer.protocol.state is not State.OPEN:
            return


async def stay_silent(peer: Peer) -> None:
    await asyncio.Event().wait()


def sending(*frames: Frame) -> Talk:
    async def talk(peer: Peer) -> None:
        for frame in frames:
            await peer.raw(frame)
        await peer.frames()

    return talk


def text(data: bytes, *, fin: bool = True, opcode: Opcode = Opcode.TEXT) -> Frame:
    return Frame(opcode, data, fin)


async def first(client: OutboundClient, url: str, **more: float) -> str | bytes:
    call = SocketCall(url=url, **more)  # type: ignore[arg-type]  # passed through
    async with GuardedSockets(client).connect(call) as socket:
        return await socket.receive()


async def end_of(client: OutboundClient, url: str, **more: float) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        await first(client, url, **more)
    return caught.value


async def test_text_and_bytes_go_both_ways(client: OutboundClient) -> None:
    async with (
        listening(speaking(echo)) as receiver,
        GuardedSockets(client).connect(SocketCall(url=receiver.url(scheme="ws"))) as socket,
    ):
        for message in ("héllo", b"\x00\xff", "", "x" * 200_000):
            await socket.send(message)

            assert await socket.receive() == message

    assert client.open_connections == 0


async def test_path_query_headers_and_our_name_are_sent(client: OutboundClient) -> None:
    asked: list[Request] = []

    async def talk(peer: Peer) -> None:
        asked.append(peer.request)
        await peer.raw(text(b"ok"))
        await peer.frames()

    async with listening(speaking(talk)) as receiver:
        call = SocketCall(
            url=receiver.url("/socket.io/?EIO=4&guid=a%20b", scheme="ws"), headers=((b"X-A", b"1"),)
        )
        async with GuardedSockets(client).connect(call) as socket:
            await socket.receive()

    assert asked[0].path == "/socket.io/?EIO=4&guid=a%20b"
    assert asked[0].headers["X-A"] == "1"
    assert asked[0].headers["User-Agent"] == "Hub"
    assert asked[0].headers["Host"] == f"127.0.0.1:{receiver.port}"


async def test_tls_is_verified_against_the_name(
    make_client: MakeClient, authority: Authority, trusting: ssl.SSLContext
) -> None:
    names = Names({"receiver.test": ("127.0.0.1",), "other.test": ("127.0.0.1",)})
    client = make_client(tls=trusting, resolver=names)
    tls = authority.server("receiver.test")
    async with listening(speaking(sending(text(b"hi"))), tls=tls) as receiver:
        answer = await first(client, receiver.url(scheme="wss", host="receiver.test"))
        error = await end_of(client, receiver.url(scheme="wss", host="other.test"))

        assert answer == "hi"
        assert error.kind == "not_sent"
        assert "certificate" in error.detail


@pytest.mark.parametrize("scheme", ["ws", "wss"])
async def test_the_proxy_is_asked_for_a_tunnel(
    make_client: MakeClient, authority: Authority, trusting: ssl.SSLContext, scheme: str
) -> None:
    tls = authority.server("receiver.test") if scheme == "wss" else None
    async with (
        listening(speaking(sending(text(b"hi"))), tls=tls) as receiver,
        listening(tunnelling(receiver.port)) as proxy,
    ):
        policy = read_allow_list(["127.0.0.0/8"], allow_http="always")
        client = make_client(policy, tls=trusting, proxy=proxy.url("").rstrip("/"), resolver=Names())

        assert await first(client, f"{scheme}://receiver.test/feed") == "hi"
        assert proxy.requests[0].startswith(b"CONNECT receiver.test:")


async def test_an_address_that_may_not_be_called_is_refused(make_client: MakeClient) -> None:
    client = make_client(EgressPolicy(), resolver=Names({"inside.test": ("10.0.0.1",)}))

    assert (await end_of(client, "wss://inside.test/")).kind == "refused"
    assert (await end_of(client, "ws://127.0.0.1/")).kind == "refused"
    assert (await end_of(client, "ftp://127.0.0.1/")).kind == "refused"


async def test_a_header_cannot_end_its_line(client: OutboundClient) -> None:
    async with listening(speaking(echo)) as receiver:
        call = SocketCall(url=receiver.url(scheme="ws"), headers=((b"X-A", b"1\r\nX-B: 2"),))
        with pytest.raises(CallFailed) as caught:
            async with GuardedSockets(client).connect(call):
                pass

    assert caught.value.kind == "refused"


async def test_another_answer_is_told_with_its_status(client: OutboundClient) -> None:
    async with listening(answering(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno")) as receiver:
        error = await end_of(client, receiver.url(scheme="ws"))

    assert isinstance(error, SocketRefused)
    assert (error.status, error.kind) == (401, "not_sent")


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: d3Jvbmc=\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n" + b"x: y\r\n" * 5_000 + b"\r\n",
    ],
    ids=["no http", "wrong key", "too many headers"],
)
async def test_what_opens_no_websocket_is_no_socket(client: OutboundClient, answer: bytes) -> None:
    async with listening(answering(answer)) as receiver:
        error = await end_of(client, receiver.url(scheme="ws"))

    assert error.kind == "no_http"


async def test_opening_has_its_time(client: OutboundClient) -> None:
    async with listening(answering(b"")) as receiver:
        error = await end_of(client, receiver.url(scheme="ws"), timeout_seconds=0.05)

    assert (error.kind, error.detail) == ("not_sent", "no WebSocket was opened in time")


async def test_pieces_become_one_message(client: OutboundClient) -> None:
    whole = "grüß".encode()
    frames = (
        text(whole[:3], fin=False),
        Frame(Opcode.PING, b"?"),
        text(whole[3:], opcode=Opcode.CONT),
    )
    async with listening(speaking(sending(*frames))) as receiver:
        assert await first(client, receiver.url(scheme="ws")) == "grüß"


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        ((text(b"x" * 101),), "longer than 100 bytes"),
        ((text(b"x" * 60, fin=False), text(b"x" * 60, opcode=Opcode.CONT)), "longer than 100 bytes"),
        ((text(b"\xff"),), "no UTF-8"),
        ((text(b"x", opcode=Opcode.CONT),), "not of a WebSocket"),
        ((Frame(Opcode.CLOSE, b"\x03\xe9bye"),), "closed the WebSocket (1001)"),
    ],
    ids=["too long", "too long in pieces", "no text", "no beginning", "goodbye"],
)
async def test_how_it_ends_is_told(client: OutboundClient, frames: tuple[Frame, ...], why: str) -> None:
    async with listening(speaking(sending(*frames))) as receiver:
        error = await end_of(client, receiver.url(scheme="ws"), max_message_bytes=100)

    assert error.kind == "unknown"
    assert why in error.detail


async def test_what_came_before_the_end_is_given_first(client: OutboundClient) -> None:
    async def talk(peer: Peer) -> None:
        await peer.raw(text(b"last words"))
        peer.visit.reset()

    async with (
        listening(speaking(talk)) as receiver,
        GuardedSockets(client).connect(SocketCall(url=receiver.url(scheme="ws"))) as socket,
    ):
        assert await socket.receive() == "last words"
        with pytest.raises(CallFailed, match="lost"):
            await socket.receive()
        with pytest.raises(CallFailed):
            await socket.send("hello?")


async def test_silence_is_an_end_and_an_answered_ping_is_none(client: OutboundClient) -> None:
    async def answer_pings(peer: Peer) -> None:
        for _ in range(3):
            await peer.frames()
        await peer.raw(text(b"still here"))
        await peer.frames()

    async with listening(speaking(stay_silent)) as receiver:
        error = await end_of(client, receiver.url(scheme="ws"), silence_seconds=0.1)
        assert "nothing was heard" in error.detail

    async with listening(speaking(answer_pings)) as receiver:
        assert await first(client, receiver.url(scheme="ws"), silence_seconds=0.4) == "still here"


async def test_a_slow_consumer_makes_the_sender_wait(client: OutboundClient) -> None:
    sent = 0

    async def talk(peer: Peer) -> None:
        nonlocal sent
        for _ in range(400):
            await peer.raw(text(b"x" * 100_000))
            sent += 1
        await peer.frames()

    async with (
        listening(speaking(talk)) as receiver,
        GuardedSockets(client).connect(SocketCall(url=receiver.url(scheme="ws"))) as socket,
    ):
        await asyncio.sleep(0.3)
        held_up_at = sent
        for _ in range(400):
            assert len(await socket.receive()) == 100_000

    assert held_up_at < 300


async def test_another_policy_ends_what_it_did_not_vet(client: OutboundClient) -> None:
    async with listening(speaking(stay_silent)) as receiver:
        call = SocketCall(url=receiver.url(scheme="ws"), silence_seconds=0.4)
        async with GuardedSockets(client).connect(call) as socket:
            client.use_policy(EgressPolicy())
            with pytest.raises(CallFailed, match="rules"):
                await socket.receive()


async def test_it_ends_with_the_client(make_client: MakeClient) -> None:
    client = make_client()
    async with (
        listening(speaking(stay_silent)) as receiver,
        GuardedSockets(client).connect(SocketCall(url=receiver.url(scheme="ws"))) as socket,
    ):
        waiting = asyncio.create_task(socket.receive())
        await asyncio.sleep(0)
        await client.aclose()

        with pytest.raises(CallFailed):
            await waiting


async def test_the_package_logs_nothing(client: OutboundClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with listening(speaking(sending(text(b"words")))) as receiver:
        await first(client, receiver.url("/?guid=hunter2", scheme="ws"))

    assert "hunter2" not in caplog.text
    assert "words" not in caplog.text
