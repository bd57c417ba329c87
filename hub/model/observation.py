"""An observation: what a bridge saw on its network, in the normal form of version 1.

An item is a full or partial snapshot, not a command: events are derived from it (hub.rules.facts), so a repeated,
re-fired or late observation does no harm. These nouns are msgspec structs because they are born on a wire.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

Handle = Annotated[str, Meta(min_length=1, max_length=320)]
ProviderId = Annotated[str, Meta(min_length=1, max_length=512)]
Instant = Annotated[int, Meta(ge=0, le=32_503_680_000_000)]
Label = Annotated[str, Meta(max_length=1024)]

ObservationKind = Literal[
    "message.observed",
    "message.received",
    "message.sent",
    "message.edited",
    "message.unsent",
    "status.sent",
    "status.delivered",
    "status.read",
    "status.failed",
    "status.downgraded",
    "reaction.added",
    "reaction.removed",
    "typing.started",
    "typing.stopped",
    "chat.renamed",
    "chat.member_added",
    "chat.member_removed",
    "chat.left",
    "chat.icon",
    "contact.opted_in",
    "contact.opted_out",
    "poll.created",
    "poll.voted",
    "line.status",
]


class ObservedError(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What went wrong, as the network says."""

    code: Annotated[str, Meta(min_length=1, max_length=64)]
    raw: Annotated[str, Meta(max_length=4096)] | None = None


class ObservedChat(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where it happened."""

    #: `dm:` and the handle for a direct chat; the network's stable group key otherwise.
    key: ProviderId
    provider_id: ProviderId | None = None
    is_group: bool = False
    service: Annotated[str, Meta(max_length=32)] | None = None
    name: Label | None = None
    participants: Annotated[tuple[Handle, ...], Meta(max_length=512)] = ()


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One piece of a message, in order."""

    type: Literal["text", "attachment", "link", "audio", "sticker", "card"]
    text: Annotated[str, Meta(max_length=65_536)] | None = None
    #: How the bridge fetches the bytes.
    ref: ProviderId | None = None
    filename: Label | None = None
    mime_type: Annotated[str, Meta(max_length=255)] | None = None
    size: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    url: Annotated[str, Meta(max_length=4096)] | None = None
    #: The network's own transcription of a voice message.
    transcription: Annotated[str, Meta(max_length=65_536)] | None = None


#: Parts that are shown as attachments; the others are words.
ATTACHED: Final = frozenset({"attachment", "audio", "card", "sticker"})


class KeptPart(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part as we keep it. Bridges cannot say the rest: their parts are read as `Part`."""

    #: The `file_` id of an attachment's bytes.
    file_id: str | None = None


class ObservedMessage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message as it stands now. Times are Unix ms; null means not seen, not never."""

    #: The network's id (Apple GUID, wamid, SID), without the bridge's name.
    provider_id: ProviderId
    parts: Annotated[tuple[Part, ...], Meta(max_length=128)] = ()
    is_from_me: bool | None = None
    reply_to: ProviderId | None = None
    effect: Label | None = None
    #: The line above the words, where the network has one.
    subject: Annotated[str, Meta(max_length=4096)] | None = None
    service: Annotated[str, Meta(max_length=32)] | None = None
    #: Given by us at the send (hub.model.outbox.attempt_id), where the bridge can carry it.
    attempt_id: Annotated[str, Meta(max_length=64)] | None = None
    #: Of a send of several parts whose attempt is quoted: the first of those that this message carries, from 0, and how
    #: many; without a number all from there on. Absent: not told.
    part: Annotated[int, Meta(ge=0, le=1024)] | None = None
    part_count: Annotated[int, Meta(ge=1, le=1024)] | None = None
    sent_at: Instant | None = None
    delivered_at: Instant | None = None
    read_at: Instant | None = None
    edited_at: Instant | None = None
    unsent_at: Instant | None = None
    #: Indexes of the parts that were taken back; empty with `unsent_at` means all.
    unsent_parts: Annotated[tuple[Annotated[int, Meta(ge=0, le=1024)], ...], Meta(max_length=128)] = ()
    error: ObservedError | None = None


class ObservedReaction(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tapback or emoji on a message."""

    type: Annotated[str, Meta(min_length=1, max_length=64)]
    #: The reaction's own id, where the network has one.
    provider_id: ProviderId | None = None
    emoji: Annotated[str, Meta(max_length=64)] | None = None
    #: Which part of the message it is on, from 0; 0 for the whole of it.
    part: Annotated[int, Meta(ge=0, le=1024)] = 0


class ObservedOption(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One answer that a poll offers."""

    id: Annotated[str, Meta(min_length=1, max_length=128)]
    text: Label


class ObservedPoll(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A poll as it stands now, or as much of it as the bridge knows."""

    #: The network's id of the poll.
    provider_id: ProviderId
    title: Label | None = None
    options: Annotated[tuple[ObservedOption, ...], Meta(max_length=64)] = ()
    #: The ids of the options that the actor has chosen now; empty when the vote was taken back.
    choices: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=128)], ...], Meta(max_length=64)
    ] = ()
    attempt_id: Annotated[str, Meta(max_length=64)] | None = None


class Observation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that a bridge saw."""

    #: Version of the normal form.
    v: Literal[1]
    #: Our handle (number, Apple ID).
    line: Handle
    kind: ObservationKind
    #: When it happened, by the network's clock, Unix ms.
    at: Instant
    #: When the bridge saw it, Unix ms.
    observed_at: Instant | None = None
    chat: ObservedChat | None = None
    #: Who did it; absent when our line did.
    actor: Handle | None = None
    message: ObservedMessage | None = None
    #: The message acted on (reactions, statuses without `message`): its network id.
    target: ProviderId | None = None
    reaction: ObservedReaction | None = None
    poll: ObservedPoll | None = None
    #: The member concerned (chat.member_*), the new name (chat.renamed), `removed` for a picture that was taken away
    #: (chat.icon), the line's state (line.status).
    value: Label | None = None
    error: ObservedError | None = None
    #: Opaque to us; the bridge may ask for the last one.
    cursor: Annotated[str, Meta(max_length=4096)] | None = None
    #: Where the bridge keeps the raw form.
    raw_ref: Label | None = None
