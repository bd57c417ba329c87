"""Which facts follow from an observation, and under which keys."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, get_args

import pytest

from hub.model.observation import (
    Observation,
    ObservationKind,
    ObservedError,
    ObservedPoll,
    ObservedReaction,
    Part,
)
from hub.model.outbox import attempt_id
from hub.rules.event_types import EVENT_TYPES_BY_NAME
from hub.rules.facts import FACT_TYPES, Fact, facts_of, is_own, text_of
from tests.support.sightings import AT, CONTACT, DIRECT, GROUP, OTHER, a_message, seen

LINE = 7
OWN: dict[str, Any] = {"is_from_me": True}
THEIRS: dict[str, Any] = {"is_from_me": False}
LOVE = ObservedReaction(type="love")
POLL = ObservedPoll(provider_id="POLL", title="Lunch?", choices=("b", "a", "a"))


def key(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()


#: What is seen → (event type, dedupe key without the line, when).
CASES: dict[str, tuple[Observation, list[tuple[str, str, int]]]] = {
    "a poll is made once": (
        seen("poll.created", chat=GROUP, actor=CONTACT, poll=POLL),
        [("poll.created", "POLL:poll.created:", AT)],
    ),
    "a vote is what one voter chose when": (
        seen("poll.voted", chat=None, actor=CONTACT, poll=POLL),
        [("poll.voted", f"POLL:poll.voted:{CONTACT}:a,b@{AT}", AT)],
    ),
    "received": (
        seen("message.received", actor=CONTACT, message=a_message(sent_at=AT - 5)),
        [("message.received", "GUID:created:", AT - 5)],
    ),
    "sent from another device": (
        seen("message.sent", message=a_message(**OWN)),
        [("message.sent", "GUID:created:", AT)],
    ),
    "sent, known by its attempt though shown as received": (
        seen("message.received", message=a_message(attempt_id=attempt_id(5), **THEIRS)),
        [("message.sent", "GUID:created:", AT)],
    ),
    "received, though named sent": (
        seen("message.sent", actor=CONTACT, message=a_message(**THEIRS)),
        [("message.received", "GUID:created:", AT)],
    ),
    "sent, a status of a target": (
        seen("status.sent", target="GUID"),
        [("message.sent", "GUID:created:", AT)],
    ),
    "a whole life in one snapshot": (
        seen("message.sent", message=a_message(delivered_at=AT + 1, read_at=AT + 2, edited_at=AT + 3)),
        [
            ("message.sent", "GUID:created:", AT),
            ("message.delivered", "GUID:delivered:", AT + 1),
            ("message.read", "GUID:read:", AT + 2),
            ("message.edited", f"GUID:edited:{AT + 3}", AT + 3),
        ],
    ),
    "delivered, dated by the network": (
        seen("status.delivered", message=a_message(delivered_at=AT - 3)),
        [("message.delivered", "GUID:delivered:", AT - 3)],
    ),
    "delivered, of a target": (
        seen("status.delivered", target="GUID", chat=None),
        [("message.delivered", "GUID:delivered:", AT)],
    ),
    "read in a direct chat, whoever is named": (
        seen("status.read", actor=CONTACT, target="GUID"),
        [("message.read", "GUID:read:", AT)],
    ),
    "read by one in a group": (
        seen("status.read", actor=OTHER, target="GUID", chat=GROUP),
        [("message.read", f"GUID:read:{OTHER}", AT)],
    ),
    "read by one in a group, and dated as a whole": (
        seen("status.read", actor=OTHER, chat=GROUP, message=a_message(read_at=AT - 1)),
        [("message.read", f"GUID:read:{OTHER}", AT - 1), ("message.read", "GUID:read:", AT - 1)],
    ),
    "we read theirs": (
        seen("message.observed", actor=CONTACT, message=a_message(read_at=AT, **THEIRS)),
        [],
    ),
    "we read theirs, named a status": (seen("status.read", message=a_message(read_at=AT, **THEIRS)), []),
    "an update that does not say whose": (seen("message.observed", message=a_message(read_at=AT)), []),
    "an update of ours": (
        seen("message.observed", message=a_message(delivered_at=AT, **OWN)),
        [("message.delivered", "GUID:delivered:", AT)],
    ),
    "an update claims no arrival": (seen("message.observed", message=a_message(**THEIRS)), []),
    "failed": (
        seen("status.failed", target="GUID", error=ObservedError(code="4")),
        [("message.failed", "GUID:failed:", AT)],
    ),
    "failed, in the snapshot": (
        seen("message.observed", message=a_message(error=ObservedError(code="22"), **OWN)),
        [("message.failed", "GUID:failed:", AT)],
    ),
    "downgraded": (
        seen("status.downgraded", target="GUID"),
        [("message.downgraded", "GUID:downgraded:", AT)],
    ),
    "edited": (
        seen("message.edited", actor=CONTACT, message=a_message(edited_at=AT - 9)),
        [("message.edited", f"GUID:edited:{AT - 9}", AT - 9)],
    ),
    "edited, undated": (
        seen("message.edited", actor=CONTACT, message=a_message(text="better")),
        [("message.edited", f"GUID:edited:{blake2b(b'better', digest_size=8).hexdigest()}", AT)],
    ),
    "unsent": (
        seen("message.unsent", actor=CONTACT, message=a_message(text=None)),
        [("message.unsent", "GUID:unsent:", AT)],
    ),
    "unsent in part": (
        seen("message.observed", message=a_message(unsent_parts=(2, 0, 2), **THEIRS)),
        [("message.unsent", "GUID:unsent:0,2", AT)],
    ),
    "reaction with its own id": (
        seen(
            "reaction.added",
            actor=CONTACT,
            target="GUID",
            reaction=ObservedReaction(type="love", provider_id="R"),
        ),
        [("reaction.added", "R:reaction.added:", AT)],
    ),
    "reaction without an id": (
        seen("reaction.added", actor="+1 555 010 0001", target="GUID", reaction=LOVE),
        [("reaction.added", f"GUID:reaction.added:{CONTACT}:love:{AT}", AT)],
    ),
    "our reaction, taken back": (
        seen("reaction.removed", target="GUID", reaction=ObservedReaction(type="emoji", emoji="🎉")),
        [("reaction.removed", f"GUID:reaction.removed::🎉:{AT}", AT)],
    ),
    "typing": (seen("typing.started", actor=CONTACT), []),
    "typing ends": (seen("typing.stopped", actor=CONTACT), []),
    "renamed": (
        seen("chat.renamed", chat=GROUP, value="Holiday"),
        [("chat.renamed", f"chat42:chat.renamed:Holiday@{AT}", AT)],
    ),
    "member added": (
        seen("chat.member_added", chat=GROUP, value="+1 555 010 0002"),
        [("chat.member_added", f"chat42:chat.member_added:{OTHER}@{AT}", AT)],
    ),
    "left, told by actor or by value": (
        seen("chat.left", chat=GROUP, value=OTHER),
        [("chat.left", f"chat42:chat.left:{OTHER}@{AT}", AT)],
    ),
    "icon": (
        seen("chat.icon", chat=GROUP),
        [("chat.icon_changed", f"chat42:chat.icon:@{AT}", AT)],
    ),
    "line": (
        seen("line.status", chat=None, value="offline"),
        [("line.status_changed", f":line.status:offline@{AT}", AT)],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_facts(case: str) -> None:
    observation, expected = CASES[case]

    assert facts_of(observation, LINE) == tuple(
        Fact(type=name, dedupe_key=key(f"{LINE}:{text}"), occurred_at=at) for name, text, at in expected
    )


def test_two_bridges_of_one_line_meet_in_one_key() -> None:
    """The key names the line, not the bridge, and the chat as we spell it."""
    blue = seen("chat.renamed", chat=GROUP, value="Holiday")
    imsg = seen(
        "chat.renamed",
        chat=type(GROUP)(key="any;+;chat42", is_group=True),
        value="Holiday",
    )

    assert facts_of(blue, LINE) == facts_of(imsg, LINE)


def test_same_message_on_two_lines_is_two_facts() -> None:
    observation = seen("message.received", actor=CONTACT, message=a_message())

    assert facts_of(observation, 1) != facts_of(observation, 2)


@pytest.mark.parametrize(
    ("observation", "expected"),
    [
        (seen("message.received", message=a_message()), False),
        (seen("message.sent", message=a_message()), True),
        (seen("message.observed", message=a_message()), None),
        (seen("message.edited", message=a_message()), True),
        (seen("message.edited", actor=CONTACT, message=a_message()), False),
        (seen("message.received", message=a_message(attempt_id="not-one-of-ours")), False),
    ],
)
def test_whose_message(observation: Observation, expected: bool | None) -> None:
    assert is_own(observation) is expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((), None),
        ((Part(type="text", text="a"), Part(type="attachment"), Part(type="text", text="b")), "a\nb"),
        (
            (Part(type="text", text="see x.example"), Part(type="link", url="https://x.example")),
            "see x.example",
        ),
        ((Part(type="link", url="https://x.example"),), "https://x.example"),
        ((Part(type="audio", transcription="hi"),), None),
    ],
)
def test_words_of_a_message(parts: tuple[Part, ...], expected: str | None) -> None:
    assert text_of(parts) == expected


@pytest.mark.parametrize("kind", get_args(ObservationKind))
def test_every_kind_leads_to_facts_or_is_fleeting_or_about_consent(kind: ObservationKind) -> None:
    observation = seen(
        kind, chat=GROUP, actor=CONTACT, message=a_message(**OWN), target="GUID", reaction=LOVE, value=OTHER,
        poll=POLL,
    )  # fmt: skip

    is_silent = kind.startswith(("contact.", "typing.")) or kind == "message.observed"
    assert bool(facts_of(observation, LINE)) is not is_silent


def test_every_fact_is_an_event_type() -> None:
    assert set(FACT_TYPES) <= set(EVENT_TYPES_BY_NAME)
    assert {name for _, facts in CASES.values() for name, _, _ in facts} >= set(FACT_TYPES) - {
        "chat.member_removed"
    }


def test_direct_chat_needs_no_name_for_a_fact() -> None:
    assert facts_of(seen("status.read", target="GUID", chat=DIRECT), 1) == facts_of(
        seen("status.read", target="GUID", chat=None), 1
    )
