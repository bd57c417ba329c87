"""A line with two bridges: what falls back, what never does, and that a crash in between repeats nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.model.ids import IdFactory
from hub.model.outbox import Disposition, Operation, OperationKind, OperationOutcome
from hub.worker.fallback import WithFallback, adapter_of
from tests.support.manual_time import ManualClock
from tests.support.scripted_bridge import Act, ScriptedBridge
from tests.worker.desk import a_desk
from tests.worker.rig import Rig

CLOCK = ManualClock()
NEW_ID = IdFactory(5, CLOCK.now_ms)


def pair(*first: Act, second: tuple[Act, ...] = ()) -> tuple[ScriptedBridge, ScriptedBridge, WithFallback]:
    one, two = ScriptedBridge(CLOCK), ScriptedBridge(CLOCK)
    one.script.extend(first)
    two.script.extend(second)
    return one, two, WithFallback(one, two)


def send(**payload: Any) -> Operation:
    return Operation(
        outbox_id=NEW_ID(),
        line_handle="+15550100000",
        kind=OperationKind.SEND,
        payload={"to": "+15550100001", "text": "hello", **payload},
        dispatched_at=CLOCK.now_ms(),
    )


@pytest.mark.parametrize(
    ("acts", "payload", "disposition", "was_downgraded", "second_asked"),
    [
        ([Act.ACCEPT], {"allow_sms_fallback": True}, Disposition.ACCEPTED, False, 0),
        ([Act.REJECT], {"allow_sms_fallback": True}, Disposition.ACCEPTED, True, 1),
        ([Act.REJECT], {"allow_sms_fallback": False}, Disposition.REJECTED, False, 0),
        ([Act.REJECT], {}, Disposition.REJECTED, False, 0),
        ([Act.OFFLINE], {"allow_sms_fallback": True}, Disposition.NOT_STARTED, False, 0),
        ([Act.LOST_ANSWER], {"allow_sms_fallback": True}, Disposition.MAY_HAVE_COMPLETED, False, 0),
        ([Act.LOST_REQUEST], {"allow_sms_fallback": True}, Disposition.MAY_HAVE_COMPLETED, False, 0),
    ],
)
async def test_only_what_cannot_be_reached_falls_back_and_only_where_it_may(
    acts: list[Act],
    payload: dict[str, Any],
    disposition: Disposition,
    was_downgraded: bool,
    second_asked: int,
) -> None:
    _, second, both = pair(*acts)

    outcome = await both.perform(send(**payload))

    assert (outcome.disposition, outcome.was_downgraded) == (disposition, was_downgraded)
    assert len(second.performed) == second_asked


async def test_what_sms_has_no_room_for_is_left_out() -> None:
    given: list[Operation] = []

    class Plain(ScriptedBridge):
        async def perform(self, operation: Operation) -> OperationOutcome:
            given.append(operation)
            return await super().perform(operation)

    first, _, _ = pair(Act.REJECT)
    operation = send(allow_sms_fallback=True, reply_to_guid="G1")
    outcome = await WithFallback(first, Plain(CLOCK)).perform(operation)

    assert outcome.was_downgraded
    [plain] = given
    assert plain.attempt_id == operation.attempt_id
    assert plain.payload == {"to": "+15550100001", "text": "hello", "allow_sms_fallback": True}


async def test_what_sms_cannot_carry_is_said() -> None:
    first, second, _ = pair(Act.REJECT)

    class Poor(ScriptedBridge):
        async def capabilities(self) -> frozenset[str]:
            return frozenset({"text"})

    both = WithFallback(first, Poor(CLOCK))
    outcome = await both.perform(send(allow_sms_fallback=True, attachments=["file_0000000000001"]))

    assert (outcome.disposition, outcome.code) == (Disposition.REJECTED, "22")
    assert outcome.detail == "not reachable; and as SMS the line cannot: attachments"
    assert not second.performed


async def test_other_operations_never_fall_back() -> None:
    first, second, both = pair(Act.REJECT)
    operation = replace(send(allow_sms_fallback=True), kind=OperationKind.TYPING)

    assert (await both.perform(operation)).disposition is Disposition.REJECTED
    await both.lookup(operation)
    assert (first.looked_up, second.performed, second.looked_up) == ([operation.outbox_id], [], [])


@pytest.mark.parametrize(
    ("second", "expected", "arrived"),
    [
        (Act.LOST_ANSWER, Disposition.ACCEPTED, 1),
        (Act.LOST_REQUEST, Disposition.MAY_HAVE_COMPLETED, 0),
        (Act.CRASH, Disposition.ACCEPTED, 1),
    ],
)
async def test_a_lost_answer_of_the_second_is_looked_up_there(
    second: Act, expected: Disposition, arrived: int
) -> None:
    _, sms, both = pair(Act.REJECT, second=(second,))
    operation = send(allow_sms_fallback=True)
    try:
        assert (await both.perform(operation)).disposition is Disposition.MAY_HAVE_COMPLETED
    except RuntimeError:
        assert second is Act.CRASH

    found = await both.lookup(operation)

    assert (found.disposition, found.was_downgraded) == (expected, expected is Disposition.ACCEPTED)
    assert sms.arrived(operation) == arrived


async def test_a_lost_answer_of_the_first_is_looked_up_there() -> None:
    _, sms, both = pair(Act.LOST_ANSWER)
    operation = send(allow_sms_fallback=True)
    await both.perform(operation)

    found = await both.lookup(operation)

    assert (found.disposition, found.was_downgraded) == (Disposition.ACCEPTED, False)
    assert sms.sent == []


async def test_without_the_second_adapter_only_what_is_the_seconds_waits() -> None:
    first = ScriptedBridge(CLOCK)
    alone = WithFallback(first, None)
    late = send(allow_sms_fallback=True, as_sms=True)

    assert (await alone.perform(send(allow_sms_fallback=True))).disposition is Disposition.ACCEPTED
    assert (await alone.perform(late)).disposition is Disposition.NOT_STARTED
    assert (await alone.lookup(late)).disposition is Disposition.MAY_HAVE_COMPLETED
    assert "sms_fallback" not in await alone.capabilities()
    assert first.arrived(late) == 0


async def test_what_the_first_could_not_deliver_goes_straight_to_the_second() -> None:
    first, second, both = pair()
    late = send(allow_sms_fallback=True, as_sms=True)

    assert (await both.perform(late)).was_downgraded
    assert (await both.lookup(late)).was_downgraded
    assert (first.performed, first.looked_up, second.arrived(late)) == ([], [], 1)


@pytest.mark.parametrize(("one", "two"), [(False, False), (True, False), (False, True), (True, True)])
async def test_a_repeat_is_harmless_only_where_it_is_for_both(one: bool, two: bool) -> None:
    both = WithFallback(ScriptedBridge(CLOCK, is_idempotent=one), ScriptedBridge(CLOCK, is_idempotent=two))

    assert ("idempotent_send" in await both.capabilities()) is (one and two)


async def test_a_line_has_the_adapters_of_its_bridges(rig: Rig) -> None:
    desk = await a_desk(rig, ScriptedBridge(rig.clock))
    line, first, second = desk.line, ScriptedBridge(rig.clock), ScriptedBridge(rig.clock)
    two = replace(line, fallback_bridge_id=99)

    assert adapter_of(line, {line.bridge_id: first, 99: second}) is first
    assert adapter_of(two, {99: second}) is None
    assert isinstance(adapter_of(two, {line.bridge_id: first, 99: second}), WithFallback)
