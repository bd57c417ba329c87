"""The names that a step's expressions may use, and what they stand for at that place of the run."""

from __future__ import annotations

from typing import Any, Final

from hub.rules.routes.model import Route
from hub.rules.runs.facts import RunFacts
from hub.rules.runs.results import StepResult

#: Only within a handler; elsewhere a name without a value.
_ERROR: Final = "error"


class RunScope:
    """Names with their values; grows as steps end."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names

    @classmethod
    def of(cls, route: Route, facts: RunFacts, given: dict[str, Any]) -> RunScope:
        """Give the names at the beginning of a route."""
        return cls(
            {
                "event": facts.event,
                "events": list(facts.events),
                "steps": {},
                "vars": dict(given),
                "route": {"id": route.id, "description": route.description, "tags": list(route.tags)},
                "run": {"id": facts.id, "url": facts.url, "started_at": facts.started_at},
                "env_name": facts.env_name,
                "input": route.inputs,
            }
        )

    def inner(self, **more: Any) -> RunScope:
        """Give a scope whose changes are not seen outside, with more names."""
        copied = {"steps": dict(self.names["steps"]), "vars": dict(self.names["vars"])}
        return RunScope({**self.names, **copied, **more})

    def failing(self, error: dict[str, Any]) -> RunScope:
        """Give the scope of a handler: the same, and what went wrong."""
        return RunScope({**self.names, _ERROR: error})

    def note(self, result: StepResult) -> None:
        """Make a step's result known under its id."""
        if result.name is not None:
            self.names["steps"][result.name] = result.shown

    def set(self, values: dict[str, Any]) -> None:
        """Make values known as `vars`."""
        self.names["vars"].update(values)
