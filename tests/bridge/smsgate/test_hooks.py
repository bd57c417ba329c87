"""The phone's webhooks: believed only when signed, told once whatever comes how often and in which order."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.model.observation import Observation
from hub.rules.facts import facts_of
from hub.rules.refusals import validate
from tests.bridge.networks import CONTACT, LINE
from tests.bridge.smsgate.conftest import SmsGateHarness
from tests.bridge.smsgate.fake_phone import PICTURE

LINE_ID = 7
SECOND = "+15550100099"


def keys(seen: list[Observation]) -> set[bytes]:
    return {fact.dedupe_key for each in seen for fact in facts_of(each, LINE_ID)}


async def test_what_a_contact_writes_is_told(harness: SmsGateHarness) -> None:
    [seen] = (await harness.hook(harness.phone.receive("hi"))).observations

    assert seen.message is not None
    assert (seen.kind, seen.line, seen.actor, seen.at) == (
        "message.received", LINE, CONTACT, harness.desk.clock.now_ms(),
    )  # fmt: skip
    assert [part.text for part in seen.message.parts] == ["hi"]


async def test_the_same_words_at_another_time_are_another_message(harness: SmsGateHarness) -> None:
    """The phone's own id is a short hash."""
    first = await harness.hook(harness.phone.receive("yes"))
    harness.desk.clock.advance(1_000)
    second = await harness.hook(harness.phone.receive("yes"))

    assert len(keys([*first.observations, *second.observations])) == 2


async def test_an_mms_brings_its_files(harness: SmsGateHarness) -> None:
    payload = {
        "messageId": "mms-1",
        "sender": CONTACT,
        "recipient": None,
        "simNumber": 1,
        "subject": "Trip",
        "body": "look",
        "receivedAt": harness.phone.now(),
        "attachments": [
            {"partId": 1, "contentType": "application/smil", "name": "s.xml", "size": 1, "data": None},
            {"partId": 2, "contentType": "image/png", "name": "a.png", "size": 11, "data": None},
        ],
    }
    [seen] = (await harness.hook(harness.phone.told("mms:downloaded", payload))).observations

    assert seen.message is not None
    assert seen.message.subject == "Trip"
    assert [(part.type, part.ref, part.filename) for part in seen.message.parts] == [
        ("text", None, None),
        ("attachment", "mms-1/2", "a.png"),
    ]
    assert b"".join([piece async for piece in harness.adapter.open_attachment("mms-1/2")]) == PICTURE


@pytest.mark.parametrize(
    ("event", "reason", "kind", "code"),
    [
        ("sms:sent", "", "status.sent", None),
        ("sms:delivered", "", "status.delivered", None),
        ("sms:failed", "Send result: RESULT_ERROR_NO_SERVICE", "status.failed", "no_service"),
        ("sms:failed", "who knows", "status.failed", "send_failed"),
    ],
)
async def test_statuses_quote_the_attempt(
    harness: SmsGateHarness, event: str, reason: str, kind: str, code: str | None
) -> None:
    operation = harness.desk.send()
    outcome = await harness.adapter.perform(operation)
    [seen] = (
        await harness.hook(harness.phone.progress(outcome.provider_id or "", event, reason))
    ).observations

    assert seen.message is not None
    assert (seen.kind, seen.message.attempt_id) == (kind, operation.attempt_id)
    assert (seen.error and seen.error.code) == code


@pytest.mark.parametrize(("sim", "line"), [(1, LINE), (2, SECOND), (3, None), (None, None), (True, None)])
async def test_the_sim_tells_the_line(harness: SmsGateHarness, sim: int | None, line: str | None) -> None:
    harness.desk.lines.append(SECOND)
    harness.restarted(sims={LINE: 1, SECOND: 2})
    reply = await harness.hook(harness.phone.receive("hi", sim=sim))

    assert [each.line for each in reply.observations] == ([] if line is None else [line])
    assert reply.observations or "by which SIM" in (reply.reason or "")


async def test_what_is_not_signed_is_not_believed(harness: SmsGateHarness) -> None:
    request, phone = harness.phone.receive("hi"), harness.phone
    now = harness.desk.clock.now_ms() // 1000
    forged = [
        replace(request, body=request.body + b" "),
        replace(request, headers={**request.headers, "x-timestamp": str(now + 1)}),
        replace(request, headers={**request.headers, "x-signature": "00"}),
        replace(request, headers={**request.headers, "x-signature": "\u20ac"}),
        replace(request, headers={}),
        phone.signed(request.body, key="another"),
        phone.signed(request.body, stamp=str(now - 3600)),
        phone.signed(request.body, stamp=str(now + 3600)),
        phone.signed(request.body, stamp="now"),
    ]

    for each in forged:
        reply = await harness.hook(each)
        assert (reply.status, reply.observations) == (401, ())
        assert reply.reason
    assert (await harness.hook(request)).observations
    assert (await harness.hook(replace(request, method="GET"))).status == 405
    assert (await harness.hook(replace(request, body=b"x" * 5_000_000))).status == 413


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{", b'{"event":"system:ping"}', b'{"event":"call:received","payload":{}}',
     b'{"event":"sms:received","payload":[]}', b'{"event":"sms:sent","payload":{"messageId":"x","recipient":"+1"}}',
     b'{"a":' * 5000, b'{"event":"sms:received","payload":{"messageId":"\\ud800","sender":"+15550100001"}}',
     b'{"event":' + b"9" * 5000 + b"}"],
)  # fmt: skip
async def test_what_is_signed_and_of_no_use_is_passed_over(harness: SmsGateHarness, body: bytes) -> None:
    reply = await harness.hook(harness.phone.signed(body))

    assert (reply.status, reply.observations) == (200, ())
    assert reply.reason


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from([CONTACT, "2026-01-01T00:00Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_FIELDS = ("attachments", "body", "message", "messageId", "phoneNumber", "reason", "receivedAt", "recipient",
           "sender", "simNumber", "subject")  # fmt: skip


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    event=st.sampled_from(["mms:downloaded", "sms:delivered", "sms:failed", "sms:received", "sms:sent"]),
    payload=st.dictionaries(st.sampled_from(_FIELDS), _JSON) | _JSON,
)
async def test_whatever_is_signed_never_raises_and_can_be_taken_in(
    harness: SmsGateHarness, event: str, payload: object
) -> None:
    reply = await harness.hook(harness.phone.told(event, payload))

    assert reply.status == 200
    assert reply.observations or reply.reason
    now_ms = harness.desk.clock.now_ms()
    assert [validate(each, now_ms=now_ms) for each in reply.observations] == [None] * len(reply.observations)


async def test_any_order_and_number_of_webhooks_tells_the_same(harness: SmsGateHarness) -> None:
    """Lost statuses are told by the list."""
    requests = [harness.phone.receive("hi"), harness.phone.receive("ho")]
    for events in (("sms:sent", "sms:delivered"), ("sms:sent", "sms:failed")):
        outcome = await harness.adapter.perform(harness.desk.send())
        requests += [harness.phone.progress(outcome.provider_id or "", event) for event in events]
    whole = keys([each for request in requests for each in (await harness.hook(request)).observations])

    for seed in range(20):
        told = requests * 2
        random.Random(seed).shuffle(told)
        seen = [each for request in told for each in (await harness.hook(request)).observations]
        assert keys(seen) == whole
    listed = keys(await harness.desk.listen(harness.restarted()))
    assert listed <= whole
    assert len(listed) == 2
