"""The guard of a line's sends on both databases: who may be written to, and what waits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.flow.ports import HotTransaction
from hub.flow.repositories import Store
from hub.flow.safety import Postponed
from hub.model.errors import InvalidRequest
from hub.model.line_safety import QuietWindow
from hub.model.outbox import OperationKind
from tests.store.guarded import CONTACT, HOUR, LINE, NOON, Guarded, guard_on, limited, wish
from tests.store.specimens import LINE as CONTACT_FIRST


@pytest.fixture
async def guarded(store: Store) -> Guarded:
    return await guard_on(store)


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


async def test_nothing_is_asked_for_what_reaches_nobody(guarded: Guarded) -> None:
    """Read marks pay nothing."""

    async def work(tx: HotTransaction) -> list[InvalidRequest | None]:
        return await guarded.guard.admit(tx, [wish(kind=OperationKind.READ)], NOON)

    assert await guarded.store.hot.read(work) == [None]
