"""The lean supervisor of `hub up`: what its process becomes once everything runs (hub.embedded.lean)."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from hub.app.family import Family, report
from hub.embedded.lean import take_over
from hub.embedded.supervisor import supervise


class LateReport:
    """Logs from the first event on; until there is one, nothing that logs is in memory."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._is_ready = False

    def __call__(self, event: str, fields: Mapping[str, object]) -> None:
        """Log an event."""
        if not self._is_ready:
            self._family.configure_logs("supervisor")
            self._is_ready = True
        report(event, fields)


def main() -> int:
    """Go on where the process left off; give the exit code."""
    state, alive = take_over()
    family = state["family"]
    return supervise(
        family.children(),
        report=LateReport(family),
        drain_seconds=family.drain_seconds,
        adopted=alive,
    )


if __name__ == "__main__":
    sys.exit(main())
