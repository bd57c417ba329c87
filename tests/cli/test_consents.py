"""hub consents, and what hub doctor says of lines."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Command

LINE = "+15550100000"
CONTACT = "+15550100001"

pytestmark = pytest.mark.slow


def test_a_consent_is_set_listed_and_shown(stopped_hub: Command) -> None:
    """By an operator, with a reason; for every line or for one."""
    out = stopped_hub("consents", "set", CONTACT, "opted_out", "--reason", "On the telephone")
    back = stopped_hub("consents", "set", CONTACT, "opted_in", "--reason", "Came by", "--line", LINE)

    assert out.out == f"{CONTACT} is opted_out.\n"
    assert back.out == f"{CONTACT} is opted_in.\n"
    rows = stopped_hub("consents", "list").out.splitlines()
    assert [row.split()[1] for row in rows] == ["opted_in", "opted_out"]
    assert LINE in rows[0]
    assert "every line" in rows[1]
    assert len(stopped_hub("consents", "list", "--state", "opted_out").out.splitlines()) == 1
    shown = stopped_hub("consents", "show", CONTACT).out.splitlines()
    assert ["operator Came by" in shown[0], "operator On the telephone" in shown[1]] == [True, True]


def test_nobody_has_said_anything(stopped_hub: Command) -> None:
    """Empty lists say so."""
    assert "Nobody" in stopped_hub("consents", "list").err
    assert "may be written to" in stopped_hub("consents", "show", CONTACT).err


def test_the_log_goes_out_and_comes_in(stopped_hub: Command, tmp_path: Path) -> None:
    """As CSV and JSON; a second import adds nothing, and what is wrong is told by row."""
    stopped_hub("consents", "set", CONTACT, "opted_out", "--reason", "=1+1")
    exported = stopped_hub("consents", "export").out
    (row,) = csv.DictReader(io.StringIO(exported.removeprefix("\ufeff")))
    assert (row["handle"], row["action"], row["reason"]) == (CONTACT, "opted_out", "'=1+1")
    assert json.loads(stopped_hub("consents", "export", "--format", "json").out)[0]["handle"] == CONTACT

    file = tmp_path / "list.csv"
    assert "1 entries" in stopped_hub("consents", "export", str(file)).out
    with file.open("a") as more:
        more.write(f",+15550100002,opted_out,,{LINE},,2026-01-01,,,,,\r\n,nobody,opted_out\r\n")
    first = stopped_hub("consents", "import", str(file))
    again = stopped_hub("consents", "import", str(file))

    assert (first.code, again.code) == (1, 1)
    assert "row 4, handle" in first.err
    assert first.out == "changed 1, unchanged 1, failed 1\n"
    assert again.out == "changed 0, unchanged 2, failed 1\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("set", "nobody", "opted_out", "--reason", "x"), "phone number"),
        (("set", CONTACT, "maybe", "--reason", "x"), "opted_out"),
        (("set", CONTACT, "opted_out"), "--reason"),
        (("set", CONTACT, "opted_out", "--reason", ""), "500"),
        (("list", "--line", "+19995550000"), "No line +19995550000"),
        (("import", "/does/not/exist"), "does not exist"),
    ],
)
def test_mistakes_are_told(stopped_hub: Command, arguments: tuple[str, ...], told: str) -> None:
    """In a sentence, never a traceback."""
    ended = stopped_hub("consents", *arguments)

    assert ended.code != 0
    assert told in ended.err


def test_a_file_that_is_no_list_is_refused(stopped_hub: Command, tmp_path: Path) -> None:
    """With what is missing."""
    file = tmp_path / "x.csv"
    file.write_bytes(b"name\r\nx\r\n")
    assert "'handle'" in stopped_hub("consents", "import", str(file)).err
    file.write_bytes(b"handle\r\n\xff\xfe\r\n")
    assert "cannot be read" in stopped_hub("consents", "import", str(file)).err


@pytest.mark.parametrize(
    ("state", "reason", "word"),
    [
        ("limited", "messages_spent", "ok"),
        ("flagged", "unanswered", "FAIL"),
        ("offline", "line_inactive", "ok"),
    ],
)
def test_doctor_mentions_lines_that_are_not_well(
    stopped_hub: Command, tmp_path: Path, state: str, reason: str, word: str
) -> None:
    """What behaves badly or is gone is a fault; what is limited, or was switched off, is only told."""
    assert "all 1 are well" in stopped_hub("doctor").out
    with sqlite3.connect(tmp_path / "data" / "hub.db") as database:
        database.execute(
            "INSERT INTO line_health (line_id, state, reason, since, warnings, unanswered) "
            "SELECT id, ?, ?, 1, '[]', 0 FROM lines",
            (state, reason),
        )
    database.close()

    rows = [row for row in stopped_hub("doctor").out.splitlines() if " lines " in row]

    assert rows
    assert rows[0].startswith(f"{word} ")
    assert f"{LINE} is {state} ({reason}). `hub bridges doctor sandbox`" in rows[0]
