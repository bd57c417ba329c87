"""Random histories of a chat, as a bridge would show them: for each thing that happens a snapshot of its message.

`shown` is the history itself; `distort` gives what a bad day makes of it: repeated, re-fired under another name,
cut down to partial snapshots, in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from hub.model.observation import (
    Observation,
    ObservationKind,
    ObservedChat,
    ObservedError,
    ObservedMessage,
    ObservedReaction,
    Part,
)
from tests.support.sightings import AT, CONTACT, DIRECT, GROUP, LINE_HANDLE, OTHER

_STEPS = ("delivered", "read", "failed", "edit", "unsend", "react", "unreact", "rename", "join", "leave")
#: What a partial snapshot may lack without meaning something else.
_OPTIONAL = ("delivered_at", "read_at", "error", "reply_to", "effect", "subject", "service")


@dataclass
class _Life:
    """One message and what became of it."""

    message: ObservedMessage
    is_own: bool
    author: str
    reactions: int = 0


@dataclass
class _Story:
    """A chat while it happens."""

    chat: ObservedChat
    now: int = AT
    lives: list[_Life] = field(default_factory=list)
    shown: list[Observation] = field(default_factory=list)

    def show(self, kind: ObservationKind, **fields: Any) -> None:
        self.now += 1_000
        observation = Observation(
            v=1, line=LINE_HANDLE, kind=kind, at=self.now, **{"chat": self.chat, **fields}
        )
        self.shown.append(observation)


@st.composite
def histories(draw: st.DrawFn) -> list[Observation]:
    """Draw a history, in order, every snapshot whole."""
    story = _Story(chat=draw(st.sampled_from([DIRECT, GROUP])))
    for number in range(draw(st.integers(1, 3))):
        _write(draw, story, number)
    for _ in range(draw(st.integers(0, 8))):
        _happen(story, draw(st.sampled_from(story.lives)), draw(st.sampled_from(_STEPS)))
    return story.shown


def _write(draw: st.DrawFn, story: _Story, number: int) -> None:
    is_own = draw(st.booleans())
    author = draw(st.sampled_from([CONTACT, OTHER])) if story.chat.is_group else CONTACT
    message = ObservedMessage(
        provider_id=f"GUID-{number}",
        parts=(Part(type=draw(st.sampled_from(["text", "link"])), text=f"words {number}"),),
        is_from_me=is_own,
        service="iMessage",
        sent_at=story.now + 1_000,
        reply_to="GUID-0" if number and draw(st.booleans()) else None,
        subject=draw(st.sampled_from([None, "News"])),
    )
    life = _Life(message=message, is_own=is_own, author=author)
    story.lives.append(life)
    story.show(
        "message.sent" if is_own else "message.received",
        actor=None if is_own else author,
        message=message,
    )


def _happen(story: _Story, life: _Life, step: str) -> None:
    at = story.now + 1_000
    actor = None if life.is_own else life.author
    match step:
        case "delivered" | "read" | "failed":
            _receipt(story, life, step)
        case "edit":
            parts = (Part(type="text", text=f"edited at {at}"),)
            life.message = replace(life.message, edited_at=at, parts=parts)
            story.show("message.edited", actor=actor, message=life.message)
        case "unsend" if life.message.unsent_at is None:
            life.message = replace(life.message, unsent_at=at)
            story.show("message.unsent", actor=actor, message=life.message)
        case "react" | "unreact":
            life.reactions += 1
            reaction = ObservedReaction(
                type=("love", "like", "laugh")[life.reactions % 3],
                provider_id=f"{life.message.provider_id}-R{life.reactions}",
            )
            kind: ObservationKind = "reaction.added" if step == "react" else "reaction.removed"
            story.show(kind, actor=CONTACT, target=life.message.provider_id, reaction=reaction)
        case "rename" if story.chat.is_group:
            story.show("chat.renamed", actor=CONTACT, value=f"Name {at}")
        case "join" if story.chat.is_group:
            story.show("chat.member_added", actor=CONTACT, value=OTHER)
        case "leave" if story.chat.is_group:
            story.show("chat.left", actor=OTHER)


def _receipt(story: _Story, life: _Life, step: str) -> None:
    """Show a receipt once: in a direct chat dated in the message, in a group by who has it."""
    at = story.now + 1_000
    if not life.is_own or (step == "failed" and life.message.error is not None):
        return
    if step == "failed":
        life.message = replace(life.message, error=ObservedError(code="4"))
        story.show("status.failed", message=life.message)
        return
    kind: ObservationKind = "status.delivered" if step == "delivered" else "status.read"
    if story.chat.is_group:
        story.show(kind, actor=OTHER, message=life.message)
    elif getattr(life.message, f"{step}_at") is None:
        life.message = replace(life.message, **{f"{step}_at": at})
        story.show(kind, actor=CONTACT, message=life.message)


@st.composite
def distort(draw: st.DrawFn, shown: list[Observation]) -> list[Observation]:
    """Draw a bad day: everything shown at least once, and much besides that says nothing new."""
    told = list(shown)
    told += [draw(_echo(draw(st.sampled_from(shown)))) for _ in range(draw(st.integers(0, 2 * len(shown))))]
    return draw(st.permutations(told))


@st.composite
def _echo(draw: st.DrawFn, observation: Observation) -> Observation:
    """Draw the same again, later, in other words, or in fewer."""
    message = observation.message
    if message is None:
        return replace(observation, observed_at=draw(st.sampled_from([None, AT])))
    is_own = bool(message.is_from_me)
    match draw(st.sampled_from(["repeat", "refire", "update", "partial", "bare"])):
        case "refire":
            kind: ObservationKind = "message.sent" if is_own else "message.received"
            actor = None if is_own else observation.actor or CONTACT
            return replace(observation, kind=kind, actor=actor, at=observation.at + 7)
        case "update":
            return replace(observation, kind="message.observed", chat=None, at=observation.at + 7)
        case "partial":
            return replace(observation, message=_cut(draw, message))
        case "bare" if observation.kind.startswith("status.") and observation.chat != GROUP:
            return replace(observation, message=None, target=message.provider_id, chat=None)
        case _:
            return observation


def _cut(draw: st.DrawFn, message: ObservedMessage) -> ObservedMessage:
    lost = draw(st.sets(st.sampled_from(_OPTIONAL)))
    return replace(message, **dict.fromkeys(lost))
