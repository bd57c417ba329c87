"""The benchmark of routes measures what it says: routes that are sound, of which so many want the event."""

from __future__ import annotations

from pathlib import Path

from hub.config.route_files import read_route_text
from tests.load.routes import TWO_STEPS, read_and_match


def test_so_many_routes_want_the_event(tmp_path: Path) -> None:
    rows = read_and_match(100, tmp_path)

    assert rows[0][0] == "100 routes read, s"


def test_the_route_of_two_steps_is_sound() -> None:
    found = read_route_text(TWO_STEPS, source="two.yaml")

    assert (len(found.routes), found.problems) == (1, ())
