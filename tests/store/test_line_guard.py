"""The guard of a line's sends on both databases: who may be written to, what waits, and budgets counted exactly."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from hub.flow.directory import load_directory
from hub.flow.line_policies import LinePolicies
from hub.flow.ports import HotTransaction
from hub.flow.repositories import Store
from hub.flow.safety import LineGuard, Postponed, Wish
from hub.flow.safety_rows import ConsentRow
from hub.model.errors import InvalidRequest
from hub.model.line import Line
from hub.model.line_safety import LineSafety, QuietWindow
from hub.model.outbox import OperationKind
from hub.store.open import open_store
from hub.store.sealing import Sealer
from tests.rules.policies import POLICY
from tests.store.specimens import BRIDGE, CHAT
from tests.store.specimens import LINE as CONTACT_FIRST

#: 2026-06-01T12:00Z, a Monday.
NOON = 1_780_315_200_000
HOUR, DAY = 3_600_000, 86_400_000
LINE = replace(CONTACT_FIRST, is_contact_first=False, created_at=NOON)
CONTACT = "+15550100001"
_ids = count(1)


def limited(**safety: Any) -> Line:
    return replace(LINE, safety=LineSafety(**safety))


def wish(
    to: str = CONTACT,
    *,
    line: Line = LINE,
    kind: OperationKind = OperationKind.SEND,
    is_counted: bool = True,
    outbox_id: int | None = None,
    **payload: object,
) -> Wish:
    body = payload or {"to": to, "chat_key": f"dm:{to}"}
    return Wish(outbox_id=outbox_id or next(_ids), line=line, kind=kind, payload=body, is_counted=is_counted)


class Guarded:
    """A guard on a store."""

    def __init__(self, store: Store, guard: LineGuard) -> None:
        self.store = store
        self.guard = guard

    async def admit(self, *wishes: Wish, now: int = NOON) -> list[InvalidRequest | None]:
        return await self.store.hot.write(lambda tx: self.guard.admit(tx, wishes, now))

    async def codes(self, *wishes: Wish, now: int = NOON) -> list[str | None]:
        return [None if verdict is None else verdict.code for verdict in await self.admit(*wishes, now=now)]

    async def release(self, asked: Wish, *, now: int = NOON) -> object:
        verdict = await self.store.hot.write(lambda tx: self.guard.release(tx, asked, now))
        return verdict.code if isinstance(verdict, InvalidRequest) else verdict

    async def chat(self, key: str, *, members: Sequence[str] = (), has_inbound: int = 1) -> None:
        row = CHAT._replace(
            id=next(_ids),
            chat_key=key,
            has_inbound=has_inbound,
            is_group=int(not key.startswith("dm:")),
            participants=str(list(members)).replace("'", '"'),
        )
        await self.store.hot.write(lambda tx: tx.merge_chats([row]))

    async def say(self, action: str, *, handle: str = CONTACT, scope: int = 1, at: int = NOON) -> None:
        row = ConsentRow(scope, handle, action, "keyword", at, at, 1, next(_ids))
        await self.store.hot.write(lambda tx: tx.safety.merge_consent(row))


@pytest.fixture
async def guarded(store: Store) -> Guarded:
    await store.bridges.add(replace(BRIDGE, kind="push"))
    await store.lines.add(LINE)
    directory = await load_directory(store)
    return Guarded(store, LineGuard(LinePolicies(POLICY, lambda: directory)))


async def test_who_opted_out_is_not_written_to(guarded: Guarded) -> None:
    """Neither when it is asked for nor when it was asked for before."""
    queued = wish()
    assert await guarded.codes(queued) == [None]
    await guarded.say("opted_out")

    assert await guarded.codes(wish(), wish("+15550100002")) == ["contact_opted_out", None]
    assert await guarded.release(replace(queued, is_counted=False)) == "contact_opted_out"

    await guarded.say("opted_in", at=NOON + 1)

    assert await guarded.codes(wish()) == [None]
    assert await guarded.release(queued) is None


async def test_a_word_to_the_whole_hub_counts_for_every_line(guarded: Guarded) -> None:
    """And the later of two words, whichever line heard it."""
    await guarded.say("opted_out", scope=0)
    assert await guarded.codes(wish()) == ["contact_opted_out"]

    await guarded.say("opted_in", scope=1, at=NOON + 1)
    assert await guarded.codes(wish()) == [None]


async def test_the_refusal_names_the_field(guarded: Guarded) -> None:
    """As every refusal does."""
    await guarded.say("opted_out")

    (refusal,) = await guarded.admit(wish())

    assert refusal is not None
    assert (refusal.param, refusal.retry_after) == ("to", None)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (OperationKind.REACT, "contact_opted_out"),
        (OperationKind.TYPING, "contact_opted_out"),
        (OperationKind.EDIT, "contact_opted_out"),
        (OperationKind.POLL, "contact_opted_out"),
        (OperationKind.READ, None),
        (OperationKind.UNSEND, None),
        (OperationKind.CHECK, None),
    ],
)
async def test_silence_is_for_everything_that_reaches_the_contact(
    guarded: Guarded, kind: OperationKind, expected: str | None
) -> None:
    """Reading and taking back disturb nobody."""
    await guarded.say("opted_out")

    assert await guarded.codes(wish(kind=kind)) == [expected]
    assert await guarded.release(wish(kind=kind)) == expected


async def test_a_group_with_somebody_in_it_who_opted_out(guarded: Guarded) -> None:
    """Is not written to, unless the line allows it; and nobody who opted out is brought in."""
    await guarded.chat("chat1", members=["+15550100002", CONTACT])
    await guarded.say("opted_out")
    to_group = wish(chat_key="chat1")
    allowing = limited(group_sends="allow")
    made: dict[str, Any] = {"participants": [CONTACT, "+15550100002"]}

    assert await guarded.codes(to_group, replace(to_group, line=allowing)) == ["contact_opted_out", None]
    for line in (LINE, allowing):
        assert await guarded.codes(
            wish(line=line, kind=OperationKind.GROUP_CREATE, **made),
            wish(line=line, kind=OperationKind.GROUP_ADD, chat_key="chat9", handle=CONTACT),
            wish(line=line, kind=OperationKind.GROUP_ADD, chat_key="chat9", handle="+15550100003"),
            wish(line=line, kind=OperationKind.GROUP_LEAVE, chat_key="chat1"),
        ) == ["contact_opted_out", "contact_opted_out", None, None]


@pytest.mark.parametrize(
    "kind",
    [
        OperationKind.SEND,
        OperationKind.POLL,
        OperationKind.CONTACT_CARD,
        OperationKind.FACETIME,
    ],
)
async def test_every_way_to_begin_a_conversation_is_contact_first(
    guarded: Guarded, kind: OperationKind
) -> None:
    """Whoever asks for it, on whichever endpoint."""
    await guarded.chat(f"dm:{CONTACT}")
    await guarded.chat("dm:+15550100002", has_inbound=0)
    known, silent, stranger = (
        wish(to, line=CONTACT_FIRST, kind=kind) for to in (CONTACT, "+15550100002", "+15550100003")
    )

    assert await guarded.codes(known, silent, stranger) == [
        None,
        "contact_has_not_messaged",
        "contact_has_not_messaged",
    ]


async def test_a_group_is_made_of_people_who_have_written(guarded: Guarded) -> None:
    """One stranger among them is one too many; an existing group needs one word."""
    await guarded.chat(f"dm:{CONTACT}")
    await guarded.chat("chat1", members=["+15550100002"])
    await guarded.chat("chat2", members=["+15550100002"], has_inbound=0)
    make = OperationKind.GROUP_CREATE

    assert await guarded.codes(
        wish(line=CONTACT_FIRST, kind=make, participants=[CONTACT]),
        wish(line=CONTACT_FIRST, kind=make, participants=[CONTACT, "+15550100002"]),
        wish(line=CONTACT_FIRST, chat_key="chat1"),
        wish(line=CONTACT_FIRST, chat_key="chat2"),
    ) == [None, "contact_has_not_messaged", None, "contact_has_not_messaged"]


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


async def test_a_refusal_names_the_field_that_named_the_contact(guarded: Guarded) -> None:
    """A request that named the chat in its path has none."""
    await guarded.say("opted_out")
    kinds: dict[OperationKind, tuple[str | None, dict[str, Any]]] = {
        OperationKind.GROUP_CREATE: ("participants", {"participants": [CONTACT]}),
        OperationKind.GROUP_ADD: ("handle", {"chat_key": "chat1", "handle": CONTACT}),
        OperationKind.BACKGROUND: (None, {"chat_key": f"dm:{CONTACT}"}),
    }
    for kind, (param, payload) in kinds.items():
        (refusal,) = await guarded.admit(wish(kind=kind, **payload))

        assert refusal is not None
        assert refusal.param == param


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


async def test_quiet_hours_postpone_what_is_due(guarded: Guarded) -> None:
    """Until their end; answers too, or only what opens a conversation."""
    noon = {"from_": "12:00", "to": "13:00"}
    await guarded.chat(f"dm:{CONTACT}")
    quiet = Postponed(until_ms=NOON + HOUR, reason="quiet_hours")
    strict, mild = (
        limited(quiet_hours=(QuietWindow(holds=holds, **noon),))  # type: ignore[arg-type] # both literals
        for holds in ("all", "new_conversations")
    )

    assert await guarded.release(wish(line=strict)) == quiet
    assert await guarded.release(wish(line=mild)) is None
    assert await guarded.release(wish("+2", line=mild)) == quiet
    assert await guarded.release(wish(line=strict, kind=OperationKind.READ)) is None
    assert await guarded.release(wish(line=strict), now=NOON + HOUR) is None


async def test_what_was_counted_at_its_acceptance_still_opens_a_conversation(guarded: Guarded) -> None:
    """So quiet hours for new conversations hold it back, and let the second one after it wait its turn, too."""
    line = limited(
        quiet_hours=(QuietWindow(from_="12:00", to="13:00", holds="new_conversations"),),
        new_conversations_per_day=5,
    )
    asked = wish("+1", line=line)
    await guarded.admit(asked)

    found = await guarded.release(replace(asked, is_counted=False))

    assert found == Postponed(until_ms=NOON + HOUR, reason="quiet_hours")


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


async def test_nothing_is_asked_for_what_reaches_nobody(guarded: Guarded) -> None:
    """Read marks pay nothing."""

    async def work(tx: HotTransaction) -> list[InvalidRequest | None]:
        return await guarded.guard.admit(tx, [wish(kind=OperationKind.READ)], NOON)

    assert await guarded.store.hot.read(work) == [None]
