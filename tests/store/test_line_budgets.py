"""Budgets of a line on both databases: counted exactly, by the line's own clock."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from hub.flow.directory import load_directory
from hub.flow.line_policies import LinePolicies
from hub.flow.repositories import Store
from hub.flow.safety import LineGuard, Postponed
from hub.model.line_safety import QuietWindow
from hub.model.outbox import OperationKind
from hub.store.open import open_store
from hub.store.sealing import Sealer
from tests.rules.policies import POLICY
from tests.store.guarded import CONTACT, DAY, HOUR, LINE, NOON, Guarded, guard_on, limited, wish
from tests.store.specimens import BRIDGE


@pytest.fixture
async def guarded(store: Store) -> Guarded:
    return await guard_on(store)


async def test_only_conversations_that_we_open_count(guarded: Guarded) -> None:
    """The second message to a chat, and every answer, is free."""
    line = limited(new_conversations_per_day=2)
    await guarded.chat("dm:+15550100009")

    assert await guarded.codes(
        wish("+1", line=line),
        wish("+1", line=line),
        wish("+15550100009", line=line),
        wish("+2", line=line),
        wish("+3", line=line),
        wish("+2", line=line),
        wish("+15550100009", line=line),
    ) == [None, None, None, None, "new_conversation_limit_reached", None, None]


async def test_a_refusal_tells_the_figures(guarded: Guarded) -> None:
    """And when to come back: at the end of the day that is used up, not of the hour."""
    line = limited(new_conversations_per_hour=1, new_conversations_per_day=1)
    await guarded.admit(wish("+1", line=line))

    (refusal,) = await guarded.admit(wish("+2", line=line), now=NOON + 1500)

    assert refusal is not None
    assert refusal.limit is not None
    assert (refusal.limit.limit, refusal.limit.used, refusal.limit.period) == (1, 1, "day")
    assert refusal.limit.resets_at == NOON + DAY // 2
    assert refusal.retry_after == 12 * 3600 - 1
    assert "1 of its 1 new conversations of this day" in refusal.message


async def test_budgets_begin_anew(guarded: Guarded) -> None:
    """Each hour and each day of the line's clock."""
    line = limited(new_conversations_per_hour=1, new_conversations_per_day=2, time_zone="Asia/Kathmandu")

    assert await guarded.codes(wish("+1", line=line), wish("+2", line=line)) == [
        None,
        "new_conversation_limit_reached",
    ]
    assert await guarded.codes(wish("+2", line=line), now=NOON + HOUR) == [None]
    assert await guarded.codes(wish("+3", line=line), now=NOON + 2 * HOUR) == [
        "new_conversation_limit_reached"
    ]
    #: Midnight in Kathmandu is 18:15 in UTC.
    assert await guarded.codes(wish("+3", line=line), now=NOON + 6 * HOUR + HOUR // 4) == [None]


async def test_a_lines_own_card_is_no_message(guarded: Guarded) -> None:
    """Setting and reading it concern nobody else; sharing it does."""
    line = limited(new_conversations_per_day=1, messages_per_day=1)
    card = OperationKind.CONTACT_CARD
    own = wish(line=line, kind=card, action="set", card={"first_name": "Shop"})

    assert await guarded.codes(own, own, own) == [None] * 3
    assert await guarded.release(own) is None
    shared = wish(line=line, kind=card, action="share", chat_key=f"dm:{CONTACT}")
    assert await guarded.codes(shared, shared) == [None, "message_limit_reached"]


async def test_a_day_has_so_many_messages(guarded: Guarded) -> None:
    """Answers count, too; reactions do not."""
    line = limited(messages_per_day=2)
    await guarded.chat(f"dm:{CONTACT}")
    send, react = wish(line=line), wish(line=line, kind=OperationKind.REACT)

    assert await guarded.codes(send, send, react, send) == [None, None, None, "message_limit_reached"]


async def test_what_is_put_off_is_counted_when_it_goes_out(guarded: Guarded) -> None:
    """A planned send is always accepted; at its time it waits until the budget allows it."""
    line = limited(new_conversations_per_day=1)
    planned = [wish(f"+{number}", line=line, is_counted=False) for number in range(3)]
    assert await guarded.codes(*planned) == [None] * 3

    due = [replace(each, is_counted=True) for each in planned]
    first = await guarded.release(due[0])
    second = await guarded.release(due[1])
    again = await guarded.release(due[1], now=NOON + DAY)

    assert first is None
    assert second == Postponed(until_ms=NOON + DAY // 2, reason="new_conversation_limit_reached")
    assert again is None


async def test_what_waits_or_is_refused_counts_nothing(guarded: Guarded) -> None:
    """The budget is there for what goes out."""
    line = limited(new_conversations_per_day=1, quiet_hours=(QuietWindow(from_="12:00", to="13:00"),))
    await guarded.say("opted_out")
    await guarded.admit(wish(line=line))
    await guarded.release(wish("+1", line=line))

    assert await guarded.codes(wish("+2", line=line)) == [None]


async def test_a_new_number_warms_up(guarded: Guarded) -> None:
    """Its first days have limits of their own; a number that is older than the line says so."""
    line = limited(new_conversations_per_day=9, warm_up_per_day=(1, 2))
    old = limited(new_conversations_per_day=9, warm_up_per_day=(1, 2), in_service_since=0)
    many = [wish(f"+1{number}", line=line) for number in range(4)]

    assert (await guarded.codes(*many)).count(None) == 1
    assert (await guarded.codes(*many, now=NOON + DAY)).count(None) == 1 + 2
    assert (await guarded.codes(*(replace(each, line=old) for each in many))).count(None) == 4


@pytest.mark.parametrize("per_day", [7, 40])
async def test_no_limit_is_passed_by_many_at_once(url: str, guarded: Guarded, per_day: int) -> None:
    """Two processes, many transactions at a time, several sends in each; the same strangers in all of them."""
    line = limited(new_conversations_per_day=per_day)
    other = await open_store(url, sealer=Sealer([b"k" * 32]))
    there = Guarded(other.store, guarded.guard)
    batches = [
        [wish(f"+1555010{stranger:04}", line=line) for stranger in range(start, start + 4)]
        for start in range(0, 60, 2)
    ]
    try:
        answers = await asyncio.gather(
            *(each.codes(*batch) for batch in batches for each in (guarded, there))
        )
    finally:
        await other.close()

    accepted = {
        asked.payload["to"]
        for batch, codes in zip((batch for batch in batches for _ in range(2)), answers, strict=True)
        for asked, code in zip(batch, codes, strict=True)
        if code is None
    }
    assert len(accepted) == per_day


async def test_the_sandbox_is_a_playground(store: Store) -> None:
    """No budget there unless its line asks for one."""
    await store.bridges.add(BRIDGE)
    await store.lines.add(LINE)
    directory = await load_directory(store)
    defaults = replace(POLICY, new_conversations_per_day=1, consent_scope="hub")
    policies = LinePolicies(defaults, lambda: directory)
    guarded = Guarded(store, LineGuard(policies))

    assert await guarded.codes(wish("+1"), wish("+2")) == [None, None]
    assert policies.scope_of(LINE) == LINE.id
    assert await guarded.codes(
        wish("+3", line=limited(new_conversations_per_day=1)),
        wish("+4", line=limited(new_conversations_per_day=1)),
    ) == [None, "new_conversation_limit_reached"]
