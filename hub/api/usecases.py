"""The use cases behind the endpoints, built once from the parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.api.authentication import Authenticator
from hub.api.bridge_signatures import BridgeSignatures
from hub.api.parts import ApiParts, ApiSettings
from hub.api.stream_places import StreamPlaces
from hub.flow.agents import AgentDesk
from hub.flow.assignments import AssignmentDesk
from hub.flow.availability import AvailabilityDesk
from hub.flow.bridges import BridgeBook
from hub.flow.bulk import BulkDesk
from hub.flow.consent import ConsentBook
from hub.flow.contact_groups import ContactGroupBook
from hub.flow.contact_import import ContactImport
from hub.flow.contacts import ContactBook
from hub.flow.enrolments import EnrolmentDesk
from hub.flow.files import FileDesk
from hub.flow.generate import DraftDesk
from hub.flow.jobs import JobDesk
from hub.flow.keys import KeyRing
from hub.flow.late_answers import LateAnswers
from hub.flow.line_choice import LineChoice
from hub.flow.line_health import LineHealth
from hub.flow.lines import LineBook
from hub.flow.outgoing import Outgoing
from hub.flow.outgoing_files import StoredFiles
from hub.flow.queue import QueueBook
from hub.flow.record import Recorder
from hub.flow.refused_desk import RefusedDesk
from hub.flow.repeats import RepeatDesk
from hub.flow.repositories import Store
from hub.flow.safety import LineGuard
from hub.flow.sandbox import SandboxStage
from hub.flow.second_thoughts import SecondThoughts
from hub.flow.stream_tokens import StreamTokens
from hub.flow.turns import Turns
from hub.flow.verdicts import Verdicts
from hub.flow.webhooks import WebhookRegistry
from hub.observe.agent_counts import AgentCounts
from hub.rules.bridge_calls import CallPolicy

if TYPE_CHECKING:
    from hub.flow.routing.desk import RouteDesk
    from hub.flow.routing.writing import RouteWriting


@dataclass(frozen=True, kw_only=True, slots=True)
class UseCases:
    """What handlers call."""

    store: Store
    settings: ApiSettings
    agents: AgentDesk
    assignments: AssignmentDesk
    authenticator: Authenticator
    availability: AvailabilityDesk
    bridge_signatures: BridgeSignatures
    bridges: BridgeBook
    bulk: BulkDesk
    contact_groups: ContactGroupBook
    contact_import: ContactImport
    contacts: ContactBook
    consents: ConsentBook
    drafts: DraftDesk
    enrolments: EnrolmentDesk
    files: FileDesk
    jobs: JobDesk
    keys: KeyRing
    line_choice: LineChoice
    line_health: LineHealth
    lines: LineBook
    outgoing: Outgoing
    queue: QueueBook
    refused: RefusedDesk
    repeats: RepeatDesk
    sandbox: SandboxStage
    second_thoughts: SecondThoughts
    stream_tokens: StreamTokens
    streams: StreamPlaces
    turns: Turns
    verdicts: Verdicts
    webhooks: WebhookRegistry
    #: /healthz, /readyz and /metrics look at the parts themselves.
    parts: ApiParts

    @property
    def routes(self) -> RouteDesk:
        """Made when it is asked for: most hubs never do, and do without its memory (decision 28)."""
        from hub.flow.routing.desk import RouteDesk  # noqa: PLC0415 - as said

        parts = self.parts
        return RouteDesk(
            store=parts.store,
            directory=parts.directory,
            book=parts.routes.book,
            clock=parts.clock,
            new_id=parts.new_id,
            wake_ups=parts.wake_ups,
            texts=parts.routes.texts,
        )

    @property
    def route_writing(self) -> RouteWriting:
        """Made when it is asked for, as `routes`."""
        from hub.flow.routing.writing import RouteWriting  # noqa: PLC0415 - decision 28

        parts = self.parts
        return RouteWriting(
            routes=parts.store.routes,
            book=parts.routes.book,
            actions=parts.routes.actions,
            clock=parts.clock,
            new_id=parts.new_id,
            wake_ups=parts.wake_ups,
            most_routes=parts.settings.most_routes,
        )


def use_cases(parts: ApiParts) -> UseCases:
    """Build the use cases."""
    store, directory, clock, new_id = parts.store, parts.directory, parts.clock, parts.new_id
    random_bytes, wake_ups = parts.random_bytes, parts.wake_ups
    keys = KeyRing(
        store=store, clock=clock, new_id=new_id, random_bytes=random_bytes, prefixes=parts.key_prefixes
    )
    bridges = BridgeBook(
        store=store,
        directory=directory,
        clock=clock,
        new_id=new_id,
        random_bytes=random_bytes,
        wake_ups=wake_ups,
        kinds=parts.bridges.kinds,
        machine_values=parts.bridges.machine_values,
    )
    lines = LineBook(store=store, directory=directory, clock=clock, new_id=new_id, wake_ups=wake_ups)
    outgoing = Outgoing(
        store=store,
        directory=directory,
        clock=clock,
        new_id=new_id,
        wake_ups=wake_ups,
        can_send=parts.can_send,
        guard=LineGuard(parts.policies),
        links=parts.files.links,
    )
    recorder = Recorder(
        store=store.hot, directory=directory, take_ids=new_id.take, wake_ups=wake_ups, clock=clock
    )
    verdicts = Verdicts(outbox=store.outbox, sleep=parts.sleep, monotonic=parts.monotonic)
    return UseCases(
        store=store,
        settings=parts.settings,
        agents=AgentDesk(
            store=store,
            directory=directory,
            clock=clock,
            monotonic=parts.monotonic,
            bell=parts.bell,
            wake_ups=wake_ups,
            files=StoredFiles(store, parts.files.blobs),
            policy=CallPolicy(),
            counts=AgentCounts(parts.live.metrics),
            late=LateAnswers(store.outbox, parts.ingest),
        ),
        assignments=AssignmentDesk(recorder=recorder, clock=clock, new_id=new_id),
        authenticator=Authenticator(keys),
        availability=AvailabilityDesk(
            store=store,
            outgoing=outgoing,
            verdicts=verdicts,
            clock=clock,
            keep_ms=parts.settings.availability_keep_ms,
        ),
        bridge_signatures=BridgeSignatures(
            directory, clock, tolerance_seconds=parts.bridge_limits.tolerance_seconds
        ),
        bridges=bridges,
        bulk=_bulk_desk(parts, outgoing),
        contact_groups=ContactGroupBook(store=store, clock=clock, new_id=new_id),
        contact_import=ContactImport(store=store, clock=clock, new_id=new_id),
        contacts=ContactBook(store=store, lines=lines, clock=clock, new_id=new_id),
        drafts=DraftDesk(store=store, clock=clock, new_id=new_id, connection=parts.ai),
        consents=ConsentBook(
            store=store, directory=directory, take_ids=new_id.take, wake_ups=wake_ups, clock=clock
        ),
        enrolments=EnrolmentDesk(
            store=store,
            bridges=bridges,
            clock=clock,
            new_id=new_id,
            random_bytes=random_bytes,
            wake_ups=wake_ups,
        ),
        files=FileDesk(store=store, parts=parts.files, clock=clock, new_id=new_id, wake_ups=wake_ups),
        jobs=JobDesk(store=store, clock=clock, new_id=new_id, wake_ups=wake_ups),
        keys=keys,
        line_choice=LineChoice(store=store, lines=lines, can_send=parts.can_send),
        line_health=LineHealth(
            store=store,
            directory=directory,
            policies=parts.policies,
            take_ids=new_id.take,
            wake_ups=wake_ups,
            clock=clock,
        ),
        lines=lines,
        outgoing=outgoing,
        queue=QueueBook(store.queue, clock),
        refused=RefusedDesk(
            store=store.refused, world=parts.bridges, ingest=parts.ingest, clock=clock, new_id=new_id
        ),
        repeats=RepeatDesk(store.repeats, clock),
        sandbox=SandboxStage(
            store=store,
            directory=directory,
            contacts=parts.contacts,
            ingest=parts.ingest,
            clock=clock,
            random_bytes=random_bytes,
        ),
        second_thoughts=SecondThoughts(
            outgoing=outgoing,
            recorder=recorder,
            clock=clock,
            new_id=new_id,
            wake_ups=wake_ups,
        ),
        stream_tokens=StreamTokens(parts.live.stream_secret, keys),
        streams=StreamPlaces(
            per_key=parts.settings.streams_per_key,
            total=parts.settings.streams_total,
            on_change=parts.live.metrics.streams.set,
        ),
        turns=Turns(store.repeats, clock),
        verdicts=verdicts,
        webhooks=WebhookRegistry(
            store=store,
            directory=directory,
            clock=clock,
            new_id=new_id,
            random_bytes=random_bytes,
            wake_ups=wake_ups,
            egress=parts.egress,
            forms=parts.webhook_forms,
        ),
        parts=parts,
    )


def _bulk_desk(parts: ApiParts, outgoing: Outgoing) -> BulkDesk:
    store, clock, new_id, wake_ups = parts.store, parts.clock, parts.new_id, parts.wake_ups
    recorder = Recorder(
        store=store.hot, directory=parts.directory, take_ids=new_id.take, wake_ups=wake_ups, clock=clock
    )
    return BulkDesk(
        store=store,
        outgoing=outgoing,
        second_thoughts=SecondThoughts(
            outgoing=outgoing, recorder=recorder, clock=clock, new_id=new_id, wake_ups=wake_ups
        ),
        recorder=recorder,
        clock=clock,
        new_id=new_id,
        wake_ups=wake_ups,
    )
