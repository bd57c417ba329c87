"""What imsg's errors say of an operation. Its dispositions are ours, word for word; source: docs/rpc.md."""

from __future__ import annotations

from typing import Final

from bridge.imsg.rpc import NotAsked, Refused, RpcFailed, Unanswered
from bridge.macos.outcomes import not_started, rejected, unknown
from hub.model.outbox import Disposition, OperationOutcome

_DISPOSITIONS: Final = {
    "not_started": Disposition.NOT_STARTED,
    "may_have_completed": Disposition.MAY_HAVE_COMPLETED,
    "still_in_flight": Disposition.STILL_IN_FLIGHT,
}
#: Refused before anything was done, for good: what was asked is wrong, or not known.
_WRONG: Final = frozenset({-32700, -32600, -32601, -32602})
#: Refused before anything was done, for now.
_NOT_NOW: Final = {
    -32000: "imsg_busy",
    -32002: "database_unreadable",
    -32003: "imsg_bridge_off",
    -32004: "imsg_blocked",
}
BLOCKED: Final = -32004


def outcome_of(error: RpcFailed) -> OperationOutcome:
    """Say what becomes of an operation that imsg did not do, or did not say so."""
    if isinstance(error, NotAsked):
        return not_started("imsg_unavailable", str(error))
    if isinstance(error, Unanswered):
        return unknown(error.code, str(error))
    if isinstance(error, Refused):
        return _of_refusal(error)
    return unknown("imsg", str(error))


def _of_refusal(error: Refused) -> OperationOutcome:
    disposition = _DISPOSITIONS.get(str(error.data.get("disposition")))
    if disposition is not None:
        return OperationOutcome(
            disposition=disposition,
            code=_NOT_NOW.get(error.code, "imsg"),
            detail=error.message,
            is_retry_safe=disposition is Disposition.NOT_STARTED and error.data.get("retry_safe") is True,
        )
    if error.code in _WRONG:
        return rejected("imsg_refused", error.message)
    if error.code in _NOT_NOW:
        return not_started(_NOT_NOW[error.code], error.message)
    # -32001 without its data, -32603, and whatever else there may be: nobody says that nothing was done.
    return unknown("imsg", error.message)


def is_lane_lost(error: RpcFailed) -> bool:
    """Tell whether this child will send no more: an operation of it may still be on its way."""
    return isinstance(error, Refused) and (
        error.code == BLOCKED or error.data.get("disposition") == "still_in_flight"
    )
