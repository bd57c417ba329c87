"""Tell how lines are, when that changes: networks that only call us say nothing of it by themselves."""

from __future__ import annotations

from collections.abc import Iterable

from hub.model.observation import Observation, ObservedError

#: `online`, `degraded` or `offline`, and why.
State = tuple[str, str | None]


class LineStates:
    """Remembers what was told last of each line."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def changed(self, lines: Iterable[str], state: State, *, now_ms: int) -> list[Observation]:
        """Give an observation for each line whose state is another one than was told."""
        word, reason = state
        changed = [line for line in lines if self._told.get(line) != word]
        self._told.update(dict.fromkeys(changed, word))
        error = None if reason is None else ObservedError(code="bridge", raw=reason[:4096])
        return [
            Observation(v=1, line=line, kind="line.status", at=now_ms, value=word, error=error)
            for line in changed
        ]
