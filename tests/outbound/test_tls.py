"""TLS: verified against the name, never shared between names, resumed where it can be."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field

import pytest

from hub.outbound import OutboundClient, OutboundCode, OutboundError
from hub.outbound.tls import IS_READING_LEAKY, client_context
from tests.outbound.certificates import Authority
from tests.outbound.conftest import Clock, MakeClient, Names
from tests.outbound.receivers import OK, Receiver, Visit, answering, listening

NAMES = {"a.test": ("127.0.0.1",), "b.test": ("127.0.0.1",)}


@pytest.fixture
def tls_client(make_client: MakeClient, trusting: ssl.SSLContext) -> OutboundClient:
    """A client that trusts the tests' authority and knows two names of the loopback."""
    return make_client(tls=trusting, resolver=Names(dict(NAMES)))


def https(receiver: Receiver, host: str = "a.test") -> str:
    return receiver.url("/hook", scheme="https", host=host)


async def failure(client: OutboundClient, url: str) -> OutboundError:
    with pytest.raises(OutboundError) as caught:
        await client.post(client.target(url), b"", b"{}")
    return caught.value


@dataclass
class Handshakes:
    """A behaviour that notes for each connection whether its TLS session was resumed."""

    resumed: list[bool] = field(default_factory=list)

    async def behave(self, visit: Visit) -> None:
        while await visit.read_request() is not None:
            self.resumed.append(visit.writer.get_extra_info("ssl_object").session_reused)
            await visit.send(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_certificate_for_the_name_is_accepted_and_the_connection_kept(
    tls_client: OutboundClient, authority: Authority, version: ssl.TLSVersion
) -> None:
    async with listening(answering(OK), tls=authority.server("a.test", version=version)) as receiver:
        target = tls_client.target(https(receiver))
        answers = [await tls_client.post(target, b"", b"{}") for _ in range(3)]

        assert [answer.is_reused_connection for answer in answers] == [False, True, True]
        assert answers[0].address == "127.0.0.1"


async def test_a_certificate_for_an_address_is_accepted(
    tls_client: OutboundClient, authority: Authority
) -> None:
    async with listening(answering(OK), tls=authority.server("127.0.0.1")) as receiver:
        response = await tls_client.post(tls_client.target(https(receiver, "127.0.0.1")), b"", b"{}")

        assert response.status == 200


@pytest.mark.parametrize(
    ("names", "days", "reason"),
    [
        pytest.param(["other.test"], (-1, 10), "Hostname mismatch", id="other name"),
        pytest.param(["*.a.test"], (-1, 10), "Hostname mismatch", id="wildcard below"),
        pytest.param(["127.0.0.1"], (-1, 10), "Hostname mismatch", id="only the address"),
        pytest.param(["a.test"], (-10, -1), "certificate has expired", id="expired"),
        pytest.param(["a.test"], (1, 10), "not yet valid", id="not yet valid"),
    ],
)
async def test_a_bad_certificate_is_refused_and_told(
    tls_client: OutboundClient, authority: Authority, names: list[str], days: tuple[int, int], reason: str
) -> None:
    async with listening(answering(OK), tls=authority.server(*names, days=days)) as receiver:
        error = await failure(tls_client, https(receiver))

        assert (error.code, error.is_ours, error.address) == (OutboundCode.TLS_FAILED, False, "127.0.0.1")
        assert reason in error.detail
        assert receiver.requests == []


async def test_an_unknown_authority_is_refused(make_client: MakeClient, authority: Authority) -> None:
    client = make_client(tls=client_context(), resolver=Names(dict(NAMES)))
    async with listening(answering(OK), tls=authority.server("a.test")) as receiver:
        error = await failure(client, https(receiver))

        assert error.code is OutboundCode.TLS_FAILED
        assert "issuer certificate" in error.detail


async def test_two_names_on_one_address_share_neither_connection_nor_session(
    tls_client: OutboundClient, authority: Authority
) -> None:
    async with listening(answering(OK), tls=authority.server("a.test")) as receiver:
        await tls_client.post(tls_client.target(https(receiver, "a.test")), b"", b"{}")
        error = await failure(tls_client, https(receiver, "b.test"))

        assert error.code is OutboundCode.TLS_FAILED
        assert len(receiver.requests) == 1


async def test_two_names_with_good_certificates_still_have_connections_of_their_own(
    tls_client: OutboundClient, authority: Authority
) -> None:
    handshakes = Handshakes()
    async with listening(handshakes.behave, tls=authority.server("a.test", "b.test")) as receiver:
        for host in ("a.test", "b.test", "a.test", "b.test"):
            await tls_client.post(tls_client.target(https(receiver, host)), b"", b"{}")

        assert handshakes.resumed == [False, False, True, True]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_new_connection_resumes_the_session(
    tls_client: OutboundClient, authority: Authority, version: ssl.TLSVersion
) -> None:
    handshakes = Handshakes()
    async with listening(handshakes.behave, tls=authority.server("a.test", version=version)) as receiver:
        target = tls_client.target(https(receiver))
        for _ in range(4):
            await tls_client.post(target, b"", b"{}")

        assert handshakes.resumed == [False, True, True, True]


async def test_a_session_is_not_offered_for_ever(
    make_client: MakeClient, authority: Authority, trusting: ssl.SSLContext
) -> None:
    handshakes, clock = Handshakes(), Clock()
    client = make_client(tls=trusting, resolver=Names(dict(NAMES)), clock=clock)
    async with listening(handshakes.behave, tls=authority.server("a.test")) as receiver:
        target = client.target(https(receiver))
        for seconds in (0, 7199, 2, 0):
            clock.now += seconds
            await client.post(target, b"", b"{}")

        assert handshakes.resumed == [False, True, False, True]


async def test_a_server_that_forgot_the_session_gets_a_full_handshake(
    tls_client: OutboundClient, authority: Authority
) -> None:
    handshakes = Handshakes()
    async with listening(handshakes.behave, tls=authority.server("a.test")) as old:
        await tls_client.post(tls_client.target(https(old)), b"", b"{}")
    async with listening(handshakes.behave, tls=authority.server("a.test")) as new:
        await tls_client.post(tls_client.target(https(new)), b"", b"{}")
        await tls_client.post(tls_client.target(https(new)), b"", b"{}")

        assert handshakes.resumed == [False, False, True]


async def test_a_server_that_gives_no_session_is_not_asked_again(
    tls_client: OutboundClient, authority: Authority
) -> None:
    tls = authority.server("a.test")
    tls.num_tickets = 0
    handshakes = Handshakes()
    async with listening(handshakes.behave, tls=tls) as receiver:
        target = tls_client.target(https(receiver))
        for _ in range(3):
            await tls_client.post(target, b"", b"{}")

        assert handshakes.resumed == [False, False, False]


async def test_only_so_many_sessions_are_remembered(
    make_client: MakeClient, authority: Authority, trusting: ssl.SSLContext
) -> None:
    handshakes = Handshakes()
    client = make_client(tls=trusting, resolver=Names(dict(NAMES)), limits={"max_tls_sessions": 1})
    async with listening(handshakes.behave, tls=authority.server("a.test", "b.test")) as receiver:
        for host in ("a.test", "b.test", "b.test", "a.test"):
            await client.post(client.target(https(receiver, host)), b"", b"{}")

        assert handshakes.resumed == [False, False, True, False]


@pytest.mark.skipif(not IS_READING_LEAKY, reason="this Python's ssl does not leak")
async def test_on_a_leaking_python_only_so_many_sessions_are_learned(
    make_client: MakeClient, authority: Authority, trusting: ssl.SSLContext
) -> None:
    handshakes = Handshakes()
    client = make_client(tls=trusting, resolver=Names(dict(NAMES)), limits={"max_leaky_session_reads": 1})
    async with listening(handshakes.behave, tls=authority.server("a.test", "b.test")) as receiver:
        for host in ("a.test", "b.test", "a.test", "b.test"):
            await client.post(client.target(https(receiver, host)), b"", b"{}")

        assert handshakes.resumed == [False, False, True, False]


async def test_a_context_that_does_not_resume_is_used_as_it_is(
    make_client: MakeClient, authority: Authority
) -> None:
    handshakes = Handshakes()
    context = ssl.create_default_context(cafile=authority.file)
    client = make_client(tls=context, resolver=Names(dict(NAMES)))
    async with listening(handshakes.behave, tls=authority.server("a.test")) as receiver:
        for _ in range(2):
            await client.post(client.target(https(receiver)), b"", b"{}")

        assert handshakes.resumed == [False, False]


async def test_a_stalled_handshake_ends_at_the_connect_time_out(
    make_client: MakeClient, trusting: ssl.SSLContext
) -> None:
    client = make_client(tls=trusting, resolver=Names(dict(NAMES)), limits={"connect_timeout_seconds": 0.05})
    async with listening(lambda visit: visit.closed_by_client()) as receiver:
        error = await failure(client, https(receiver))

        assert (error.code, error.address) == (OutboundCode.CONNECT_TIMEOUT, "127.0.0.1")


async def test_a_plain_server_is_no_tls_server(tls_client: OutboundClient) -> None:
    async def behave(visit: Visit) -> None:
        await visit.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await visit.closed_by_client()

    async with listening(behave) as receiver:
        error = await failure(tls_client, https(receiver))

        assert error.code is OutboundCode.TLS_FAILED


@pytest.mark.parametrize("is_reset", [False, True], ids=["closed", "reset"])
async def test_a_connection_that_ends_in_the_handshake_is_a_failed_connect(
    tls_client: OutboundClient, is_reset: bool
) -> None:
    async def behave(visit: Visit) -> None:
        await visit.reader.read(1)
        if is_reset:
            visit.reset()

    async with listening(behave) as receiver:
        error = await failure(tls_client, https(receiver))

        assert error.code in (OutboundCode.CONNECT_FAILED, OutboundCode.TLS_FAILED)
        assert not error.is_ours


async def test_an_answer_until_the_connection_closes_is_whole_over_tls_too(
    tls_client: OutboundClient, authority: Authority
) -> None:
    behaviour = answering(b"HTTP/1.1 200 OK\r\n\r\nok", is_closing=True)
    async with listening(behaviour, tls=authority.server("a.test")) as receiver:
        response = await tls_client.post(tls_client.target(https(receiver)), b"", b"{}")

        assert (response.body, response.body_truncated) == (b"ok", False)


async def test_a_big_body_arrives_whole_over_tls_too(
    tls_client: OutboundClient, authority: Authority
) -> None:
    body = bytes(range(256)) * 4000
    async with listening(answering(OK), tls=authority.server("a.test")) as receiver:
        await tls_client.post(tls_client.target(https(receiver)), b"", body)

        assert receiver.requests[0].partition(b"\r\n\r\n")[2] == body


async def test_many_names_at_once(
    make_client: MakeClient, authority: Authority, trusting: ssl.SSLContext
) -> None:
    names: dict[str, tuple[str, ...]] = {f"{number}.bench.test": ("127.0.0.1",) for number in range(20)}
    client = make_client(tls=trusting, resolver=Names(names))
    async with listening(answering(OK), tls=authority.server("*.bench.test")) as receiver:
        answers = await asyncio.gather(
            *(client.post(client.target(https(receiver, host)), b"", b"{}") for host in names)
        )

        assert {answer.status for answer in answers} == {200}
        assert receiver.visits == 20
