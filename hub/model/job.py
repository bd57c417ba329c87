"""A job: long work in steps, with progress, that a crash only interrupts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """Long work (a replay, a purge) and how far it is."""

    id: int
    #: `replay`, `requeue` or `purge`.
    kind: str
    #: `running`, `succeeded`, `failed` or `cancelled`.
    state: str
    #: JSON.
    arguments: str
    #: The last key worked on; a restart goes on after it.
    cursor: int
    done_count: int
    total_count: int
    error: str | None
    created_at: int
    finished_at: int | None
