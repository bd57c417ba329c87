"""Counts of what a bridge passed over, for the log, the doctor and the operator: nothing is dropped in silence."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import msgspec
import structlog

from hub.flow.refused import Noting, nobody
from hub.model.refused import Origin, RefusalCode, Refused

log = structlog.get_logger("bridge")

#: What happens to the bridge itself, not to something that was told.
_INCIDENTS: Final = frozenset({"cursor_unreadable", "notifications_overflow", "overflow", "restarted"})
#: The code of each reason; what is not here lacks something.
_CODES: Final = {
    "association": RefusalCode.UNUSED,
    "ghost": RefusalCode.UNUSED,
    "poll": RefusalCode.UNUSED,
    "scheduled": RefusalCode.UNUSED,
    "went_as_sms": RefusalCode.UNUSED,
    "spam": RefusalCode.UNUSED,
    "lineless": RefusalCode.OTHER_LINE,
    "line_too_long": RefusalCode.TOO_LARGE,
    "line_unreadable": RefusalCode.UNREADABLE,
    "notification_unknown": RefusalCode.UNKNOWN_TYPE,
    "unreadable": RefusalCode.UNREADABLE,
}


class Tallies:
    """Counts by reason. The first of each reason and every hundredth is logged, without what the message says.

    Args:
        kind: Of the bridge.
        refuse: Keeps what was passed over.
    """

    def __init__(self, kind: str, refuse: Noting = nobody) -> None:
        self._kind = kind
        self._refuse = refuse
        self._counts: Counter[str] = Counter()

    def note(self, reason: str, told: Any = None, **where: int | str | None) -> None:
        """Count one.

        Args:
            reason: Why it was passed over: `unjoined`, `masked`, `unreadable`, …
            told: What was told, as far as it is at hand: kept, and never logged.
            where: What helps to find it, for instance a row's number; never words or handles.
        """
        self._counts[reason] += 1
        count = self._counts[reason]
        if count == 1 or count % 100 == 0:
            log.warning("bridge.passed_over", kind=self._kind, reason=reason, count=count, **where)
        if reason not in _INCIDENTS:
            self._refuse(
                Refused(
                    code=_CODES.get(reason, RefusalCode.INCOMPLETE),
                    reason=reason.replace("_", " "),
                    origin=Origin.FEED,
                    raw=_written(where if told is None else told),
                    same_as=reason if reason == "lineless" else None,
                )
            )

    def counts(self) -> dict[str, int]:
        return dict(sorted(self._counts.items()))


def _written(told: Any) -> bytes:
    if isinstance(told, bytes):
        return told
    try:
        return msgspec.json.encode(told)
    except (TypeError, ValueError, RecursionError):
        return repr(told).encode("utf-8", "backslashreplace")
