"""The form in which filters, functions and tests are offered: one record holds what is checked, run and documented."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from hub.rules.expressions.problems import Refused
from hub.rules.expressions.values import Kind, described, kind_of

TEXT: Final = frozenset({Kind.TEXT})
NUMBER: Final = frozenset({Kind.NUMBER})
BOOLEAN: Final = frozenset({Kind.BOOLEAN})
LIST: Final = frozenset({Kind.LIST})
MAP: Final = frozenset({Kind.MAP})
NULL: Final = frozenset({Kind.NULL})
ANY: Final = frozenset(Kind) - {Kind.OMIT}
ANY_OR_OMIT: Final = frozenset(Kind)

_REQUIRED: Final = object()


def words(kinds: frozenset[Kind]) -> str:
    """Name kinds for a message."""
    names = [kind.value for kind in Kind if kind in kinds]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """One argument of a filter."""

    name: str
    takes: frozenset[Kind]
    default: object = _REQUIRED
    #: It is compiled or looked up when the route is loaded, so it is written out.
    is_constant: bool = False
    #: Refuses a value of a right kind that is wrong all the same.
    check: Callable[[Any], object] | None = None

    @property
    def is_required(self) -> bool:
        return self.default is _REQUIRED

    def accept(self, value: object, filter_name: str) -> None:
        """Refuse a value that does not fit."""
        if kind_of(value) not in self.takes:
            raise Refused(
                what=f"{self.name} of {filter_name} is {described(value)}",
                why=f"it is {words(self.takes)}",
                fix=f"Write {words(self.takes)} there",
            )
        if self.check is not None:
            self.check(value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """An expression and what it gives; a test evaluates it, the reference shows it."""

    expression: str
    gives: object


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """What stands after `|`."""

    name: str
    #: One sentence or more for the reference, with all limits and corner cases.
    summary: str
    takes: frozenset[Kind]
    gives: frozenset[Kind]
    #: Gets the frame, the value, and every parameter in order; raises `Refused`.
    apply: Callable[..., Any]
    parameters: tuple[Parameter, ...] = ()
    #: Names may follow each other without end (`pick('a', 'b')`): the last parameter is repeated.
    is_variadic: bool = False
    examples: tuple[Example, ...] = ()

    @property
    def signature(self) -> str:
        """The filter as the reference writes it."""
        shown = [
            each.name if each.is_required else f"{each.name}={default_shown(each.default)}"
            for each in self.parameters
        ]
        if self.is_variadic:
            shown.append("…")
        return f"{self.name}({', '.join(shown)})" if shown else self.name

    def accept(self, value: object) -> None:
        """Refuse a value that the filter does not take."""
        if kind_of(value) not in self.takes:
            raise Refused(
                what=f"{self.name} is given {described(value)}",
                why=f"it takes {words(self.takes)}",
                fix=_mended(self.name, kind_of(value), self.takes),
            )


def default_shown(value: object) -> str:
    """Write a default as an expression has it."""
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    return f"'{value}'" if isinstance(value, str) else str(value)


def _mended(name: str, kind: Kind, takes: frozenset[Kind]) -> str:
    if kind is Kind.NULL:
        return f"Say what to take instead of null before: … | default('') | {name}"
    if kind is Kind.NUMBER and Kind.TEXT in takes:
        return f"Make it text before: … | string | {name}"
    if kind is Kind.TEXT and Kind.NUMBER in takes:
        return f"Make it a number before: … | float | {name}"
    if kind is Kind.LIST:
        return "Take one of its items with first, last or [0]"
    if kind is Kind.MAP:
        return "Name the field that you want"
    return f"Give it {words(takes)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """What stands after `is`."""

    name: str
    summary: str
    #: Gets the value, or MISSING if `takes_missing`.
    holds: Callable[[Any], bool]
    takes_missing: bool = False


def table(*entries: Filter) -> dict[str, Filter]:
    """Give filters by name."""
    return {each.name: each for each in entries}
