"""The table of README.md says what the router has, and which native endpoints it asks."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from hub.dialects import coop
from hub.dialects.coop import DIALECT
from hub.dialects.coop.errors import WORDS
from hub.dialects.native import endpoint

FOLDER = Path(inspect.getfile(coop)).parent
README = (FOLDER / "README.md").read_text("utf-8")
ROWS = re.findall(r"^\| `([A-Z]+) (/\S+)` \| yes \| (.+?) \|", README, re.MULTILINE)


def test_the_table_has_every_endpoint_and_no_other() -> None:
    assert sorted((method, path) for method, path, _ in ROWS) == sorted(
        (each.method, each.path) for each in DIALECT.endpoints
    )


def test_the_native_endpoints_that_it_names_are_those_that_are_asked() -> None:
    named = {name for _, _, asks in ROWS for name in re.findall(r"`(\w+)`", asks)}
    source = "\n".join(path.read_text("utf-8") for path in FOLDER.glob("*.py"))

    assert {endpoint(name).name for name in named} == named
    assert [name for name in sorted(named) if f'"{name}"' not in source] == []


def test_every_word_of_an_error_is_listed() -> None:
    assert [word for word in WORDS.values() if f"`{word}`" not in README] == []
