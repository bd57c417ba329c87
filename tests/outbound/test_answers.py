"""Torture: what receivers answer, well or badly, over real sockets on both event loops."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from hub.outbound import OutboundClient, OutboundCode, OutboundError, Request
from tests.outbound.conftest import MakeClient
from tests.outbound.receivers import OK, Visit, answering, listening

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("parts", "body"),
    [
        pytest.param([OK], b"ok", id="content-length"),
        pytest.param([HEAD + b"Content-Length: 0\r\n\r\n"], b"", id="empty"),
        pytest.param([OK[:1], OK[1:9], OK[9:30], OK[30:]], b"ok", id="in pieces"),
        pytest.param([bytes([byte]) for byte in OK], b"ok", id="byte by byte"),
        pytest.param([CHUNKED + b"2\r\nok\r\n0\r\n\r\n"], b"ok", id="chunked"),
        pytest.param(
            [CHUNKED, b"1\r\no\r\n", b"1\r\nk\r\n", b"0\r\n\r\n"], b"ok", id="chunked, chunk by chunk"
        ),
        pytest.param(
            [CHUNKED, b"2", b"\r", b"\n", b"o", b"k", b"\r\n0\r\n", b"\r\n"], b"ok", id="chunked, in shreds"
        ),
        pytest.param([CHUNKED + b"2;a=b;c\r\nok\r\n0\r\n\r\n"], b"ok", id="chunk extension"),
        pytest.param([CHUNKED + b"0002\r\nok\r\n000\r\n\r\n"], b"ok", id="chunk size with zeros"),
        pytest.param([CHUNKED + b"2 \r\nok\r\n0\r\n\r\n"], b"ok", id="chunk size with space"),
        pytest.param([CHUNKED + b"A\r\n0123456789\r\n0\r\n\r\n"], b"0123456789", id="chunk size in capitals"),
        pytest.param([CHUNKED + b"2\r\nok\r\n0\r\nX-Trailer: 1\r\nX-Other: 2\r\n\r\n"], b"ok", id="trailers"),
        pytest.param([b"\r\n\r\n" + OK], b"ok", id="blank lines first"),
        pytest.param([HEAD.replace(b"\r", b"") + b"Content-Length: 2\n\nok"], b"ok", id="bare line feeds"),
        pytest.param([b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"], b"ok", id="no reason"),
        pytest.param([b"HTTP/1.1 200 \xc3\xa9\r\nContent-Length: 2\r\n\r\nok"], b"ok", id="non-ASCII reason"),
        pytest.param([b"HTTP/1.1 100 Continue\r\n\r\n" + OK], b"ok", id="100 first"),
        pytest.param([b"HTTP/1.1 100 Continue\r\n\r\n", OK], b"ok", id="100 first, apart"),
        pytest.param(
            [b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", b"HTTP/1.1 102 P\r\n\r\n" + OK],
            b"ok",
            id="102 and 103",
        ),
    ],
)
async def test_a_whole_answer_is_read_and_the_connection_kept(
    client: OutboundClient, parts: list[bytes], body: bytes
) -> None:
    async with listening(answering(*parts)) as receiver:
        target = client.target(receiver.url())
        answers = [await client.post(target, b"", b"{}") for _ in range(3)]

        assert [(answer.status, answer.body, answer.body_truncated) for answer in answers] == [
            (200, body, False)
        ] * 3
        assert [answer.is_reused_connection for answer in answers] == [False, True, True]
        assert receiver.visits == 1


@pytest.mark.parametrize(
    ("parts", "body"),
    [
        pytest.param([HEAD + b"\r\nok"], b"ok", id="until closed"),
        pytest.param([HEAD + b"\r\n", b"o", b"k"], b"ok", id="until closed, in pieces"),
        pytest.param([HEAD + b"\r\n"], b"", id="until closed, empty"),
        pytest.param([b"HTTP/1.0 200 OK\r\n\r\nok"], b"ok", id="HTTP/1.0"),
        pytest.param([HEAD + b"Transfer-Encoding: gzip\r\n\r\nok"], b"ok", id="other transfer coding"),
        pytest.param([HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\nok"], b"ok", id="says close"),
    ],
)
async def test_an_answer_that_ends_with_the_connection_is_whole(
    client: OutboundClient, parts: list[bytes], body: bytes
) -> None:
    async with listening(answering(*parts, is_closing=True)) as receiver:
        answers = [await client.post(client.target(receiver.url()), b"", b"{}") for _ in range(2)]

        assert [(answer.status, answer.body, answer.body_truncated) for answer in answers] == [
            (200, body, False)
        ] * 2
        assert receiver.visits == 2


@pytest.mark.parametrize(
    "status", [204, 301, 302, 303, 307, 308, 304, 400, 404, 410, 429, 500, 503, 599, 999]
)
async def test_every_status_is_an_answer_and_no_redirect_is_followed(
    client: OutboundClient, status: int
) -> None:
    head = b"HTTP/1.1 %d X\r\nLocation: /other\r\n" % status
    ending = b"\r\n" if status in (204, 304) else b"Content-Length: 0\r\n\r\n"
    async with listening(answering(head + ending)) as receiver:
        target = client.target(receiver.url())
        answers = [await client.post(target, b"", b"{}") for _ in range(2)]

        assert [answer.status for answer in answers] == [status] * 2
        assert len(receiver.requests) == 2


@pytest.mark.parametrize(
    "junk",
    [
        pytest.param(b"junk", id="junk"),
        pytest.param(b"HTTP/1.1 500 Second\r\nContent-Length: 0\r\n\r\n", id="a second answer"),
        pytest.param(b"H", id="the start of a second answer"),
        pytest.param(b"\x00" * 1000, id="zeros"),
    ],
)
async def test_what_follows_an_answer_is_never_taken_for_the_next(
    client: OutboundClient, junk: bytes
) -> None:
    async with listening(answering(OK + junk)) as receiver:
        target = client.target(receiver.url())
        answers = [await client.post(target, b"", b"{}") for _ in range(3)]

        assert [(answer.status, answer.body) for answer in answers] == [(200, b"ok")] * 3
        assert receiver.visits == 3


async def test_junk_on_an_idle_connection_closes_it(client: OutboundClient) -> None:
    async def behave(visit: Visit) -> None:
        await visit.read_request()
        await visit.send(OK)
        await visit.send(b"HTTP/1.1 500 Unasked\r\nContent-Length: 0\r\n\r\n")
        await visit.closed_by_client()
        closed.set()

    closed = asyncio.Event()
    async with listening(behave) as receiver:
        target = client.target(receiver.url())
        await client.post(target, b"", b"{}")
        await closed.wait()
        response = await client.post(target, b"", b"{}")

        assert response.status == 200
        assert receiver.visits == 2


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        pytest.param(b"X-Odd: \xc3\xa9\xff\r\n", (b"X-Odd", b"\xc3\xa9\xff"), id="non-ASCII value"),
        pytest.param(b"X-Odd: a\x01b\r\n", (b"X-Odd", b"a\x01b"), id="control character"),
        pytest.param(b"X-Odd:\r\n", (b"X-Odd", b""), id="empty value"),
        pytest.param(b"X-Odd: a\r\n b\r\n", (b"X-Odd", b"a b"), id="folded"),
    ],
)
async def test_odd_headers_are_kept(client: OutboundClient, answer: bytes, kept: tuple[bytes, bytes]) -> None:
    async with listening(answering(HEAD + answer + b"Content-Length: 2\r\n\r\nok")) as receiver:
        response = await client.post(client.target(receiver.url()), b"", b"{}")

        assert (response.status, response.body) == (200, b"ok")
        assert response.headers[0] == kept


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(b"no colon here\r\n\r\n", id="no colon"),
        pytest.param(b"X\xe9 Y: 1\r\n\r\n", id="bad name"),
        pytest.param(b"Content-Length: -1\r\n\r\n", id="negative length"),
        pytest.param(b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!", id="two lengths"),
        pytest.param(
            b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="length and chunks"
        ),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", id="bad chunk size"),
        pytest.param(
            b"Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 9\r\n\r\n", id="length as a trailer"
        ),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n", id="chunk too long"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", id="chunk size overflow"),
    ],
)
async def test_an_answer_broken_after_its_status_still_counts_but_not_its_connection(
    client: OutboundClient, rest: bytes
) -> None:
    async with listening(answering(b"HTTP/1.1 202 Accepted\r\n" + rest)) as receiver:
        target = client.target(receiver.url())
        answers = [await client.post(target, b"", b"{}") for _ in range(2)]

        assert [(answer.status, answer.body_truncated) for answer in answers] == [(202, True)] * 2
        assert receiver.visits == 2


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="ssh"),
        pytest.param(b"220 mail ESMTP\r\n", id="smtp"),
        pytest.param(b"HTTP/2 200 OK\r\n\r\n", id="HTTP/2"),
        pytest.param(b"HTTP/1.1 20x OK\r\n\r\n", id="bad status"),
        pytest.param(b"HTTP/1.1 2000 OK\r\n\r\n", id="long status"),
        pytest.param(b"HTTP/1.1 99 OK\r\n\r\n", id="low status"),
        pytest.param(b"\x15\x03\x01\x00\x02\x02\x16", id="TLS alert"),
        pytest.param(b"<html></html>" * 10, id="HTTP/0.9"),
    ],
)
async def test_what_is_not_http_is_a_protocol_error(client: OutboundClient, answer: bytes) -> None:
    async with listening(answering(answer)) as receiver:
        with pytest.raises(OutboundError) as caught:
            await client.post(client.target(receiver.url()), b"", b"{}")

        assert caught.value.code is OutboundCode.PROTOCOL_ERROR
        assert not caught.value.is_ours


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        pytest.param(b"", None, id="nothing"),
        pytest.param(b"HTTP/1.1 20", None, id="half a status"),
        pytest.param(HEAD + b"Content-Length: 1", None, id="half a header"),
        pytest.param(HEAD + b"Content-Length: 10\r\n\r\nok", 200, id="half a body"),
        pytest.param(CHUNKED + b"2\r\nok\r\n", 200, id="no last chunk"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n", None, id="only 100"),
    ],
)
@pytest.mark.parametrize("is_reset", [False, True], ids=["closed", "reset"])
async def test_an_answer_that_breaks_off_is_lost(
    client: OutboundClient, answer: bytes, status: int | None, is_reset: bool
) -> None:
    async def behave(visit: Visit) -> None:
        await visit.read_request()
        await visit.send(answer)
        if is_reset:
            visit.reset()

    async with listening(behave) as receiver:
        with pytest.raises(OutboundError) as caught:
            await client.post(client.target(receiver.url()), b"", b"{}")

        assert caught.value.code is OutboundCode.CONNECTION_LOST
        # A reset may overtake what was sent before it.
        assert caught.value.status in ((status, None) if is_reset else (status,))
        assert caught.value.address == "127.0.0.1"
        assert receiver.visits == 1


async def test_a_switch_of_protocols_is_an_answer_like_any_other(client: OutboundClient) -> None:
    answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nabc"
    async with listening(answering(answer)) as receiver:
        target = client.target(receiver.url())
        answers = [await client.post(target, b"", b"{}") for _ in range(2)]

        assert [(answer.status, answer.body) for answer in answers] == [(101, b"")] * 2
        assert receiver.visits == 2


async def test_an_endless_body_is_cut_at_the_cap(client: OutboundClient) -> None:
    async def behave(visit: Visit) -> None:
        await visit.read_request()
        await visit.send(HEAD + b"\r\n")
        while True:
            await visit.send(b"x" * 65_536)

    async with listening(behave) as receiver:
        response = await client.post(client.target(receiver.url()), b"", b"{}", max_response_bytes=100_000)

        assert (response.status, response.body, response.body_truncated) == (200, b"x" * 100_000, True)


@pytest.mark.parametrize(("size", "is_truncated"), [(99, False), (100, False), (101, True), (5000, True)])
async def test_a_body_is_truncated_only_beyond_the_cap(
    client: OutboundClient, size: int, is_truncated: bool
) -> None:
    async with listening(answering(HEAD + b"Content-Length: %d\r\n\r\n" % size + b"x" * size)) as receiver:
        response = await client.post(client.target(receiver.url()), b"", b"{}", max_response_bytes=100)

        assert (response.body, response.body_truncated) == (b"x" * min(size, 100), is_truncated)


async def test_endless_framing_around_a_tiny_body_is_cut_too(client: OutboundClient) -> None:
    async def behave(visit: Visit) -> None:
        await visit.read_request()
        await visit.send(CHUNKED + b"0\r\n")
        while True:
            await visit.send(b"X-Trailer: " + b"x" * 4000 + b"\r\n")

    async with listening(behave) as receiver:
        response = await client.post(client.target(receiver.url()), b"", b"{}", max_response_bytes=100)

        assert (response.status, response.body_truncated) == (200, True)


@pytest.mark.parametrize(
    "filler",
    [
        pytest.param(b"X-Big: " + b"x" * 10_000 + b"\r\n", id="many headers"),
        pytest.param(b"x" * 10_000, id="one endless name"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n", id="endless 100"),
    ],
)
async def test_endless_headers_are_an_error(make_client: MakeClient, filler: bytes) -> None:
    async def behave(visit: Visit) -> None:
        await visit.read_request()
        await visit.send(filler if filler.startswith(b"HTTP") else HEAD)
        while True:
            await visit.send(filler)

    client = make_client(limits={"max_header_bytes": 4000})
    async with listening(behave) as receiver:
        with pytest.raises(OutboundError) as caught:
            await client.post(client.target(receiver.url()), b"", b"{}")

        assert caught.value.code is OutboundCode.HEADERS_TOO_LARGE


async def test_whole_headers_beyond_the_cap_are_an_error_even_in_one_piece(make_client: MakeClient) -> None:
    client = make_client(limits={"max_header_bytes": 4000})
    async with listening(
        answering(HEAD + b"X-Big: " + b"x" * 5000 + b"\r\nContent-Length: 10\r\n\r\n")
    ) as receiver:
        with pytest.raises(OutboundError) as caught:
            await client.post(client.target(receiver.url()), b"", b"{}")

        assert caught.value.code is OutboundCode.HEADERS_TOO_LARGE


async def test_a_compressed_answer_is_neither_asked_for_nor_unpacked(client: OutboundClient) -> None:
    bomb = gzip.compress(b"0" * 1_000_000)
    answer = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb
    async with listening(answering(answer)) as receiver:
        response = await client.post(client.target(receiver.url()), b"", b"{}")

        assert response.body == bomb
        assert b"\r\nAccept-Encoding: identity\r\n" in receiver.requests[0]


async def test_an_answer_may_come_before_the_request_is_read(client: OutboundClient) -> None:
    async def behave(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        await visit.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await visit.closed_by_client()

    async with listening(behave) as receiver:
        target = client.target(receiver.url())
        answers = [await client.post(target, b"", b"x" * 20_000_000) for _ in range(2)]

        assert [answer.status for answer in answers] == [413, 413]
        assert receiver.visits == 2


async def test_a_big_body_arrives_whole(client: OutboundClient) -> None:
    body = bytes(range(256)) * 20_000
    async with listening(answering(OK)) as receiver:
        target = client.target(receiver.url())
        await client.post(target, b"", body)
        await client.post(target, b"", body)

        assert [request.partition(b"\r\n\r\n")[2] == body for request in receiver.requests] == [True, True]


async def test_the_answer_to_head_has_no_body(client: OutboundClient) -> None:
    async with listening(answering(HEAD + b"Content-Length: 1000\r\n\r\n")) as receiver:
        answers = [
            await client.request(Request(method="HEAD", url=receiver.url(), headers=[])) for _ in range(2)
        ]

        assert [(answer.status, answer.body, answer.body_truncated) for answer in answers] == [
            (200, b"", False)
        ] * 2
