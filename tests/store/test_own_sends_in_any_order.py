"""A message that we send is one: at the same moment, and in any order of outcome, evidence, retry and crash."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.flow.payloads import status_of
from hub.flow.repositories import Store
from hub.model.observation import ObservedError
from hub.model.outbox import OutboxState, attempt_id
from hub.rules.message_status import MessageStatus
from tests.store.shown_sends import ACCEPTED, REFUSED, bare, named, shown
from tests.support.sent_story import UNSURE, Stage, Then, a_stage
from tests.support.sightings import AT

#: Guids that no other example of this run has used.
_numbers = itertools.count(1)


@pytest.fixture
async def stage(store: Store) -> Stage:
    return await a_stage(store)


@pytest.mark.slow
async def test_an_answer_and_evidence_at_the_same_moment_end_in_one_message(stage: Stage) -> None:
    """Transactions that meet, some quoting the attempt and some not."""
    for _ in range(25):
        guid = f"G{next(_numbers)}"
        accepted = await stage.ask()
        outbox_id, asked_id = accepted.outbox_id, accepted.message_id or 0
        evidence = [("sent", True), ("sent", False), ("delivered", True), ("failed", False)]
        stage.bridge.outcome = named(ACCEPTED, guid)
        thens = _thens(stage, guid, outbox_id, evidence)
        await asyncio.gather(stage.step(outbox_id), *(then() for then in thens))
        message = await stage.message(asked_id)

        assert status_of(message) == "delivered"
        assert await stage.visible(guid, attempt_id(outbox_id)) == {message.id: message}
        told = await stage.told(asked_id, message.id)
        assert all(told.count(each) == 1 for each in set(told)), told


@pytest.mark.slow
async def test_two_at_the_same_moment_cancel_once_or_retry_once(stage: Stage) -> None:
    for _ in range(10):
        waiting = await stage.ask()
        thoughts = stage.second_thoughts
        cancels = [thoughts.cancel(stage.line, waiting.message_id or 0) for _ in range(4)]
        answers = await asyncio.gather(stage.step(waiting.outbox_id), *cancels, return_exceptions=True)
        is_sent = (await stage.item(waiting.outbox_id)).state is not OutboxState.CANCELLED
        assert sum(isinstance(answer, list) for answer in answers) == int(not is_sent)

        stage.bridge.outcome = REFUSED
        failed = await stage.ask()
        await stage.end(failed.outbox_id)
        retries = [stage.retry(failed.message_id or 0) for _ in range(4)]
        tried = await asyncio.gather(*retries, return_exceptions=True)
        [again] = [answer for answer in tried if not isinstance(answer, BaseException)]
        assert (await stage.message(failed.message_id or 0)).outbox_id == again.outbox_id
        await stage.end(again.outbox_id)


@dataclass(frozen=True)
class Plan:
    """What happens to one send, by the names of things."""

    outcome: str
    crashes: bool
    before: tuple[tuple[str, bool], ...]
    after: tuple[tuple[str, bool], ...]

    @property
    def evidence(self) -> tuple[tuple[str, bool], ...]:
        return self.before + self.after


_evidence = st.lists(
    st.tuples(st.sampled_from(["sent", "delivered", "read", "failed", "bare delivered"]), st.booleans()),
    max_size=4,
).map(tuple)
plans = st.builds(
    Plan,
    outcome=st.sampled_from(["accepted", "refused", "unsure", "found"]),
    crashes=st.booleans(),
    before=_evidence,
    after=_evidence,
)

_OBSERVED: dict[str, dict[str, Any]] = {
    "sent": {"kind": "message.sent", "sent_at": AT + 1},
    "delivered": {"kind": "status.delivered", "delivered_at": AT + 2},
    "read": {"kind": "status.read", "read_at": AT + 3},
    "failed": {"kind": "status.failed", "error": ObservedError(code="22")},
}


def _thens(stage: Stage, guid: str, outbox_id: int, evidence: Sequence[tuple[str, bool]]) -> list[Then]:
    thens: list[Then] = []
    for name, quotes in evidence:
        if name == "bare delivered":
            thens.append(partial(stage.tell, bare("status.delivered", guid)))
        else:
            observed = shown(guid=guid, outbox_id=outbox_id if quotes else None, **_OBSERVED[name])
            thens.append(partial(stage.tell, observed))
    return thens


def _links(plan: Plan) -> bool:
    """Whether anything says that what the network shows is what we sent."""
    answered = plan.outcome in {"accepted", "refused"} and not plan.crashes
    found = plan.outcome == "found" or (plan.crashes and plan.outcome != "unsure")
    return (
        answered
        or found
        or not plan.evidence
        or any(quotes for name, quotes in plan.evidence if name != "bare delivered")
    )


def _expected(plan: Plan) -> set[str]:
    names = {name.removeprefix("bare ") for name, _ in plan.evidence}
    if "read" in names:
        return {"read"}
    if "delivered" in names:
        return {"delivered"}
    if "failed" in names or plan.outcome == "refused":
        return {"failed"}
    if plan.outcome in {"accepted", "found"} or any(quotes for _, quotes in plan.evidence):
        return {"sent"}
    return {"failed"}


@pytest.mark.slow
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
        HealthCheck.filter_too_much,
    ],
)
@given(plan=plans.filter(_links))
async def test_any_order_ends_in_one_message_of_the_right_status(stage: Stage, plan: Plan) -> None:
    guid = f"G{next(_numbers)}"
    outcomes = {
        "accepted": named(ACCEPTED, guid),
        "refused": named(REFUSED, guid),
        "unsure": UNSURE,
        "found": UNSURE,
    }
    stage.bridge.outcome = outcomes[plan.outcome]
    stage.bridge.found = named(ACCEPTED, guid) if plan.outcome == "found" else outcomes[plan.outcome]
    accepted = await stage.ask()
    outbox_id, asked_id = accepted.outbox_id, accepted.message_id or 0
    stage.bridge.meanwhile = _thens(stage, guid, outbox_id, plan.before)
    if plan.crashes:
        await stage.hand_over_and_crash(outbox_id)
    else:
        await stage.step(outbox_id)
    stage.bridge.meanwhile = []
    for then in _thens(stage, guid, outbox_id, plan.after):
        await then()
    await stage.end(outbox_id)
    for then in _thens(stage, guid, outbox_id, plan.evidence):
        await then()

    message = await stage.message(asked_id)
    assert status_of(message) in _expected(plan)
    assert await stage.visible(guid, attempt_id(outbox_id)) == {message.id: message}
    told = await stage.told(asked_id, message.id)
    assert all(told.count(each) == 1 for each in set(told)), told
    assert ("message.failed" in told) >= (status_of(message) is MessageStatus.FAILED)
