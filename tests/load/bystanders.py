"""How much of the machine others used while something was measured: figures from a busy machine say so."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.load.process_group import ProcessGroup

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
#: Columns of /proc/stat's first line that are idleness.
_IDLE = (3, 4)


class Bystanders:
    """Measures from its making to `percent`."""

    def __init__(self) -> None:
        self._ours = ProcessGroup(roots=(os.getpid(),))
        self._started_at = time.monotonic()
        self._before = self._others()

    def percent(self) -> float:
        """Give the CPU that was used by whoever is not our descendant, in percent of one core."""
        passed = time.monotonic() - self._started_at
        return max(0.0, (self._others() - self._before) / passed * 100)

    def _others(self) -> float:
        return parse_busy_ticks(Path("/proc/stat").read_text()) / _TICKS_PER_SECOND - self._ours.cpu_seconds()


def parse_busy_ticks(stat: str) -> int:
    """Read the machine's CPU time that was not idle: the first eight columns; guests are in the first already."""
    columns = [int(word) for word in stat.split("\n", 1)[0].split()[1:9]]
    return sum(ticks for column, ticks in enumerate(columns) if column not in _IDLE)
