"""Which files of a folder hold routes, or blueprints. Not here: what is in them (hub.config.route_files)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

SUFFIXES: Final = (".yaml", ".yml")
#: Tests stand beside their routes and are read by `hub test`.
TEST_SUFFIXES: Final = (".test.yaml", ".test.yml")
MOST_BLUEPRINTS: Final = 200


def route_paths(place: Path) -> list[Path]:
    """Give the files of routes in a folder and below, in order; or the file itself."""
    if place.is_file():
        return [place]
    found = [
        path
        for path in sorted(place.rglob("*"))
        if path.suffix in SUFFIXES and not path.name.endswith(TEST_SUFFIXES) and path.is_file()
    ]
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(place).parts)]


def blueprint_paths(folder: Path) -> list[Path]:
    """Give the files of a folder, in order; what is below it is not looked at."""
    if not folder.is_dir():
        return []
    found = [
        path
        for path in sorted(folder.iterdir())
        if path.suffix in SUFFIXES
        and not path.name.startswith(".")
        and not path.name.endswith(TEST_SUFFIXES)
        and path.is_file()
    ]
    return found[:MOST_BLUEPRINTS]
