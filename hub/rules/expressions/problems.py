"""What can be wrong with an expression, before it runs and while it does.

Places are offsets into the expression's own text; who knows the file makes line and column of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.model.errors import HubError
from hub.rules.problems import Problem


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpressionProblem:
    """One thing that is wrong with one expression or template."""

    #: Characters before it in the text (whose line ends are counted as one character each).
    offset: int
    #: What was found, why it cannot be used, and what to write instead.
    what: str
    why: str
    fix: str

    def at(self, pointer: str) -> Problem:
        """Give the problem as one of the document that the expression stands in."""
        return Problem(pointer=pointer, what=self.what, why=self.why, fix=self.fix, offset=self.offset)

    def __str__(self) -> str:
        return str(self.at(""))


class ExpressionError(HubError):
    """An expression has no value for these data; `problem` says why."""

    def __init__(self, problem: ExpressionProblem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class Refused(Exception):
    """A value does not fit what is done with it. Raised where no place is known; the evaluator adds it."""

    def __init__(self, *, what: str, why: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.fix = fix

    def at(self, offset: int) -> ExpressionProblem:
        """Give the problem with its place."""
        return ExpressionProblem(offset=offset, what=self.what, why=self.why, fix=self.fix)
