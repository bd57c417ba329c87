"""What is kept of agents and of the calls to them (see hub.flow.repositories), and the bell that wakes who waits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from typing import Literal, Protocol

from hub.model.bridge_call import Agent, AgentHello, BridgeCall
from hub.model.outbox import Disposition


class BridgeCalls(Protocol):
    async def hello(self, bridge_id: int, hello: AgentHello, *, now: int) -> tuple[Agent, bool]:
        """Keep what an agent tells; another name raises the fence. True if the bridge's agent has another kind now.

        Only then the revision rises.
        """
        ...

    async def agent(self, bridge_id: int) -> Agent | None: ...
    async def agents(self) -> Mapping[int, Agent]:
        """All, by the ids of their bridges."""
        ...

    async def heard(self, bridge_id: int, *, fence: int, at: int) -> bool:
        """Note that the agent spoke; False if it is not the newest."""
        ...

    async def add(self, call: BridgeCall) -> None: ...
    async def get(self, call_id: int) -> BridgeCall | None: ...
    async def performed(self, bridge_id: int, attempt_id: str) -> BridgeCall | None:
        """The newest call to a bridge's agent to perform an attempt."""
        ...

    async def claim(
        self, bridge_id: int, *, fence: int, holding: Collection[int], limit: int, now: int, lease_until: int
    ) -> list[BridgeCall] | None:
        """Give the oldest calls that nobody has begun, but those that the agent holds; None if it is not the newest.

        What was claimed and is not held was lost with an answer, or with the agent that claimed it: it is given again.
        """
        ...

    async def lost(self, bridge_id: int, *, holding: Collection[int], now: int) -> list[int]:
        """End the leases of what was begun and is not held; give their ids. Their outcome is in doubt."""
        ...

    async def begin(self, call_id: int, *, bridge_id: int, fence: int, now: int, lease_until: int) -> bool:
        """Note that the agent begins; False if the call is not (any more) claimed by it.

        Harmless to repeat while the lease lives; after it whoever waits has given up, or asked anew.
        """
        ...

    async def extend(self, call_id: int, *, bridge_id: int, fence: int, now: int, lease_until: int) -> bool:
        """Believe for longer that the agent works on it; False if it does not, or its lease is over."""
        ...

    async def answer(self, call_id: int, *, bridge_id: int, outcome: str) -> bool:
        """Keep the outcome of what was claimed or begun; False if it was answered, taken back or forgotten."""
        ...

    async def take_back(self, call: BridgeCall, *, outcome: str) -> bool:
        """Answer a call that nobody has begun in the agent's place; False if it has moved since."""
        ...

    async def forget(self, bridge_id: int, *, before: int, limit: int) -> int:
        """Delete calls made before a time, oldest first; give how many went."""
        ...

    async def add_piece(self, call_id: int, number: int, content: bytes, *, most: int) -> int | None:
        """Keep a piece of an attachment; give how many wait to be read, None (nothing kept) where that is `most`."""
        ...

    async def take_piece(self, call_id: int, number: int) -> bytes | None:
        """Give a piece and forget it and those before it; None while it is not there."""
        ...

    async def drop_pieces(self, call_id: int) -> None: ...


#: What happens to calls: late is an answer that nobody waited for, lost what an agent knew of no more, in_doubt a wait
#: that ended without an answer.
CallStep = Literal["claimed", "begun", "answered", "late", "lost", "in_doubt", "taken_back"]


class CallCounts(Protocol):
    """Is told what happens to calls."""

    def stepped(self, step: CallStep, count: int = 1) -> None: ...
    def answered(self, disposition: Disposition) -> None: ...


class Uncounted:
    """Nobody counts (CallCounts)."""

    def stepped(self, step: CallStep, count: int = 1) -> None:
        pass

    def answered(self, disposition: Disposition) -> None:
        pass


class Waiting(Protocol):
    """One who waits for a bell."""

    async def heard(self, seconds: float) -> bool:
        """Wait until the bell was rung since the last time, at most so long; False if it was not."""
        ...


class Bell(Protocol):
    """Wakes whoever waits for something in any process. Losing a ring only delays: who waits looks into SQL, too."""

    @property
    def is_closed(self) -> bool:
        """Whether this process ends, and nobody should wait any more."""
        ...

    def ring(self, name: str) -> None:
        """Wake those who wait for this name."""
        ...

    def waiting(self, *names: str) -> AbstractContextManager[Waiting]:
        """Wait for names within a block: what is rung from its beginning on is heard."""
        ...


def calls_bell(bridge_id: int) -> str:
    """Name the bell of new calls to a bridge's agent."""
    return f"calls:{bridge_id}"


def answer_bell(call_id: int) -> str:
    """Name the bell of an answer, and of each piece of one."""
    return f"answer:{call_id}"
