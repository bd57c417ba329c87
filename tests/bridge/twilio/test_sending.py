"""What Twilio is asked for, and what its answers mean."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from bridge import http_api
from hub.model.outbox import Disposition, OperationKind
from tests.bridge.networks import CONTACT, LINE
from tests.bridge.twilio.conftest import LOSES_ANSWER, LOSES_REQUEST, TwilioHarness


async def test_a_send_is_one_form_that_names_its_attempt(harness: TwilioHarness) -> None:
    """The address of the status is the only word of ours that Twilio carries."""
    operation = harness.operation(
        OperationKind.SEND,
        parts=[
            {"type": "text", "text": "one"},
            {"type": "attachment", "file_id": "file_0000000000001"},
            {"type": "text", "text": "two"},
        ],
    )
    outcome = await harness.adapter.perform(operation)

    [form] = harness.twilio.forms
    callback = dict(form).pop("StatusCallback")
    assert outcome.provider_id == harness.twilio.messages[0]["sid"]
    assert [pair for pair in form if pair[0] != "StatusCallback"] == [
        ("To", CONTACT),
        ("From", LINE),
        ("Body", "one\ntwo"),
        ("MediaUrl", "https://hub.example/v1/files/file_0000000000001/content?signature=x"),
    ]
    assert parse_qs(urlsplit(callback).query) == {"attempt": [operation.attempt_id]}


async def test_a_service_and_a_validity_go_along(harness: TwilioHarness) -> None:
    service = "MG" + "1b" * 16
    bridge = harness.restarted(messaging_service_sid=service, validity_seconds=600)
    await bridge.perform(harness.desk.send())

    form = dict(harness.twilio.forms[0])
    assert (form["MessagingServiceSid"], form["ValidityPeriod"], form["From"]) == (service, "600", LINE)


@pytest.mark.parametrize(
    ("to", "disposition", "code", "wait_ms"),
    [
        ("+15550100111", Disposition.REJECTED, "twilio_29999", None),
        ("+15550100211", Disposition.REJECTED, "invalid_number", None),
        ("+15550100429", Disposition.NOT_STARTED, "rate_limited", 30_000),
        ("+15550100610", Disposition.REJECTED, "contact_opted_out", None),
        (LOSES_ANSWER, Disposition.MAY_HAVE_COMPLETED, "no_answer", None),
        (LOSES_REQUEST, Disposition.MAY_HAVE_COMPLETED, "no_answer", None),
    ],
)
async def test_answers(
    harness: TwilioHarness, to: str, disposition: Disposition, code: str, wait_ms: int | None
) -> None:
    outcome = await harness.adapter.perform(harness.desk.send(to=to))

    assert (outcome.disposition, outcome.code, outcome.retry_after_ms) == (disposition, code, wait_ms)
    assert outcome.is_retry_safe == (disposition is Disposition.NOT_STARTED)
    assert harness.twilio.token not in str(outcome)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"chat_key": "chat123"}, "groups_unsupported"),
        ({"text": "x" * 1601}, "text_too_long"),
        (
            {"parts": [{"type": "attachment", "file_id": f"file_{number:013d}"} for number in range(11)]},
            "too_many_files",
        ),
        ({"reply_to_guid": "SM1"}, "unsupported"),
    ],
)
async def test_what_sms_cannot_say_is_refused(
    harness: TwilioHarness, payload: dict[str, object], code: str
) -> None:
    outcome = await harness.adapter.perform(
        harness.operation(OperationKind.SEND, **{"text": "hi", **payload})
    )

    assert (outcome.disposition, outcome.code) == (Disposition.REJECTED, code)
    assert harness.twilio.forms == []


async def test_files_need_an_address_that_twilio_reaches(harness: TwilioHarness) -> None:
    harness.desk.links.base = None
    harness.desk.hook_url = None
    bridge = harness.restarted()
    files = harness.desk.send(attachments=["file_0000000000001"])

    assert (await bridge.perform(files)).code == "public_address_needed"
    assert (await bridge.perform(harness.desk.send())).disposition is Disposition.ACCEPTED
    assert "StatusCallback" not in dict(harness.twilio.forms[0])


@pytest.mark.parametrize(("is_down", "code"), [(True, "network_error"), (False, "bad_credentials")])
async def test_an_outage_leaves_doubt_and_a_wrong_key_does_not(
    harness: TwilioHarness, is_down: bool, code: str
) -> None:
    harness.twilio.is_down = is_down
    harness.twilio.token = "another token"
    outcome = await harness.adapter.perform(harness.desk.send())

    expected = Disposition.MAY_HAVE_COMPLETED if is_down else Disposition.REJECTED
    assert (outcome.disposition, outcome.code) == (expected, code)


async def test_a_network_that_is_not_there_has_nothing(harness: TwilioHarness) -> None:
    bridge = harness.restarted(api_url="http://127.0.0.1:9")
    outcome = await bridge.perform(harness.desk.send())

    assert (outcome.disposition, outcome.is_retry_safe) == (Disposition.NOT_STARTED, True)
    assert (await bridge.health())[0] == "offline"


async def test_a_network_that_hangs_leaves_doubt(
    harness: TwilioHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_api, "TIMEOUT_SECONDS", 0.05)
    harness.twilio.hangs.add(CONTACT)
    outcome = await harness.adapter.perform(harness.desk.send())

    assert outcome.disposition is Disposition.MAY_HAVE_COMPLETED
    assert harness.twilio.arrived(CONTACT) == 0


async def test_a_lost_send_is_found_by_words_and_time(harness: TwilioHarness) -> None:
    """Not one from before, not another's, not one that is known to be another send."""
    await harness.adapter.perform(harness.desk.send("wait", to=LOSES_ANSWER))
    harness.desk.clock.advance(60_000)
    harness.twilio.loses_answer.clear()
    await harness.adapter.perform(harness.desk.send("wait", to=LOSES_ANSWER))
    harness.twilio.loses_answer.add(LOSES_ANSWER)
    lost = harness.desk.send("wait", to=LOSES_ANSWER)
    assert (await harness.adapter.lookup(lost)).code == "not_found"
    await harness.adapter.perform(lost)

    found = await harness.adapter.lookup(lost)

    assert found.provider_id == harness.twilio.messages[-1]["sid"]
    assert len(harness.twilio.messages) == 3


async def test_two_messages_that_fit_prove_nothing(harness: TwilioHarness) -> None:
    twins = [harness.desk.send("wait", to=LOSES_ANSWER) for _ in range(2)]
    for each in twins:
        await harness.adapter.perform(each)

    found = await harness.adapter.lookup(twins[0])

    assert (found.disposition, found.code) == (Disposition.MAY_HAVE_COMPLETED, "several_found")


async def test_a_look_up_that_fails_says_nothing(harness: TwilioHarness) -> None:
    harness.twilio.is_down = True

    assert (await harness.adapter.lookup(harness.desk.send())).disposition is Disposition.MAY_HAVE_COMPLETED
