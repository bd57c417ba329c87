"""Calls through a real little proxy, and what the guard still does there."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode

import pytest

from hub.outbound import OutboundClient, OutboundCode, OutboundError
from hub.rules.egress import EgressPolicy
from tests.outbound.certificates import Authority
from tests.outbound.conftest import MakeClient, Names
from tests.outbound.receivers import OK, Behaviour, Visit, answering, listening

CONNECTED = b"HTTP/1.1 200 Connection established\r\n\r\n"


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
    except ConnectionError:
        pass
    finally:
        writer.close()


def tunnelling(port: int) -> Behaviour:
    """Be a CONNECT proxy that finds every name at one port of the loopback."""

    async def behave(visit: Visit) -> None:
        await visit.read_request()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await visit.send(CONNECTED)
        await asyncio.gather(pipe(visit.reader, writer), pipe(reader, visit.writer))

    return behave


async def failure(client: OutboundClient, url: str) -> OutboundError:
    with pytest.raises(OutboundError) as caught:
        await client.post(client.target(url), b"", b"{}")
    return caught.value


async def test_https_goes_through_a_tunnel_and_is_verified_against_the_name(
    make_client: MakeClient, authority: Authority, trusting: ssl.SSLContext
) -> None:
    async with (
        listening(answering(OK), tls=authority.server("receiver.test")) as receiver,
        listening(tunnelling(receiver.port)) as proxy,
    ):
        client = make_client(EgressPolicy(), tls=trusting, proxy=proxy.url("").rstrip("/"), resolver=Names())
        target = client.target("https://receiver.test/hook")
        answers = [await client.post(target, b"", b"{}") for _ in range(2)]
        error = await failure(client, "https://other.test/hook")

        assert [(answer.status, answer.is_reused_connection) for answer in answers] == [
            (200, False),
            (200, True),
        ]
        assert proxy.requests[0] == b"CONNECT receiver.test:443 HTTP/1.1\r\nHost: receiver.test:443\r\n\r\n"
        assert receiver.requests[0].startswith(b"POST /hook HTTP/1.1\r\nHost: receiver.test\r\n")
        assert error.code is OutboundCode.TLS_FAILED


async def test_http_goes_as_an_absolute_url_with_the_proxys_credentials(make_client: MakeClient) -> None:
    async with listening(answering(OK)) as proxy:
        client = make_client(
            EgressPolicy(allow_http="always"),
            proxy=f"http://user:p%40ss@127.0.0.1:{proxy.port}",
            resolver=Names(),
        )
        target = client.target("http://receiver.test:8080/hook?x=1")
        answers = [await client.post(target, b"", b"{}") for _ in range(2)]

        assert [(answer.status, answer.is_reused_connection) for answer in answers] == [
            (200, False),
            (200, True),
        ]
        assert proxy.requests[0].startswith(
            b"POST http://receiver.test:8080/hook?x=1 HTTP/1.1\r\nHost: receiver.test:8080\r\n"
        )
        assert b"\r\nProxy-Authorization: Basic " + b64encode(b"user:p@ss") + b"\r\n" in proxy.requests[0]


@pytest.mark.parametrize(
    ("answer", "is_ours"),
    [
        pytest.param(b"HTTP/1.1 407 Who are you\r\nContent-Length: 3\r\n\r\nno!", True, id="no credentials"),
        pytest.param(b"HTTP/1.1 403 Denied\r\nContent-Length: 0\r\n\r\n", False, id="denied"),
        pytest.param(b"HTTP/1.1 502 No route\r\n\r\n", False, id="unreachable"),
        pytest.param(b"", True, id="closed"),
        pytest.param(b"junk\r\n\r\n", True, id="junk"),
    ],
)
async def test_a_proxy_that_does_not_connect_is_a_failure_of_the_proxy(
    make_client: MakeClient, answer: bytes, is_ours: bool
) -> None:
    async with listening(answering(answer, is_closing=True)) as proxy:
        client = make_client(EgressPolicy(), proxy=f"http://127.0.0.1:{proxy.port}", resolver=Names())
        error = await failure(client, "https://receiver.test/")

        assert (error.code, error.is_ours) == (OutboundCode.PROXY_FAILED, is_ours)


async def test_what_comes_in_the_tunnel_before_our_hello_is_refused(
    make_client: MakeClient, trusting: ssl.SSLContext
) -> None:
    async with listening(answering(CONNECTED + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as proxy:
        client = make_client(
            EgressPolicy(), tls=trusting, proxy=f"http://127.0.0.1:{proxy.port}", resolver=Names()
        )
        error = await failure(client, "https://receiver.test/")

        assert (error.code, error.is_ours) == (OutboundCode.PROXY_FAILED, True)


async def test_a_proxy_that_is_not_there_is_our_fault(make_client: MakeClient) -> None:
    client = make_client(EgressPolicy(), proxy="http://127.0.0.1:1", resolver=Names())
    error = await failure(client, "https://receiver.test/")

    assert (error.code, error.is_ours) == (OutboundCode.PROXY_FAILED, True)


async def test_a_stalled_proxy_ends_at_the_connect_time_out(make_client: MakeClient) -> None:
    async with listening(lambda visit: visit.closed_by_client()) as proxy:
        client = make_client(
            EgressPolicy(),
            proxy=f"http://127.0.0.1:{proxy.port}",
            resolver=Names(),
            limits={"connect_timeout_seconds": 0.05},
        )
        error = await failure(client, "https://receiver.test/")

        assert error.code is OutboundCode.CONNECT_TIMEOUT


async def test_the_guard_still_refuses_literals_and_names_that_it_can_look_up(
    make_client: MakeClient,
) -> None:
    async with listening(answering(OK)) as proxy:
        client = make_client(
            EgressPolicy(),
            proxy=f"http://127.0.0.1:{proxy.port}",
            resolver=Names({"inside.test": ("10.0.0.1",)}),
        )
        with pytest.raises(OutboundError) as caught:
            client.target("https://169.254.169.254/")
        error = await failure(client, "https://inside.test/")

        assert caught.value.code is OutboundCode.URL_REFUSED
        assert error.code is OutboundCode.ADDRESS_REFUSED
        assert proxy.visits == 0


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:3128", "https://proxy:3128", "socks5://proxy:1080", "http://proxy"]
)
async def test_a_proxy_url_of_another_kind_is_refused(make_client: MakeClient, url: str) -> None:
    with pytest.raises(ValueError, match=r"outbound\.proxy"):
        make_client(proxy=url)
