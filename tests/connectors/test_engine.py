"""Whatever a provider does ends in a class, in words that show no secret, and in no harm done twice."""

from __future__ import annotations

import asyncio
import json
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.connectors.exchanging import SOON_MS
from hub.flow.repositories import Store
from hub.model.actions import ActionCall, ActionFailed
from hub.rules.connectors.answers import MOST_BYTES, read_answer
from hub.rules.connectors.model import AnswerForm
from tests.connectors.golden import NAME, Engine, clock_at, connection_of, engine, manifest_of
from tests.connectors.provider import providing

MANIFEST = """
manifest: 1
id: acme
title: Acme
docs: https://acme.example
checked: 2026-08-21
base_url: https://api.acme.example
auth: { key: { fields: { key: { secret: true } }, apply: { query: { api_key: "{{ auth.key }}" } } } }
limits:
  - { rate: 1/10s, per: connection, match: "POST /slow" }
  - { rate: 1/10s, per: key, key: "{{ input.who }}", match: "POST /each" }
adapt: { remaining: x-left, reset: x-reset }
actions:
  add:
    title: Add
    kind: write
    idempotent: false
    request: { method: POST, path: /things, json: {} }
    output: { id: "{{ body.id }}" }
    sample: { id: n1 }
  keyed:
    title: Add under a key
    kind: write
    idempotent: { header: Idempotency-Key }
    request: { method: POST, path: /things, json: {} }
    output: { id: "{{ body.id }}" }
    sample: { id: n1 }
  slow:
    title: Slow
    kind: write
    idempotent: true
    request: { method: POST, path: /slow }
    output: {}
    sample: {}
  each:
    title: Each
    kind: write
    idempotent: true
    input: { type: object, properties: { who: { type: string } }, required: [who] }
    request: { method: POST, path: /each }
    output: {}
    sample: {}
  list:
    title: List
    kind: read
    request: { path: /list, query: { after: "{{ page.cursor | default(omit) }}", n: "{{ page.number }}" } }
    paginate: { next: "{{ body.next | default(none) }}", items: "{{ body.items }}", pages: 3 }
    output: { items: "{{ items }}", last: "{{ body.next | default(none) }}" }
    sample: { items: [], last: null }
  once:
    title: Find or create
    kind: write
    idempotent: false
    lock: "thing:{{ input.who }}"
    input: { type: object, properties: { who: { type: string } }, required: [who] }
    steps:
      - { id: found, request: { path: /find } }
      - { id: made, if: "not steps.found.body.found", request: { method: POST, path: /make } }
    output: { made: "{{ steps.made.status == 'completed' }}" }
    sample: { made: true }
"""
ACME = manifest_of(MANIFEST)
CONNECTION = connection_of(ACME, {"auth": {"key": {"key": "test-key-1"}}})
OK: dict[str, Any] = {"json": {"id": "n1"}}


async def run(works: Engine, action: str, inputs: dict[str, Any] | None = None, key: str = "k") -> Any:
    call = ActionCall(
        name=f"acme.{action}", connection=NAME, inputs=inputs or {}, key=key, attempt=1, timeout_ms=5_000
    )
    try:
        return (await works.actions.run(call)).output
    except ActionFailed as failure:
        return failure


@pytest.mark.parametrize(
    ("answer", "error_class", "words"),
    [
        ({"text": "{" * 200}, "server", "its answer is no JSON"),
        ({"text": json.dumps({"id": "x" * MOST_BYTES})}, "invalid", "larger than 1048576 bytes"),
        ({"text": '{"id": 1' + "0" * 40 + "}"}, "server", "too large to keep exactly"),
        (
            {"text": '{"id": "\\ud800"}', "headers": {"content-type": "application/json"}},
            "server",
            "surrogate",
        ),
        ({"json": {"other": 1}}, "bug", "answered otherwise than acme.add expects; the requests were made"),
        ({"json": [1]}, "bug", "answered otherwise"),
        ({"status": 204}, "bug", "answered otherwise"),
        (
            {"status": 301, "headers": {"location": "https://evil.example/b?api_key=test-key-1"}},
            "invalid",
            "Acme answered 301: redirects are not followed; ask https://evil.example/b itself",
        ),
        ({"status": 308}, "invalid", "Acme answered 308: redirects are not followed"),
        ({"status": 304}, "invalid", "Acme answered 304"),
        ({"status": 500, "json": {"message": "key test-key-1 broke it"}}, "server", "key *** broke it"),
        ({"status": 400, "text": "<html>no</html>"}, "invalid", "a page of HTML"),
        ({"status": 429, "headers": {"retry-after": "-5"}}, "rate_limited", "429"),
    ],
)
async def test_a_strange_answer_has_a_class_and_words(
    store: Store, answer: dict[str, Any], error_class: str, words: str
) -> None:
    async with providing([answer]) as (provider, caller):
        failure = await run(engine(store, caller, [CONNECTION]), "add")

    assert isinstance(failure, ActionFailed)
    assert failure.error_class == error_class, failure.message
    assert words in failure.message
    assert "test-key-1" not in failure.message + str(failure.requests)
    assert failure.requests == (f"POST https://api.acme.example/things {answer.get('status', 200)}",)
    assert dict(provider.asked[0].query) == {"api_key": "test-key-1"}


@given(raw=st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_without_harm(raw: bytes) -> None:
    for form in get_args(AnswerForm):
        answer = read_answer(200, [(b"A", b"b"), (b"a", b"c")], raw, form)

        assert answer.headers == {"a": "b"}
        assert answer.fault is None or form == "json"


def test_a_byte_order_mark_is_no_part_of_an_answer() -> None:
    forms: tuple[AnswerForm, ...] = ("json", "any")
    for form in forms:
        assert read_answer(200, [], b'\xef\xbb\xbf{"id":"n1"}', form).body == {"id": "n1"}


async def test_a_key_goes_with_each_attempt_at_a_keyed_action(store: Store) -> None:
    async with providing([{"drop": True}, OK]) as (provider, caller):
        works = engine(store, caller, [CONNECTION])
        first, second = await run(works, "keyed", key="k1"), await run(works, "keyed", key="k1")

    assert (first.error_class, second) == ("timeout_unknown", {"id": "n1"})
    assert [each.headers["idempotency-key"] for each in provider.asked] == ["k1", "k1"]


async def test_an_unsafe_request_is_not_sent_twice_when_a_kept_connection_was_closed(store: Store) -> None:
    async with providing([OK, {"drop": True}]) as (provider, caller):
        works = engine(store, caller, [CONNECTION])
        await run(works, "add")
        failure = await run(works, "add")

    assert failure.error_class == "timeout_unknown"
    assert len(provider.asked) == 2


# ---- pace


async def test_who_is_too_soon_is_told_when_to_come_back_and_then_goes_first(store: Store) -> None:
    async with providing([{}, {}]) as (provider, caller):
        works = engine(store, caller, [CONNECTION])
        assert await run(works, "slow", key="a") == {}
        second, third = await run(works, "slow", key="b"), await run(works, "slow", key="c")
        works.clock.advance(second.after_ms)
        again = await run(works, "slow", key="b")

    assert (second.error_class, second.after_ms, third.after_ms) == ("rate_limited", 10_000, 20_000)
    assert "keeps its place" in second.message
    assert second.requests == ()
    assert again == {}
    assert len(provider.asked) == 2


async def test_a_short_wait_is_waited_for(store: Store) -> None:
    async with providing([{}, {}]) as (_, caller):
        works = engine(store, caller, [CONNECTION])
        await run(works, "slow", key="a")
        works.clock.advance(10_000 - SOON_MS + 500)
        before = works.clock.now_ms()

        assert await run(works, "slow", key="b") == {}
        assert works.clock.now_ms() - before == SOON_MS - 500


async def test_a_limit_by_key_counts_each_value_for_itself(store: Store) -> None:
    async with providing([{}, {}]) as (_, caller):
        works = engine(store, caller, [CONNECTION])
        told = [
            await run(works, "each", {"who": who}, key=str(place))
            for place, who in enumerate(["a", "b", "a"])
        ]

    assert told[:2] == [{}, {}]
    assert told[2].error_class == "rate_limited"


@pytest.mark.parametrize(
    "answer",
    [
        {**OK, "headers": {"x-left": "0", "x-reset": "60"}},
        {"status": 429, "headers": {"retry-after": "60"}},
    ],
)
async def test_a_provider_that_wants_rest_gets_it_from_all_runs(store: Store, answer: dict[str, Any]) -> None:
    async with providing([answer, OK]) as (provider, caller):
        works = engine(store, caller, [CONNECTION])
        await run(works, "add", key="a")
        other = await run(works, "add", key="b")
        works.clock.advance(60_000)
        after = await run(works, "add", key="b")

    assert (other.error_class, other.after_ms) == ("rate_limited", 60_000)
    assert after == {"id": "n1"}
    assert len(provider.asked) == 2


# ---- lists


async def test_a_list_is_read_on_until_it_ends(store: Store) -> None:
    pages: list[dict[str, Any]] = [{"json": {"items": [1, 2], "next": "c 1"}}, {"json": {"items": [3]}}]
    async with providing(pages) as (provider, caller):
        output = await run(engine(store, caller, [CONNECTION]), "list")

    assert output == {"items": [1, 2, 3], "last": None}
    assert [dict(each.query) for each in provider.asked] == [
        {"n": "1", "api_key": "test-key-1"},
        {"after": "c 1", "n": "2", "api_key": "test-key-1"},
    ]


@pytest.mark.parametrize(("cursors", "asked"), [(["a", "b", "c", "d"], 3), (["a", "a", "a"], 2)])
async def test_a_list_without_end_is_cut_off(store: Store, cursors: list[str], asked: int) -> None:
    pages = [{"json": {"items": [cursor], "next": cursor}} for cursor in cursors]
    async with providing(pages) as (provider, caller):
        await run(engine(store, caller, [CONNECTION]), "list")

    assert len(provider.asked) == asked


# ---- locks


async def test_the_same_thing_is_found_or_made_by_one_at_a_time(store: Store) -> None:
    answers: list[dict[str, Any]] = [
        {"json": {"found": False}},
        {"json": {}},
        *[{"json": {"found": True}}] * 5,
    ]
    async with providing(answers) as (provider, caller):
        clock = clock_at()
        engines = [engine(store, caller, [CONNECTION], clock=clock, sleep=asyncio.sleep) for _ in range(3)]
        told = await asyncio.gather(
            *(run(each, "once", {"who": "ann"}) for each in engines for _ in range(2))
        )

    assert sorted(each["made"] for each in told) == [False] * 5 + [True]
    assert [each.url.rpartition("/")[2] for each in provider.asked] == ["find", "make"] + ["find"] * 5


async def test_who_waits_too_long_for_a_lock_comes_back(store: Store) -> None:
    async with providing([]) as (provider, caller):
        works = engine(store, caller, [CONNECTION])
        async with works.locks.held(f"{NAME}:thing:ann", patience_ms=0, lease_ms=60_000):
            failure = await run(works, "once", {"who": "ann"})

    assert (failure.error_class, failure.requests) == ("retryable", ())
    assert provider.asked == []


async def test_a_lock_that_its_process_did_not_let_go_is_over_with_its_lease(store: Store) -> None:
    async with providing([{"json": {"found": True}}]) as (_, caller):
        works = engine(store, caller, [CONNECTION])
        holding = works.locks.held(f"{NAME}:thing:ann", patience_ms=0, lease_ms=1_000)
        await holding.__aenter__()

        assert await run(works, "once", {"who": "ann"}) == {"made": False}


# ---- asking for what is not there


@pytest.mark.parametrize(
    ("name", "connection", "words"),
    [
        ("acme.ad", NAME, "There is no action acme.ad. Did you mean acme.add?"),
        ("acme.add", "goldn", "acme has no connection 'goldn'; did you mean golden"),
        ("hubspot.find_contact", None, "hubspot has no connection"),
    ],
)
async def test_what_is_not_there_is_told(store: Store, name: str, connection: str | None, words: str) -> None:
    async with providing([]) as (_, caller):
        works = engine(store, caller, [CONNECTION])
        call = ActionCall(name=name, connection=connection, inputs={}, key="k", attempt=1, timeout_ms=1_000)
        with pytest.raises(ActionFailed) as failed:
            await works.actions.run(call)

    assert words in failed.value.message


async def test_a_connector_without_credentials_has_a_connection_of_its_own(store: Store) -> None:
    async with providing([]) as (_, caller):
        works = engine(store, caller, [CONNECTION])

    assert works.actions.connections() == {"http": "http", NAME: "acme"}
    assert works.actions.specs()["webhook.send"].connector is None
