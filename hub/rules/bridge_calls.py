"""What a call to an agent means to whoever waits for it: hub.model.bridge_call, judged.

WAITING for too long, and CLAIMED past its lease, can be taken back: nobody has begun. DISPATCHED past its lease is in
doubt: it is looked up, never asked for again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from hub.model.bridge_call import Agent, BridgeCall, CallState

#: An agent that said nothing for so long is not there.
SILENT_MS: Final = 60_000


class Standing(Enum):
    """What is to be done about a call."""

    WAIT = "wait"
    #: Nobody has begun, and nobody will in time: take it back.
    TAKE_BACK = "take_back"
    #: It may have happened; who has it does not answer.
    IN_DOUBT = "in_doubt"
    ANSWERED = "answered"


@dataclass(frozen=True, kw_only=True, slots=True)
class CallPolicy:
    """How patient we are with agents, in ms."""

    #: Until a call must be claimed.
    claim_ms: int = 30_000
    #: Between claim and beginning.
    begin_ms: int = 60_000
    #: Between beginning and answer, unless the agent asks for more; longer than a bridge may take.
    lease_ms: int = 240_000


def is_there(agent: Agent | None, now_ms: int) -> bool:
    """Tell whether an agent was heard lately."""
    return agent is not None and now_ms - agent.heard_at <= SILENT_MS


def standing_of(call: BridgeCall, *, claim_by: int, now_ms: int) -> Standing:
    """Judge a call.

    Args:
        call: As it is now.
        claim_by: Unix ms after which nobody waits for it to be claimed.
        now_ms: Unix ms.
    """
    is_over = call.lease_until is not None and call.lease_until <= now_ms
    match call.state:
        case CallState.ANSWERED:
            return Standing.ANSWERED
        case CallState.WAITING:
            return Standing.TAKE_BACK if now_ms >= claim_by else Standing.WAIT
        case CallState.CLAIMED:
            return Standing.TAKE_BACK if is_over else Standing.WAIT
        case CallState.DISPATCHED:
            return Standing.IN_DOUBT if is_over else Standing.WAIT
