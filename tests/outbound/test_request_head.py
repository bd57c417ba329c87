"""Request heads: what the client owns, and what may not be smuggled into them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.outbound import OutboundClient, OutboundCode, OutboundError, Request, header_lines
from hub.outbound.request_head import OURS, check_lines, check_method
from hub.rules.egress import EgressPolicy
from tests.support.calling import local_client

URL = "https://example.com/x"


@pytest.fixture
def public() -> OutboundClient:
    """A client of the public internet that calls nobody here."""
    return local_client(EgressPolicy())


@pytest.mark.parametrize("name", sorted(OURS))
async def test_framing_and_connection_headers_cannot_be_given(public: OutboundClient, name: bytes) -> None:
    with pytest.raises(OutboundError, match="is set by Hub"):
        public.target(URL, [(name.upper(), b"x")])


@pytest.mark.parametrize("name", [b"", b"a b", b"a:", b"a\r\n", b"\xc3\xa9", b"a\x00", b"(x)"])
async def test_a_bad_header_name_is_refused(public: OutboundClient, name: bytes) -> None:
    with pytest.raises(OutboundError, match="is not a header name"):
        public.target(URL, [(name, b"x")])


@pytest.mark.parametrize("value", [b"a\r\nb: c", b"a\nb", b"a\rb", b"a\x00", b"\x1b[0m", b"\x7f"])
async def test_a_header_value_cannot_end_its_line(public: OutboundClient, value: bytes) -> None:
    with pytest.raises(OutboundError, match="control character"):
        public.target(URL, [(b"x-a", value)])


async def test_a_static_header_replaces_our_default(public: OutboundClient) -> None:
    target = public.target(URL, [(b"user-agent", b"Mine"), (b"ACCEPT", b"text/plain"), (b"X-Latin", b"\xe9")])

    assert target.header_block == (
        b"Host: example.com\r\nAccept-Encoding: identity\r\nuser-agent: Mine\r\nACCEPT: text/plain\r\nX-Latin: \xe9\r\n"
    )


@pytest.mark.parametrize("lines", [b"a: b\r\n", b"a: b\r\n\r\nGET / HTTP/1.1", b"\r\na: b", b"a: b\n"])
def test_preformatted_lines_cannot_end_the_head(lines: bytes) -> None:
    with pytest.raises(OutboundError) as caught:
        check_lines(lines)

    assert (caught.value.code, caught.value.is_ours) == (OutboundCode.HEADER_REFUSED, True)


@pytest.mark.parametrize("method", ["", "CONNECT", "connect", "GET /", "G\r\n", "é"])
def test_a_method_is_a_token_and_never_connect(method: str) -> None:
    with pytest.raises(OutboundError):
        check_method(method)


@given(st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=40)), max_size=4))
def test_lines_hold_exactly_the_headers_given_or_none(headers: list[tuple[bytes, bytes]]) -> None:
    try:
        lines = header_lines(headers)
    except OutboundError:
        return

    assert [tuple(line.split(b": ", 1)) for line in lines.split(b"\r\n") if line] == headers


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1/", OutboundCode.URL_REFUSED),
        ("https://localhost/", OutboundCode.URL_REFUSED),
        ("ftp://example.com/", OutboundCode.URL_REFUSED),
        ("https://0x7f.1/", OutboundCode.URL_REFUSED),
    ],
)
async def test_a_request_is_vetted_like_a_target(
    public: OutboundClient, url: str, code: OutboundCode
) -> None:
    with pytest.raises(OutboundError) as caught:
        await public.request(Request(method="GET", url=url, headers=[]))

    assert caught.value.code is code
