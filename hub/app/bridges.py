"""Bridges, wired: what their adapters get of this process, and which lines can be asked to send."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from bridge.registry import KINDS, SandboxParts, open_sandbox
from bridge.sandbox.fates import Delays
from hub.app.core import Core
from hub.config.settings import Settings
from hub.flow.bootstrap import PUSH_KIND, SANDBOX_KIND
from hub.flow.bridge_kinds import BridgeWorld, Surroundings
from hub.flow.bridge_settings import read_settings
from hub.flow.directory import DirectoryHolder
from hub.flow.file_links import FileLinks
from hub.flow.outgoing_files import StoredFiles
from hub.flow.ports import BridgeAdapter, Clock, OutgoingFiles
from hub.flow.refused import RefusedBook, nobody
from hub.model.line import Bridge, Line
from hub.observe.agent_counts import AgentCounts
from hub.outbound.calling import GuardedCaller
from hub.outbound.client import OutboundClient
from hub.outbound.sockets import GuardedSockets
from hub.rules.bridge_calls import CallPolicy
from hub.rules.bridge_hooks import hook_path
from hub.worker.remote import RemoteAdapter, RemoteParts


def has_adapter(core: Core, line: Line) -> bool:
    """Tell whether the line's bridge can be asked to send: it runs inside the hub, or an agent of it said hello."""
    bridge = core.directory.current.bridges_by_id.get(line.bridge_id)
    return bridge is not None and (
        bridge.kind == SANDBOX_KIND or bridge.kind in KINDS or bridge.agent is not None
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class BridgeHost:
    """What a process has for its bridges."""

    settings: Settings
    directory: DirectoryHolder
    clock: Clock
    files: OutgoingFiles
    links: FileLinks
    #: Keeps what adapters cannot read; None where nothing is kept.
    refused: RefusedBook | None = None


def bridge_world(host: BridgeHost, client: OutboundClient) -> BridgeWorld:
    """Give the kinds of bridges, and their surroundings in this process."""
    return BridgeWorld(
        kinds=KINDS,
        surroundings=partial(_surroundings, host, GuardedCaller(client), GuardedSockets(client)),
        machine_values=frozenset(host.settings.bridge.machine_values),
    )


def host_of(core: Core) -> BridgeHost:
    """Give what a web or worker process has for its bridges."""
    return BridgeHost(
        settings=core.settings,
        directory=core.directory,
        clock=core.clock,
        files=StoredFiles(core.store, core.files.blobs),
        links=core.files.links,
        refused=core.refused,
    )


def open_adapter(core: Core, world: BridgeWorld, bridge: Bridge) -> BridgeAdapter | None:
    """Make the adapter of a bridge; None for one that runs elsewhere.

    Raises:
        InvalidRequest: Its settings are not those of its kind any more.
    """
    if bridge.kind == SANDBOX_KIND:
        return open_sandbox(_sandbox_parts(core))
    if bridge.kind == PUSH_KIND:
        return None if bridge.agent is None else RemoteAdapter(bridge.id, bridge.agent, _remote_parts(core))
    kind = world.kind_here(bridge.kind)
    if kind is None:
        return None
    settings = read_settings(kind, bridge.settings or {}, machine_values=world.machine_values)
    return kind.open(settings, world.surroundings(bridge.id))


def _remote_parts(core: Core) -> RemoteParts:
    return RemoteParts(
        calls=core.store.bridge_calls,
        clock=core.clock,
        bell=core.bell,
        new_id=core.new_id,
        policy=CallPolicy(),
        counts=AgentCounts(core.metrics),
    )


def _surroundings(
    host: BridgeHost, caller: GuardedCaller, sockets: GuardedSockets, bridge_id: int
) -> Surroundings:
    return Surroundings(
        clock=host.clock,
        sleep=asyncio.sleep,
        caller=caller,
        sockets=sockets,
        files=host.files,
        links=_PublicLinks(host),
        hook_url=_hook_url(host, bridge_id),
        lines=partial(_handles, host, bridge_id),
        draw=random.random,
        refuse=nobody if host.refused is None else partial(host.refused.note, bridge_id),
    )


def _hook_url(host: BridgeHost, bridge_id: int) -> str | None:
    bridge = host.directory.current.bridges_by_id.get(bridge_id)
    if bridge is None or host.settings.web.base_url is None:
        return None
    return host.settings.web.public_url + hook_path(bridge)


def _handles(host: BridgeHost, bridge_id: int) -> Sequence[str]:
    lines = host.directory.current.lines_by_id.values()
    return [line.handle for line in lines if bridge_id in line.bridge_ids and line.is_active]


def _sandbox_parts(core: Core) -> SandboxParts:
    sandbox = core.settings.sandbox
    return SandboxParts(
        clock=core.clock,
        network=core.store.sandbox,
        delays=Delays(delivered_after_ms=sandbox.delivered_after_ms, read_after_ms=sandbox.read_after_ms),
        without=frozenset(sandbox.without),
        files=StoredFiles(core.store, core.files.blobs),
    )


class _PublicLinks:
    """Addresses of files for networks out there (hub.flow.bridge_kinds.FileLinker)."""

    def __init__(self, host: BridgeHost) -> None:
        self._links = host.links
        self._is_reachable = host.settings.web.base_url is not None

    def address(self, file_id: str) -> str | None:
        return self._links.read_url(file_id) if self._is_reachable else None
