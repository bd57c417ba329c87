"""What stands in a call to an agent, as JSON: in the database, over the wire and at the agent.

Not here: where calls are kept (hub.flow.agent_store) and how they move (hub.flow.agents, hub.worker.remote).
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from hub.model.outbox import (
    Disposition,
    Operation,
    OperationKind,
    OperationOutcome,
    SentPiece,
    outbox_id_of,
)

#: An outcome in JSON, at the most.
MOST_OUTCOME_BYTES: Final = 65_536


class AskedOperation(msgspec.Struct, frozen=True, kw_only=True):
    """An operation to perform, or to look up."""

    attempt_id: str
    #: Handle of the line.
    line: str
    kind: OperationKind
    payload: dict[str, Any]
    #: Unix ms.
    dispatched_at: int
    #: Of a look-up: the fence of the agent that was asked to perform it; null if none was.
    asked_of: int | None = None
    #: Of a look-up: what the network calls other sends.
    taken: tuple[str, ...] = ()

    def operation(self) -> Operation:
        """Give it as adapters take it.

        Raises:
            ValueError: The attempt id is none of the hub's.
        """
        outbox_id = outbox_id_of(self.attempt_id)
        if outbox_id is None:
            raise ValueError("the attempt id is none of the hub's")
        return Operation(
            outbox_id=outbox_id,
            line_handle=self.line,
            kind=self.kind,
            payload=self.payload,
            dispatched_at=self.dispatched_at,
            taken=frozenset(self.taken),
        )


class AskedAttachment(msgspec.Struct, frozen=True, kw_only=True):
    """An attachment that came in, by the bridge's own name for it."""

    ref: str


class ToldPiece(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of the messages that a send became; the members are those of hub.model.outbox.SentPiece."""

    guid: Annotated[str, Meta(min_length=1, max_length=512)]
    part: Annotated[int, Meta(ge=0, le=1024)] = 0
    part_count: Annotated[int, Meta(ge=1, le=1024)] | None = None


class ToldOutcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of a call; the members are those of hub.model.outbox.OperationOutcome."""

    disposition: Disposition
    provider_id: Annotated[str, Meta(max_length=512)] | None = None
    code: Annotated[str, Meta(max_length=128)] | None = None
    detail: Annotated[str, Meta(max_length=2000)] | None = None
    is_retry_safe: bool = False
    parts_done: Annotated[int, Meta(ge=0, le=10_000)] = 0
    pieces: Annotated[tuple[ToldPiece, ...], Meta(max_length=128)] = ()
    part: Annotated[int, Meta(ge=0, le=1024)] | None = None
    result: dict[str, Any] | None = None
    retry_after_ms: Annotated[int, Meta(ge=0, le=86_400_000)] | None = None
    was_downgraded: bool = False
    is_certain: bool = False

    def outcome(self) -> OperationOutcome:
        """Give it as adapters answer."""
        members = {name: getattr(self, name) for name in self.__struct_fields__}
        pieces = tuple(SentPiece(**msgspec.structs.asdict(piece)) for piece in self.pieces)
        return OperationOutcome(**{**members, "pieces": pieces})


_encode: Final = msgspec.json.Encoder().encode
_operation: Final = msgspec.json.Decoder(AskedOperation).decode
_outcome: Final = msgspec.json.Decoder(ToldOutcome).decode


def write_operation(operation: Operation, *, asked_of: int | None = None) -> str:
    """Give the JSON of an operation."""
    asked = AskedOperation(
        attempt_id=operation.attempt_id,
        line=operation.line_handle,
        kind=operation.kind,
        payload=operation.payload,
        dispatched_at=operation.dispatched_at,
        asked_of=asked_of,
        taken=tuple(sorted(operation.taken)),
    )
    return _encode(asked).decode()


def read_operation(text: str | bytes) -> AskedOperation:
    """Read the JSON of an operation.

    Raises:
        msgspec.MsgspecError: It is none.
    """
    return _operation(text)


def write_outcome(outcome: OperationOutcome) -> str:
    """Give the JSON of an outcome, cut to what may be told."""
    told = {
        **{name: getattr(outcome, name) for name in ToldOutcome.__struct_fields__},
        "pieces": tuple(
            ToldPiece(guid=piece.guid, part=piece.part, part_count=piece.part_count)
            for piece in outcome.pieces[:128]
        ),
        "code": None if outcome.code is None else outcome.code[:128],
        "detail": None if outcome.detail is None else outcome.detail[:2000],
    }
    return _encode(told).decode()


def read_outcome(text: str | bytes) -> OperationOutcome:
    """Read the JSON of an outcome.

    Raises:
        msgspec.MsgspecError: It is none.
    """
    return _outcome(text).outcome()
