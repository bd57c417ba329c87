"""The table of README.md says what the router has, and which native endpoints it asks."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from hub.dialects import ava
from hub.dialects.ava import DIALECT
from hub.dialects.native import endpoint

FOLDER = Path(inspect.getfile(ava)).parent
README = (FOLDER / "README.md").read_text("utf-8")
ROWS = re.findall(r"^\| `([A-Z]+) (/\S+)` \| yes \| `(\w+)` \|", README, re.MULTILINE)


def test_the_table_is_the_router() -> None:
    assert {(method, path) for method, path, _ in ROWS} == {
        (each.method, each.path) for each in DIALECT.endpoints
    }


def test_the_native_endpoints_that_it_names_are_those_that_are_asked() -> None:
    source = "\n".join(path.read_text("utf-8") for path in FOLDER.glob("*.py"))
    asked = set(re.findall(r'ask\(call, "(\w+)"', source))

    assert {name for _, _, name in ROWS} == asked == {endpoint(name).name for name in asked}
