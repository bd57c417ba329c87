"""Twilio's webhooks: believed only when signed, told once whatever comes how often and in which order."""

from __future__ import annotations

import random
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.flow.bridge_kinds import HookRequest
from hub.model.observation import Observation
from hub.rules.facts import facts_of
from hub.rules.refusals import validate
from tests.bridge.networks import CONTACT, HOOK_URL, LINE
from tests.bridge.twilio.conftest import TwilioHarness
from tests.bridge.twilio.fake_twilio import ACCOUNT, PICTURE

LINE_ID = 7


def keys(seen: list[Observation]) -> set[bytes]:
    return {fact.dedupe_key for each in seen for fact in facts_of(each, LINE_ID)}


async def test_what_a_contact_writes_is_told_with_its_files(harness: TwilioHarness) -> None:
    reply = await harness.hook(harness.twilio.receive("look", sender=CONTACT, files=2))

    [seen] = reply.observations
    assert seen.message is not None
    assert seen.chat is not None
    assert (reply.status, reply.content_type) == (200, "text/xml")
    assert (seen.kind, seen.line, seen.actor, seen.chat.key) == (
        "message.received", LINE, CONTACT, f"dm:{CONTACT}",
    )  # fmt: skip
    assert [(part.type, part.text, part.mime_type) for part in seen.message.parts] == [
        ("text", "look", None),
        ("attachment", None, "image/png"),
        ("attachment", None, "image/png"),
    ]
    ref = seen.message.parts[1].ref or ""
    assert b"".join([piece async for piece in harness.adapter.open_attachment(ref)]) == PICTURE


async def test_a_status_quotes_the_attempt_that_its_address_names(harness: TwilioHarness) -> None:
    operation = harness.desk.send()
    outcome = await harness.adapter.perform(operation)
    reply = await harness.hook(harness.twilio.progress(outcome.provider_id or "", "delivered"))

    [seen] = reply.observations
    assert seen.message is not None
    assert (seen.kind, seen.message.provider_id) == ("status.delivered", outcome.provider_id)
    assert (seen.message.attempt_id, seen.message.delivered_at) == (operation.attempt_id, seen.at)


async def test_a_failure_says_why(harness: TwilioHarness) -> None:
    outcome = await harness.adapter.perform(harness.desk.send())
    reply = await harness.hook(harness.twilio.progress(outcome.provider_id or "", "undelivered", 30003))

    [seen] = reply.observations
    assert seen.kind == "status.failed"
    assert seen.error is not None
    assert (seen.error.code, (seen.error.raw or "")[:6]) == ("not_reachable", "30003:")


@pytest.mark.parametrize(
    ("word", "kinds"),
    [
        ("STOP", ["message.received", "contact.opted_out"]),
        ("START", ["message.received", "contact.opted_in"]),
        ("HELP", ["message.received"]),
        ("", ["message.received"]),
    ],
)
async def test_words_that_twilio_understood_are_told(
    harness: TwilioHarness, word: str, kinds: list[str]
) -> None:
    """Twilio knows words that the hub does not, ARRET for instance."""
    reply = await harness.hook(harness.twilio.receive("ARRET", sender=CONTACT, OptOutType=word))

    assert [each.kind for each in reply.observations] == kinds


async def test_a_message_that_failed_for_an_opt_out_tells_it(harness: TwilioHarness) -> None:
    outcome = await harness.adapter.perform(harness.desk.send())
    reply = await harness.hook(harness.twilio.progress(outcome.provider_id or "", "failed", 21610))

    assert [each.kind for each in reply.observations] == ["status.failed", "contact.opted_out"]


def tampered(request: HookRequest) -> list[HookRequest]:
    headers = dict(request.headers)
    return [
        replace(request, body=request.body + b"&Body=more"),
        replace(request, url=request.url + "?attempt=x"),
        replace(request, headers={**headers, "x-twilio-signature": "AAAA"}),
        replace(request, headers={name: headers[name] for name in headers if name != "x-twilio-signature"}),
        replace(request, headers={**headers, "content-type": "application/json"}),
        replace(request, headers={**headers, "x-twilio-signature": "\u20ac" * 9}),
    ]


async def test_what_is_not_signed_is_not_believed(harness: TwilioHarness) -> None:
    request = harness.twilio.receive("hi", sender=CONTACT)
    others = harness.twilio.signed({"MessageSid": "SM1"}, token="another-token")

    for forged in [*tampered(request), others]:
        reply = await harness.hook(forged)
        assert (reply.status, reply.observations) == (403, ())
        assert reply.reason
    assert (await harness.hook(request)).observations


async def test_a_wrong_signature_says_what_to_look_at(harness: TwilioHarness) -> None:
    """The usual slips: the secret of an API key, and a public address that is spelt otherwise at Twilio."""
    request = harness.twilio.receive("hi", sender=CONTACT)
    reply = await harness.hook(replace(request, url=request.url.replace("hub.example", "www.hub.example")))

    assert reply.reason == (
        "No signature fits this with any of the source's secrets. Is auth_token the one of this account (not an API "
        "key's secret), and does the address at Twilio begin with web.base_url, letter by letter?"
    )


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({}, "names no message"),
        ({"MessageSid": "SM1", "To": LINE}, "both sides"),
        ({"MessageSid": "SM1", "To": LINE, "From": CONTACT, "MessageStatus": "teleported"}, "teleported"),
        ({"MessageSid": "S" * 600, "To": LINE, "From": CONTACT, "Body": "x"}, "names no message"),
        ({"AccountSid": "AC" + "f" * 32, "MessageSid": "SM1"}, "another account"),
        ({f"Field{number}": "x" for number in range(501)}, "more fields"),
    ],
)
async def test_what_is_signed_and_of_no_use_is_passed_over(
    harness: TwilioHarness, form: dict[str, str], reason: str
) -> None:
    reply = await harness.hook(harness.twilio.signed(form))

    assert (reply.status, reply.observations) == (200, ())
    assert reason in (reply.reason or "")


async def test_other_methods_and_giants_are_refused(harness: TwilioHarness) -> None:
    request = harness.twilio.receive("hi", sender=CONTACT)

    assert (await harness.hook(replace(request, method="GET"))).status == 405
    assert (await harness.hook(replace(request, body=b"x" * 300_000))).status == 413


_TEXTS = st.text(st.characters(blacklist_categories=()), max_size=40)
_NAMES = st.sampled_from(
    ["AccountSid", "Body", "ErrorCode", "From", "MediaContentType0", "MediaUrl0", "MessageSid", "MessageStatus",
     "NumMedia", "OptOutType", "SmsStatus", "To"]
)  # fmt: skip


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    form=st.dictionaries(_NAMES, _TEXTS | st.sampled_from(["SM1", LINE, CONTACT, "sent", "1", ACCOUNT])),
    query=st.lists(st.tuples(st.just("attempt"), _TEXTS), max_size=2),
)
async def test_whatever_is_signed_never_raises_and_can_be_taken_in(
    harness: TwilioHarness, form: dict[str, str], query: list[tuple[str, str]]
) -> None:
    plain = {name: value.encode("utf-8", "replace").decode() for name, value in form.items()}
    reply = await harness.hook(replace(harness.twilio.signed(plain), query=query))

    assert reply.status == 200
    assert reply.observations or reply.reason
    now_ms = harness.desk.clock.now_ms()
    assert [validate(each, now_ms=now_ms) for each in reply.observations] == [None] * len(reply.observations)


async def test_any_order_and_number_of_webhooks_tells_the_same(harness: TwilioHarness) -> None:
    """Lost ones are told by the list; what is known of a message never goes back."""
    requests = [harness.twilio.receive("hi", sender=CONTACT, files=1)]
    for statuses in (
        ("queued", "sent", "delivered"),
        ("queued", "sent", "failed"),
        ("sent", "delivered", "read"),
    ):
        outcome = await harness.adapter.perform(harness.desk.send())
        for status in statuses:
            requests.append(harness.twilio.progress(outcome.provider_id or "", status))  # noqa: PERF401
    whole = keys([each for request in requests for each in (await harness.hook(request)).observations])

    for seed in range(8):
        generator = random.Random(seed)
        told = requests * 2
        generator.shuffle(told)
        seen: list[Observation] = []
        for request in told:
            harness.desk.clock.advance(generator.randrange(1000))
            seen += (await harness.hook(request)).observations
        assert keys(seen) == whole
        heard = [request for request in requests if generator.random() < 0.5]
        late = harness.restarted()
        lost = [each for request in heard for each in (await harness.hook(request)).observations]
        lost += await harness.desk.listen(late)
        # The first failure that the list shows is all that it tells of that message.
        assert keys(lost) <= whole
        assert len(whole - keys(lost)) <= 1


async def test_the_signed_address_may_name_the_port(harness: TwilioHarness) -> None:
    """Twilio signs it with or without, whatever it called."""
    url = HOOK_URL.replace("hub.example", "hub.example:443")
    form = {"MessageSid": "SM1", "From": CONTACT, "To": LINE, "Body": "hi", "AccountSid": ACCOUNT}
    request = harness.twilio.signed(form, url=url)

    assert (await harness.hook(replace(request, url=HOOK_URL))).observations
    assert request.body == urlencode(form).encode()
