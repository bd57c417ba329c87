"""Which agents' versions a hub has something to say about."""

from __future__ import annotations

import pytest

from hub import __version__
from hub.model.bridge_call import Agent
from hub.rules.agent_versions import OLDEST, PROGRAM, version_note


def agent(version: str, program: str | None = PROGRAM) -> Agent:
    return Agent(
        bridge_id=1, name="a", kind="imsg", version=version, fence=1, capabilities=frozenset(), health="online",
        health_reason=None, heard_at=0, program=program,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("version", "program", "said"),
    [
        (__version__, PROGRAM, None),
        (OLDEST, PROGRAM, None),
        ("99", PROGRAM, None),
        ("0.0.9", PROGRAM, "older than"),
        ("0.0", PROGRAM, "older than"),
        ("0", PROGRAM, "older than"),
        ("nightly", PROGRAM, "cannot be read"),
        ("", PROGRAM, "cannot be read"),
        ("9" * 64, PROGRAM, None),
        ("0.0.9", "an agent of another", None),
        ("0.0.9", None, None),
    ],
)
def test_only_our_own_agents_are_told_to_be_old(version: str, program: str | None, said: str | None) -> None:
    note = version_note(agent(version, program))

    assert note is None if said is None else said in (note or "")
