"""A message as a vendor shows it, in the normal form. Pure: readers of all vendors fill it in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from bridge.taming import handle_in, tame
from hub.model.observation import (
    Observation,
    ObservationKind,
    ObservedChat,
    ObservedError,
    ObservedMessage,
    ObservedReaction,
    Part,
)
from hub.rules.capabilities import STANDARD_REACTIONS
from hub.rules.chatkeys import direct_chat_key, normalize_handle
from hub.rules.refusals import FUTURE_TOLERANCE_MS

#: How far a message of ours has come.
Stage = Literal["waiting", "sent", "delivered", "read", "failed", "unsent"]
MOST_FILES: Final = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A conversation of one of our lines."""

    line: str
    #: The other side, or the group's id.
    other: str
    is_group: bool = False
    service: str | None = None
    name: str | None = None

    @property
    def chat(self) -> ObservedChat:
        key = self.other if self.is_group else direct_chat_key(self.other)
        return ObservedChat(key=key, is_group=self.is_group, service=self.service, name=self.name)

    @property
    def handle(self) -> str:
        return normalize_handle(self.line)


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A message."""

    id: str
    place: Place
    at: int
    is_from_me: bool
    #: Who wrote it, of one that came in.
    sender: str | None = None
    parts: tuple[Part, ...] = ()
    stage: Stage = "sent"
    #: Whether its words and files are all here; a status often says nothing of them.
    is_whole: bool = True
    #: Told because its words have changed.
    is_edited: bool = False
    sent_at: int | None = None
    delivered_at: int | None = None
    read_at: int | None = None
    edited_at: int | None = None
    reply_to: str | None = None
    effect: str | None = None
    attempt_id: str | None = None
    error: ObservedError | None = field(default=None)

    @property
    def observation(self) -> Observation:
        """The message in the normal form."""
        is_read = self.stage == "read"
        delivered_at = self.delivered_at
        if delivered_at is None and self.is_from_me and (is_read or self.stage == "delivered"):
            delivered_at = self.at  # what is read has arrived, whether we were told or not
        message = ObservedMessage(
            provider_id=self.id,
            parts=self.parts,
            is_from_me=self.is_from_me,
            reply_to=self.reply_to,
            effect=self.effect,
            service=self.place.service,
            attempt_id=self.attempt_id,
            sent_at=self.sent_at,
            delivered_at=delivered_at,
            read_at=(self.at if self.read_at is None else self.read_at) if is_read else self.read_at,
            edited_at=self.edited_at,
            error=self.error if self.stage == "failed" else None,
        )
        return Observation(
            v=1,
            line=self.place.handle,
            kind=self._kind,
            at=self.at,
            chat=self.place.chat,
            actor=normalize_handle(self.sender) if self.sender and not self.is_from_me else None,
            message=message,
            error=message.error,
        )

    @property
    def _kind(self) -> ObservationKind:
        if self.stage == "unsent":
            return "message.unsent"
        if self.is_edited:
            return "message.edited"
        if not self.is_from_me:
            return "message.received"
        if self.stage in ("sent", "delivered", "read") and self.is_whole:
            return "message.sent"
        return _STAGES[self.stage]


_STAGES: Final[dict[Stage, ObservationKind]] = {
    "delivered": "status.delivered",
    "failed": "status.failed",
    "read": "status.read",
    "sent": "status.sent",
    "waiting": "message.observed",
}


def reaction(
    place: Place,
    *,
    target: str,
    word: str,
    is_added: bool,
    at: int,
    sender: str | None,
    provider_id: str | None = None,
) -> Observation:
    """Tell of a reaction.

    Args:
        place: Where.
        target: The message's id.
        word: One of the six names, or an emoji.
        is_added: Whether it was added.
        at: When; must not change from one telling to the next, unless there is a `provider_id`.
        sender: Who; None for our line.
        provider_id: Its own id, where the vendor gives one.
    """
    told = (
        ObservedReaction(type=word, provider_id=provider_id)
        if word in STANDARD_REACTIONS
        else ObservedReaction(type="emoji", emoji=word[:64], provider_id=provider_id)
    )
    return Observation(
        v=1,
        line=place.handle,
        kind="reaction.added" if is_added else "reaction.removed",
        at=at,
        chat=place.chat,
        actor=normalize_handle(sender) if sender else None,
        target=target,
        reaction=told,
    )


def not_after(observation: Observation, now_ms: int) -> Observation:
    """Bring dates that no clock can have back to now: what is told is kept, and its absurd date is not.

    A clock that is some hours ahead is left as it is: its dates are the same each time, and keys are made of them.

    Args:
        observation: As the vendor dated it.
        now_ms: Unix ms.
    """
    latest, at = now_ms + FUTURE_TOLERANCE_MS, observation.at
    message, reaction = observation.message, observation.reaction
    if message is not None:
        late = {name: now_ms for name in _DATES if (getattr(message, name) or 0) > latest}
        message = msgspec.structs.replace(message, **late) if late else message
    if at > latest and reaction is not None and reaction.provider_id is None:
        # Now is another moment each time that it is told: what it said itself stays in the key.
        own_id = f"{observation.target}:{observation.actor or ''}:{at}"[:512]
        reaction = msgspec.structs.replace(reaction, provider_id=own_id)
    return msgspec.structs.replace(
        observation, at=now_ms if at > latest else at, message=message, reaction=reaction
    )


_DATES: Final = ("sent_at", "delivered_at", "read_at", "edited_at")


def words(text: object) -> tuple[Part, ...]:
    """Give a text as parts; none for no text."""
    tamed = tame(text)
    return (Part(type="text", text=tamed),) if tamed else ()


def file_part(
    url: object,
    *,
    filename: object = None,
    mime_type: object = None,
    size: object = None,
    is_voice: bool = False,
    transcription: object = None,
) -> Part | None:
    """Give a file that the hub can fetch by its address; None without one."""
    address, kind = tame(url, 4097), tame(mime_type, 255)
    if address is None or len(address) > 4096 or not address.startswith(("https://", "http://")):
        return None
    count = size if isinstance(size, int) and not isinstance(size, bool) and 0 <= size <= 2**53 else None
    return Part(
        type="audio" if is_voice else "attachment",
        url=address,
        filename=tame(filename, 1024),
        mime_type=kind,
        size=count,
        transcription=tame(transcription) if is_voice else None,
    )


def failure(code: object, said: object) -> ObservedError:
    """Give the error of a message that failed, as the vendor names it."""
    name = tame(code, 64) or "failed"
    return ObservedError(code=name, raw=tame(said, 4096))


def line_of(named: object, lines: tuple[str, ...]) -> str | None:
    """Give the line that a vendor names; where it names none, the only one that there is."""
    handle = handle_in(named)
    if handle is not None:
        return normalize_handle(handle)
    return lines[0] if len(lines) == 1 else None
