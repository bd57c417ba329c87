"""`hub agent`, wired: an adapter of this machine, the guarded client, the way to the hub. Neither store nor Redis.

Two clients: one may reach the hub and nothing else, the other what the adapter's settings name.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import structlog

from bridge.registry import KINDS
from hub import __version__
from hub.agent.enrolling import EnrolWish, enrol
from hub.agent.files import HubFiles
from hub.agent.folder import AgentConfig, AgentUnready, is_secret, kept_secret, read_config, write_config
from hub.agent.journal import Journal
from hub.agent.link import HubAway, HubLink, HubRefused, Superseded
from hub.agent.pauses import Pauses
from hub.agent.refused import OWN_BRIDGE, ToldRefusals
from hub.agent.running import Agent, AgentParts, KnownLines
from hub.agent.socket import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, HubSocket
from hub.app.world import SystemClock
from hub.flow.bridge_kinds import BridgeKind, Finding, Surroundings
from hub.flow.bridge_settings import read_settings
from hub.flow.calling import CallFailed
from hub.flow.ports import Clock
from hub.flow.refused import Noting, RefusedBook, nobody
from hub.outbound import OutboundClient, OutboundLimits
from hub.outbound.calling import GuardedCaller
from hub.outbound.sockets import GuardedSockets
from hub.rules.egress import read_allow_list

log = structlog.get_logger("agent")

#: About a call that cannot be: whoever is believed is told that another agent is the newest.
ASK_NOTHING: Final = {"fence": 2**53, "call_id": "bcl_0000000000000"}
#: How long the doctor waits for an answer over a WebSocket.
TRY_SECONDS: Final = 10.0
#: An adapter beside its network mostly speaks to this very machine.
THIS_MACHINE: Final = ("127.0.0.0/8", "::1/128", "localhost")
_LIMITS: Final = OutboundLimits(max_connections=64, user_agent=f"hub-agent/{__version__}")


class _NoLinks:
    """An agent serves nothing (hub.flow.bridge_kinds.FileLinker)."""

    def address(self, file_id: str) -> str | None:
        return None


def agent_kind(name: str, kinds: Mapping[str, BridgeKind] = KINDS) -> BridgeKind:
    """Find a kind that runs in an agent.

    Raises:
        AgentUnready: There is none of this name.
    """
    kind = kinds.get(name)
    if kind is None or "agent" not in kind.places:
        there = ", ".join(sorted(each for each in kinds if "agent" in kinds[each].places))
        raise AgentUnready(f"No kind of bridge '{name}' runs in an agent. There are: {there}.")
    return kind


def own_settings(kind: BridgeKind, config: AgentConfig) -> Any:
    """Read the settings of agent.json, a file of this machine's owner: nothing that a hub says becomes one.

    Raises:
        InvalidRequest: They are not those of the kind.
    """
    return read_settings(kind, config.settings, machine_values=None)


@contextlib.asynccontextmanager
async def _client(allow: Sequence[str]) -> AsyncIterator[OutboundClient]:
    client = OutboundClient(read_allow_list(allow), limits=_LIMITS)
    try:
        yield client
    finally:
        await client.aclose()


def _hub_only(hub: str) -> tuple[str, ...]:
    return (urlsplit(hub).hostname or "",)


def _draw_id() -> str:
    return f"agent-{secrets.token_hex(12)}"


async def enrol_machine(folder: Path, wish: EnrolWish) -> str:
    """Become a bridge; give its name. Errors are those of `hub.agent.enrolling.enrol`."""
    async with _client(_hub_only(wish.config.hub)) as client:
        return await enrol(folder, wish, GuardedCaller(client))


async def take_secret(folder: Path, secret: str, *, clock: Clock | None = None) -> None:
    """Sign with another secret from now on, if the hub believes it; a running agent takes it over with its next hello.

    Raises:
        AgentUnready: The machine is not enrolled, or it is no secret.
        HubAway: Whether the hub believes it is not known: nothing was changed.
        HubRefused: It does not: nothing was changed.
    """
    config = read_config(folder)
    if not is_secret(secret):
        raise AgentUnready("That is no secret of a bridge: it begins with whsec_. Nothing was changed.")
    config = msgspec.structs.replace(config, secret=secret)
    async with _client(_hub_only(config.hub)) as to_hub:
        link = HubLink(config.identity, GuardedCaller(to_hub), clock or SystemClock(), _draw_id)
        try:
            await link.ask("extend", ASK_NOTHING, dict)
        except Superseded:
            write_config(folder, config)
            return
    raise HubAway("what answered is no hub")


async def run_agent(folder: Path, kinds: Mapping[str, BridgeKind] = KINDS) -> None:
    """Run until SIGTERM or SIGINT, or until another agent has taken the bridge over.

    Raises:
        AgentUnready: The machine is not enrolled, or its settings cannot be used.
        JournalBusy: Another agent runs on this folder.
    """
    config = read_config(folder)
    kind = agent_kind(config.kind, kinds)
    settings = own_settings(kind, config)
    stop, loop, clock = asyncio.Event(), asyncio.get_running_loop(), SystemClock()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    journal = Journal(folder, lambda: secrets.token_hex(8))
    try:
        async with (
            _client(_hub_only(config.hub)) as to_hub,
            _client((*THIS_MACHINE, *config.allow)) as client,
        ):
            link, lines = _link(config, to_hub, clock), KnownLines()
            refused = _refused_book(link, clock)
            around = _surroundings(client, link, lines, refuse=partial(refused.note, OWN_BRIDGE))
            adapter = kind.open(settings, around)
            parts = AgentParts(
                kind=kind.name,
                adapter=adapter,
                link=link,
                secret=partial(kept_secret, folder, config),
                journal=journal,
                clock=clock,
                sleep=asyncio.sleep,
                draw=random.random,
                draw_id=_draw_id,
                lines=lines,
                refused=refused,
            )
            await Agent(parts).run(stop)
    except Superseded as error:
        # It ends in peace: a service manager that restarts only what failed leaves the field to the newer one.
        log.error("agent.superseded", reason=str(error))
    finally:
        journal.close()


def _refused_book(link: HubLink, clock: Clock) -> RefusedBook:
    told = ToldRefusals(link, lambda: Pauses(asyncio.sleep, random.random))
    return RefusedBook(keep=told.keep, clock=clock, new_id=count(1).__next__)


def _link(config: AgentConfig, client: OutboundClient, clock: Clock) -> HubLink:
    link = HubLink(config.identity, GuardedCaller(client), clock, _draw_id)
    pauses = Pauses(
        asyncio.sleep, random.random, first_seconds=FIRST_PAUSE_SECONDS, longest_seconds=LONGEST_PAUSE_SECONDS
    )
    link.prefer(
        HubSocket(
            config.hub, GuardedSockets(client), link.signed, clock=clock, draw_id=_draw_id, pauses=pauses
        )
    )
    return link


def _surroundings(
    client: OutboundClient, link: HubLink, lines: KnownLines, *, refuse: Noting = nobody
) -> Surroundings:
    return Surroundings(
        clock=SystemClock(),
        sleep=asyncio.sleep,
        caller=GuardedCaller(client),
        sockets=GuardedSockets(client),
        files=HubFiles(link),
        links=_NoLinks(),
        lines=lambda: lines.handles,
        draw=random.random,
        refuse=refuse,
    )


async def examine_agent(folder: Path, kinds: Mapping[str, BridgeKind] = KINDS) -> Sequence[Finding]:
    """Try everything that can be tried from this machine; sends nothing to anybody.

    Raises:
        AgentUnready: The machine is not enrolled, or its settings cannot be used.
    """
    config = read_config(folder)
    kind = agent_kind(config.kind, kinds)
    settings = own_settings(kind, config)
    async with (
        _client(_hub_only(config.hub)) as to_hub,
        _client((*THIS_MACHINE, *config.allow)) as client,
    ):
        link = _link(config, to_hub, SystemClock())
        found = [await _hub_finding(config, link)]
        if found[0].state == "ok":
            found.append(await _socket_finding(link))
        if kind.examine is not None:
            found += await _examined(kind, settings, _surroundings(client, link, KnownLines()))
    return found


async def _hub_finding(config: AgentConfig, link: HubLink) -> Finding:
    """Ask for something that does not exist: who gets as far as that is known to the hub."""
    try:
        await link.ask("extend", ASK_NOTHING, dict)
    except HubAway as error:
        return Finding(name="hub", state="failed", detail=f"{config.hub}: {error}")
    except Superseded:
        return Finding(name="hub", state="ok", detail=f"{config.hub} knows this machine as {config.bridge}")
    except HubRefused as error:
        return Finding(name="hub", state="failed", detail=str(error))
    return Finding(name="hub", state="warning", detail=f"{config.hub} answers, but not as a hub does")


async def _socket_finding(link: HubLink) -> Finding:
    """Try whether a WebSocket opens, and carries a question and its answer."""
    assert link.socket is not None, "this module gives one"
    opened = asyncio.Event()
    serving = asyncio.get_running_loop().create_task(link.socket.serve(opened.set))
    waiting = asyncio.get_running_loop().create_task(opened.wait())
    try:
        await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if opened.is_set():
            body = b'{"fence":1,"call_id":"bcl_0000000000000"}'
            if await link.socket.ask("extend", body, _draw_id(), timeout_seconds=TRY_SECONDS) is not None:
                return Finding(name="websocket", state="ok", detail="the hub is asked over one WebSocket")
    finally:
        for task in (serving, waiting):
            task.cancel()
        ended = await asyncio.gather(serving, waiting, return_exceptions=True)
    why = str(ended[0]) if isinstance(ended[0], CallFailed) else "it opens, and nothing comes back over it"
    return Finding(
        name="websocket",
        state="warning",
        detail=f"{why}; the agent asks by long-poll, which does all the same",
    )


async def _examined(kind: BridgeKind, settings: Any, surroundings: Surroundings) -> Sequence[Finding]:
    assert kind.examine is not None, "asked before"
    try:
        return await kind.examine(settings, surroundings)
    except Exception as error:
        log.error("bridge.examine_broke", kind=kind.name, exc_info=True)
        return [
            Finding(
                name="bridge",
                state="failed",
                detail=f"it broke while it was looked at ({type(error).__name__})",
            )
        ]
