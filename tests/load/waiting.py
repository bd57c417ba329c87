"""Wait for what other processes do."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_for(
    what: str, condition: Callable[[], bool], *, seconds: float, every_seconds: float = 0.05
) -> None:
    """Wait until a condition holds; raise, saying what it was, if it does not in time."""
    give_up_at = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"not within {seconds:.0f} s: {what}")
        time.sleep(every_seconds)
