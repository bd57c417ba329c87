"""What is refused, where and why."""

from __future__ import annotations

from typing import get_args

import pytest

from hub.model.observation import (
    Observation,
    ObservationKind,
    ObservedChat,
    ObservedError,
    ObservedPoll,
    ObservedReaction,
    Part,
)
from hub.rules.refusals import FUTURE_TOLERANCE_MS, NEEDED, validate
from tests.support.sightings import AT, CONTACT, GROUP, a_message, seen

LOVE = ObservedReaction(type="love")
FUTURE = AT + FUTURE_TOLERANCE_MS + 1

REFUSED: dict[str, tuple[Observation, str]] = {
    "received without a chat": (seen("message.received", chat=None, message=a_message()), "chat"),
    "received without a message": (seen("message.received", target="G"), "message"),
    "observed without a message": (seen("message.observed", target="G"), "message"),
    "sent status without a chat": (seen("status.sent", chat=None, target="G"), "chat"),
    "status of nothing": (seen("status.read"), "message"),
    "reaction to nothing": (seen("reaction.added", reaction=LOVE), "target"),
    "no reaction": (seen("reaction.removed", target="G"), "reaction"),
    "reaction nowhere": (seen("reaction.added", chat=None, target="G", reaction=LOVE), "chat"),
    "typing nowhere": (seen("typing.started", chat=None), "chat"),
    "renamed to nothing": (seen("chat.renamed", chat=GROUP), "value"),
    "nobody added": (seen("chat.member_added", chat=GROUP), "value"),
    "a poll about nothing": (seen("poll.created", chat=GROUP), "poll"),
    "a poll nowhere": (seen("poll.created", chat=None, poll=ObservedPoll(provider_id="P")), "chat"),
    "a vote in nothing": (seen("poll.voted", chat=GROUP), "poll"),
    "line without a state": (seen("line.status", chat=None), "value"),
    "line in a state of its own": (seen("line.status", chat=None, value="tired"), "value"),
    "two messages at once": (seen("status.read", target="OTHER", message=a_message()), "target"),
    "group with a direct key": (
        seen("message.observed", chat=ObservedChat(key="dm:+1", is_group=True), message=a_message()),
        "chat.key",
    ),
    "nobody wrote in the group": (seen("message.received", chat=GROUP, message=a_message()), "actor"),
    "from the future": (seen("typing.started", at=FUTURE), "at"),
    "edited in the future": (
        seen("message.observed", message=a_message(edited_at=FUTURE)),
        "message.edited_at",
    ),
    "NUL in the text": (
        seen(
            "message.observed", message=a_message(parts=(Part(type="card"), Part(type="text", text="a\0b")))
        ),
        "message.parts[1].text",
    ),
    "NUL in a participant": (
        seen("chat.left", chat=ObservedChat(key="c", is_group=True, participants=("+1", "\0"))),
        "chat.participants[1]",
    ),
    "half a surrogate pair": (
        seen("message.observed", message=a_message(text="\ud83d")),
        "message.parts[0].text",
    ),
    "half a surrogate pair in an error": (
        seen("status.failed", target="G", error=ObservedError(code="1", raw="\udc00")),
        "error.raw",
    ),
}

TAKEN: dict[str, Observation] = {
    "received": seen("message.received", message=a_message()),
    "received in a group": seen("message.received", chat=GROUP, actor=CONTACT, message=a_message()),
    "ours, seen in a group": seen("message.received", chat=GROUP, message=a_message(is_from_me=True)),
    "status twice named": seen("status.read", target="GUID", message=a_message()),
    "status without a chat": seen("status.read", chat=None, target="GUID"),
    "written about NUL": seen("message.received", message=a_message(text=r"\u0000")),
    "a clock a little ahead": seen("typing.started", at=FUTURE - 1),
    "emoji": seen("message.received", message=a_message(text="👩‍👩‍👧 🎉")),
    "name taken away": seen("chat.renamed", chat=GROUP, value=""),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    observation, path = REFUSED[case]

    refusal = validate(observation, now_ms=AT)

    assert refusal is not None
    assert refusal.path == path
    assert refusal.why.endswith(".")


@pytest.mark.parametrize("case", TAKEN)
def test_taken(case: str) -> None:
    assert validate(TAKEN[case], now_ms=AT) is None


def test_needs_are_stated_for_every_kind() -> None:
    assert set(NEEDED) == set(get_args(ObservationKind))
