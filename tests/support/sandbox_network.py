"""The simulated network's memory in memory: a fake, held to the same suite as the store's (sandbox_network_suite)."""

from __future__ import annotations

from typing import Any


class MemorySandboxNetwork:
    """SandboxNetwork for tests without a database."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Any]] = {}
        self._known: dict[tuple[str, str], str] = {}

    async def accept(self, send: dict[str, Any]) -> bool:
        if send["attempt_id"] in self._rows:
            return False
        self._rows[send["attempt_id"]] = dict(send)
        return True

    async def by_attempt(self, attempt_id: str) -> dict[str, Any] | None:
        row = self._rows.get(attempt_id)
        return None if row is None else dict(row)

    async def by_guid(self, guid: str) -> dict[str, Any] | None:
        return next((dict(row) for row in self._rows.values() if row["guid"] == guid), None)

    async def recall(self, line_handle: str, name: str) -> str | None:
        return self._known.get((line_handle, name))

    async def remember(self, line_handle: str, name: str, value: str) -> None:
        self._known[line_handle, name] = value

    async def due(self, *, now: int, limit: int) -> list[dict[str, Any]]:
        due = [row for row in self._waiting() if row["next_evidence_at"] <= now]
        return [dict(row) for row in sorted(due, key=lambda row: row["next_evidence_at"])[:limit]]

    async def next_due_at(self) -> int | None:
        return min((row["next_evidence_at"] for row in self._waiting()), default=None)

    async def told(self, attempt_id: str, *, told_count: int, next_evidence_at: int | None) -> None:
        row = self._rows[attempt_id]
        row["told_count"], row["next_evidence_at"] = told_count, next_evidence_at

    def _waiting(self) -> list[dict[str, Any]]:
        return [row for row in self._rows.values() if row["next_evidence_at"] is not None]
