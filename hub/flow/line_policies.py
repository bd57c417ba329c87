"""What holds for each line, looked up by the line: its own settings over the hub's, the sandbox's over both."""

from __future__ import annotations

from collections.abc import Callable

from hub.flow.bootstrap import SANDBOX_KIND
from hub.flow.directory import Directory
from hub.model.consent import EVERY_LINE
from hub.model.errors import InvalidRequest
from hub.model.line import Line
from hub.model.line_safety import LineSafety, SafetyPolicy
from hub.rules.consent import Keywords, policy_keywords
from hub.rules.line_policy import find_problem, resolve, sandbox_defaults


class LinePolicies:
    """The policies of all lines."""

    def __init__(self, defaults: SafetyPolicy, current: Callable[[], Directory]) -> None:
        self._defaults = defaults
        self._sandbox = sandbox_defaults(defaults)
        self._current = current
        #: Resolving costs more than looking, and every short message that comes in asks.
        self._known: dict[int, tuple[Line, SafetyPolicy, Keywords]] = {}

    def of(self, line: Line) -> SafetyPolicy:
        return self._entry(line)[1]

    def keywords_of(self, line: Line) -> Keywords:
        """The words that a line listens for."""
        return self._entry(line)[2]

    def _entry(self, line: Line) -> tuple[Line, SafetyPolicy, Keywords]:
        known = self._known.get(line.id)
        if known is None or known[0] is not line:
            policy = self._with_own(line.bridge_id, line.safety)
            known = self._known[line.id] = (line, policy, policy_keywords(policy))
        return known

    def check(self, bridge_id: int, own: LineSafety) -> None:
        """Refuse settings that contradict each other, or those of the hub.

        Raises:
            InvalidRequest: invalid_parameter_value.
        """
        problem = find_problem(self._with_own(bridge_id, own))
        if problem is not None:
            what = f"{problem.what[0].upper()}{problem.what[1:]}: {problem.why}. {problem.fix}."
            raise InvalidRequest("invalid_parameter_value", what, param=f"safety.{problem.pointer}")

    def _with_own(self, bridge_id: int, own: LineSafety) -> SafetyPolicy:
        bridge = self._current().bridges_by_id.get(bridge_id)
        is_sandbox = bridge is not None and bridge.kind == SANDBOX_KIND
        return resolve(self._sandbox if is_sandbox else self._defaults, own)

    def scope_of(self, line: Line) -> int:
        """For which line a word counts that this line hears."""
        return line.id if self.of(line).consent_scope == "line" else EVERY_LINE
