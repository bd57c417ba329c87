"""What the network shows reaches the hub, whatever is lost on the way; the cursor follows, and never leads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.agent.journal import Journal, JournalBusy
from hub.model.observation import Observation, ObservedChat, ObservedMessage, Part
from tests.support.agent_stage import AgentStage, Unheard
from tests.support.scripted_bridge import ScriptedBridge


class Telling(Unheard):
    """Shows what is in its list, from the cursor on."""

    def __init__(self, inner: ScriptedBridge, shown: list[Observation]) -> None:
        super().__init__(inner)
        self.shown = shown
        self.began_at: list[str | None] = []

    async def events(self, cursor: str | None) -> AsyncIterator[Observation]:  # type: ignore[override]  # it does tell
        self.began_at.append(cursor)
        for each in self.shown[int(cursor or 0) :]:
            yield each
        await asyncio.Event().wait()


def shown(line: str, number: int, *, now_ms: int, text: str = "Hi") -> Observation:
    return Observation(
        v=1,
        line=line,
        kind="message.received",
        at=now_ms,
        chat=ObservedChat(key="dm:+15550100001"),
        actor="+15550100001",
        message=ObservedMessage(provider_id=f"IN-{number}", parts=(Part(type="text", text=text),)),
        cursor=str(number),
    )


async def events_of(stage: AgentStage, count: int) -> list[str]:
    async with asyncio.timeout(10):
        while True:
            data = (await stage.world.api.get("/v1/events?type=message.received")).json["data"]
            if len(data) >= count:
                return [each["type"] for each in data]
            await asyncio.sleep(0.005)


async def until_cursor(stage: AgentStage, bridge: Telling, cursor: str) -> None:
    """Wait until the journal has come so far: a new agent begins there."""
    async with asyncio.timeout(10):
        while bridge.began_at[-1:] != [cursor]:
            async with stage.agent(bridge):
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("is_taken_in", [False, True])
async def test_a_batch_that_was_not_answered_is_told_again_and_counts_once(
    stage: AgentStage, is_taken_in: bool
) -> None:
    line, now_ms = stage.world.other_line.handle, stage.world.clock.now_ms()
    bridge = Telling(ScriptedBridge(stage.world.clock), [shown(line, n, now_ms=now_ms) for n in (1, 2)])
    lost = ["events"]
    stage.wire.cut = lambda word: is_taken_in if word in lost and not lost.remove(word) else None  # type: ignore[func-returns-value]  # it counts down
    async with stage.agent(bridge):
        found = await events_of(stage, 2)
    await until_cursor(stage, bridge, "2")

    assert len(found) == 2


async def test_what_can_never_be_taken_in_is_passed_over(stage: AgentStage) -> None:
    line, now_ms = stage.world.other_line.handle, stage.world.clock.now_ms()
    too_large = shown(line, 1, now_ms=now_ms, text="x" * 65_500)
    from_the_future = shown(line, 2, now_ms=now_ms + 10 * 86_400_000)
    of_another_line = shown("+15550199999", 3, now_ms=now_ms)
    sound = shown(line, 4, now_ms=now_ms)
    bridge = Telling(ScriptedBridge(stage.world.clock), [too_large, from_the_future, of_another_line, sound])
    async with stage.agent(bridge):
        found = await events_of(stage, 1)
    await until_cursor(stage, bridge, "4")
    kept = await stage.world.store.refused.page(stage.bridge.id, after=None, limit=9)

    assert len(found) == 1
    assert sorted(each.refused.code for each in kept) == ["other_line", "too_large", "unsound"]


def test_two_agents_never_share_a_folder(tmp_path: Path) -> None:
    first = Journal(tmp_path, lambda: "one")
    try:
        with pytest.raises(JournalBusy):
            Journal(tmp_path, lambda: "two")
    finally:
        first.close()
    again = Journal(tmp_path, lambda: "three")
    again.close()

    assert again.name == "one"
