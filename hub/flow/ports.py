"""What the use cases need from the world. Edges implement these; conformance suites hold them to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from hub.flow.chat_ports import ChatStatements
from hub.flow.file_ports import FileStatements
from hub.flow.piece_ports import PieceStatements
from hub.flow.rows import (
    AttemptRow,
    ChatRow,
    DeliveryRow,
    DueDelivery,
    DueOutbox,
    EventRow,
    FinishRow,
    IdempotencyRow,
    MessageRow,
    OperationRow,
    OutboxClaim,
    OutboxRow,
    OutboxUpdate,
    RawRow,
    ReactionRow,
    SnapshotRow,
)
from hub.flow.safety_ports import SafetyStatements
from hub.flow.source_ports import SourceStatements
from hub.model.live import LiveEvent, Typist
from hub.model.observation import Observation
from hub.model.outbox import Operation, OperationOutcome

T = TypeVar("T")


class Clock(Protocol):
    """Tells the time, so that tests can."""

    def now_ms(self) -> int:
        """Unix milliseconds UTC."""
        ...


class HotTransaction(Protocol):
    """One durable transaction of the hot path: set-based statements, a handful a batch.

    Reads see the writes of the same transaction. Every method takes a whole batch; an empty batch costs nothing.
    """

    #: Whether new events went into it; hub.flow.announcing asks, and begins with False.
    has_recorded: bool

    @property
    def chats(self) -> ChatStatements:
        """The statements of groups, polls, places and cards."""
        ...

    @property
    def files(self) -> FileStatements:
        """The statements of attachments and of who uses a file."""
        ...

    @property
    def pieces(self) -> PieceStatements:
        """The statements of messages that their network carries as several."""
        ...

    @property
    def safety(self) -> SafetyStatements:
        """The statements of consent, budgets and health."""
        ...

    @property
    def sources(self) -> SourceStatements:
        """The statements of inbound sources."""
        ...

    async def revision(self) -> int:
        """The version of lines, bridges, webhooks and keys."""
        ...

    async def insert_raw(self, rows: Sequence[RawRow]) -> set[int]:
        """Insert; return the ids inserted, without those whose (bridge_id, request_id) is known."""
        ...

    async def merge_chats(self, rows: Sequence[ChatRow]) -> list[ChatRow]:
        """Insert or merge by (line_id, chat_key); return the rows as they now are, in the order given.

        Keys are unique within a batch. `has_inbound` and `last_message_at` only rise; name, participants and
        service change when the new row says something about them (non-null, non-empty).
        """
        ...

    async def merge_messages(self, rows: Sequence[SnapshotRow]) -> list[SnapshotRow]:
        """Insert or merge by (line_id, guid), commutatively; return the rows as they now are, in order given.

        Keys are unique within a batch.
        """
        ...

    async def merge_own_messages(self, rows: Sequence[MessageRow]) -> list[MessageRow]:
        """As `merge_messages`, for messages that we send: what bridges say nothing about is merged, too."""
        ...

    async def messages_by_id(self, ids: Sequence[int]) -> list[MessageRow]:
        """The messages of these ids that exist; in a write nobody else changes them before it ends."""
        ...

    async def save_messages(self, rows: Sequence[MessageRow]) -> None:
        """Overwrite by id what `messages_by_id` gave in the same write."""
        ...

    async def delete_messages(self, ids: Sequence[int]) -> None: ...

    async def merge_reactions(self, rows: Sequence[ReactionRow]) -> None:
        """Insert, or overwrite where the new row was sent later."""
        ...

    async def insert_events(self, rows: Sequence[EventRow]) -> set[int]:
        """Insert; return the ids inserted, without those whose dedupe key is known."""
        ...

    async def record(
        self, events: Sequence[EventRow], deliveries: Sequence[DeliveryRow]
    ) -> tuple[int, set[int]]:
        """Insert events, and of the deliveries those whose event is new; return the revision and the new ids."""
        ...

    async def insert_deliveries(self, rows: Sequence[DeliveryRow]) -> None:
        """Insert; an (event_id, webhook_id) that exists is left as it is."""
        ...

    async def finish_deliveries(self, finished: Sequence[FinishRow], attempts: Sequence[AttemptRow]) -> None:
        """Record attempts and move their deliveries on."""
        ...

    async def mark_webhooks(self, failing: Sequence[tuple[int, int]], recovered: Sequence[int]) -> None:
        """Set `failing_since` (webhook id, Unix ms) where it is null; clear it for the recovered."""
        ...

    async def insert_idempotency(self, rows: Sequence[IdempotencyRow]) -> list[IdempotencyRow | None]:
        """Insert; for each row, the one already there under its (scope, key), or None when it was inserted."""
        ...

    async def forget_idempotency(self, keys: Sequence[tuple[str, str]]) -> None:
        """Let (scope, key) be used as if they never were: what they were to name is refused."""
        ...

    async def insert_outbox(self, rows: Sequence[OutboxRow]) -> None:
        """Insert pending items."""
        ...

    async def update_outbox(self, rows: Sequence[OutboxUpdate]) -> set[int]:
        """Move items on; return the ids moved, without those that are finished or have had a later attempt since."""
        ...

    async def deliveries_between(
        self, first_id: int, last_id: int, shards: Sequence[int], limit: int
    ) -> list[DueDelivery]:
        """Pending deliveries with an id in the range, never attempted, of the shards; by id."""
        ...

    async def due_deliveries(self, webhook_id: int, shard: int, now_ms: int, limit: int) -> list[DueDelivery]:
        """Pending deliveries of one lane that are due, by (next_attempt_at, id)."""
        ...

    async def ordered_deliveries(
        self, webhook_id: int, shard: int, limit: int
    ) -> list[tuple[int, DueDelivery]]:
        """Pending deliveries of one strictly ordered lane by id, due or not, each with its next_attempt_at."""
        ...

    async def pending_lanes(self, shard: int) -> list[tuple[int, int]]:
        """For each webhook with pending deliveries in the shard: its id and the earliest next_attempt_at.

        Costs a look-up a lane, not a scan of the backlog.
        """
        ...

    async def due_outbox(self, line_id: int, shard: int, limit: int) -> list[DueOutbox]:
        """What a line has to do next: of what was tried and is unfinished the oldest `limit`, by id; then, of what
        was never tried, the first of each priority by (next_attempt_at, id), highest priority first.
        """
        ...

    async def outbox_claims(self, outbox_ids: Sequence[int]) -> list[OutboxClaim]:
        """The items of these ids that exist, finished or not."""
        ...

    async def guids_of_others(self, line_id: int, outbox_id: int, since_ms: int) -> list[str]:
        """What the network calls the messages that other items of a line have sent since then: the latest so many."""
        ...

    async def outbox_set(self, set_id: int) -> list[int]:
        """The items of one request that were never handed over, by id."""
        ...

    async def cancel_outbox(self, outbox_ids: Sequence[int], now_ms: int) -> set[int]:
        """Cancel; return the ids cancelled, without those that are not pending (any more)."""
        ...

    async def move_operations(self, pairs: Sequence[tuple[int, int]]) -> None:
        """Let items be about another message: (id of the one that was folded, id of the one it is part of now)."""
        ...

    async def message_operations(self, message_ids: Sequence[int]) -> list[OperationRow]:
        """All items of these messages, by id; in a write nobody else changes them before it ends."""
        ...

    async def prove_outbox(self, pairs: Sequence[tuple[int, str]]) -> None:
        """Note that the network has what items (by id) sent, and what it calls that: of those that ended as
        `delivery_unknown`, and of no others.
        """
        ...

    async def mark_evidence(self, pairs: Sequence[tuple[int, bytes]]) -> None:
        """Note for an item (by id) the dedupe key of the evidence that showed its outcome."""
        ...

    async def pending_lines(self, shard: int) -> list[tuple[int, int]]:
        """For each line with unfinished outbox items in the shard: its id and the earliest next_attempt_at."""
        ...


class HotStore(Protocol):
    """Runs hot transactions."""

    async def write(self, work: Callable[[HotTransaction], Awaitable[T]]) -> T:
        """Run `work` in one durable transaction (full fsync) and commit it; nothing stays if it raises.

        `work` must await nothing but the transaction. It may run more than once (a neighbour in its group failed, a
        conflict, a lost connection), so it must have no other effect that a second run would double.
        """
        ...

    async def read(self, work: Callable[[HotTransaction], Awaitable[T]]) -> T:
        """Run `work` on a consistent snapshot; it must only read."""
        ...


class WakeUps(Protocol):
    """Tells workers that there is work. Losing one only delays: a sweep finds everything in SQL."""

    def deliveries_recorded(self, first_id: int, last_id: int) -> None:
        """Deliveries with ids in this range were committed."""
        ...

    def lane_due(self, webhook_id: int, at_ms: int) -> None:
        """A lane has something due at `at_ms`."""
        ...

    def line_due(self, line_id: int, at_ms: int) -> None:
        """A line's outbox has something due at `at_ms`."""
        ...

    def configuration_changed(self) -> None:
        """Lines, bridges, webhooks or keys changed."""
        ...

    def files_due(self) -> None:
        """Files wait to be fetched from their bridges."""
        ...

    def runs_due(self) -> None:
        """Runs of routes were begun, or can go on."""
        ...

    def routes_changed(self) -> None:
        """Routes were installed or retired."""
        ...

    def job_added(self) -> None:
        """A long job (a replay, a requeue, a purge) waits to be run."""
        ...


class LiveTyping(Protocol):
    """Knows who types now. Disposable: where it is kept may be away or empty at any time, and it forgets."""

    async def typists(self, chat_id: int) -> list[Typist]:
        """Who types in the chat now, by handle; nobody while that cannot be asked."""
        ...


class LiveSigns(Protocol):
    """Takes what is only live, and tells those who follow. Never waits, never fails; losing one loses a moment."""

    @property
    def is_followed(self) -> bool:
        """Whether somebody follows at all; if not, `tell` costs its caller nothing but this question."""
        ...

    def recorded(self) -> None:
        """Events were committed: whoever follows them may look."""
        ...

    def typing(self, typist: Typist, *, is_typing: bool) -> None:
        """Somebody began to type, goes on, or stopped."""
        ...

    def tell(self, event: LiveEvent) -> None:
        """Tell everybody who follows."""
        ...


class BridgeAdapter(Protocol):
    """The adapter to one network (facts of each network live in its folder under bridge/)."""

    kind: str

    async def capabilities(self) -> frozenset[str]:
        """What this network can do: text, attachments, react_std, typing_out, idempotent_send, …"""
        ...

    async def health(self) -> tuple[str, str | None]:
        """`online`, `degraded` or `offline`, and why."""
        ...

    def events(self, cursor: str | None) -> AsyncIterator[Observation | tuple[Observation, ...]]:
        """What the network shows, from the cursor on, for ever; each carries the next cursor.

        A tuple is recorded as a whole, which is quicker: for pages of history. Whoever asks for the next one has
        recorded what came before.
        """
        ...

    async def perform(self, operation: Operation) -> OperationOutcome:
        """Do it once. A timeout is `may_have_completed`, never an exception."""
        ...

    async def lookup(self, operation: Operation) -> OperationOutcome:
        """Say whether the operation happened, by attempt id or by chat, time and content."""
        ...

    def open_attachment(self, ref: str) -> AsyncIterator[bytes]:
        """Give the bytes that a part's `ref` names.

        Raises:
            AttachmentGone: The network does not have them, and will not have them later.
        """
        ...

    async def aclose(self) -> None:
        """Leave the network: connections and child processes end. Called once, when nothing is asked any more."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class OutgoingFile:
    """A file that a bridge is to send."""

    filename: str | None
    mime_type: str
    size: int
    chunks: AsyncIterator[bytes]


class OutgoingFiles(Protocol):
    """Where bridges get the bytes of what they send (hub.flow.outgoing_files)."""

    async def open_file(self, file_id: str) -> OutgoingFile:
        """Open a file by its `file_` id.

        Raises:
            AttachmentGone: There is no such file, or no bytes of it: the operation can never be done.
            StoreUnavailable: The store of files is away; the operation may be tried again.
        """
        ...
