"""What our requests look like to a receiver, byte for byte, on both event loops."""

from __future__ import annotations

from hub.outbound import OutboundClient, Request, header_lines
from tests.outbound.receivers import OK, answering, listening


async def test_a_post_looks_like_this(client: OutboundClient) -> None:
    async with listening(answering(OK)) as receiver:
        target = client.target(receiver.url("/hook?x=1"), [(b"X-Static", b"1")])
        await client.post(
            target, header_lines([(b"webhook-id", b"evt_1"), (b"webhook-timestamp", b"2")]), b"{}"
        )

        assert receiver.requests[0] == (
            b"POST /hook?x=1 HTTP/1.1\r\n"
            b"Host: 127.0.0.1:%d\r\n"
            b"User-Agent: Hub\r\n"
            b"Accept: */*\r\n"
            b"Accept-Encoding: identity\r\n"
            b"X-Static: 1\r\n"
            b"Content-Length: 2\r\n"
            b"webhook-id: evt_1\r\n"
            b"webhook-timestamp: 2\r\n"
            b"\r\n"
            b"{}" % receiver.port
        )


async def test_a_request_with_any_method_looks_like_this(client: OutboundClient) -> None:
    async with listening(answering(OK)) as receiver:
        for method in ("get", "DELETE", "PUT"):
            await client.request(
                Request(method=method, url=receiver.url("/x"), headers=[(b"Accept", b"a/b")])
            )

        assert [request.partition(b"\r\n")[0] for request in receiver.requests] == [
            b"GET /x HTTP/1.1",
            b"DELETE /x HTTP/1.1",
            b"PUT /x HTTP/1.1",
        ]
        assert [b"Content-Length: 0" in request for request in receiver.requests] == [False, False, True]
        assert [request.count(b"Accept: ") for request in receiver.requests] == [1, 1, 1]
