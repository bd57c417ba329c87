"""What the tests that every dialect passes know of a dialect: its errors, its keys, and its README.

Nothing here names a dialect: one that is added to the registry is tested without a change.
"""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any, Final

import msgspec

from hub.api.calls import AnyEndpoint
from hub.api.dialect import Dialect
from hub.dialects.registry import DIALECTS
from hub.model.errors import InvalidRequest
from tests.support.asgi import Answered

BY_NAME: Final = {each.name: each for each in DIALECTS}
#: Every endpoint of every dialect.
ENDPOINTS: Final = [(dialect, endpoint) for dialect in DIALECTS for endpoint in dialect.endpoints]
#: How a README says that something is not served.
ABSENT: Final = frozenset({"no", "waiting"})
_ROW: Final = re.compile(
    r"^\| (?:`(?P<method>[A-Z]+) (?P<path>/[^`]*)`|(?P<verb>[A-Z]+) \| `(?P<below>/[^`]*)`) \| (?P<state>[^|]*) \|",
    re.MULTILINE,
)
_BELOW: Final = re.compile(r"^All paths below `(/[^`]*)`", re.MULTILINE)
_PARAMETER: Final = re.compile(r"\{([^}]*)\}")


def folder(dialect: Dialect) -> Path:
    """Give where a dialect is."""
    file = importlib.import_module(f"hub.dialects.{dialect.name}").__file__
    assert file is not None
    return Path(file).parent


def readme(dialect: Dialect) -> str:
    """Give what a dialect says of itself."""
    return (folder(dialect) / "README.md").read_text("utf-8")


def readme_rows(dialect: Dialect) -> list[tuple[str, str, str]]:
    """Give the table of a README: method, whole path, and whether it is there."""
    text = readme(dialect)
    below = _BELOW.search(text)
    start = "" if below is None else below[1]
    return [
        (
            row["method"] or row["verb"],
            row["path"] or start + row["below"],
            row["state"].strip(),
        )
        for row in _ROW.finditer(text)
    ]


def tells(dialect: Dialect, answered: Answered, code: str) -> bool:
    """Whether an answer is an error as the dialect tells one with this code: its status, and its fields."""
    expected = dialect.errors(InvalidRequest(code, "Why."), "req_1")
    written = json.loads(msgspec.json.encode(expected.body))
    return answered.status == expected.status and shape(answered.json) == shape(written)


def shape(document: Any) -> Any:
    """Give the names of the fields of a document, whatever they hold."""
    if isinstance(document, dict):
        return {name: shape(value) for name, value in document.items()}
    return None


def filled(endpoint: AnyEndpoint, *values: str) -> str:
    """Give a path of an endpoint with a value for each of its names; the last stands for all that follow."""
    given = list(values)
    return _PARAMETER.sub(lambda _: given.pop(0) if len(given) > 1 else given[0], endpoint.path)
