"""Custom headers: what may be sent, what is refused and why, and what is shown of a value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.headers import LONGEST_VALUE, MOST_BYTES, MOST_HEADERS, mask_value, validate_headers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer abc.def"},
        {"X-Token": "a b\tc", "X-Other": ""},
        {"x_token": "ä ÿ"},
        {"Cookie": "a=1; b=2"},
        {f"X-{number}": "v" for number in range(MOST_HEADERS)},
        {"X-Webhooks": "not the reserved prefix"},
    ],
    ids=str,
)
def test_ordinary_headers_pass(headers: dict[str, str]) -> None:
    """Tokens, cookies, Latin-1 and inner blanks are a receiver's business."""
    assert validate_headers(headers) == []


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "HOST",
        "Content-Length",
        "content-type",
        "Content-Encoding",
        "Transfer-Encoding",
        "Transfer_Encoding",
        "Connection",
        "Keep-Alive",
        "TE",
        "Trailer",
        "Upgrade",
        "Expect",
        "Accept-Encoding",
        "User-Agent",
        "Date",
        "HTTP2-Settings",
        "Proxy-Authorization",
        "webhook-id",
        "Webhook-Signature",
        "webhook_signature",
        "Webhook-Anything",
        "X-Webhook-Signature",
        "x_webhook_timestamp",
    ],
)
def test_reserved_names_are_refused_in_any_spelling(name: str) -> None:
    """Nothing of ours and nothing of the framing can be replaced, not even behind a gateway that folds `_`."""
    (problem,) = validate_headers({name: "x"})

    assert problem.pointer == name
    assert problem.what == "this header is reserved"


@pytest.mark.parametrize("name", ["", " ", "a b", "a:", "a\r\nb", "a\0", "é", "a" * 101, "(a)", "a\n"])
def test_names_are_tokens(name: str) -> None:
    """RFC 9110 §5.6.2."""
    (problem,) = validate_headers({name: "x"})

    assert problem.what == "this is not a header name"


@pytest.mark.parametrize(
    "value",
    [
        "a\r\nX-Evil: 1",
        "a\nb",
        "a\rb",
        "a\0b",
        "a\x7f",
        "a\x1b",
        "a\x85b",
        " a",
        "a ",
        "\ta",
        "a\n",
        "€",
        "\ud800",
    ],
    ids=repr,
)
def test_values_cannot_break_out(value: str) -> None:
    """No line break, control character or unencodable letter reaches the wire."""
    (problem,) = validate_headers({"X-Token": value})

    assert problem.what == "the value cannot be sent"


def test_sizes_are_limited() -> None:
    """Number, one value, and all together."""
    assert "too many" in validate_headers({f"X-{n}": "" for n in range(MOST_HEADERS + 1)})[0].what
    assert "4097 characters" in validate_headers({"X-A": "v" * (LONGEST_VALUE + 1)})[0].what
    assert "8202 bytes" in validate_headers({f"X-{n}": "v" * 4095 for n in range(2)} | {"Y-2": "vvv"})[0].what


def test_one_header_cannot_be_given_twice() -> None:
    """Case and `_` do not make another header: Authorization must not be doubled."""
    (problem,) = validate_headers({"Authorization": "a", "X-Ok": "b", "authorization": "c"})

    assert problem.pointer == "authorization"
    assert "'Authorization'" in problem.what


@pytest.mark.parametrize(
    ("value", "shown"),
    [("", "***"), ("short", "***"), ("x" * 23, "***"), ("sk_live_abcdefghijklmnop", "sk_l***")],
)
def test_masking(value: str, shown: str) -> None:
    """Enough to tell two tokens apart, never enough to use one; the length stays hidden."""
    assert mask_value(value) == shown


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=12), max_size=4))
def test_whatever_passes_can_be_written_on_the_wire(headers: dict[str, str]) -> None:
    """No text raises, and accepted headers parse back as themselves."""
    if validate_headers(headers):
        return

    wire = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("latin-1")
    lines = wire.split(b"\r\n")[:-1]
    assert [tuple(line.decode("latin-1").split(": ", 1)) for line in lines] == list(headers.items())
    assert len(wire) <= MOST_BYTES + 4 * MOST_HEADERS
