"""Each documented number fails in its own way, and the memory survives a crash."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from bridge.sandbox.alarm import LoopAlarm
from bridge.sandbox.bridge import CAPABILITIES
from bridge.sandbox.fates import FATES, OFFLINE_MS, ORDINARY, SLOW_MS, Fate
from hub.model.observation import Observation
from hub.model.outbox import Disposition, OperationKind
from hub.rules.facts import facts_of, text_of
from tests.bridge.sandbox_harness import CONTACT, DELAYS, LINE, SandboxHarness
from tests.support.manual_time import ManualClock

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "sandbox.md"
ALL_WELL = ["message.sent", "message.delivered", "message.read"]

#: Fate → what perform says, its code, whether it may be repeated, what lookup says, and the events that follow.
EXPECTED: dict[str, tuple[str, str | None, str, list[str]]] = {
    "downgraded": ("rejected", "sms_only", "not_started", []),
    "echoes": ("accepted", None, "accepted", [*ALL_WELL, "message.received"]),
    "error_22": ("rejected", "22", "rejected", ["message.failed"]),
    "fails_after_sending": ("accepted", None, "accepted", ["message.sent", "message.failed"]),
    "line_offline": ("not_started", "line_offline", "not_started", []),
    "never_read": ("accepted", None, "accepted", ["message.sent", "message.delivered"]),
    "not_reachable": ("rejected", "not_reachable", "not_started", []),
    "ordinary": ("accepted", None, "accepted", ALL_WELL),
    "part_fails": ("accepted", None, "accepted", ALL_WELL),
    "replies_stop": ("accepted", None, "accepted", [*ALL_WELL, "message.received"]),
    "slow": ("accepted", None, "accepted", ALL_WELL),
    "timeout_never_sent": ("may_have_completed", "timeout", "may_have_completed", []),
    "timeout_then_success": ("may_have_completed", "timeout", "accepted", ALL_WELL),
}
EVERY_FATE = sorted((ORDINARY, *FATES), key=lambda fate: fate.name)


@pytest.fixture
def harness() -> SandboxHarness:
    return SandboxHarness()


def new_events(seen: list[Observation]) -> list[str]:
    """Give the types of the events that the store would record, in order."""
    known: dict[bytes, str] = {}
    for observation in seen:
        for fact in facts_of(observation, 1):
            known.setdefault(fact.dedupe_key, fact.type)
    return list(known.values())


@pytest.mark.parametrize("fate", EVERY_FATE, ids=lambda fate: fate.name)
async def test_fate_goes_as_documented(harness: SandboxHarness, fate: Fate) -> None:
    operation = harness.send_to(fate.number)
    disposition, code, found, events = EXPECTED[fate.name]

    outcome = await harness.adapter.perform(operation)

    assert (outcome.disposition, outcome.code) == (disposition, code)
    assert (await harness.adapter.lookup(operation)).disposition == found
    assert new_events(await harness.seen()) == events


def test_every_fate_has_an_expectation() -> None:
    assert sorted(EXPECTED) == [fate.name for fate in EVERY_FATE]


def test_numbers_are_unique_fictional_and_not_the_lines() -> None:
    numbers = [fate.number or "" for fate in FATES]

    assert len(set(numbers)) == len(numbers)
    assert all(re.fullmatch(r"\+1555010\d{4}", number) for number in numbers)
    assert LINE not in numbers
    assert CONTACT not in numbers


def test_documentation_shows_the_table() -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8").partition("## What else")[0]
    rows = dict(re.findall(r"^\| `(\+1555\d+)` \| (.+?) \|$", text, re.MULTILINE))

    assert rows == {fate.number: fate.story for fate in FATES}


async def test_evidence_is_dated_by_the_network(harness: SandboxHarness) -> None:
    sent_at = harness.clock.now_ms()
    await harness.adapter.perform(harness.send_to(None))

    seen = await harness.seen()

    distances = [each.at - sent_at for each in seen]
    assert distances == [0, DELAYS.delivered_after_ms, DELAYS.read_after_ms]
    assert [each.observed_at for each in seen] == [each.at for each in seen]


async def test_evidence_that_was_not_taken_is_told_again_after_a_crash(harness: SandboxHarness) -> None:
    await harness.adapter.perform(harness.send_to(None))
    events = harness.adapter.events(None)
    first = await anext(events)
    await events.aclose()  # type: ignore[attr-defined] # the port promises an iterator; ours is a generator

    harness.restarted()
    seen = await harness.seen()

    assert seen[0] == first
    assert new_events(seen) == ALL_WELL


async def test_evidence_that_was_taken_is_not_told_again(harness: SandboxHarness) -> None:
    await harness.adapter.perform(harness.send_to(None))
    await harness.seen()

    harness.restarted()

    assert await harness.seen() == []


async def test_offline_line_recovers(harness: SandboxHarness) -> None:
    operation = harness.send_to("+15550100503")
    refused = await harness.adapter.perform(operation)
    harness.clock.advance(OFFLINE_MS)

    outcome = await harness.adapter.perform(operation)

    assert refused.is_retry_safe
    assert outcome.disposition is Disposition.ACCEPTED
    assert new_events(await harness.seen()) == ALL_WELL


async def test_what_may_be_an_sms_goes_out_as_one(harness: SandboxHarness) -> None:
    number = "+15550100302"
    operation = harness.operation(OperationKind.SEND, to=number, text="hi", allow_sms_fallback=True)

    outcome = await harness.adapter.perform(operation)
    seen = await harness.seen()

    assert outcome.disposition is Disposition.ACCEPTED
    assert new_events(seen) == ["message.sent", "message.downgraded", "message.delivered"]
    assert seen[-1].message is not None
    assert seen[-1].message.service == "SMS"


async def test_a_message_that_fails_in_the_middle_says_how_far_it_came(harness: SandboxHarness) -> None:
    parts = [{"type": "text", "text": "one"}, {"type": "attachment", "file_id": "file_1"}]
    number = "+15550100206"
    first = harness.operation(OperationKind.SEND, to=number, parts=parts)
    rest = harness.operation(OperationKind.SEND, to=number, parts=parts, parts_done=1)

    failed = await harness.adapter.perform(first)
    again = await harness.adapter.lookup(first)
    retried = await harness.adapter.perform(rest)
    seen = await harness.seen()

    assert (failed.disposition, failed.code, failed.parts_done) == ("rejected", "part_failed", 1)
    assert again == failed
    assert (retried.disposition, retried.parts_done) == ("accepted", 2)
    assert new_events(seen) == ["message.sent", "message.failed", "message.delivered", "message.read"]
    assert [part.ref for each in seen if each.kind == "message.sent" and each.message
            for part in each.message.parts] == ["file_1"]  # fmt: skip


async def test_slow_network_takes_its_time(harness: SandboxHarness) -> None:
    before = harness.clock.now_ms()

    await harness.adapter.perform(harness.send_to("+15550100202"))

    assert harness.clock.now_ms() - before == SLOW_MS


@pytest.mark.parametrize(("number", "words"), [("+15550100200", "hello"), ("+15550100410", "STOP")])
async def test_contact_answers(harness: SandboxHarness, number: str, words: str) -> None:
    await harness.adapter.perform(harness.send_to(number))

    answer = (await harness.seen())[-1]

    assert answer.actor == number
    assert answer.message is not None
    assert text_of(answer.message.parts) == words


async def test_reaction_is_shown_with_its_own_id_even_to_an_unlucky_number(harness: SandboxHarness) -> None:
    operation = harness.operation(OperationKind.REACT, to="+15550100022", message_guid="TARGET", type="🎉")

    outcome = await harness.adapter.perform(operation)
    (shown,) = await harness.seen()

    assert outcome.disposition is Disposition.ACCEPTED
    assert (shown.kind, shown.target, shown.actor) == ("reaction.added", "TARGET", None)
    assert shown.reaction is not None
    assert (shown.reaction.provider_id, shown.reaction.emoji) == (outcome.provider_id, "🎉")


async def test_send_into_a_group_is_not_a_direct_chat(harness: SandboxHarness) -> None:
    await harness.adapter.perform(harness.operation(OperationKind.SEND, chat_key="chat42", text="all"))

    chats = {(each.chat.key, each.chat.is_group) for each in await harness.seen() if each.chat}

    assert chats == {("chat42", True)}


async def test_typing_leaves_no_trace(harness: SandboxHarness) -> None:
    await harness.adapter.perform(harness.operation(OperationKind.TYPING, state="on"))

    assert await harness.seen() == []


def test_documentation_names_every_capability() -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")

    assert {name for name in CAPABILITIES if f"`{name}`" not in text} == set()


async def test_loop_alarm_wakes_for_news() -> None:
    clock = ManualClock()
    alarm = LoopAlarm(clock)
    waiting = asyncio.ensure_future(alarm.wait_until(clock.now_ms() + 3_600_000))
    await asyncio.sleep(0)

    alarm.ring()
    await waiting


async def test_loop_alarm_remembers_news_and_forgets_it_once_told() -> None:
    clock = ManualClock()
    alarm = LoopAlarm(clock)
    alarm.ring()
    await alarm.wait_until(clock.now_ms() + 3_600_000)

    again = asyncio.ensure_future(alarm.wait_until(clock.now_ms() + 3_600_000))
    await asyncio.sleep(0)

    assert not again.done()
    again.cancel()


async def test_loop_alarm_returns_when_the_moment_has_passed() -> None:
    clock = ManualClock()

    await LoopAlarm(clock).wait_until(clock.now_ms() - 1)
