"""What the REST surface is made of, and what it needs from the outside. hub.app fills it in.

Not here: what the surface does with it (hub.api.surface).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from hub.api.bridge_events import BridgeLimits
from hub.api.ratelimit import RateLimiter
from hub.flow.agent_store import Bell
from hub.flow.bells import LocalBell
from hub.flow.bridge_kinds import NO_BRIDGES, BridgeWorld
from hub.flow.connection_states import ListConnections, no_connections
from hub.flow.directory import DirectoryHolder
from hub.flow.downloads import Downloads
from hub.flow.feed import Feed
from hub.flow.files import FileParts
from hub.flow.generate import AiConnection
from hub.flow.keys import NATIVE_PREFIXES
from hub.flow.line_policies import LinePolicies
from hub.flow.live import NOBODY_TYPES
from hub.flow.ports import Clock, LiveTyping, WakeUps
from hub.flow.refused import RefusedBook
from hub.flow.repositories import Store
from hub.flow.routing.parts import RouteParts
from hub.flow.sandbox import Ingesting, SimulatedContacts
from hub.flow.source_intake import SourceParts
from hub.flow.webhook_forms import NATIVE_FORMS, WebhookForms
from hub.model.ids import IdFactory
from hub.model.line import Line
from hub.observe.metrics import Metrics
from hub.rules.egress import EgressPolicy

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Application(Protocol):
    """An ASGI application."""

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadyCheck:
    """One thing that must work before this process can serve."""

    name: str
    #: Why it does not work, or None; it may also raise.
    check: Callable[[], Awaitable[str | None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiSettings:
    """The settings that the surface obeys; meaning and defaults stand in config/hub.yaml."""

    #: Under which the hub is reached, without a slash at its end.
    public_url: str
    max_body_bytes: int
    #: Origins, or `*` alone for any.
    cors_origins: tuple[str, ...]
    #: 0 sets no limit.
    requests_per_hour: int
    json_depth: int
    #: Routes that callers may have made at once.
    most_routes: int
    rotation_overlap_hours: int
    #: Empty: /metrics is open to whoever reaches the port.
    metrics_token: str
    #: Whole time of one upload, longest time without a byte, and whole time of fetching one file.
    upload_seconds: float
    idle_seconds: float
    fetch_seconds: float
    availability_keep_ms: int
    #: Streams and waits at once in this process, and how often a silent stream says that it lives.
    streams_per_key: int
    streams_total: int
    stream_beat_seconds: float
    #: How long a reader may take nothing of what it is sent.
    stream_stall_seconds: float
    #: Of which country a hint about a national number may speak; empty for none.
    contacts_region: str
    contacts_file_bytes: int
    #: Whether a look-up tells where a number is from.
    number_places: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveParts:
    """What following needs."""

    feed: Feed
    #: Signs the tokens of streams; the same in all processes.
    stream_secret: bytes
    metrics: Metrics


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiParts:
    """Everything that `hub.api.surface.build` needs."""

    store: Store
    directory: DirectoryHolder
    clock: Clock
    #: Seconds that only rise, for durations.
    monotonic: Callable[[], float]
    new_id: IdFactory
    random_bytes: Callable[[int], bytes]
    wake_ups: WakeUps
    egress: EgressPolicy
    settings: ApiSettings
    rate_limiter: RateLimiter
    ready_checks: Sequence[ReadyCheck]
    ingest: Ingesting
    files: FileParts
    #: For addresses that callers want fetched.
    downloads: Downloads
    #: The module bridge.sandbox.contacts.
    contacts: SimulatedContacts
    #: What holds for each line.
    policies: LinePolicies
    #: The page of /metrics; None switches it off.
    render_metrics: Callable[[], Awaitable[bytes]] | None
    #: POST /v1/bridge/events, which stays bare because it is the hot one.
    bridge_events: Application
    bridge_limits: BridgeLimits
    #: What bridges brought and could not be taken in.
    refused: RefusedBook
    #: Wakes agents that wait for work, and those who wait for agents.
    bell: Bell = field(default_factory=LocalBell)
    #: What bridges can be, and what those that run here get.
    bridges: BridgeWorld = NO_BRIDGES
    routes: RouteParts
    #: What other services may tell: POST /hooks/{name}.
    sources: SourceParts = field(default_factory=SourceParts)
    #: How connections to other services stand.
    connections: ListConnections = no_connections
    #: Told of every answer: its HTTP status.
    on_answer: Callable[[int], None]
    #: Told what became of every request to keep a file (hub.api.uploads.told).
    on_upload: Callable[[str], None]
    #: In which forms webhooks can get events, and how the keys of each dialect begin.
    webhook_forms: WebhookForms = field(default_factory=lambda: NATIVE_FORMS)
    key_prefixes: Mapping[str, str] = field(default_factory=lambda: NATIVE_PREFIXES)
    #: Whether the line's bridge can be asked to send at all.
    can_send: Callable[[Line], bool] = lambda line: True
    #: The language model that drafts answers; None where there is none.
    ai: AiConnection | None = None
    #: Between two looks of a caller who waits.
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    live: LiveParts
    #: Who types now, for GET /v1/typing.
    live_typing: LiveTyping = NOBODY_TYPES
