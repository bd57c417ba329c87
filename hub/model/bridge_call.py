"""What we ask of an agent: a machine that runs a bridge beside its network, behind a router, and asks us for work."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class CallVerb(StrEnum):
    """What an agent can be asked for."""

    ATTACHMENT = "attachment"
    LOOKUP = "lookup"
    PERFORM = "perform"


class CallState(IntEnum):
    """Where a call stands."""

    WAITING = 0
    #: An agent has it, and has not begun.
    CLAIMED = 1
    #: The agent said that it begins: from here on it may have happened.
    DISPATCHED = 2
    #: The outcome is known, or the call was taken back before anybody began.
    ANSWERED = 3


#: The allowed moves; anything else is a mistake of ours.
CALL_MOVES: dict[CallState, frozenset[CallState]] = {
    CallState.WAITING: frozenset({CallState.CLAIMED, CallState.ANSWERED}),
    CallState.CLAIMED: frozenset({CallState.CLAIMED, CallState.DISPATCHED, CallState.ANSWERED}),
    CallState.DISPATCHED: frozenset({CallState.ANSWERED}),
    CallState.ANSWERED: frozenset(),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class BridgeCall:
    """One thing that an agent is asked for."""

    id: int
    bridge_id: int
    verb: CallVerb
    #: The operation's, where it is about one.
    attempt_id: str | None
    #: JSON of what is asked: see hub.flow.agent_calls.
    asked: str = field(repr=False)
    state: CallState = CallState.WAITING
    #: The fence of the agent that claimed it.
    fence: int | None = None
    #: Unix ms until which the agent is believed to work on it.
    lease_until: int | None = None
    #: JSON of an OperationOutcome, once answered.
    outcome: str | None = field(default=None, repr=False)
    created_at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Agent:
    """The agent of a bridge, as it last told."""

    bridge_id: int
    #: Drawn by the agent with its journal: another name is another machine, or one that forgot.
    name: str
    #: The kind of its bridge.
    kind: str
    version: str
    #: Rises with each new name; only the newest is listened to.
    fence: int
    capabilities: frozenset[str]
    #: `online`, `degraded` or `offline`, and why.
    health: str
    health_reason: str | None
    #: Unix ms.
    heard_at: int
    #: What it runs as, if it says so: `hub agent` for ours.
    program: str | None = None
    #: Its machine's system: `macOS 15.1`, …
    os: str | None = None
    #: When it last took a call, Unix ms.
    called_at: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentHello:
    """What an agent tells of itself."""

    name: str
    kind: str
    version: str
    capabilities: frozenset[str]
    health: str
    health_reason: str | None
    program: str | None = None
    os: str | None = None
