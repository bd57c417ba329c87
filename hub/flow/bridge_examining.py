"""Try whether a bridge works, and say what was found, for whoever set it up or is woken by it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from hub.flow.bridge_kinds import BridgeWorld, Finding, FindingState
from hub.flow.bridge_settings import read_settings
from hub.flow.public_address import tried
from hub.model.bridge_call import Agent
from hub.model.errors import InvalidRequest
from hub.model.line import Bridge, Line
from hub.model.refused import RefusedTally
from hub.rules.agent_versions import version_note
from hub.rules.bridge_calls import is_there

log = structlog.get_logger("bridges")

#: A person waits for the answer.
EXAMINE_SECONDS: Final = 60.0


async def examine(
    world: BridgeWorld,
    bridge: Bridge,
    lines: Sequence[Line],
    *,
    heard_at: int | None,
    refused: RefusedTally | None,
    now_ms: int,
    agent: Agent | None = None,
) -> Sequence[Finding]:
    """Try everything that can be tried from here; sends nothing to anybody, and never raises.

    Args:
        world: The kinds, and their surroundings here.
        bridge: Which one.
        lines: Those that it carries, as they stand.
        heard_at: When it last spoke (Unix ms).
        refused: What it brought and could not be taken in, as far as it is kept.
        now_ms: Unix ms.
        agent: Its agent, if it has one.
    """
    found = [_switch(bridge), _heard(heard_at, now_ms), *_lines(lines), *_refused(refused, now_ms)]
    if agent is not None:
        found += [_agent(agent, now_ms), _health(agent)]
    kind = world.kind_here(bridge.kind)
    if kind is None or kind.examine is None:
        return found
    try:
        settings = read_settings(kind, bridge.settings or {}, machine_values=world.machine_values)
    except InvalidRequest as error:
        return [*found, Finding(name="settings", state="failed", detail=error.message)]
    try:
        async with asyncio.timeout(EXAMINE_SECONDS):
            surroundings = world.surroundings(bridge.id)
            address = None if kind.open_hooks is None else await tried(surroundings)
            found += [] if address is None else [address]
            seen = await kind.examine(settings, surroundings)
    except TimeoutError:
        detail = f"It did not come to an end within {EXAMINE_SECONDS:g} s: the network does not answer."
        return [*found, Finding(name="network", state="failed", detail=detail)]
    except Exception:
        log.warning("bridge.unexamined", bridge_id=bridge.id, exc_info=True)
        detail = "The examination itself broke; the hub's log says where (bridge.unexamined)."
        return [*found, Finding(name="examination", state="failed", detail=detail)]
    # What the kind itself says of the lines says more.
    named = {each.name for each in seen} & {"lines"}
    return [*(each for each in found if each.name not in named), *seen]


def _refused(tally: RefusedTally | None, now_ms: int) -> Sequence[Finding]:
    """Tell of payloads that nobody could read, where there are any."""
    if tally is None:
        return []
    hours = max(0, now_ms - tally.last_at) // 3_600_000
    detail = (
        f"{tally.payloads} different payloads could not be taken in, {tally.times} times in all, the last {hours} h "
        f"ago ({tally.last_reason}). `hub bridges refused` shows them; docs/bridges.md says what to do."
    )
    return [Finding(name="refused", state="warning", detail=detail)]


def _switch(bridge: Bridge) -> Finding:
    if bridge.is_enabled:
        return Finding(name="switch", state="ok", detail="The bridge is switched on.")
    return Finding(
        name="switch",
        state="failed",
        detail="It is switched off; `hub bridges switch NAME on`, or is_enabled.",
    )


def _lines(lines: Sequence[Line]) -> list[Finding]:
    """What the hub itself knows of them: none, or those that cannot send now."""
    if not lines:
        detail = "The bridge carries none: `hub lines add HANDLE --bridge NAME`, or POST /v1/lines."
        return [Finding(name="lines", state="failed", detail=detail)]
    return [
        Finding(
            name=f"line …{line.handle[-4:]}",
            state="warning",
            detail=f"The hub has it as {line.status} ({line.status_reason or 'without a reason'}).",
        )
        for line in lines
        if line.is_active and line.status != "online"
    ]


def _heard(heard_at: int | None, now_ms: int) -> Finding:
    if heard_at is None:
        detail = "The bridge never spoke: it was added a moment ago, or the hub is not running."
        return Finding(name="heard", state="warning", detail=detail)
    minutes = max(0, now_ms - heard_at) // 60_000
    return Finding(name="heard", state="ok", detail=f"It spoke {minutes} min ago.")


def _agent(agent: Agent, now_ms: int) -> Finding:
    machine = agent.os or "a machine that it does not name"
    told = f"{agent.program or 'An agent'} {agent.version} ({agent.kind}) on {machine}"
    note = version_note(agent)
    if note is not None:
        return Finding(name="agent", state="warning", detail=f"{told}. {note}")
    if not is_there(agent, now_ms):
        seconds = (now_ms - agent.heard_at) // 1000
        detail = f"{told} was last heard {seconds} s ago: look whether it runs (hub agent doctor)."
        return Finding(name="agent", state="failed", detail=detail)
    return Finding(name="agent", state="ok", detail=f"{told} is there.")


def _health(agent: Agent) -> Finding:
    """What the adapter says there; what can be tried beyond that, the agent's own doctor tries."""
    state: FindingState = (
        "ok" if agent.health == "online" else "failed" if agent.health == "offline" else "warning"
    )
    reason = f": {agent.health_reason}" if agent.health_reason else ""
    return Finding(name="adapter", state=state, detail=f"It says that it is {agent.health}{reason}.")
