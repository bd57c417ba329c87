"""What /proc says is read rightly."""

import os

import pytest

from tests.load.process_group import ProcessGroup, label, parse_cpu_ticks, parse_pss_kib


def test_cpu_is_read_behind_any_process_name() -> None:
    """A name may hold blanks and parentheses; fields 14 to 17 are ours."""
    stat = "12 (a) b (c) S 1 1 1 0 -1 4194560 100 0 0 0 7 5 3 2 20 0 1 0 100"

    assert parse_cpu_ticks(stat) == 17


def test_pss_is_read_from_a_rollup() -> None:
    """Only the line `Pss:`, not `Pss_Anon:`."""
    assert parse_pss_kib("Rss: 10 kB\nPss_Anon: 3 kB\nPss:   1234 kB\n") == 1234
    assert parse_pss_kib("") == 0


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/venv/bin/python /venv/bin/hub serve", "web"),
        ("/venv/bin/python -m hub work", "worker"),
        ("/venv/bin/python /venv/bin/hub up", "supervisor"),
        ("/pkg/bin/valkey-server unixsocket:/x", "valkey"),
        ("postgres: hub hub [local] idle", "postgresql"),
        ("/bin/sleep 3", "sleep"),
    ],
)
def test_processes_are_named_by_their_part(line: str, expected: str) -> None:
    """So that the report can say where the time goes."""
    assert label(line.split(" ")) == expected


def test_a_group_counts_its_living_and_forgives_the_dead() -> None:
    """A process may end while it is being counted."""
    group = ProcessGroup(roots=(os.getpid(), 2**22 - 1))

    assert os.getpid() in [process.pid for process in group.processes()]
    assert group.cpu_seconds() > 0
    assert group.pss_mib() > 1
