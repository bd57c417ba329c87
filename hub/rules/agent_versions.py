"""Which agents a hub answers for: those of its own release, and those back to the oldest that speaks as it does."""

from __future__ import annotations

import re
from typing import Final

from hub.model.bridge_call import Agent

#: As `hub agent` names itself in its hello; agents of others have versions of their own, which say nothing here.
PROGRAM: Final = "hub agent"
#: Raise it with each change after which older agents are not heard, or not understood.
OLDEST: Final = "0.1.0"
_NUMBERS: Final = re.compile(r"(\d{1,6})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?")


def version_note(agent: Agent) -> str | None:
    """Say what its operator should know of an agent's version; None if nothing."""
    if agent.program != PROGRAM:
        return None
    numbers = _numbers(agent.version)
    if numbers is None:
        return f"Its version '{agent.version}' cannot be read; this hub answers for {OLDEST} and newer."
    if numbers < (_numbers(OLDEST) or ()):
        return (
            f"Its version {agent.version} is older than {OLDEST}, the oldest that this hub answers for: update Hub on "
            "that machine, and start the agent again."
        )
    return None


def _numbers(version: str) -> tuple[int, ...] | None:
    found = _NUMBERS.match(version)
    return None if found is None else tuple(int(each or 0) for each in found.groups())
