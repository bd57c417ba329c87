"""A hub in one process for tests: real store (SQLite), real use cases, real surface; time and chance are the test's."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from bridge.sandbox import contacts
from hub.api.bridge_events import BridgeEventsEndpoint, BridgeLimits
from hub.api.dialect import Dialect, key_prefixes, webhook_forms
from hub.api.parts import ApiParts, ApiSettings, LiveParts, ReadyCheck
from hub.api.ratelimit import LocalRateLimiter
from hub.api.surface import build
from hub.dialects.registry import DIALECTS
from hub.files.folder import FolderBlobs
from hub.flow.announcing import AnnouncingStore
from hub.flow.bridge_kinds import NO_BRIDGES, BridgeWorld
from hub.flow.directory import DirectoryHolder, load_directory
from hub.flow.feed import Feed
from hub.flow.hearing import Hearing
from hub.flow.heartbeats import Heartbeats
from hub.flow.inbound_files import InboundFiles
from hub.flow.ingest import BridgeRequest, Ingest
from hub.flow.keys import KeyRing, KeyWish
from hub.flow.line_health import LineHealth
from hub.flow.line_policies import LinePolicies
from hub.flow.record import Recorder
from hub.flow.refused import RefusedBook
from hub.flow.repositories import Store
from hub.flow.routing.late_book import LateBook
from hub.flow.routing.parts import RouteParts, RunTexts
from hub.flow.source_intake import SourceParts
from hub.model.ids import IdFactory, Prefix, id_text
from hub.model.line import Line
from hub.model.observation import Observation
from hub.observe.metrics import Metrics
from hub.outbound.client import OutboundClient
from hub.outbound.downloads import GuardedDownloads
from hub.rules.addresses import IPNetwork
from hub.rules.egress import EgressPolicy
from hub.store.open import open_store
from tests.rules.policies import POLICY
from tests.support.asgi import Caller
from tests.support.calling import local_client
from tests.support.file_parts import file_links, file_parts
from tests.support.founding import Start, founded_at, sealer
from tests.support.inbound_sources import source_book
from tests.support.local_live import LocalLive
from tests.support.manual_time import ManualClock
from tests.support.route_actions import ShippedActions

SANDBOX_LINE = "+15550100000"
CONTACT = "+15550100001"
#: A line on a push bridge that may only answer.
OTHER_LINE = "+15550100010"
STRANGER = "+15550100099"

_SETTINGS = ApiSettings(
    public_url="http://127.0.0.1:8080",
    max_body_bytes=65_536,
    cors_origins=(),
    requests_per_hour=1000,
    json_depth=32,
    most_routes=100,
    rotation_overlap_hours=24,
    metrics_token="",
    upload_seconds=60,
    idle_seconds=30,
    fetch_seconds=10,
    availability_keep_ms=3_600_000,
    contacts_region="",
    contacts_file_bytes=1_000_000,
    number_places=False,
    streams_per_key=5,
    streams_total=8,
    stream_beat_seconds=15,
    stream_stall_seconds=60,
)


@dataclass(slots=True)
class WakeUpsHeard:
    """Wake-ups as they were asked for: a real implementation of the port that only remembers."""

    ranges: list[tuple[int, int]] = field(default_factory=list)
    lanes: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    configuration_changes: int = 0
    jobs: int = 0
    files: int = 0
    runs: int = 0
    routes: int = 0

    def deliveries_recorded(self, first_id: int, last_id: int) -> None:
        self.ranges.append((first_id, last_id))

    def lane_due(self, webhook_id: int, at_ms: int) -> None:
        self.lanes.append(webhook_id)

    def line_due(self, line_id: int, at_ms: int) -> None:
        self.lines.append(line_id)

    def configuration_changed(self) -> None:
        self.configuration_changes += 1

    def files_due(self) -> None:
        self.files += 1

    def runs_due(self) -> None:
        self.runs += 1

    def routes_changed(self) -> None:
        self.routes += 1

    def job_added(self) -> None:
        self.jobs += 1


async def _nothing(seconds: float) -> None:
    """Let nothing happen meanwhile."""


@dataclass(slots=True)
class Naps:
    """The pauses of those who wait: the clock moves on at once, and a test may let something happen meanwhile."""

    clock: ManualClock
    taken: list[float] = field(default_factory=list)
    meanwhile: Callable[[float], Awaitable[None]] = _nothing

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        await self.clock.sleep(seconds)
        await self.meanwhile(seconds)


@dataclass(kw_only=True, slots=True)
class HubWorld:
    """Everything of one hub that a test may look at."""

    parts: ApiParts
    store: Store
    directory: DirectoryHolder
    clock: ManualClock
    new_id: IdFactory
    wake_ups: WakeUpsHeard
    naps: Naps
    keys: KeyRing
    ingest: Ingest
    sandbox_line: Line
    other_line: Line
    #: Asks with a key that may do everything.
    api: Caller

    @property
    def line_health(self) -> LineHealth:
        return LineHealth(
            store=self.store,
            directory=self.directory,
            policies=self.parts.policies,
            take_ids=self.new_id.take,
            wake_ups=self.wake_ups,
            clock=self.clock,
        )

    @property
    def recorder(self) -> Recorder:
        return Recorder(
            store=self.store.hot,
            directory=self.directory,
            take_ids=self.new_id.take,
            wake_ups=self.wake_ups,
            clock=self.clock,
        )

    async def caller(self, *scopes: str, lines: tuple[Line, ...] | None = None, **more: Any) -> Caller:
        """A client whose key has only these scopes and lines."""
        line_ids = None if lines is None else frozenset(line.id for line in lines)
        wish = KeyWish(name="test", scopes=frozenset(scopes), line_ids=line_ids, **more)
        return self.api.with_token((await self.keys.create(wish)).text)

    async def observe(self, line: Line, *observations: Observation) -> tuple[int, ...]:
        """Take in what a bridge saw on a line; give the events' ids."""
        request = BridgeRequest(line.bridge_id, f"test-{self.new_id()}", b"{}", observations)
        results = await self.ingest(request)
        assert all(result.status != "refused" for result in results), results
        return tuple(event_id for result in results for event_id in result.event_ids)

    async def say(self, text: str, *, line: Line | None = None, contact: str = CONTACT) -> str:
        """A contact writes; give the message's GUID."""
        line = line or self.sandbox_line
        self.clock.advance(1)
        guid = f"guid-{self.new_id()}"
        said = contacts.say(contacts.direct(line.handle, contact), text, guid=guid, at=self.clock.now_ms())
        await self.observe(line, said)
        return guid

    async def webhook(self, **fields: Any) -> dict[str, Any]:
        """Register a webhook over the surface; give the answer."""
        body = {"from": "*", "url": "https://receiver.example/hook", "events": ["*"], **fields}
        answered = await self.api.post("/v1/webhooks", body)
        assert answered.status == 201, answered.body
        webhook: dict[str, Any] = answered.json
        return webhook


def line_id(line: Line) -> str:
    return id_text(Prefix.LINE, line.id)


@contextlib.asynccontextmanager
async def open_world(
    place: Path | str,
    *,
    dialects: Sequence[Dialect] = DIALECTS,
    bridges: BridgeWorld = NO_BRIDGES,
    sandbox: str = SANDBOX_LINE,
    **settings: Any,
) -> AsyncIterator[HubWorld]:
    """Open a new hub.

    Args:
        place: A folder for its SQLite file, or the URL of a migrated, empty database.
        dialects: Whose clients it speaks to.
        bridges: What bridges can be.
        sandbox: The handle of its sandbox line.
        settings: Replace those of the surface.
    """
    url = place if isinstance(place, str) else f"sqlite:///{place / 'hub.db'}"
    start = await founded_at(place / "hub.db", sandbox, OTHER_LINE) if isinstance(place, Path) else Start()
    opened = await open_store(url, sealer=sealer(), cache_mib=2)
    if isinstance(place, str):
        await start.found(opened.store, sandbox, OTHER_LINE)
    client = local_client()
    files = (place if isinstance(place, Path) else Path(mkdtemp(prefix="hub-files-"))) / "files"
    try:
        world = await _world(
            opened.store, start, settings, client, FolderBlobs(files), dialects, bridges, sandbox
        )
        yield world
        await world.parts.live.feed.stop()
    finally:
        await client.aclose()
        await opened.close()


async def _world(  # noqa: PLR0917 - as the next one
    store: Store,
    start: Start,
    settings: dict[str, Any],
    client: OutboundClient,
    blobs: FolderBlobs,
    dialects: Sequence[Dialect],
    bridges: BridgeWorld,
    sandbox: str,
) -> HubWorld:
    clock, chance, new_id, wake_ups = start.clock, start.chance, start.new_id, WakeUpsHeard()
    feed = Feed(store.events, most_waiting=100)
    live = LocalLive(feed, clock)
    store = replace(store, hot=AnnouncingStore(store.hot, live.recorded))
    directory = DirectoryHolder(store, await load_directory(store))
    keys = start.key_ring(store, dialects)
    ingest = Ingest(
        store=store.hot,
        directory=directory,
        take_ids=new_id.take,
        wake_ups=wake_ups,
        clock=clock,
        hearing=Hearing(LinePolicies(POLICY, lambda: directory.current), new_id.take),
        live=live,
        files=InboundFiles(file_links(clock), new_id.take),
    )
    naps = Naps(clock)
    parts = _parts(store, directory, clock, new_id, wake_ups, ingest, chance, settings, blobs, client)
    parts = replace(parts, webhook_forms=webhook_forms(dialects), key_prefixes=key_prefixes(dialects))
    parts = replace(parts, bridges=bridges, sleep=naps, live=replace(parts.live, feed=feed), live_typing=live)
    return HubWorld(
        parts=parts,
        store=store,
        directory=directory,
        clock=clock,
        new_id=new_id,
        wake_ups=wake_ups,
        naps=naps,
        keys=keys,
        ingest=ingest,
        sandbox_line=directory.current.lines_by_handle[sandbox],
        other_line=directory.current.lines_by_handle[OTHER_LINE],
        api=Caller(build(parts, dialects), token=start.admin),
    )


def _parts(  # noqa: PLR0917 - the pieces of one world, put together in one place
    store: Store,
    directory: DirectoryHolder,
    clock: ManualClock,
    new_id: IdFactory,
    wake_ups: WakeUpsHeard,
    ingest: Ingest,
    chance: random.Random,
    settings: dict[str, Any],
    blobs: FolderBlobs,
    client: OutboundClient,
) -> ApiParts:
    async def ready() -> str | None:
        await store.hot.read(lambda tx: tx.revision())
        return None

    async def render() -> bytes:
        return b"hub_up 1\n"

    no_networks: tuple[IPNetwork, ...] = ()
    refused = RefusedBook(keep=partial(store.refused.keep, most=50), clock=clock, new_id=new_id)
    limits = BridgeLimits(max_body_bytes=65_536, max_events=100, json_depth=32, tolerance_seconds=300)
    return ApiParts(
        bridge_limits=limits,
        store=store,
        directory=directory,
        clock=clock,
        monotonic=lambda: clock.now_ms() / 1000,
        new_id=new_id,
        random_bytes=chance.randbytes,
        wake_ups=wake_ups,
        egress=EgressPolicy(allow_networks=no_networks),
        settings=replace(_SETTINGS, **settings),
        rate_limiter=LocalRateLimiter(),
        ready_checks=[ReadyCheck(name="database", check=ready)],
        ingest=ingest,
        files=file_parts(store, blobs, clock, new_id),
        downloads=GuardedDownloads(client),
        contacts=contacts,
        policies=LinePolicies(POLICY, lambda: directory.current),
        render_metrics=render,
        bridge_events=BridgeEventsEndpoint(
            directory=directory,
            ingest=ingest,
            clock=clock,
            limits=limits,
            metrics=Metrics(),
            heartbeats=Heartbeats(store.bridges, clock),
            refused=refused,
        ),
        refused=refused,
        routes=RouteParts(
            late_book=LateBook(store.routes),
            texts=RunTexts(public_url="http://hub.example", env_name="test"),
            actions=ShippedActions(),
        ),
        sources=SourceParts(book=source_book()),
        webhook_forms=webhook_forms(DIALECTS),
        key_prefixes=key_prefixes(DIALECTS),
        live=LiveParts(feed=Feed(store.events, most_waiting=100), stream_secret=bytes(32), metrics=Metrics()),
        on_answer=lambda status: None,
        on_upload=lambda outcome: None,
    )
