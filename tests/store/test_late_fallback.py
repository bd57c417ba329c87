"""A first network that says late that it cannot reach the contact: the second one sends it, once; on both databases."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.flow.payloads import status_of
from hub.flow.repositories import Store
from hub.flow.rows import MessageRow
from hub.model.observation import Observation, ObservedError
from hub.model.outbox import Disposition, OperationOutcome, OutboxState, attempt_id
from hub.rules.message_status import MessageStatus
from tests.support.sent_story import UNSURE, Stage, a_stage
from tests.support.sightings import AT, a_message, seen

IN = OperationOutcome(disposition=Disposition.ACCEPTED, provider_id="G")
OUT = OperationOutcome(disposition=Disposition.ACCEPTED, provider_id="SM")
UNREACHED = OperationOutcome(disposition=Disposition.REJECTED, code="22", detail="no such address")
_numbers = itertools.count(1)


@pytest.fixture
async def stage(store: Store) -> Stage:
    stage = await a_stage(store, has_second=True)
    stage.bridge.outcome, stage.second.outcome = IN, OUT
    return stage


def failed(guid: str = "G", code: str = "22", **fields: Any) -> Observation:
    error = ObservedError(code=code)
    message = a_message(guid, is_from_me=True, error=error, **fields)
    return seen("status.failed", message=message, at=AT, error=error)


def delivered(guid: str = "G", **fields: Any) -> Observation:
    return seen(
        "message.sent", message=a_message(guid, is_from_me=True, delivered_at=AT + 5, **fields), at=AT
    )


async def sent(stage: Stage, **payload: object) -> MessageRow:
    """Ask for a message that may fall back, and let the first bridge take it."""
    asked: dict[str, Any] = {"allow_sms_fallback": True, **payload}
    accepted = await stage.ask(**asked)
    await stage.end(accepted.outbox_id)
    return await stage.message(accepted.message_id or 0)


async def settled(stage: Stage, message_id: int) -> MessageRow:
    """Let everything that is owed be done."""
    for _ in range(9):
        message = await stage.message(message_id)
        if message.outbox_id is not None:
            await stage.end(message.outbox_id)
        if (await stage.message(message_id)).outbox_id == message.outbox_id:
            break
    return await stage.message(message_id)


async def test_it_goes_over_the_second_bridge_and_says_so(stage: Stage) -> None:
    first = await sent(stage)
    await stage.tell(failed())
    waiting = await stage.message(first.id)
    last = await settled(stage, first.id)

    assert (status_of(waiting), waiting.error) == (MessageStatus.QUEUED, None)
    assert (status_of(last), last.guid, last.was_downgraded) == (MessageStatus.SENT, "SM", 1)
    assert [each.payload["text"] for each in stage.second.asked] == ["hello"]
    assert len(stage.bridge.asked) == 1
    assert await stage.told(first.id) == ["message.queued", "message.queued", "message.downgraded"]


async def test_the_second_networks_word_is_about_the_same_message(stage: Stage) -> None:
    first = await sent(stage)
    await stage.tell(failed())
    last = await settled(stage, first.id)
    quoted = attempt_id(last.outbox_id or 0)
    await stage.tell(delivered("SM", attempt_id=quoted), is_second=True)

    assert status_of(await stage.message(first.id)) is MessageStatus.DELIVERED
    assert set(await stage.visible("SM", "G")) == {first.id}
    assert (await stage.told(first.id)).count("message.failed") == 0


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("late", ["failed", "delivered", "read"])
async def test_whatever_the_first_network_tells_later_changes_nothing(
    stage: Stage, late: str, times: int
) -> None:
    first = await sent(stage)
    await stage.tell(failed())
    last = await settled(stage, first.id)
    before = await stage.told(first.id)
    for _ in range(times):
        await stage.tell(failed() if late == "failed" else delivered())

    assert await settled(stage, first.id) == last
    assert await stage.told(first.id) == before
    assert len(stage.second.asked) == 1


@pytest.mark.parametrize(
    "payload",
    [
        {"allow_sms_fallback": False},
        {"text": None, "parts": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"to": None, "chat_key": "team"},
    ],
    ids=["not allowed", "several parts", "group"],
)
async def test_what_may_not_or_cannot_fall_back_has_failed(stage: Stage, payload: dict[str, object]) -> None:
    first = await sent(stage, **payload)
    await stage.tell(failed())

    assert status_of(await settled(stage, first.id)) is MessageStatus.FAILED
    assert (await stage.told(first.id)).count("message.failed") == 1
    assert stage.second.asked == []


@pytest.mark.parametrize("code", ["4", "43", "timeout"])
async def test_other_errors_are_failures(stage: Stage, code: str) -> None:
    first = await sent(stage)
    await stage.tell(failed(code=code))

    assert status_of(await settled(stage, first.id)) is MessageStatus.FAILED
    assert stage.second.asked == []


@pytest.mark.parametrize("is_one_request", [True, False])
async def test_what_was_delivered_is_never_sent_again(stage: Stage, is_one_request: bool) -> None:
    first = await sent(stage)
    if is_one_request:
        await stage.tell(failed(), delivered())
    else:
        await stage.tell(delivered())
        await stage.tell(failed())

    assert status_of(await settled(stage, first.id)) is MessageStatus.DELIVERED
    assert stage.second.asked == []


async def test_a_line_without_a_second_bridge_fails_as_ever(store: Store) -> None:
    stage = await a_stage(store)
    stage.bridge.outcome = IN
    first = await sent(stage)
    await stage.tell(failed())

    assert status_of(await stage.message(first.id)) is MessageStatus.FAILED
    assert await stage.told(first.id) == ["message.queued", "message.failed"]


async def test_what_the_second_refuses_has_failed_and_is_told_once(stage: Stage) -> None:
    stage.second.outcome = replace(UNREACHED, code="30006")
    first = await sent(stage)
    await stage.tell(failed())
    last = await settled(stage, first.id)
    await stage.tell(failed())

    assert (status_of(last), "30006" in (last.error or "")) == (MessageStatus.FAILED, True)
    assert (await stage.told(first.id)).count("message.failed") == 1
    assert len(stage.second.asked) == 1


async def test_evidence_before_the_answer_waits_for_it(stage: Stage) -> None:
    """A Mac tells the error while the request still waits; then the bridge itself falls back."""
    stage.bridge.outcome = UNREACHED
    accepted = await stage.ask(allow_sms_fallback=True)
    quoted = attempt_id(accepted.outbox_id)
    stage.bridge.meanwhile.append(partial(stage.tell, failed(attempt_id=quoted)))
    stage.second.meanwhile.append(partial(stage.tell, delivered("SM", attempt_id=quoted), is_second=True))
    await stage.end(accepted.outbox_id)
    message = await stage.message(accepted.message_id or 0)

    assert (status_of(message), message.guid, message.was_downgraded) == (MessageStatus.DELIVERED, "SM", 1)
    assert "message.failed" not in await stage.told(message.id)
    assert len(stage.second.asked) == 1


@pytest.mark.parametrize("is_delivered", [False, True])
async def test_evidence_of_the_first_after_the_answer_is_out_of_sight(
    stage: Stage, is_delivered: bool
) -> None:
    """The bridge fell back by itself; what its Mac tells of the refused one is no message of its own."""
    stage.bridge.outcome = UNREACHED
    first = await sent(stage)
    quoted = attempt_id(first.outbox_id or 0)
    await stage.tell(delivered(attempt_id=quoted) if is_delivered else failed(attempt_id=quoted))

    assert await settled(stage, first.id) == first
    assert set(await stage.visible("SM", "G")) == {first.id}
    assert len(stage.second.asked) == 1


async def test_evidence_before_an_answer_that_fails_is_told_once(stage: Stage) -> None:
    stage.bridge.outcome, stage.second.outcome = UNREACHED, replace(UNREACHED, code="30006")
    accepted = await stage.ask(allow_sms_fallback=True)
    stage.bridge.meanwhile.append(partial(stage.tell, failed(attempt_id=attempt_id(accepted.outbox_id))))
    await stage.end(accepted.outbox_id)
    message = await stage.message(accepted.message_id or 0)

    assert status_of(message) is MessageStatus.FAILED
    assert (await stage.told(message.id)).count("message.failed") == 1


async def test_a_second_bridge_that_went_away_is_waited_for(stage: Stage) -> None:
    first = await sent(stage)
    await stage.tell(failed())
    whole = stage.line
    stage.line = replace(whole, fallback_bridge_id=None)
    message = await stage.message(first.id)
    item = await stage.end(message.outbox_id or 0)

    assert (item.state, (item.error or "")[:3]) == (OutboxState.FAILED, "22:")
    assert len(stage.bridge.asked) == 1, "the first network is not asked twice"


async def test_a_crash_in_the_second_send_is_looked_up_there(stage: Stage) -> None:
    first = await sent(stage)
    await stage.tell(failed())
    message = await stage.message(first.id)
    stage.second.outcome, stage.second.found = UNSURE, OUT
    await stage.end(message.outbox_id or 0)

    assert (await stage.message(first.id)).was_downgraded == 1
    assert (len(stage.second.asked), len(stage.bridge.asked)) == (1, 1)


@pytest.mark.parametrize(
    "order", [("failed", "sms"), ("failed", "failed", "sms"), ("sms", "failed"), ("failed", "sms", "failed")]
)
@pytest.mark.parametrize("is_over", [False, True], ids=["unsure", "given up"])
async def test_a_late_word_beside_an_unsure_second_send_shows_no_second_message(
    stage: Stage, order: tuple[str, ...], is_over: bool
) -> None:
    stage.bridge.outcome, stage.second.outcome = UNREACHED, UNSURE
    accepted = await stage.ask(allow_sms_fallback=True)
    quoted = attempt_id(accepted.outbox_id)
    await (stage.end if is_over else stage.step)(accepted.outbox_id)
    for word in order:
        if word == "failed":
            await stage.tell(failed(attempt_id=quoted))
        else:
            await stage.tell(delivered("SM", attempt_id=quoted), is_second=True)
    message = await stage.message(accepted.message_id or 0)

    assert (status_of(message), message.guid) == (MessageStatus.DELIVERED, "SM")
    assert set(await stage.visible("SM", "G")) == {message.id}
    assert (await stage.told(message.id)).count("message.failed") == int(is_over)


#: What can happen, in any order and repeatedly.
_HAPPENINGS = st.lists(
    st.sampled_from(["failed", "delivered", "shown", "step", "sms delivered", "sms shown"]), max_size=9
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    happenings=_HAPPENINGS,
    is_allowed=st.booleans(),
    first=st.sampled_from([IN, UNREACHED]),
    second=st.sampled_from([OUT, UNREACHED, UNSURE]),
)
async def test_whatever_happens_it_is_sent_by_each_network_once_at_most(
    stage: Stage, happenings: list[str], is_allowed: bool, first: OperationOutcome, second: OperationOutcome
) -> None:
    number = next(_numbers)
    one, two = f"G{number}", f"SM{number}"
    stage.bridge.outcome = replace(first, provider_id=one) if first is IN else first
    stage.second.outcome = replace(second, provider_id=two) if second is OUT else second
    stage.bridge.asked.clear()
    stage.second.asked.clear()
    await stage.forget()
    accepted = await stage.ask(allow_sms_fallback=is_allowed)
    message_id, items = accepted.message_id or 0, [accepted.outbox_id]
    has_failed = arrived_first = False
    for happening in happenings:
        message = await stage.message(message_id)
        if message.outbox_id not in items:
            items.append(message.outbox_id or 0)
        quoted = attempt_id(items[0])
        match happening:
            case "failed" if stage.bridge.asked:
                await stage.tell(failed(one, attempt_id=quoted))
                has_failed = True
            case "delivered" if stage.bridge.asked and first is IN:
                await stage.tell(delivered(one, attempt_id=quoted))
                arrived_first = arrived_first or not has_failed
            case "shown" if stage.bridge.asked and first is IN:
                await stage.tell(seen("message.sent", message=a_message(one, is_from_me=True), at=AT))
            case "sms delivered" | "sms shown" if stage.second.asked and second is not UNREACHED:
                at = AT + 5 if happening == "sms delivered" else None
                attempt = stage.second.asked[-1].attempt_id
                said = a_message(two, is_from_me=True, attempt_id=attempt, delivered_at=at)
                await stage.tell(seen("message.sent", message=said, at=AT), is_second=True)
            case "step":
                await stage.step(message.outbox_id or 0)
    last = await settled(stage, message_id)
    told = await stage.told(message_id)

    assert await stage.owed() == []
    assert set(await stage.visible(one, two)) <= {message_id}
    assert len(stage.bridge.asked) == 1
    assert len(stage.second.asked) <= int(is_allowed)
    assert told.count("message.failed") <= 1
    assert told.count("message.downgraded") <= 1
    assert status_of(last) is not MessageStatus.QUEUED
    if arrived_first:
        assert stage.second.asked == []
        assert status_of(last) is MessageStatus.DELIVERED
    if first is IN and has_failed and is_allowed and not arrived_first and second is OUT:
        assert (len(stage.second.asked), last.was_downgraded) == (1, 1)
        assert "message.failed" not in told
