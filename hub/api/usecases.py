"""The use cases behind the endpoints, built once from the parts."""

from __future__ import annotations

from dataclasses import dataclass

from hub.api.authentication import Authenticator
from hub.api.parts import ApiParts, ApiSettings
from hub.flow.bridges import BridgeBook
from hub.flow.jobs import JobDesk
from hub.flow.keys import KeyRing
from hub.flow.lines import LineBook
from hub.flow.outgoing import Outgoing
from hub.flow.repositories import Store
from hub.flow.sandbox import SandboxStage
from hub.flow.verdicts import Verdicts
from hub.flow.webhooks import WebhookRegistry


@dataclass(frozen=True, kw_only=True, slots=True)
class UseCases:
    """What handlers call."""

    store: Store
    settings: ApiSettings
    authenticator: Authenticator
    bridges: BridgeBook
    jobs: JobDesk
    keys: KeyRing
    lines: LineBook
    outgoing: Outgoing
    sandbox: SandboxStage
    verdicts: Verdicts
    webhooks: WebhookRegistry
    #: /healthz, /readyz and /metrics look at the parts themselves.
    parts: ApiParts


def use_cases(parts: ApiParts) -> UseCases:
    """Build the use cases."""
    store, directory, clock, new_id = parts.store, parts.directory, parts.clock, parts.new_id
    random_bytes, wake_ups = parts.random_bytes, parts.wake_ups
    keys = KeyRing(store=store, clock=clock, new_id=new_id, random_bytes=random_bytes)
    return UseCases(
        store=store,
        settings=parts.settings,
        authenticator=Authenticator(keys),
        bridges=BridgeBook(
            store=store,
            directory=directory,
            clock=clock,
            new_id=new_id,
            random_bytes=random_bytes,
            wake_ups=wake_ups,
        ),
        jobs=JobDesk(store=store, clock=clock, new_id=new_id, wake_ups=wake_ups),
        keys=keys,
        lines=LineBook(store=store, directory=directory, clock=clock, new_id=new_id, wake_ups=wake_ups),
        outgoing=Outgoing(
            store=store, clock=clock, new_id=new_id, wake_ups=wake_ups, can_send=parts.can_send
        ),
        sandbox=SandboxStage(
            store=store,
            directory=directory,
            contacts=parts.contacts,
            ingest=parts.ingest,
            clock=clock,
            random_bytes=random_bytes,
        ),
        verdicts=Verdicts(outbox=store.outbox, sleep=parts.sleep, monotonic=parts.monotonic),
        webhooks=WebhookRegistry(
            store=store,
            directory=directory,
            clock=clock,
            new_id=new_id,
            random_bytes=random_bytes,
            wake_ups=wake_ups,
            egress=parts.egress,
        ),
        parts=parts,
    )
