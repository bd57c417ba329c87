"""One observation on its way through a batch of ingest, with what it turned out to be about."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.flow.piece_ports import PieceRow
from hub.flow.poll_payloads import Tally
from hub.flow.rows import ChatRow, MessageRow, ReactionRow, SnapshotRow
from hub.model.line import Line
from hub.model.observation import Observation
from hub.rules.facts import Fact


@dataclass(slots=True)
class Sighting:
    """What a bridge saw."""

    observation: Observation
    #: None when no such line belongs to the bridge.
    line: Line | None
    raw_id: int
    #: Which one told.
    bridge_id: int
    facts: tuple[Fact, ...] = ()
    chat: ChatRow | None = None
    #: After the merge; the whole row for a message that we were asked to send.
    message: SnapshotRow | MessageRow | None = None
    reaction: ReactionRow | None = None
    poll: Tally | None = None
    #: The piece of one of our messages that it is about, where that message is in several.
    piece: PieceRow | None = None
    #: It shows an attempt that a later one has replaced.
    is_superseded: bool = False
    event_ids: list[int] = field(default_factory=list)

    @property
    def known_line(self) -> Line:
        """The line, where refused sightings are out of the way."""
        assert self.line is not None, "sightings without a line are answered before the merge"
        return self.line
