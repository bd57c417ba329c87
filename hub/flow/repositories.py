"""The cold side of the store: what is asked for by people and seldom, one protocol a noun.

Lists are pages: `after` is the last id seen (exclusive), newest first unless said otherwise, at most `limit` rows.
A write that changes lines, bridges, webhooks or keys raises the revision in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from hub.flow.agent_store import BridgeCalls
from hub.flow.bridge_store import Bridges, Enrolments
from hub.flow.bulk_store import Bulk
from hub.flow.chat_rows import PlaceRow
from hub.flow.chat_store import ChatFilter, ChatOrder, ChatPlace, ChatTotals
from hub.flow.configuration import Configurations
from hub.flow.connection_states import ConnectionStates
from hub.flow.contact_store import Availability, ContactGroups, Contacts
from hub.flow.event_store import Events, Queue
from hub.flow.file_store import Files
from hub.flow.line_store import Lines
from hub.flow.message_counts import MessageCounts
from hub.flow.message_store import Messages
from hub.flow.poll_payloads import Tally
from hub.flow.ports import HotStore
from hub.flow.refused_store import RefusedPayloads
from hub.flow.route_store import Routes, RunRetention, Runs
from hub.flow.rows import DeliveryRow, MessageRow
from hub.flow.safety_repositories import Consents, Health
from hub.flow.source_ports import Rejections
from hub.model.delivery import Attempt, Delivery, DeliveryState
from hub.model.draft import AiLimit, AiLimits, AiTally, Spending
from hub.model.job import Job
from hub.model.key import ApiKey
from hub.model.outbox import OutboxItem
from hub.model.webhook import Webhook
from hub.rules.idempotency import KeyRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class Chat:
    """A conversation of a line."""

    id: int
    line_id: int
    chat_key: str
    identifier: str
    service: str
    name: str | None
    is_group: bool
    participants: tuple[str, ...]
    has_inbound: bool
    last_message_at: int | None
    created_at: int
    #: Up to when our side has read, and whether a person marked it as unread since.
    own_read_at: int | None
    is_marked_unread: bool
    #: The picture that our line gave the group.
    icon_file_id: int | None
    #: JSON of the background that our line gave it.
    background: str | None
    #: When our line left the group.
    left_at: int | None
    #: JSON of who takes care of it (hub.model.assignee), and since when.
    assignee: str | None = None
    assigned_at: int | None = None


def place_among(chat: Chat, order: ChatOrder) -> ChatPlace:
    """Give the place of a chat in an order; one without a message stands as if its last one was at 0."""
    is_by_activity = order in {ChatOrder.ACTIVITY, ChatOrder.OLDEST}
    return (chat.last_message_at or 0) if is_by_activity else 0, chat.id


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryFilter:
    """Which deliveries; None does not restrict. Ids bound by time through hub.model.ids.first_id_at."""

    webhook_id: int | None = None
    event_id: int | None = None
    states: frozenset[DeliveryState] | None = None
    event_type: str | None = None
    first_id: int | None = None
    last_id: int | None = None
    #: Only to these webhooks.
    webhook_ids: frozenset[int] | None = None
    #: HTTP statuses of the last answer, both ends included.
    least_status: int | None = None
    most_status: int | None = None
    #: Attempted, and the last attempt brought no answer at all.
    is_unanswered: bool = False


class Webhooks(Protocol):
    async def add(self, webhook: Webhook) -> None: ...
    async def get(self, webhook_id: int) -> Webhook | None: ...
    async def all(self) -> list[Webhook]: ...
    async def save(self, webhook: Webhook, *, seen_at: int | None = None) -> bool:
        """Overwrite by id, `failing_since` excepted (HotTransaction.mark_webhooks keeps it).

        False if it is gone or, with `seen_at`, if its `updated_at` is another by now.
        """
        ...

    async def disable(self, webhook_id: int, *, reason: str, at: int) -> bool:
        """False if it was not active (another process was first)."""
        ...

    async def delete(self, webhook_id: int, *, at: int) -> bool: ...
    async def deleted_with_pending(self) -> list[int]:
        """Deleted webhooks that still have unfinished deliveries."""
        ...

    async def list(self, *, line_id: int | None, after: int | None, limit: int) -> list[Webhook]:
        """With a line id: the webhooks of that line and those of every line."""
        ...


class Keys(Protocol):
    async def add(self, key: ApiKey, *, digest: bytes) -> None: ...
    async def by_digest(self, digest: bytes) -> ApiKey | None: ...
    async def get(self, key_id: int) -> ApiKey | None: ...
    async def revoke(self, key_id: int, *, at: int) -> bool: ...
    async def expire(self, key_id: int, *, at: int) -> bool: ...
    async def list(self, *, after: int | None, limit: int) -> list[ApiKey]: ...


class Chats(Protocol):
    async def get(self, chat_id: int) -> Chat | None: ...
    async def some(self, chat_ids: Collection[int]) -> dict[int, Chat]:
        """Those of these ids that are there."""
        ...

    async def by_key(self, line_id: int, chat_key: str) -> Chat | None: ...
    async def by_key_on(self, line_ids: Sequence[int], chat_key: str) -> list[Chat]:
        """The chats with the same other side, on any of these lines."""
        ...

    async def keys(self, chat_ids: Sequence[int]) -> dict[int, str]: ...
    async def unread(self, chat_ids: Sequence[int]) -> dict[int, int]:
        """How many messages came in since our side has read; no more than 100 are counted."""
        ...

    async def last_messages(self, chat_ids: Sequence[int]) -> dict[int, MessageRow]:
        """The latest message of each chat that has one."""
        ...

    async def joined(self, chat_id: int) -> dict[str, int]:
        """When those joined, by handle, who were seen to and are still in it. Unix ms."""
        ...

    async def totals(self, chat_id: int) -> ChatTotals: ...
    async def poll(self, poll_id: int) -> Tally | None: ...
    async def places(self, line_id: int) -> list[PlaceRow]:
        """By handle."""
        ...

    async def card(self, line_id: int) -> tuple[str, int] | None:
        """The line's contact card (JSON), and when the bridge told it."""
        ...

    async def counts(self, chat_ids: Sequence[int]) -> dict[int, MessageCounts]:
        """The messages of each chat, counted."""
        ...

    async def count(self, wanted: ChatFilter) -> int:
        """How many there are on all pages."""
        ...

    async def list(
        self, wanted: ChatFilter, *, after: ChatPlace | None, offset: int | None = None, limit: int
    ) -> list[Chat]:
        """By (last_message_at, id) in the order that is wanted; a chat without a message as if it was at 0."""
        ...


class Deliveries(Protocol):
    async def get(self, delivery_id: int) -> Delivery | None: ...
    async def attempts(self, delivery_id: int) -> list[Attempt]: ...
    async def count(self, wanted: DeliveryFilter) -> int: ...
    async def requeue(self, delivery_id: int, *, now: int) -> bool:
        """Make one pending and due now, whatever its state but cancelled; attempts go on counting."""
        ...

    async def requeue_page(self, wanted: DeliveryFilter, *, after: int, limit: int, now: int) -> list[int]:
        """Requeue the next page by ascending id after `after`; return the ids."""
        ...

    async def purge_page(self, wanted: DeliveryFilter, *, after: int, limit: int) -> list[int]:
        """Delete the next page with its attempts; return the ids."""
        ...

    async def cancel_page(self, webhook_id: int, *, limit: int, now: int) -> int:
        """Cancel unfinished deliveries of a deleted webhook; return how many."""
        ...

    async def backlog(self) -> dict[int, tuple[int, int]]:
        """For each webhook with pending deliveries: (count, oldest id). For metrics; may scan."""
        ...

    async def list(
        self,
        wanted: DeliveryFilter,
        *,
        after: int | None,
        offset: int | None = None,
        limit: int,
        is_oldest_first: bool = False,
    ) -> list[Delivery]:
        """Newest first unless said otherwise, after an id, or after so many."""
        ...

    async def last_attempts(self, delivery_ids: Sequence[int]) -> dict[int, Attempt]:
        """The last attempt of each delivery that has one, and whose attempts are still kept."""
        ...


class Outbox(Protocol):
    async def get(self, outbox_id: int) -> OutboxItem | None: ...
    async def of_message(self, message_id: int) -> list[OutboxItem]:
        """What was ever owed for a message, oldest first."""
        ...

    async def let_go(self, line_id: int, *, reasons: Collection[str], now: int) -> int:
        """Make due what waits on a line for one of these reasons; give how many. `now` is Unix ms."""
        ...


class Jobs(Protocol):
    async def add(self, job: Job) -> None: ...
    async def get(self, job_id: int) -> Job | None: ...
    async def running(self) -> list[Job]: ...
    async def save(self, job: Job) -> None: ...
    async def list(self, *, after: int | None, limit: int) -> list[Job]: ...


class Replays(Protocol):
    """What long jobs need beside the nouns they work on."""

    async def count_events(self, *, first_id: int, last_id: int) -> int: ...
    async def make_due(self, rows: Sequence[DeliveryRow]) -> int:
        """Insert pending deliveries; one that exists for the same event and webhook becomes pending and due
        instead, keeping its id and attempts, unless it was cancelled. Return how many are now pending.
        """
        ...

    async def advance(self, job: Job, *, from_cursor: int) -> bool:
        """Save a running job's progress; False when it was cancelled or another worker moved its cursor."""
        ...

    async def cancel(self, job_id: int, *, at: int) -> bool:
        """False when it was not running."""
        ...


class Processes(Protocol):
    async def join(self, *, kind: str, name: str, now: int, forgotten_before: int) -> int:
        """Take a free node number; where there is none, one whose process was last seen before `forgotten_before`."""
        ...

    async def seen(self, node: int, *, now: int) -> None: ...
    async def leave(self, node: int) -> None: ...
    async def take_shards(
        self, *, owner: str, shard_count: int, want: int, now: int, lease_until: int
    ) -> dict[int, int]:
        """Renew the shards we own (up to `want`, releasing the rest) and take free or expired ones up to `want`.

        One transaction. Returns our shards and their epochs; the epoch rises when the owner changes.
        """
        ...

    async def release_shards(self, owner: str) -> None: ...
    async def workers(self, *, seen_after: int) -> list[str]: ...


class SandboxNetwork(Protocol):
    """The simulated network's memory (bridge/sandbox)."""

    async def accept(self, send: dict[str, Any]) -> bool:
        """Insert a row of sandbox_sends; False if the attempt id is known (the network is idempotent)."""
        ...

    async def by_attempt(self, attempt_id: str) -> dict[str, Any] | None: ...
    async def by_guid(self, guid: str) -> dict[str, Any] | None: ...
    async def due(self, *, now: int, limit: int) -> list[dict[str, Any]]:
        """Sends whose next_evidence_at is at or before now, oldest first."""
        ...

    async def next_due_at(self) -> int | None: ...
    async def told(self, attempt_id: str, *, told_count: int, next_evidence_at: int | None) -> None: ...
    async def recall(self, line_handle: str, name: str) -> str | None:
        """What it knows under a name beside the sends; None if nothing."""
        ...

    async def remember(self, line_handle: str, name: str, value: str) -> None:
        """Know something from now on; what was known under the name is replaced."""
        ...


class Repeats(Protocol):
    """Idempotency keys that keep a whole answer. They share their names with those of sends."""

    async def claim(
        self, scope: str, key: str, *, request_hash: bytes, lease_until: int, now: int
    ) -> KeyRecord | None:
        """Claim a key: None if it was free; of simultaneous claims one succeeds. Else what stands under it."""
        ...

    async def keep(self, scope: str, key: str, *, status: int, answer: bytes) -> None:
        """Keep the answer under a claimed key, sealed; empty if it is not to be kept."""
        ...

    async def give_up(self, scope: str, key: str, *, lease_until: int | None = None) -> None:
        """Free a claimed key that has no answer; with `lease_until`, only the claim that was made with it."""
        ...


class Retention(Protocol):
    async def expire_page(self, table: str, *, before_ms: int, limit: int) -> int:
        """Delete up to `limit` of the oldest finished rows of a table; return how many, 0 when none is left.

        `events` go with their finished deliveries and attempts, and stay with an unfinished one; `messages` stay while
        something of them is owed; `bulk_jobs` go after their recipients, one job at a time. The others: `attempts`,
        `availability`, `deliveries`, `idempotency_keys`, `outbox`, `polls` (with their votes), `raw_payloads`,
        `reactions`.
        """
        ...


class AiUsage(Protocol):
    """What language models took."""

    async def reserve(self, wanted: Spending, *, limits: AiLimits, now: int) -> AiLimit | None:
        """Count a request and what it may take, in one step; or say which limit it would pass."""
        ...

    async def settle(self, reserved: Spending, *, spent: Spending, reserved_at: int) -> None:
        """Put what was taken in the place of what was reserved."""
        ...

    async def tally(self, *, now: int) -> AiTally:
        """What the hour and the day took so far."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Store:
    """Everything that is kept."""

    hot: HotStore
    ai_usage: AiUsage
    availability: Availability
    bridge_calls: BridgeCalls
    bridges: Bridges
    enrolments: Enrolments
    bulk: Bulk
    chats: Chats
    configurations: Configurations
    connection_states: ConnectionStates
    consents: Consents
    contact_groups: ContactGroups
    contacts: Contacts
    deliveries: Deliveries
    events: Events
    files: Files
    health: Health
    jobs: Jobs
    keys: Keys
    lines: Lines
    messages: Messages
    outbox: Outbox
    processes: Processes
    queue: Queue
    refused: RefusedPayloads
    rejections: Rejections
    repeats: Repeats
    replays: Replays
    retention: Retention
    routes: Routes
    runs: Runs
    run_retention: RunRetention
    sandbox: SandboxNetwork
    webhooks: Webhooks
