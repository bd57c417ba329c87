"""What a hub tells of the agents of its bridges, to programs and to people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.cli.agents_shown import agent_lines
from hub.flow.bridge_examining import examine
from hub.flow.bridge_kinds import NO_BRIDGES
from hub.model.bridge_call import AgentHello, BridgeCall, CallVerb
from hub.rules.bridge_calls import SILENT_MS
from tests.support.hub_world import HubWorld, open_world

HELLO = AgentHello(
    name="a-1",
    kind="imsg",
    version="0.1.0",
    capabilities=frozenset({"text"}),
    health="online",
    health_reason=None,
    program="hub agent",
    os="macOS 15.1",
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    async with open_world(tmp_path) as opened:
        yield opened


async def shown(world: HubWorld) -> dict[str, Any]:
    data = (await world.api.get("/v1/bridges")).json["data"]
    found: dict[str, Any] = next(each for each in data if each["name"] == "push")
    return found


async def greet(world: HubWorld, **more: Any) -> None:
    hello = AgentHello(**{**{name: getattr(HELLO, name) for name in HELLO.__slots__}, **more})
    await world.store.bridge_calls.hello(world.other_line.bridge_id, hello, now=world.clock.now_ms())


async def test_a_bridge_without_an_agent_shows_none(world: HubWorld) -> None:
    assert (await shown(world))["agent"] is None


async def test_a_bridge_shows_what_runs_for_it_and_where(world: HubWorld) -> None:
    now_ms, bridge_id = world.clock.now_ms(), world.other_line.bridge_id
    await greet(world)
    call = BridgeCall(
        id=5, bridge_id=bridge_id, verb=CallVerb.PERFORM, attempt_id="a", asked="{}", created_at=now_ms
    )
    await world.store.bridge_calls.add(call)
    await world.store.bridge_calls.claim(
        bridge_id, fence=1, holding=(), limit=1, now=now_ms + 5, lease_until=now_ms + 60_000
    )
    told = await shown(world)

    assert told["agent"] == {
        "kind": "imsg",
        "program": "hub agent",
        "version": "0.1.0",
        "os": "macOS 15.1",
        "health": "online",
        "health_reason": None,
        "last_heard_at": now_ms,
        "last_call_at": now_ms + 5,
        "note": None,
    }
    assert (await world.api.get(f"/v1/bridges/{told['id']}")).json["agent"] == told["agent"]


async def test_an_agent_that_is_too_old_is_told_to_be_so_everywhere(world: HubWorld) -> None:
    await greet(world, version="0.0.9")
    agent = (await world.store.bridge_calls.agents())[world.other_line.bridge_id]
    findings = (await world.api.post(f"/v1/bridges/{(await shown(world))['id']}/examine")).json["findings"]

    assert "update Hub on that machine" in (await shown(world))["agent"]["note"]
    assert [each["state"] for each in findings if each["name"] == "agent"] == ["warning"]
    assert agent_lines(agent, agent.heard_at + 3_000) == [
        "agent: hub agent 0.0.9, imsg, on macOS 15.1",
        "agent is online; heard 3 s ago, last call never",
        "warning: Its version 0.0.9 is older than 0.1.0, the oldest that this hub answers for: update Hub on that "
        "machine, and start the agent again.",
    ]


@pytest.mark.parametrize(
    ("health", "silent_ms", "expected"),
    [
        ("online", 0, ("ok", "ok")),
        ("degraded", 0, ("ok", "warning")),
        ("offline", 0, ("ok", "failed")),
        ("online", SILENT_MS + 1, ("failed", "ok")),
    ],
)
async def test_who_looks_at_a_bridge_learns_of_its_agent(
    world: HubWorld, health: str, silent_ms: int, expected: tuple[str, str]
) -> None:
    await greet(world, health=health, health_reason="Messages is\x1b[2J not running")
    bridge = world.directory.current.bridges_by_id[world.other_line.bridge_id]
    agent = (await world.store.bridge_calls.agents())[bridge.id]
    now_ms = agent.heard_at + silent_ms
    assert all(line.isprintable() for line in agent_lines(agent, now_ms))
    found = await examine(
        NO_BRIDGES, bridge, [], heard_at=agent.heard_at, refused=None, now_ms=now_ms, agent=agent
    )
    states = {each.name: each.state for each in found}

    assert (states["agent"], states["adapter"]) == expected


@pytest.mark.parametrize("field", ["program", "os", "version"])
async def test_what_could_break_a_line_of_a_terminal_is_refused(world: HubWorld, field: str) -> None:
    hello = {"agent": "a", "version": "1", "kind": "imsg", "capabilities": [], field: "\x1b[2J"}
    answered = await world.api.post("/v1/bridge/hello", hello)

    assert (answered.status, answered.param) == (400, field)
