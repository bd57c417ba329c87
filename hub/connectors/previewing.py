"""Tells which requests an action would make, without making any: credentials are covered, answers are samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.model.actions import ActionCall, ActionFailed
from hub.rules.connectors.building import BuiltRequest, Unbuildable, build
from hub.rules.connectors.connections import Connection
from hub.rules.connectors.inputs import fit
from hub.rules.connectors.model import Action, RequestSpec, Step
from hub.rules.connectors.secrets import Masker
from hub.rules.expressions.frame import Surroundings
from hub.rules.expressions.problems import ExpressionError

_LONGEST: Final = 4_000


def preview(
    connection: Connection, action: Action, call: ActionCall, surroundings: Surroundings
) -> list[str]:
    """Give a line for each request, in their order.

    Raises:
        ActionFailed: `invalid`: the inputs do not fit.
    """
    fitted = fit(action.schema, call.inputs)
    if isinstance(fitted, list):
        raise ActionFailed("invalid", " ".join(str(each) for each in fitted))
    masker = Masker(connection.secrets())
    looking = _Looking(connection, call.key, surroundings)
    return [masker.text(line)[:_LONGEST] for line in looking.lines(action, fitted)]


class _Looking:
    def __init__(self, connection: Connection, key: str, surroundings: Surroundings) -> None:
        self._connection = connection
        self._key = key
        self._surroundings = surroundings

    def lines(self, action: Action, inputs: Mapping[str, Any]) -> list[str]:
        steps: dict[str, dict[str, Any]] = {}
        lines: list[str] = []
        for step in action.steps:
            lines += self._step(step, inputs, steps)
        return lines

    def _step(self, step: Step, inputs: Mapping[str, Any], steps: dict[str, dict[str, Any]]) -> list[str]:
        values = {
            "input": inputs,
            "key": self._key,
            "steps": steps,
            "page": {"cursor": None, "number": 1},
            "auth": self._connection.public(),
            "vars": self._connection.vars,
            "connection": {"name": self._connection.name},
        }
        try:
            if step.if_ is not None and not step.if_.holds(values, self._surroundings):
                steps[step.id] = {"status": "skipped"}
                return []
            if step.values is not None:
                values["with"] = step.values.render(values, self._surroundings)
            return self._done(step, values, steps)
        except ExpressionError:
            # It reads an answer that nobody gave.
            return [] if step.refusal else [f"{self._unrendered(step)} (depends on the answers before)"]

    def _done(self, step: Step, values: Mapping[str, Any], steps: dict[str, dict[str, Any]]) -> list[str]:
        if step.action is not None:
            inner = self._connection.manifest.actions[step.action]
            fitted = fit(inner.schema, values.get("with") or {})
            if isinstance(fitted, list):
                raise ActionFailed("invalid", " ".join(str(each) for each in fitted))
            steps[step.id] = {"status": "completed", "output": inner.sample}
            return self.lines(inner, fitted)
        if step.request is None:
            return []  # it refuses, which no answer that is a sample leads to
        return [self._request(step.request, values)]

    def _request(self, request: RequestSpec, values: Mapping[str, Any]) -> str:
        try:
            built = build(
                request, values, self._surroundings, base_url=self._base_url(), headers={}, is_bound=False
            )
        except Unbuildable as error:
            raise ActionFailed("invalid", f"The request cannot be made: {error}.") from None
        return _line(built)

    def _base_url(self) -> str:
        values = {
            "auth": self._connection.revealed(),
            "vars": self._connection.vars,
            "connection": {"name": self._connection.name},
        }
        try:
            return str(self._connection.manifest.base_url.render(values, self._surroundings))
        except ExpressionError:
            return "https://the-address-that-the-token-names"

    @staticmethod
    def _unrendered(step: Step) -> str:
        if step.request is None:
            return f"{step.action} …"
        path = step.request.path.source if step.request.path is not None else "…"
        return f"{step.request.method.source} {path}"


def _line(built: BuiltRequest) -> str:
    url = built.whole_url({})
    body = built.body.decode("utf-8", errors="replace")
    return f"{built.method} {url} {body}".rstrip()
