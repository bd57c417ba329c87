"""How a bridge is: asked seldom, and heard also where it takes longer to answer than anybody waits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from bridge.checkups import VALID_MS, Checkup, State
from tests.support.manual_time import ManualClock

OFFLINE: State = ("offline", "no answer")


@dataclass
class Network:
    """Answers when it is let."""

    asked: int = 0
    answer: State = ("online", None)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self) -> State:
        self.asked += 1
        await self.may_answer.wait()
        return self.answer


async def test_it_is_asked_once_a_minute() -> None:
    clock, network = ManualClock(), Network()
    network.may_answer.set()
    checkup = Checkup(network, clock)
    states = await asyncio.gather(*(checkup.state() for _ in range(3)))
    clock.advance(VALID_MS - 1)
    states.append(await checkup.state())

    assert (states, network.asked) == ([("online", None)] * 4, 1)
    clock.advance(1)
    network.answer = OFFLINE
    assert await checkup.state() == OFFLINE


async def test_what_a_network_says_after_who_asked_gave_up_is_heard() -> None:
    """Nobody knows how it is until then: least of all that it is online."""
    checkup = Checkup(network := Network(answer=OFFLINE), ManualClock())
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(checkup.state(), 0.001)
    network.may_answer.set()

    assert (await checkup.state(), network.asked) == (OFFLINE, 1)


async def test_what_was_known_counts_while_the_network_takes_its_time() -> None:
    clock, network = ManualClock(), Network()
    network.may_answer.set()
    checkup = Checkup(network, clock, wait_seconds=0.001)
    await checkup.state()
    network.may_answer.clear()
    network.answer = OFFLINE
    clock.advance(VALID_MS)
    during = await checkup.state()
    network.may_answer.set()

    assert (during, await checkup.state()) == (("online", None), OFFLINE)


async def test_one_that_breaks_is_asked_again() -> None:
    async def broken() -> State:
        raise OSError("broken")

    checkup = Checkup(broken, ManualClock())
    for _ in range(2):
        with pytest.raises(OSError, match="broken"):
            await checkup.state()
