"""Splitting, naming and reading: what a believed request is made of, and what of it cannot be used."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.rules.sources.bodies import read_form
from hub.rules.sources.hooks import STANDARD, hook_key, route_view
from hub.rules.sources.intake import MOST_EVENTS, Accepted, Judgement, judge
from hub.rules.sources.masking import MOST_BODY_CHARACTERS, masked_body, masked_headers
from hub.rules.sources.model import Reason, Refused, SourceRequest
from hub.rules.sources.paths import MISSING, Path, read_path
from tests.rules.sources.asking import source_of
from tests.rules.sources.deliveries import GOLDEN, NOW_MS, URL
from tests.support.inbound_sources import sources_of

SECTION = "  it: {{ verify: {{ static: header, header: x-key }}, secret: {{ env: KEY }}, {more} }}\n"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


def told(
    body: object,
    more: str = "event: body.type",
    *,
    content_type: str = "application/json",
    coding: str | None = None,
) -> Judgement:
    """Tell a source of one's own, which asks for no signature."""
    (source,) = sources_of(SECTION.format(more=more), {"KEY": "k"})
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"x-key": "k", "content-type": content_type}
    if coding is not None:
        headers["content-encoding"] = coding
    request = SourceRequest(method="POST", url=URL, query={"q": "1"}, headers=headers, body=raw)
    return judge(source, request, now_ms=NOW_MS)


def names(judgement: Judgement) -> list[tuple[str, str]]:
    assert isinstance(judgement, Accepted), judgement
    return [(each.event, each.id) for each in judgement.events]


@pytest.mark.parametrize(
    ("more", "body", "expected"),
    [
        ("event: body.type, id: body.id", {"type": "a", "id": 1}, [("a", "1")]),
        ('event: "{body.a}.{body.b}", id: body.id', {"a": "x", "b": "y", "id": "1"}, [("x.y", "1")]),
        ('event: ["{body.a}.{body.b}", body.a], id: body.id', {"a": "x", "id": "1"}, [("x", "1")]),
        ("event: { text: fixed }, id: body.id", {"id": True}, [("fixed", "true")]),
        ("event: { key_of: body, besides: [id] }, id: body.id", {"id": 4, "poll": {}}, [("poll", "4")]),
        ("event: body.nowhere, id: body.id", {"id": 1}, [("unknown", "1")]),
        ("event: query.q, id: headers.x-key", {}, [("1", "k")]),
        ("split: 'body[]', event: item.t, id: item.i", [{"t": "a", "i": 1}, {"t": "b", "i": 2}],
         [("a", "1"), ("b", "2")]),
        ("split: 'body.a[].b[]', event: parent.k, id: item", {"a": [{"k": "x", "b": [1, 2]}, {"k": "y", "b": [3]}]},
         [("x", "1"), ("x", "2"), ("y", "3")]),
        ("split: 'body.none[]', event: item.t", {"a": 1}, []),
        ("split: 'body[]', event: { text: e }, id: index", ["a", "b"], [("e", "0"), ("e", "1")]),
    ],
)  # fmt: skip
def test_events_and_their_ids(more: str, body: object, expected: list[tuple[str, str]]) -> None:
    assert names(told(body, more)) == expected


def test_a_byte_order_mark_is_passed_over_and_signed_like_every_byte() -> None:
    """Writers must not send one, readers may pass over it (RFC 8259 §8.1); those of .NET do send it."""
    assert names(told(b'\xef\xbb\xbf{"type":"a","id":1}', "event: body.type, id: body.id")) == [("a", "1")]


def test_without_an_id_equal_things_are_one() -> None:
    """The order of the keys does not count; everything else does."""
    (one,), (same,), (other,) = (
        names(told(raw)) for raw in (b'{"a":1,"b":2}', b'{"b": 2, "a": 1}', b'{"a":1,"b":3}')
    )

    assert one == same != other
    assert one[1].startswith("sha256:")


def test_a_long_id_becomes_its_digest() -> None:
    ((_, number),) = names(told({"id": "x" * 5000}, "event: body.type, id: body.id"))

    assert len(number) == len("sha256:") + 64


def test_data_and_what_lies_beside_it() -> None:
    more = "event: body.type, data: body.inner, with: { team: body.team, none: body.none }"
    accepted = told({"type": "a", "team": "t", "inner": {"x": 1}}, more)

    assert isinstance(accepted, Accepted)
    assert accepted.events[0].payload == {"x": 1, "team": "t"}


def test_parts_of_a_split_and_what_they_leave() -> None:
    more = (
        "split: [ { each: 'body[].m[]', event: { text: m }, id: item }, "
        "{ each: 'body[]', unless: [item.m], event: { text: rest }, id: item.r } ]"
    )
    assert names(told([{"m": [1]}, {"r": 2}], more)) == [("m", "1"), ("rest", "2")]


@pytest.mark.parametrize(
    ("body", "content_type", "form"),
    [
        (b"{", "application/json", "json"),
        (b"", "application/json", "json"),
        (b'{"a":"\\u0000"}', "application/json", "json"),
        (b'{"a":"\\ud800"}', "application/json", "json"),
        (b"[" * 100 + b"]" * 100, "application/json", "json"),
        (b'{"a":1e999}', "application/json", "json"),
        (b"\xff\xfe", "application/json", "json"),
        (b"a=%00", "application/x-www-form-urlencoded", "auto"),
        (b"a=%ff", "application/x-www-form-urlencoded", "auto"),
        (b"&".join(b"a%d=1" % n for n in range(1001)), "application/x-www-form-urlencoded", "auto"),
        (b"\xff", "text/plain", "auto"),
        (b"--x\r\n\r\n", "multipart/form-data; boundary=x", "auto"),
    ],
)
def test_what_cannot_be_read(body: bytes, content_type: str, form: str) -> None:
    refused = told(body, f"event: body.type, format: {form}", content_type=content_type)

    assert isinstance(refused, Refused)
    assert refused.reason is Reason.UNREADABLE


def test_a_compressed_body_says_what_to_change() -> None:
    refused = told(b"\x1f\x8b", coding="gzip")

    assert isinstance(refused, Refused)
    assert refused.reason is Reason.UNREADABLE
    assert refused.detail.startswith("The body is compressed (gzip); let the service")
    assert isinstance(told({"type": "a"}, coding="Identity "), Accepted)


def test_more_events_than_anybody_sends() -> None:
    refused = told([0] * (MOST_EVENTS + 1), "split: 'body[]', event: { text: e }")

    assert isinstance(refused, Refused)
    assert refused.reason is Reason.TOO_MANY_EVENTS


def test_a_form_keeps_repeated_names() -> None:
    assert read_form(b"a=1&b=&a=2&a=3") == {"a": ["1", "2", "3"], "b": ""}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "é"])
def test_only_post_tells(method: str) -> None:
    golden = GOLDEN[0]
    request = SourceRequest(method=method, url=URL, query={}, headers={}, body=b"")
    refused = judge(source_of(golden), request, now_ms=NOW_MS)

    assert isinstance(refused, Refused)
    assert refused.reason is Reason.METHOD


@settings(max_examples=200)
@given(
    name=st.sampled_from([each.verify for each in GOLDEN]),
    body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()),
    headers=st.dictionaries(
        st.sampled_from(
            sorted({name for each in GOLDEN for name in each.headers(each.raw)} | {"content-type"})
        ),
        st.text(max_size=60),
    ),
    query=st.dictionaries(
        st.sampled_from(["hub.mode", "hub.verify_token", "bodySHA256"]), st.text(max_size=20)
    ),
    method=st.sampled_from(["GET", "POST"]),
)
def test_whatever_strangers_send_is_refused_and_raises_nothing(
    name: str, body: bytes, headers: dict[str, str], query: dict[str, str], method: str
) -> None:
    source = _SOURCES[name]
    request = SourceRequest(method=method, url=URL, query=query, headers=headers, body=body)

    assert isinstance(judge(source, request, now_ms=NOW_MS), Refused)
    assert len(masked_body(body)) <= MOST_BODY_CHARACTERS + 1
    masked_headers(headers)


_SOURCES = {each.verify: source_of(each) for each in GOLDEN}


@given(value=JSON)
def test_any_json_that_is_signed_is_an_event(value: Any) -> None:
    raw = json.dumps(value, ensure_ascii=True).encode()
    judgement = told(raw)

    if isinstance(judgement, Refused):
        assert judgement.reason is Reason.UNREADABLE
        assert b"\\u0000" in raw or b"\\ud" in raw
    else:
        assert len(names(judgement)) == 1


# ---- paths


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("body.a.b", 1),
        ("body['a'].b", 1),
        ("body.list[1]", "y"),
        ("body.list[9]", MISSING),
        ("body.a.b.c", MISSING),
        ("body.list.x", MISSING),
        ("body.none", None),
        ("headers.X-Topic", "t"),
        ("query['a.b']", "q"),
    ],
)
def test_paths(written: str, found: object) -> None:
    places = {
        "body": {"a": {"b": 1}, "list": ["x", "y"], "none": None},
        "headers": {"x-topic": "t"},
        "query": {"a.b": "q"},
    }
    path = read_path(written)

    assert isinstance(path, Path)
    assert path.find(places) == found


@pytest.mark.parametrize(
    "written", ["", "nowhere.a", "body..a", "body[", "body.a b", "body[x]", "body()", 7, "x" * 301]
)
def test_what_is_no_path(written: object) -> None:
    assert isinstance(read_path(written), str)


# ---- what routes see


def test_a_route_sees_the_payload_at_the_top_and_the_standard_names_win() -> None:
    payload = {
        "id": "evt_stripe",
        "type": "invoice.paid",
        "data": {"object": {"amount": 1}},
        "livemode": True,
    }
    data = {"source": "stripe", "event": "invoice.paid", "source_event_id": "evt_stripe", "payload": payload}
    view = route_view("evt_hub", "source.received", 5, data)

    assert view["data"]["object"]["amount"] == 1
    assert (view["id"], view["type"], view["source"], view["event"]) == (
        "evt_hub",
        "source.received",
        "stripe",
        "invoice.paid",
    )
    assert view["payload"]["id"] == "evt_stripe"
    assert set(view) - {"data", "livemode"} <= set(STANDARD)


def test_a_payload_that_is_no_map_is_there_alone() -> None:
    view = route_view("evt_hub", "source.received", 5, {"source": "s", "payload": [1, 2]})

    assert view["payload"] == [1, 2]


def test_a_hook_is_known_by_its_digest() -> None:
    assert hook_key("a-long-odd-path") != hook_key("a-long-odd-patk")
    assert "a-long" not in hook_key("a-long-odd-path")


# ---- masking


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"a":"short","n":1}', '{"a":"short","n":1}'),
        (b'{"text":"A long text of a person"}', '{"text":"A long text …"}'),
        (b'{"password":"x","api_key":1,"signature":{"token":"y","at":1}}',
         '{"password":"***","api_key":"***","signature":{"token":"***","at":1}}'),
        (b'[1,2,3,4,5,6,7]', '[1,2,3,4,5,"… 7 items"]'),
        (b"Body=Hello+dear+person&AuthToken=abc", '{"Body":"Hello dear p…","AuthToken":"***"}'),
        (b"plain text of somebody", "plain text o…"),
        (b"", ""),
    ],
)  # fmt: skip
def test_bodies_are_masked(body: bytes, shown: str) -> None:
    assert masked_body(body) == shown


def test_headers_are_masked() -> None:
    headers = {
        "authorization": "Bearer abcdef",
        "content-type": "text/plain",
        "x-time-timestamp": "1780000000",
    }

    assert masked_headers(headers) == {
        "authorization": "Bear…",
        "content-type": "text/plain",
        "x-time-timestamp": "1780000000",
    }
