"""Read the `Prefer` header (RFC 7240): how long the caller would rather wait than get an early answer.

Other preferences are nobody's business here and are passed over, as the RFC asks. Not here: the waiting.
"""

from __future__ import annotations

import re
from typing import Final

from hub.rules.problems import Problem

#: Nobody waits longer; more is cut to this, and the answer says so.
MOST_WAIT_SECONDS: Final = 30
#: Headers longer than this are not read.
_LONGEST: Final = 1_024
_LONGEST_NUMBER: Final = 9

#: `name`, `name=value` or `name="value"`, then parameters, which say nothing to us.
_PREFERENCE: Final = re.compile(
    r"\s*([^\s=;,\"]*)\s*(?:=\s*(\"[^\"]*\"|[^\s;,\"]*)\s*)?(?:;[^,]*)?", re.ASCII
)


def read_wait(header: str) -> int | Problem | None:
    """Give the seconds of `wait=N`, at most MOST_WAIT_SECONDS; None without that preference.

    The first `wait` counts, as the RFC says.
    """
    for preference in header[:_LONGEST].split(","):
        found = _PREFERENCE.fullmatch(preference)
        if found is None or found[1].lower() != "wait":
            continue
        seconds = (found[2] or "").strip('"')
        if not (seconds.isascii() and seconds.isdigit()):
            return _not_seconds(seconds)
        return MOST_WAIT_SECONDS if len(seconds) > _LONGEST_NUMBER else min(int(seconds), MOST_WAIT_SECONDS)
    return None


def _not_seconds(written: str) -> Problem:
    return Problem(
        pointer="Prefer",
        what=f"'wait={written[:40]}' is no time to wait",
        why=f"it takes whole seconds, 0 to {MOST_WAIT_SECONDS}",
        fix="Write 'Prefer: wait=10'",
    )
