"""Requests are built from structures: what a value says never becomes syntax."""

from __future__ import annotations

from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import pytest

from hub.rules.connectors.building import BuiltRequest, Unbuildable, build
from hub.rules.connectors.compiling import Compiling, Names
from hub.rules.connectors.request_reading import read_request
from hub.rules.expressions.frame import Surroundings
from hub.rules.expressions.problems import ExpressionError
from hub.rules.routes.document import Reading


def built(
    written: dict[str, Any],
    inputs: dict[str, Any] | None = None,
    *,
    base_url: str = "https://api.acme.example/v1",
    is_bound: bool = True,
) -> BuiltRequest:
    reading = Reading()
    spec = read_request(Compiling(reading, Names()), written, "/request")
    assert reading.problems == []
    return build(
        spec,
        {"input": inputs or {}},
        Surroundings(now_ms=0),
        base_url=base_url,
        headers={"x-version": "2"},
        is_bound=is_bound,
    )


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("a b", "a%20b"),
        ("+14155550123", "%2B14155550123"),
        ("../deals", "..%2Fdeals"),
        ("a?b=c#d", "a%3Fb%3Dc%23d"),
        ("é", "%C3%A9"),
        (42, "42"),
    ],
)
def test_a_value_is_one_segment_of_a_path(value: object, wanted: str) -> None:
    request = built({"path": "/things/{{ input.id }}/notes"}, {"id": value})

    assert request.url == f"https://api.acme.example/v1/things/{wanted}/notes"


@pytest.mark.parametrize("value", ["", "  ", ".", "..", None, True, [1], {"a": 1}])
def test_a_value_that_would_lead_elsewhere_is_refused(value: object) -> None:
    with pytest.raises(ExpressionError):
        built({"path": "/things/{{ input.id }}"}, {"id": value})


def test_json_is_a_structure_and_what_is_omitted_is_not_there() -> None:
    request = built(
        {
            "method": "POST",
            "path": "/",
            "json": {
                "text": "{{ input.text }}",
                "n": "{{ input.n }}",
                "none": "{{ input.missing | default(omit) }}",
                "list": ["{{ input.n }}", "{{ input.missing | default(omit) }}"],
            },
        },
        {"text": '"}, {"admin": true', "n": 3},
    )

    assert request.body == b'{"text":"\\"}, {\\"admin\\": true","n":3,"list":[3]}'
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-version"] == "2"


def test_a_form_and_a_query_repeat_lists() -> None:
    request = built(
        {
            "method": "POST",
            "path": "/",
            "form": {"to": ["a&b", "c=d"], "ok": True, "n": 1},
            "query": {"q": "{{ input.q }}", "gone": "{{ input.missing | default(omit) }}"},
        },
        {"q": "a b&c"},
    )

    assert request.body == b"to=a%26b&to=c%3Dd&ok=true&n=1"
    assert request.whole_url({"key": "x"}).endswith("?q=a%20b%26c&key=x")


def test_a_multipart_body_is_read_by_another_reader_as_it_was_meant() -> None:
    written = {
        "method": "POST",
        "path": "/",
        "multipart": {
            'na"me\r\nX-Evil: 1': "{{ input.text }}",
            "file": {"text": "{{ input.text }}", "filename": 'a".txt', "content_type": "text/plain"},
        },
    }
    request = built(written, {"text": "a\r\n--hub-\r\nb"})
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + request.body)
    first, second = message.iter_parts()

    assert first.get_param("name", header="content-disposition") == "na%22me%0D%0AX-Evil: 1"
    assert first["X-Evil"] is None
    assert first.get_payload() == second.get_payload() == "a\r\n--hub-\r\nb"
    assert second.get_filename() == "a%22.txt"
    assert second.get_content_type() == "text/plain"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x",
        "https://api.acme.example.evil.example/",
        "http://api.acme.example/",
        "https://api.acme.example:8443/",
        "https://api.acme.example@evil.example/",
        "HTTPS://EVIL.example",
    ],
)
def test_credentials_go_to_the_host_of_the_connection_only(url: str) -> None:
    with pytest.raises(Unbuildable, match="its credentials are sent nowhere else"):
        built({"url": "{{ input.url }}"}, {"url": url})

    assert built({"url": "{{ input.url }}"}, {"url": url}, is_bound=False).url == url


@pytest.mark.parametrize(
    "url", ["https://api.acme.example/v2/x", "HTTPS://API.acme.example:443/x", "x/y", "/x/y"]
)
def test_a_url_of_the_connection_may_be_whole_or_below_its_own(url: str) -> None:
    assert built({"url": "{{ input.url }}"}, {"url": url}).url in (url, "https://api.acme.example/v1/x/y")


@pytest.mark.parametrize(
    ("written", "inputs"),
    [
        ({"path": "/", "headers": {"X-A": "{{ input.x }}"}}, {"x": "a\r\nX-B: c"}),
        ({"path": "/", "headers": {"X A": "b"}}, {}),
        ({"path": "/", "headers": {"X-A": "{{ input.x }}"}}, {"x": {"a": 1}}),
        ({"path": "/", "headers": "{{ input.x }}"}, {"x": [1]}),
        ({"path": "/", "query": "{{ input.x }}"}, {"x": "text"}),
        ({"path": "/", "query": {"a": "{{ input.x }}"}}, {"x": None}),
        ({"path": "/", "method": "{{ input.x }}"}, {"x": "CONNECT"}),
        ({"url": "{{ input.x }}"}, {"x": ""}),
        ({"url": "{{ input.x }}"}, {"x": "https://api.acme.example:port/"}),
        ({"path": "/", "method": "POST", "text": "{{ input.x }}"}, {"x": {"a": 1}}),
        ({"path": "/", "method": "POST", "form": "{{ input.x }}"}, {"x": "a=b"}),
    ],
)
def test_what_makes_no_request_is_refused(written: dict[str, Any], inputs: dict[str, Any]) -> None:
    with pytest.raises(Unbuildable):
        built(written, inputs)


@pytest.mark.parametrize(
    "address", ["hooks.acme.example/catch/12/ab", "https://hooks.acme.example:x/catch/12/ab"]
)
def test_an_address_that_may_be_a_secret_is_not_shown_when_it_is_none(address: str) -> None:
    with pytest.raises(Unbuildable) as refused:
        built({"path": "/"}, base_url=address)

    assert "catch" not in str(refused.value)
