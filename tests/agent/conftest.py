"""A hub and an agent on one stage, asking by long-poll. Files that are about another way make their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.agent_stage import AgentStage
from tests.support.hub_world import open_world


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[AgentStage]:
    async with open_world(tmp_path) as world:
        yield AgentStage.of(world, tmp_path / "agent")
