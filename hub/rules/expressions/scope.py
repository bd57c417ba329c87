"""Which names an expression may use, where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

#: What routes offer (facts: routes A2). `now` is a function.
ROUTE_NAMES: Final = frozenset(
    {"event", "events", "steps", "vars", "route", "run", "item", "error", "env_name"}
)
#: Names that mean something everywhere and cannot be given to a value.
RESERVED: Final = frozenset({"now", "get", "omit", "loop", "null"})
#: Words of the language; no value can be named by one.
KEYWORDS: Final = frozenset(
    {"and", "or", "not", "in", "is", "if", "else", "elif", "for", "endif", "endfor", "recursive"}
    | {"true", "false", "none", "undefined", "nil"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """The names that have a value where an expression stands: those of routes, of a manifest, or a loop's own
    besides."""

    names: frozenset[str] = field(default=ROUTE_NAMES)
    #: Names that have one in other places, with the place: `error`: `under on_error`.
    elsewhere: tuple[tuple[str, str], ...] = ()

    def plus(self, *names: str) -> Scope:
        """Give the scope with more names, for instance the one after `as`."""
        return replace(self, names=self.names | set(names))


ROUTE_SCOPE: Final = Scope()
