"""How `hub bridges` tells of agents."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.model.bridge_call import Agent


def agent_lines(agent: Agent, now_ms: int) -> list[str]:
    """Tell of an agent: what it is and where, how it is, and what should be done about it."""
    from hub.rules.agent_versions import version_note  # noqa: PLC0415 - with the command

    what = f"agent: {agent.program or 'of its own'} {agent.version}, {agent.kind}, on {agent.os or 'a machine unnamed'}"
    health = agent.health if agent.health_reason is None else f"{agent.health} ({agent.health_reason})"
    when = f"heard {ago(agent.heard_at, now_ms)}, last call {ago(agent.called_at, now_ms)}"
    note = version_note(agent)
    lines = [what, f"agent is {health}; {when}", *([] if note is None else [f"warning: {note}"])]
    # What an agent says may hold anything, and this is somebody's terminal.
    return [
        "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in line)
        for line in lines
    ]


def ago(at_ms: int | None, now_ms: int) -> str:
    """Say how long ago an instant was."""
    if at_ms is None:
        return "never"
    seconds = max(0, now_ms - at_ms) // 1000
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"
