"""Statements that are asked over and over: compiled once, then run by the bare driver.

A unit of work on a SQLAlchemy connection costs several times what such a statement itself costs. What is kept here is
the statement's text and the order of its values; the statement must be built once and kept (a constant, or cached), and
hold no list of values whose length changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Dialect, Select
from sqlalchemy.sql.compiler import SQLCompiler

Values = Mapping[str, object]


class Lookup(NamedTuple):
    """A statement as a driver takes it."""

    text: str
    #: Names of the values, in the order of their places.
    names: tuple[str, ...]
    #: The values that are part of the statement itself.
    constants: Values

    def arguments(self, values: Values) -> list[object]:
        """Put the values in their places."""
        known = {**self.constants, **values}
        return [known[name] for name in self.names]


@lru_cache(maxsize=512)
def compiled(query: Select[Any], dialect: Dialect) -> Lookup:
    """Compile a statement for a dialect.

    Raises:
        ValueError: It holds a list of values of changing length.
    """
    made = query.compile(dialect=dialect)
    assert isinstance(made, SQLCompiler)
    if made.post_compile_params or made.literal_execute_params:
        raise ValueError(f"a look-up cannot hold a list of values: {made.string}")
    names = tuple(made.positiontup or ())
    return Lookup(made.string, names, {name: made.params[name] for name in names})
