"""Statements that are asked over and over: compiled once, then run by the bare driver.

A unit of work on a SQLAlchemy connection costs several times what such a statement itself costs. What is kept here is
the statement's text and the order of its values; the statement must be built once and kept (a constant, or cached). A
list of ids is one value, too: `among`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Connection, Dialect, Select, Text, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType

Values = Mapping[str, object]

_IDS: Final = ARRAY(BigInteger).with_variant(Text(), "sqlite")


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
        raise ValueError(f"a look-up takes a list as one value (`among`), not many: {made.string}")
    names = tuple(made.positiontup or ())
    return Lookup(made.string, names, {name: made.params[name] for name in names})


class among(FunctionElement[Any]):
    """Whether a column is one of the ids in a list that is one value, of whatever length.

    Args:
        column: Holds ids.
        name: Of the value.
    """

    inherit_cache = True
    #: Were it a Boolean, SQLite would be asked whether it equals 1, and no index could answer.
    type = NullType()

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        super().__init__(column, bindparam(name, type_=_IDS))


@compiles(among, "postgresql")
def _in_array(element: among, compiler: SQLCompiler, **how: Any) -> str:
    column, ids = (compiler.process(clause, **how) for clause in element.clauses)
    return f"{column} = ANY ({ids})"


@compiles(among, "sqlite")
def _in_json(element: among, compiler: SQLCompiler, **how: Any) -> str:
    column, ids = (compiler.process(clause, **how) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({ids}))"  # noqa: S608 - of compiled pieces


def one_value(ids: Sequence[int], connection: Connection) -> object:
    """Give a list of ids as the one value that `among` takes on a SQLAlchemy connection."""
    return as_text(list(ids)) if connection.dialect.name == "sqlite" else list(ids)


def as_text(value: object) -> object:
    """Give a list as SQLite takes it; any other value as it is."""
    return json.dumps(list(value)) if isinstance(value, list | tuple) else value
