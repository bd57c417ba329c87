"""A Mac with one contact and one group, and what is told of it in one line each."""

from __future__ import annotations

from typing import Any, Final

from hub.model.observation import Observation
from tests.bridge.chatdb.builder import Builder
from tests.bridge.chatdb.harness import ChatDbHarness
from tests.bridge.macos.fast_time import START_MS
from tests.bridge.macos.surroundings import CONTACT

T: Final = START_MS
OTHER: Final = "+15550100002"
GROUP: Final = "chat123456789"
LONG: Final = "long words " * 30


class Stage:
    """A Mac with one contact and one group."""

    def __init__(self, harness: ChatDbHarness) -> None:
        self.harness = harness
        self.b: Builder = harness.builder
        self.folder = harness.attachments
        self.dm = self.b.chat(CONTACT, account_login="E:me@example.org")
        self.group = self.b.chat(GROUP, members=(CONTACT, OTHER), name="Trip")
        self.guids: dict[str, str] = {}

    def came(self, text: str | None = "hi", **columns: Any) -> int:
        """A message from the contact."""
        return self.b.message(columns.pop("chat", self.dm), text, sender=CONTACT, at_ms=T, **columns)

    def ours(self, text: str | None = "hi", **columns: Any) -> int:
        return self.b.message(columns.pop("chat", self.dm), text, at_ms=columns.pop("at_ms", T), **columns)

    def item(self, item_type: int, action: int = 0, **columns: Any) -> int:
        """Something that happened in the group."""
        return self.came(None, chat=self.group, item_type=item_type, group_action_type=action, **columns)


def _words(observation: Observation) -> str:
    message = observation.message
    return "|".join(f"{p.type}:{p.text or p.filename or ''}" for p in message.parts) if message else ""


def brief(observation: Observation) -> str:
    """Say what matters of an observation in one line."""
    message, reaction = observation.message, observation.reaction
    said = [observation.kind, f"by {observation.actor}" if observation.actor else "", _words(observation)]
    if message is not None:
        marks = ("delivered_at", "read_at", "edited_at", "unsent_at")
        said += [f"{mark}+{at - T}" for mark in marks if (at := getattr(message, mark)) is not None]
        said += [f"unsent {list(message.unsent_parts)}"] if message.unsent_parts else []
        said += [f"error {message.error.code}"] if message.error else []
        said += [str(message.service)] if message.service != "iMessage" else []
    if reaction is not None:
        said.append(reaction.emoji or reaction.type)
    if (poll := observation.poll) is not None:
        said += [
            f"poll {poll.provider_id}",
            poll.title or "",
            *(f"{each.id}={each.text}" for each in poll.options),
        ]
        said += [f"chosen {list(poll.choices)}"] if observation.kind == "poll.voted" else []
    if observation.value is not None:
        said.append(f"value {observation.value}")
    return " ".join(each for each in said if each)
