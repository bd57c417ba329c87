"""What is kept of a request to a source that was turned away, for the operator to look at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejection:
    """One request that was not believed, or could not be used; masked."""

    id: int
    source: str
    #: hub.rules.sources.model.Reason.
    reason: str
    #: A sentence for people.
    detail: str
    method: str
    #: JSON: names in lower case to values, those that may be secret masked.
    headers: str
    #: The beginning of the body, masked.
    body: str
    #: How long the body was.
    body_bytes: int
    #: Unix ms.
    rejected_at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RejectionTally:
    """How many requests are kept of one source, and the newest."""

    source: str
    count: int
    last_at: int
