"""Replace a signing secret without a moment in which the other side is deaf."""

from __future__ import annotations

from collections.abc import Sequence

from hub.model.webhook import StoredSecret

HOUR_MS = 3_600_000


def rotated(
    secrets: Sequence[StoredSecret], text: str, *, overlap_hours: float, now_ms: int
) -> tuple[StoredSecret, ...]:
    """Put a new secret first; the one before it stays valid for the overlap, older ones end.

    At most two are valid at a time: a third would make the signature header grow with every rotation, and a
    secret that leaked must not live on because it was followed by two others.
    """
    new = StoredSecret(text=text)
    if overlap_hours <= 0 or not secrets:
        return (new,)
    return (new, StoredSecret(text=secrets[0].text, expires_at=now_ms + int(overlap_hours * HOUR_MS)))
