"""What a bridge brought and could not be taken in: kept as it came, for the operator to look at (docs/bridges.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

#: As much of one payload is kept.
MOST_KEPT_BYTES: Final = 65_536


class RefusalCode(StrEnum):
    """Why, in a word that programs can rely on."""

    #: It lacks what an event needs: who, what, or in which conversation.
    INCOMPLETE = "incomplete"
    #: It is about a handle that is none of the bridge's lines.
    OTHER_LINE = "other_line"
    #: The reader itself broke over it: a fault of the hub.
    READER_BROKE = "reader_broke"
    #: It is larger than anything that is read.
    TOO_LARGE = "too_large"
    #: It was not signed as it must be, and was not read.
    UNBELIEVED = "unbelieved"
    #: The network tells something of a kind that this version of the hub does not know.
    UNKNOWN_TYPE = "unknown_type"
    #: It is not what the network sends: broken JSON, other types.
    UNREADABLE = "unreadable"
    #: What was read of it breaks a rule of the normal form (hub.rules.refusals).
    UNSOUND = "unsound"
    #: Known, documented, and of no use to a hub: counted, and never kept.
    UNUSED = "unused"


class Origin(StrEnum):
    """From where it came."""

    AGENT = "agent"
    BACKFILL = "backfill"
    FEED = "feed"
    HOOK = "hook"
    #: POST /v1/bridge/events.
    PUSH = "push"


class Form(StrEnum):
    """What the kept bytes are, and so how they could be taken in again."""

    #: JSON of one hub.model.observation.Observation.
    OBSERVATION = "observation"
    #: The body of a request of the bridge's network, which was verified when it came.
    REQUEST = "request"
    #: Anything else: only to look at.
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """One payload that could not be taken in, as whoever read it tells."""

    code: RefusalCode
    #: A sentence or a few words for people; nothing of what the payload says.
    reason: str
    origin: Origin
    #: Nothing where it was not read, or is not to be had.
    raw: bytes = field(default=b"", repr=False)
    form: Form = Form.OTHER
    #: What the network calls it, for instance `updated-message`.
    event: str | None = None
    #: Of a request: what its reader needs beside the body.
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    content_type: str = ""
    #: Bytes before it was cut; 0 where `raw` is whole.
    size: int = 0
    #: Counts as the same as others that say this, whatever their bytes are.
    same_as: str | None = None

    @property
    def is_whole(self) -> bool:
        return self.size <= len(self.raw)


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusedPayload:
    """A payload as it is kept: the same one again only raises the count."""

    id: int
    bridge_id: int
    digest: bytes
    #: The first one; with the newest reason.
    refused: Refused
    count: int
    #: Unix ms.
    first_at: int
    last_at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusedTally:
    """What is kept of one bridge."""

    #: Different payloads, and how often they came.
    payloads: int
    times: int
    #: Unix ms.
    last_at: int
    last_reason: str
