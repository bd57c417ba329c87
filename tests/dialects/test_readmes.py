"""What each dialect says of itself is what there is: the table of its README, its line in the docs, its contract."""

from __future__ import annotations

from collections import Counter
from configparser import ConfigParser
from pathlib import Path

import pytest

import hub
from hub.api.dialect import Dialect
from hub.dialects.registry import DIALECTS
from tests.dialects.vendors import ABSENT, folder, readme_rows

ROOT = Path(hub.__file__).parents[1]
each_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.name)


@each_dialect
def test_the_table_has_a_row_for_each_endpoint_and_no_other(dialect: Dialect) -> None:
    rows = readme_rows(dialect)
    there = Counter((method, path) for method, path, state in rows if state not in ABSENT)

    assert there == Counter((each.method, each.path) for each in dialect.endpoints)


@each_dialect
def test_what_is_not_served_has_no_endpoint(dialect: Dialect) -> None:
    absent = {(method, path) for method, path, state in readme_rows(dialect) if state in ABSENT}

    assert absent & {(each.method, each.path) for each in dialect.endpoints} == set()


@each_dialect
def test_a_page_tells_how_to_move_here(dialect: Dialect) -> None:
    page = f"migrating-from-{dialect.name}.md"

    assert (ROOT / "docs" / page).is_file()
    assert page in (ROOT / "README.md").read_text("utf-8")
    assert page in (ROOT / "docs" / "dialects.md").read_text("utf-8")


@each_dialect
def test_the_page_of_dialects_tells_name_keys_and_paths(dialect: Dialect) -> None:
    page = (ROOT / "docs" / "dialects.md").read_text("utf-8")
    row = next(line for line in page.splitlines() if line.startswith(f"| `{dialect.name}` |"))

    assert dialect.vendor in row
    assert f"`{dialect.key_prefix}" in row
    assert f"../hub/dialects/{dialect.name}/README.md" in row
    assert [path for path in dialect.paths if f"`{path}" not in row] == []
    assert ("none" in row) is (dialect.webhook_form is None)


def test_the_registry_is_alphabetical_and_has_every_folder() -> None:
    names = [each.name for each in DIALECTS]
    folders = [each.parent.name for each in sorted(folder(DIALECTS[0]).parent.glob("*/__init__.py"))]

    assert names == sorted(names) == folders


def test_no_dialect_may_know_another() -> None:
    contracts = ConfigParser()
    contracts.read(ROOT / ".importlinter", "utf-8")
    listed = contracts["importlinter:contract:dialects-are-independent"]["modules"].split()

    assert listed == [f"hub.dialects.{each.name}" for each in DIALECTS]
