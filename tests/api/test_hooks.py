"""POST /hooks/{name}: believed once, recorded durably, told to those who asked by name; all else is turned away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # Twilio ships no types

from hub.api.surface import build
from hub.flow.source_book import SourceBook
from hub.flow.source_intake import SourceParts
from hub.model.errors import HubError
from hub.rules.sources.hooks import hook_key
from tests.rules.sources.deliveries import P256, b64, digest, p256_key
from tests.rules.sources.deliveries import SECRET as KEY
from tests.support.asgi import Answered, Caller
from tests.support.hub_world import HubWorld, open_world
from tests.support.inbound_sources import SECRET, source_book, sources_of

BODY = b'{"type":"invoice.paid","data":{"amount":4200}}'


MANY = f"""\
  payments: {{ verify: standard-webhooks, secret: {{ env: PAYMENTS }} }}
  mail: {{ verify: mailgun, secret: {{ env: KEY }} }}
  letters: {{ verify: sendgrid, public_key: {p256_key()} }}
  whatsapp: {{ verify: whatsapp, secret: {{ env: KEY }}, verify_token: {{ env: TOKEN }} }}
  notion: {{ verify: notion }}
  calls: {{ verify: twilio, secret: {{ env: KEY }} }}
  plain:
    verify: {{ static: header, header: x-key }}
    secret: {{ env: KEY }}
    format: auto
    answer: {{ status: 204 }}
"""
PATH = "a-long-odd-word"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    async with open_world(tmp_path) as opened:
        yield opened


@pytest.fixture
def many(world: HubWorld) -> Caller:
    """The same hub with other sources, a route at a path of its own, and narrow limits."""
    book = source_book(sources_of(MANY, {"PAYMENTS": SECRET, "KEY": KEY, "TOKEN": "verify-me"}))
    sources = SourceParts(
        book=book, max_body_bytes=2000, requests_per_minute=5, is_hook=lambda path: path == PATH
    )
    return Caller(build(replace(world.parts, sources=sources)), token=world.api.token)


async def tell(world: HubWorld, body: bytes = BODY, *, number: str = "msg_1", **changed: str) -> Answered:
    """Tell as a sender of Standard Webhooks does, with the official library."""
    at = datetime.fromtimestamp(world.clock.now_ms() // 1000, UTC)
    headers = {
        "webhook-id": number,
        "webhook-timestamp": str(world.clock.now_ms() // 1000),
        "webhook-signature": Webhook(SECRET).sign(number, at, body.decode()),
        **{name.replace("_", "-"): value for name, value in changed.items()},
    }
    return await world.api.with_token(None).post("/hooks/payments", body, headers=headers)


async def events(world: HubWorld) -> list[dict[str, Any]]:
    answered = await world.api.get("/v1/events?type=source.*&order=asc")
    found: list[dict[str, Any]] = answered.json["data"]
    return found


async def test_what_is_told_is_an_event(world: HubWorld) -> None:
    answered = await tell(world)
    (event,) = await events(world)

    assert (answered.status, answered.body) == (200, b"")
    assert (event["type"], event["line_id"], event["chat_id"]) == ("source.received", None, None)
    assert event["data"] == {
        "source": "payments",
        "event": "invoice.paid",
        "source_event_id": "msg_1",
        "hook": None,
        "received_at": world.clock.now_ms(),
        "payload": {"type": "invoice.paid", "data": {"amount": 4200}},
    }


async def test_a_repeat_is_answered_alike_and_adds_nothing(world: HubWorld) -> None:
    answers = [await tell(world) for _ in range(3)]

    assert {each.status for each in answers} == {200}
    assert len(await events(world)) == 1


async def test_the_same_at_once_is_one_event(world: HubWorld) -> None:
    """A sender that waited too long tells again while the first request is still under way."""
    answers = await asyncio.gather(*(tell(world, number=f"msg_{index % 3}") for index in range(12)))

    assert {each.status for each in answers} == {200}
    assert sorted(each["data"]["source_event_id"] for each in await events(world)) == [
        "msg_0",
        "msg_1",
        "msg_2",
    ]


async def test_an_id_is_forgotten_after_its_time(world: HubWorld) -> None:
    await tell(world)
    world.clock.advance(7 * 86_400_000)
    await tell(world)

    assert len(await events(world)) == 2


async def test_webhooks_get_it_only_if_they_ask_by_name(world: HubWorld) -> None:
    await world.webhook(events=["*"])
    named = await world.webhook(events=["source.*"])
    await tell(world)
    (event,) = await events(world)
    answered = await world.api.get(f"/v1/events/{event['id']}/explain")

    assert {each["webhook_id"]: each["why"] for each in answered.json["data"]}[named["id"]] == "matched"
    assert sorted(each["why"] for each in answered.json["data"]) == ["matched", "other_type"]


async def test_a_bad_signature_is_401_and_echoes_nothing(world: HubWorld) -> None:
    answered = await tell(world, webhook_signature="v1,bm90IGl0")

    assert (answered.status, answered.code) == (401, "invalid_signature")
    assert b"4200" not in answered.body
    assert await events(world) == []


async def test_what_was_turned_away_is_kept_with_the_reason_and_masked(world: HubWorld) -> None:
    body = b'{"type":"invoice.paid","customer":"Annabelle Lee-Example","api_token":"hunter2"}'
    await tell(world, body, webhook_signature="v1,bm90IGl0")
    (kept,) = (await world.api.get("/v1/sources/payments/rejected")).json["data"]
    (source,) = (await world.api.get("/v1/sources")).json["data"]

    assert (kept["reason"], kept["method"], kept["body_bytes"]) == ("bad_signature", "POST", len(body))
    assert kept["body"] == '{"type":"invoice.paid","customer":"Annabelle Le…","api_token":"***"}'
    assert kept["headers"]["webhook-signature"] == "v1,b…"
    assert (source["rejected_count"], source["last_rejected_at"]) == (1, kept["rejected_at"])
    assert (source["url"], source["secret_count"]) == ("http://127.0.0.1:8080/hooks/payments", 1)


async def test_an_unknown_source_is_404(world: HubWorld) -> None:
    for path in ("/hooks/nobody", "/hooks/", "/hooks/payments/x"):
        answered = await world.api.post(path, BODY)
        assert (answered.status, answered.code) == (404, "source_not_found")


async def test_a_flood_of_forgeries_keeps_few(world: HubWorld) -> None:
    for _ in range(60):
        await tell(world, webhook_signature="v1,bm90IGl0")

    (source,) = (await world.api.get("/v1/sources")).json["data"]
    assert source["rejected_count"] == 20


# ---- other ways of telling


def mail(world: HubWorld, token: str, number: str, event: str = "failed") -> dict[str, Any]:
    stamp = str(world.clock.now_ms() // 1000)
    signature = digest(f"{stamp}{token}".encode()).hex()
    return {
        "signature": {"timestamp": stamp, "token": token, "signature": signature},
        "event-data": {"event": event, "id": number},
    }


async def test_a_token_of_mailgun_counts_once(world: HubWorld, many: Caller) -> None:
    """The event is not signed: who saw one request could send another event under its token."""
    first = await many.post("/hooks/mail", mail(world, "t1", "a"))
    forged = await many.post("/hooks/mail", mail(world, "t1", "b", "forged"))
    real = await many.post("/hooks/mail", mail(world, "t2", "b"))

    assert [each.status for each in (first, forged, real)] == [200] * 3
    told = [(each["data"]["source_event_id"], each["data"]["event"]) for each in await events(world)]
    assert told == [("a", "failed"), ("b", "failed")]


async def letters(world: HubWorld, many: Caller, *numbers: str) -> Answered:
    """Tell of several letters as SendGrid does."""
    body = json.dumps([{"event": "open", "sg_event_id": number} for number in numbers]).encode()
    stamp = str(world.clock.now_ms() // 1000)
    signature = P256.sign(stamp.encode() + body, ECDSA(SHA256()))
    headers = {
        "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
        "X-Twilio-Email-Event-Webhook-Signature": b64(signature),
    }
    return await many.post("/hooks/letters", body, headers=headers)


async def test_several_events_of_one_request_each_count_once(world: HubWorld, many: Caller) -> None:
    assert (await letters(world, many, "a", "b", "a")).status == 200
    assert (await letters(world, many, "b", "c")).status == 200

    assert [each["data"]["source_event_id"] for each in await events(world)] == ["a", "b", "c"]


async def test_the_answer_is_the_one_that_the_service_likes(world: HubWorld, many: Caller) -> None:
    answered = await many.post("/hooks/plain", b'{"n":1}', headers={"x-key": KEY})

    assert (answered.status, answered.body) == (204, b"")


async def test_forms_and_texts_are_payloads(world: HubWorld, many: Caller) -> None:
    form = {"x-key": KEY, "content-type": "application/x-www-form-urlencoded"}
    await many.post("/hooks/plain", b"a=1&b=x+y", headers=form)
    await many.post("/hooks/plain", "Grüße".encode(), headers={"x-key": KEY, "content-type": "text/plain"})

    assert [each["data"]["payload"] for each in await events(world)] == [{"a": "1", "b": "x y"}, "Grüße"]


async def test_whatsapp_sets_the_address_up(many: Caller) -> None:
    query = "hub.mode=subscribe&hub.verify_token=verify-me&hub.challenge=42"
    good = await many.with_token(None).get(f"/hooks/whatsapp?{query}")
    bad = await many.with_token(None).get(f"/hooks/whatsapp?{query.replace('verify-me', 'x')}")

    assert (good.status, good.body) == (200, b"42")
    assert good.headers["x-content-type-options"] == "nosniff"
    assert (bad.status, b"42" in bad.body) == (401, False)


async def test_notion_tells_its_secret_to_the_operator(many: Caller) -> None:
    answered = await many.post("/hooks/notion", {"verification_token": "secret_abc123"})
    (kept,) = (await many.get("/v1/sources/notion/rejected")).json["data"]

    assert answered.status == 200
    assert kept["reason"] == "offers_secret"
    assert "secret_abc123" in kept["detail"]
    assert "secret_abc123" not in kept["body"]


@pytest.mark.parametrize("query", ["", "?a=1%2C2&b=%20x", "?"])
@pytest.mark.parametrize("name", ["calls", "%63alls"])
async def test_the_url_that_is_signed_is_the_public_one(
    name: str, query: str, world: HubWorld, many: Caller
) -> None:
    """Whatever `Host` says: behind a proxy that is the sender's choice."""
    form = {"MessageSid": "SM1", "MessageStatus": "sent"}
    url = f"http://127.0.0.1:8080/hooks/{name}{'' if query == '?' else query}"
    forged = url.replace("127.0.0.1:8080", "other.example.com")
    answers = [
        await many.post(
            f"/hooks/{name}{query}",
            urlencode(form).encode(),
            headers={
                "Host": "other.example.com",
                "Content-Type": "application/x-www-form-urlencoded",
                "X-Twilio-Signature": RequestValidator(KEY).compute_signature(signed, form),
            },
        )
        for signed in (url, forged)
    ]

    assert [each.status for each in answers] == [204, 401]


async def test_too_large_and_too_often(world: HubWorld, many: Caller) -> None:
    large = await many.post("/hooks/plain", b'"%b"' % (b"x" * 2000), headers={"x-key": KEY})
    often = [await many.post("/hooks/plain", b"%d" % n, headers={"x-key": KEY}) for n in range(6)]

    assert (large.status, large.code) == (413, "payload_too_large")
    assert [each.status for each in often] == [204] * 5 + [429]
    assert often[-1].headers["retry-after"] == "60"
    assert len(await events(world)) == 5

    world.clock.advance(60_000)
    assert (await many.post("/hooks/plain", b"9", headers={"x-key": KEY})).status == 204


async def test_strangers_do_not_use_up_what_the_service_may(many: Caller) -> None:
    for _ in range(20):
        assert (await many.post("/hooks/plain", b"1", headers={"x-key": "no"})).status == 401

    assert (await many.post("/hooks/plain", b"1", headers={"x-key": KEY})).status == 204


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
async def test_only_post_tells(method: str, many: Caller) -> None:
    for path in ("/hooks/plain", f"/hooks/{PATH}"):
        answered = await many.request(method, path, headers={"x-key": KEY})
        assert (answered.status, answered.headers["allow"]) == (405, "POST")


async def test_the_path_of_a_route(world: HubWorld, many: Caller) -> None:
    answered = await many.with_token(None).post(f"/hooks/{PATH}", {"order": 7})
    (event,) = await events(world)

    assert (answered.status, answered.body) == (202, b"")
    assert event["data"]["source"] == "webhook"
    assert event["data"]["hook"] == hook_key(PATH)
    assert event["data"]["payload"] == {"order": 7}
    assert PATH not in str(event)


async def test_the_path_of_a_route_counts_a_named_request_once(world: HubWorld, many: Caller) -> None:
    for _ in range(2):
        await many.post(f"/hooks/{PATH}", {"order": 7}, headers={"Idempotency-Key": "one"})
    for _ in range(2):
        await many.post(f"/hooks/{PATH}", {"order": 7})

    assert len(await events(world)) == 3
    assert (await many.post(f"/hooks/{PATH}", b"{")).status == 400


async def test_a_broken_file_makes_senders_wait(world: HubWorld) -> None:
    def broken() -> list[Any]:
        raise HubError("line 3 is wrong")

    book = SourceBook(broken)
    book.refresh(0)
    api = Caller(build(replace(world.parts, sources=SourceParts(book=book))), token=world.api.token)
    answered = await api.post("/hooks/payments", BODY)

    assert (answered.status, answered.code) == (503, "service_unavailable")
    assert answered.headers["retry-after"] == "60"
    assert "line 3" not in answered.body.decode()


# ---- what is counted and logged


async def test_every_request_is_counted_and_told_in_one_line(
    world: HubWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    await tell(world)
    await tell(world)
    await tell(world, webhook_signature="v1,bm90IGl0")
    registry = world.parts.live.metrics.registry
    lines = [line for line in capsys.readouterr().out.splitlines() if "answered" in line]

    def requests(outcome: str) -> float | None:
        return registry.get_sample_value(
            "hub_source_requests_total", {"source": "payments", "outcome": outcome}
        )

    def told(status: str) -> float | None:
        return registry.get_sample_value("hub_source_events_total", {"source": "payments", "status": status})

    assert [requests("accepted"), requests("bad_signature")] == [2, 1]
    assert [told("recorded"), told("duplicate")] == [1, 1]
    assert len(lines) == 3
    assert all("source.answered" in line and "source=payments" in line for line in lines)
    assert "4200" not in "".join(lines)


# ---- strangers


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    path=st.sampled_from(
        ["payments", "mail", "letters", "whatsapp", "notion", "plain", PATH, "", "%ff", "a/b"]
    ),
    method=st.sampled_from(["POST", "GET", "PUT"]),
    query=st.text(st.characters(max_codepoint=126, min_codepoint=33), max_size=30),
    headers=st.dictionaries(
        st.sampled_from(["content-type", "x-key", "webhook-id", "webhook-timestamp", "webhook-signature"]),
        st.text(st.characters(max_codepoint=255, min_codepoint=32), max_size=60),
    ),
    body=st.binary(max_size=300),
)
async def test_whatever_comes_is_answered(
    many: Caller, *, path: str, method: str, query: str, headers: dict[str, str], body: bytes
) -> None:
    encoded = {name: text.encode("latin-1").decode("latin-1") for name, text in headers.items()}
    answered = await many.request(
        method, f"/hooks/{path}?{query.replace('?', '')}", body=body, headers=encoded
    )

    assert answered.status < 500
