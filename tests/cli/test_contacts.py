"""hub contacts: files taken in and given back on a hub that does not run."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Command

SHEET = (
    "First Name;Phone;Birthday;Tags\nAnn;+1 555 010 0001;1.1.;vip\nBob;0170 1234567;;\nCleo;+15550100003;;\n"
)


@pytest.fixture
def sheet(tmp_path: Path) -> str:
    (tmp_path / "people.csv").write_text(SHEET, "utf-8")
    return str(tmp_path / "people.csv")


@pytest.mark.slow
def test_a_file_is_taken_in_listed_and_given_back(stopped_hub: Command, sheet: str, tmp_path: Path) -> None:
    dry = stopped_hub("contacts", "import", sheet, "--dry-run")
    taken = stopped_hub("contacts", "import", sheet)
    listed = stopped_hub("contacts", "list")
    given = stopped_hub("contacts", "export")
    kept = stopped_hub("contacts", "export", str(tmp_path / "out.json"), "--format", "json", "--tag", "vip")
    rows = list(csv.DictReader(io.StringIO(given.out.removeprefix("\ufeff"), newline="")))

    assert (dry.code, taken.code) == (1, 1)
    assert "Nothing was done; it would be: created 2, updated 0, unchanged 0, failed 1" in dry.out
    assert taken.out == "created 2, updated 0, unchanged 0, failed 1\n"
    assert "Ignored columns: Birthday" in taken.err
    assert re.search(r"row 3, Phone: This number has no country code.*\(01\*+67\)", taken.err)
    assert re.findall(r"^ct_\w+  (.*)$", listed.out, re.MULTILINE) == [
        "Ann  +15550100001  [vip]",
        "Cleo  +15550100003",
    ]
    assert [row["first_name"] for row in rows] == ["Ann", "Cleo"]
    assert kept.out == f"1 contacts are in {tmp_path / 'out.json'}.\n"
    assert [each["name"] for each in json.loads((tmp_path / "out.json").read_bytes())] == ["Ann"]


@pytest.mark.slow
def test_a_region_completes_national_numbers(stopped_hub: Command, sheet: str) -> None:
    assert stopped_hub("contacts", "import", sheet, "--region", "de").code == 0
    assert "+491701234567" in stopped_hub("contacts", "list", "--q", "170 123").out


def test_an_empty_list_says_what_to_do(stopped_hub: Command) -> None:
    ended = stopped_hub("contacts", "list", "--q", "nobody", "--tag", "vip")

    assert (ended.code, ended.out) == (0, "")
    assert "hub contacts import" in ended.err
    assert json.loads(stopped_hub("contacts", "export", "--format", "json").out) == []


MISTAKES = {
    "no file": (("import", "nowhere.csv"), 2, "nowhere.csv"),
    "no region": (("import", "{sheet}", "--region", "Germany"), 2, "'Germany' is no region"),
    "another encoding": (("import", "{sheet}", "--encoding", "utf-16"), 1, "The file cannot be read"),
    "no tag": (("list", "--tag", "a/b"), 2, "no tag"),
    "a folder in place of the file": (("export", "."), 2, "is a directory"),
}


@pytest.mark.parametrize("case", MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_are_told_in_a_sentence(
    case: tuple[tuple[str, ...], int, str], stopped_hub: Command, sheet: str
) -> None:
    arguments, code, words = case
    ended = stopped_hub("contacts", *(each.format(sheet=sheet) for each in arguments))

    assert ended.code == code
    assert words in ended.err
