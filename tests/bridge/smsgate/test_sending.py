"""What the phone is asked for, and what its answers mean."""

from __future__ import annotations

import pytest

from bridge.smsgate.ids import attempt_id_in, message_id
from hub.model.outbox import Disposition, attempt_id
from tests.bridge.networks import CONTACT, LINE
from tests.bridge.smsgate.conftest import LOSES_ANSWER, LOSES_REQUEST, SmsGateHarness
from tests.bridge.smsgate.fake_phone import DEVICE


async def test_a_send_is_one_message_under_our_id(harness: SmsGateHarness) -> None:
    bridge = harness.restarted(sims={LINE: 2}, ttl_seconds=600)
    operation = harness.desk.send("hello")
    outcome = await bridge.perform(operation)

    assert outcome.provider_id == message_id(operation.attempt_id)
    assert harness.phone.bodies == [
        {
            "id": outcome.provider_id,
            "textMessage": {"text": "hello"},
            "phoneNumbers": [CONTACT],
            "withDeliveryReport": True,
            "simNumber": 2,
            "ttl": 600,
        }
    ]


def test_ids_lead_back_and_foreign_ones_nowhere() -> None:
    ours = attempt_id(123_456_789)

    assert attempt_id_in(message_id(ours)) == ours
    assert message_id(ours) != ours
    assert [attempt_id_in(text) for text in ("", "x" * 32, "0" * 32, ours, "٣" * 32)] == [None] * 5


async def test_a_send_that_got_lost_is_repeated_and_goes_out_once(harness: SmsGateHarness) -> None:
    lost, unsent = harness.desk.send(to=LOSES_ANSWER), harness.desk.send(to=LOSES_REQUEST)
    for operation in (lost, unsent):
        assert (await harness.adapter.perform(operation)).disposition is Disposition.MAY_HAVE_COMPLETED
    assert (await harness.adapter.lookup(lost)).disposition is Disposition.ACCEPTED
    found = await harness.adapter.lookup(unsent)
    assert (found.disposition, found.is_retry_safe) == (Disposition.NOT_STARTED, True)
    harness.phone.loses_request.clear()

    for operation in (lost, unsent, lost):
        assert (await harness.adapter.perform(operation)).disposition is Disposition.ACCEPTED

    assert (harness.arrived(lost), harness.arrived(unsent)) == (1, 1)


@pytest.mark.parametrize(
    ("status", "disposition", "code", "wait_ms"),
    [
        (400, Disposition.REJECTED, "refused", None),
        (401, Disposition.REJECTED, "bad_credentials", None),
        (404, Disposition.REJECTED, "unexpected_answer", None),
        (409, Disposition.ACCEPTED, None, None),
        (429, Disposition.NOT_STARTED, "rate_limited", 30_000),
        (500, Disposition.MAY_HAVE_COMPLETED, "network_error", None),
        (302, Disposition.MAY_HAVE_COMPLETED, "network_error", None),
    ],
)
async def test_answers(
    harness: SmsGateHarness, status: int, disposition: Disposition, code: str | None, wait_ms: int | None
) -> None:
    harness.phone.refuses[CONTACT] = status
    outcome = await harness.adapter.perform(harness.desk.send())

    assert (outcome.disposition, outcome.code, outcome.retry_after_ms) == (disposition, code, wait_ms)


async def test_a_phone_that_is_away_has_nothing(harness: SmsGateHarness) -> None:
    bridge = harness.restarted(url="http://127.0.0.1:9")
    outcome = await bridge.perform(harness.desk.send())

    assert (outcome.disposition, outcome.is_retry_safe) == (Disposition.NOT_STARTED, True)
    assert (await bridge.health())[0] == "offline"
    assert (await bridge.lookup(harness.desk.send())).disposition is Disposition.MAY_HAVE_COMPLETED


@pytest.mark.parametrize(
    ("sims", "sim"), [({"1 (555) 010-0000": 2, "+15550100099": 1}, 2), ({"+15550100099": 1}, None)]
)
async def test_a_phone_with_two_lines_sends_by_the_right_sim_or_not_at_all(
    harness: SmsGateHarness, sims: dict[str, int], sim: int | None
) -> None:
    harness.desk.lines.append("+15550100099")
    outcome = await harness.restarted(sims=sims).perform(harness.desk.send())

    if sim is None:
        assert (outcome.disposition, outcome.code) == (Disposition.REJECTED, "line_not_at_network")
    assert [each["simNumber"] for each in harness.phone.bodies] == ([] if sim is None else [sim])


async def test_one_phone_of_several_is_named_in_all_that_is_asked(harness: SmsGateHarness) -> None:
    bridge = harness.restarted(device_id=DEVICE)
    await bridge.perform(harness.desk.send())
    await harness.desk.listen(bridge)
    asked = [*harness.phone.bodies, *harness.phone.exports, *harness.phone.webhooks.values()]
    other = await harness.hook(harness.phone.receive("hi"))

    assert [each["deviceId"] for each in asked] == [DEVICE] * 7
    assert (other.observations, other.reason) == (
        (), "Passed over: another phone than `device_id` tells it.",
    )  # fmt: skip


async def test_groups_are_refused(harness: SmsGateHarness) -> None:
    assert (await harness.adapter.perform(harness.desk.send(chat_key="chat1"))).code == "groups_unsupported"
