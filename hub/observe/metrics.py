"""Prometheus metrics of one process, and of all processes of the hub on one page.

Each process keeps its own registry. The worker publishes a snapshot to Redis every few seconds; `/metrics` of any
web process shows its own and the snapshots, told apart by the label `process`. Without Redis it shows its own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)

#: What the labels of a metric can say.
LABELS: Final[dict[str, dict[str, str]]] = {
    "hub_agent_calls": {"step": "claimed, begun, answered, late, lost, in_doubt, taken_back"},
    "hub_agent_outcomes": {
        "disposition": "accepted, not_started, may_have_completed, still_in_flight, rejected"
    },
    "hub_attachment_fetches": {"outcome": "success, retryable, permanent"},
    "hub_cleaned": {"what": "uses, files, blobs, strays, drafts"},
    "hub_connection_works": {"connection": "as connections.yaml calls it"},
    "hub_connector_calls": {"connector": "the connector's id", "outcome": "done, or the class of the error"},
    "hub_delivery_attempts": {"outcome": "success, retryable, permanent"},
    "hub_drafts": {"outcome": "drafted, cancelled, or the code of the refusal"},
    "hub_expired_rows": {"table": "the table's name"},
    "hub_http_requests": {"status": "HTTP status"},
    "hub_line_new_conversations_today": {"line": "the line's id"},
    "hub_line_sent_today": {"line": "the line's id"},
    "hub_line_state": {"line": "the line's id"},
    "hub_line_unanswered": {"line": "the line's id"},
    "hub_observations": {"status": "recorded, duplicate, refused"},
    "hub_payloads_refused": {
        "kind": "the bridge's kind",
        "code": "why: docs/bridges.md lists the codes",
    },
    "hub_runs_ended": {"outcome": "completed, failed"},
    "hub_runs_failed": {"route": "the route's id; of more than 200 the others together"},
    "hub_runs_unfinished": {"state": "active, parked"},
    "hub_bridge_requests": {
        "word": "what comes after /v1/bridge/: ack, claim, events, …",
        "outcome": "answered, the code of the refusal, or unserved",
    },
    "hub_bridge_hooks": {"kind": "the bridge's kind", "outcome": "accepted, refused, broken"},
    "hub_source_events": {"source": "the source's name", "status": "recorded, duplicate"},
    "hub_source_requests": {
        "source": "the source's name",
        "outcome": "accepted, handshake, or why it was rejected",
    },
    "hub_step_attempts": {
        "connector": "what comes before the dot in `use`",
        "outcome": "completed, or the class of the error",
    },
    "hub_streams_ended": {"reason": "key_ended, service_unavailable, stopping, too_slow"},
    "hub_sends": {"state": "pending, unknown, sent, failed"},
    "hub_uploads": {"outcome": "stored, disconnected, failed, or the code of the refusal"},
}


class Sample(msgspec.Struct, array_like=True, frozen=True):
    """One line of a snapshot."""

    name: str
    labels: dict[str, str]
    value: float


class Family(msgspec.Struct, array_like=True, frozen=True):
    """One metric of a snapshot."""

    name: str
    documentation: str
    type: str
    samples: list[Sample]


class Distribution(Collector):
    """A histogram that takes many values at once.

    The library's own takes a lock for each value, which at thousands of deliveries a second is a tenth of their cost.
    Not for several threads.
    """

    def __init__(
        self, name: str, documentation: str, *, bounds: Sequence[float], registry: CollectorRegistry
    ):
        self._name = name
        self._documentation = documentation
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0
        registry.register(self)

    def add(self, values: Iterable[float]) -> None:
        """Take values; one that equals a bound is in its bucket."""
        bounds, counts, total = self._bounds, self._counts, 0.0
        for value in values:
            counts[bisect_left(bounds, value)] += 1
            total += value
        self._sum += total

    def collect(self) -> Iterable[Metric]:
        bounds = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        buckets = list(zip(bounds, map(float, accumulate(self._counts)), strict=True))
        yield HistogramMetricFamily(self._name, self._documentation, buckets=buckets, sum_value=self._sum)


class Metrics:
    """Every metric of Hub; docs/reference/metrics.md is generated from here."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self.observations = Counter(
            "hub_observations",
            "Observations taken in, from bridges and the sandbox.",
            ["status"],
            registry=registry,
        )
        self.agent_calls = Counter(
            "hub_agent_calls",
            "Calls to agents, step by step: late is an answer that nobody waited for, lost what an agent knew of no "
            "more, in_doubt a wait that ended without an answer, taken_back what no agent began in time.",
            ["step"],
            registry=registry,
        )
        self.agent_outcomes = Counter(
            "hub_agent_outcomes", "What agents answered to calls.", ["disposition"], registry=registry
        )
        self.agent_sockets = Gauge(
            "hub_agent_sockets", "WebSockets of agents that are open.", registry=registry
        )
        self.bridge_requests = Counter(
            "hub_bridge_requests",
            "Requests of bridges and agents, by what became of them.",
            ["word", "outcome"],
            registry=registry,
        )
        self.requests = Counter(
            "hub_http_requests", "Requests answered by the REST surface.", ["status"], registry=registry
        )
        self.attempts = Counter(
            "hub_delivery_attempts",
            "Attempts of deliveries that were recorded.",
            ["outcome"],
            registry=registry,
        )
        self.post_seconds = Distribution(
            "hub_post_seconds",
            "Time from the start of an attempt to its end.",
            bounds=SECONDS,
            registry=registry,
        )
        self.delay_seconds = Distribution(
            "hub_delivery_delay_seconds",
            "Time from recording an event to its first attempt's start.",
            bounds=SECONDS,
            registry=registry,
        )
        self.sends = Counter(
            "hub_sends", "Steps of sends, by the state they led to.", ["state"], registry=registry
        )
        self.connection_works = Gauge(
            "hub_connection_works",
            "1: the last test of the connection worked; 0: it failed, or the connection is paused. By one worker.",
            ["connection"],
            registry=registry,
        )
        self.connector_calls = Counter(
            "hub_connector_calls",
            "Attempts at actions of connectors: done, or the class of the error.",
            ["connector", "outcome"],
            registry=registry,
        )
        self.bridge_hooks = Counter(
            "hub_bridge_hooks",
            "Requests of networks to the bridges they call, by what became of them.",
            ["kind", "outcome"],
            registry=registry,
        )
        self.payloads_refused = Counter(
            "hub_payloads_refused",
            "What bridges brought and could not be taken in, by why.",
            ["kind", "code"],
            registry=registry,
        )
        self.source_requests = Counter(
            "hub_source_requests",
            "Requests to inbound sources, by what became of them.",
            ["source", "outcome"],
            registry=registry,
        )
        self.source_events = Counter(
            "hub_source_events", "Events of inbound sources.", ["source", "status"], registry=registry
        )
        self.drafts = Counter(
            "hub_drafts", "Drafts asked of the language model.", ["outcome"], registry=registry
        )
        self.draft_tokens = Counter(
            "hub_draft_tokens", "Tokens that drafts took, read and written.", registry=registry
        )
        self.in_flight = Gauge("hub_posts_in_flight", "Posts under way.", registry=registry)
        self.queued = Gauge("hub_deliveries_in_memory", "Deliveries waiting in memory.", registry=registry)
        self.unrecorded = Gauge(
            "hub_attempts_unrecorded", "Attempts posted and not yet recorded.", registry=registry
        )
        self.lanes = Gauge("hub_lanes", "Lanes that the worker has open.", registry=registry)
        self.shards = Gauge(
            "hub_shards_owned", "Shards of the lanes leased by the worker.", registry=registry
        )
        self.line_state = Gauge(
            "hub_line_state",
            "How a line fares: 0 active, 1 limited, 2 flagged, 3 offline.",
            ["line"],
            registry=registry,
        )
        self.line_sent = Gauge(
            "hub_line_sent_today", "Messages that a line sent today.", ["line"], registry=registry
        )
        self.line_opened = Gauge(
            "hub_line_new_conversations_today",
            "Conversations that a line opened today.",
            ["line"],
            registry=registry,
        )
        self.line_unanswered = Gauge(
            "hub_line_unanswered",
            "The most messages in a row to one contact without an answer.",
            ["line"],
            registry=registry,
        )
        self.stored_bytes = Gauge(
            "hub_stored_bytes", "Bytes of files that are stored, each blob once.", registry=registry
        )
        self.stored_files = Gauge(
            "hub_stored_files", "Files that are stored, those of the same bytes once.", registry=registry
        )
        self.uploads = Counter(
            "hub_uploads",
            "Requests to keep a file: uploads, forms, announced ones, and those to fetch it from an address.",
            ["outcome"],
            registry=registry,
        )
        self.attachment_fetches = Counter(
            "hub_attachment_fetches",
            "Attempts to fetch an attachment that came in, from its bridge or an address.",
            ["outcome"],
            registry=registry,
        )
        self.expired_rows = Counter(
            "hub_expired_rows", "Rows deleted because their retention is over.", ["table"], registry=registry
        )
        self.cleaned = Counter(
            "hub_cleaned",
            "Removed from the store of files, because nothing needs it any more.",
            ["what"],
            registry=registry,
        )
        self.retention_seconds = Distribution(
            "hub_retention_seconds",
            "Time that a sweep of all that is too old took.",
            bounds=SECONDS,
            registry=registry,
        )
        self.retention_at = Gauge(
            "hub_retention_last_success_timestamp_seconds",
            "When a sweep last came to its end, in Unix seconds; 0 before the first.",
            registry=registry,
        )
        self.streams = Gauge(
            "hub_streams", "Streams and waiting readers of events that the process serves.", registry=registry
        )
        self.streamed = Counter(
            "hub_streamed_events", "Events and signs of life told over streams.", registry=registry
        )
        self.streams_ended = Counter(
            "hub_streams_ended", "Streams that the hub ended, and why.", ["reason"], registry=registry
        )
        self.runs_ended = Counter(
            "hub_runs_ended", "Runs of routes that came to their end.", ["outcome"], registry=registry
        )
        self.runs_failed = Counter(
            "hub_runs_failed", "Runs that failed, by their route.", ["route"], registry=registry
        )
        self.runs_unfinished = Gauge(
            "hub_runs_unfinished",
            "Runs that are not over, those that wait included, as counted each minute by one worker.",
            ["state"],
            registry=registry,
        )
        self.runs_in_hand = Gauge("hub_runs_in_hand", "Runs that the worker drives now.", registry=registry)
        self.steps = Counter(
            "hub_step_attempts", "Attempts at actions.", ["connector", "outcome"], registry=registry
        )
        self.step_seconds = Distribution(
            "hub_step_seconds", "Time that an attempt at an action took.", bounds=SECONDS, registry=registry
        )
        self.triage_seconds = Distribution(
            "hub_triage_delay_seconds",
            "Time from recording an event that some route wanted to deciding what it starts.",
            bounds=SECONDS,
            registry=registry,
        )
        self.route_problems = Gauge(
            "hub_routes_problems",
            "Problems in the folder of routes when it was read last; above 0 what ran before goes on running.",
            registry=registry,
        )
        self.breakers = Counter(
            "hub_lanes_opened", "Times that a lane's circuit breaker opened.", registry=registry
        )

    def snapshot(self) -> bytes:
        """Everything, as the worker publishes it."""
        families = [
            Family(
                metric.name,
                metric.documentation,
                metric.type,
                [Sample(sample.name, dict(sample.labels), sample.value) for sample in metric.samples],
            )
            for metric in self.registry.collect()
        ]
        return msgspec.json.encode(families)


class _Merged(Collector):
    """Families of several processes under one heading each."""

    def __init__(self, snapshots: Sequence[tuple[str, list[Family]]]) -> None:
        self._snapshots = snapshots

    def collect(self) -> Iterable[Metric]:
        merged: dict[str, Metric] = {}
        for process, families in self._snapshots:
            for family in families:
                metric = merged.setdefault(
                    family.name, Metric(family.name, family.documentation, family.type)
                )
                for sample in family.samples:
                    metric.add_sample(sample.name, {**sample.labels, "process": process}, sample.value)
        return merged.values()


def render(snapshots: dict[str, bytes]) -> bytes:
    """Write the exposition of all processes; the key of each snapshot becomes the label `process`."""
    decoded = [(name, msgspec.json.decode(text, type=list[Family])) for name, text in snapshots.items()]
    registry = CollectorRegistry()
    registry.register(_Merged(decoded))
    return generate_latest(registry)
