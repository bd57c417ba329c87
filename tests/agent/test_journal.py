"""An agent's journal that cannot be used says so, with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.agent.journal import Journal, JournalBroken


def test_a_file_that_is_none_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"no database" * 1000)
    for _ in range(2):  # whoever tries again finds the folder free
        with pytest.raises(
            JournalBroken, match=r"cannot be used: file is not a database\. Is the disk full\?"
        ):
            Journal(tmp_path, lambda: "name")

    assert path.read_bytes() == b"no database" * 1000


def test_it_remembers_its_name(tmp_path: Path) -> None:
    for drawn in ("first", "second"):
        journal = Journal(tmp_path, lambda drawn=drawn: drawn)  # type: ignore[misc] # a default binds it now
        assert journal.name == "first"
        journal.close()
