"""Whether Messages runs on this Mac. Without it nothing comes and nothing goes, and chat.db stands still."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bridge.macos.children import NotStarted, Sleep, run_child

PGREP: Final = "/usr/bin/pgrep"
_SECONDS: Final = 5.0


async def is_messages_running(pgrep: Sequence[str], sleep: Sleep) -> bool | None:
    """Look; None where that cannot be found out."""
    try:
        ended = await run_child([*pgrep, "-x", "Messages"], standard_input=b"", seconds=_SECONDS, sleep=sleep)
    except NotStarted:
        return None
    return None if ended is None or ended.code not in {0, 1} else ended.code == 0
