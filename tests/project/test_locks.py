"""The lock files are complete, checkable, private to nobody, and say what pyproject.toml allows."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
RUNTIME = [Requirement(each) for each in PROJECT["project"]["dependencies"]]
BUILD = [Requirement(each) for each in PROJECT["dependency-groups"]["build"]]
DEV = [Requirement(each) for each in PROJECT["dependency-groups"]["dev"]]


def entries(name: str) -> list[str]:
    """Return one text per package of a lock file, with its hashes."""
    text = (ROOT / name).read_text("utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def versions(name: str) -> dict[str, set[str]]:
    """Return the locked versions of each package: more than one when they depend on the platform."""
    found: dict[str, set[str]] = {}
    for entry in entries(name):
        package, version = re.split(r"==|\s", entry)[:2]
        found.setdefault(canonicalize_name(package.partition("[")[0]), set()).add(version)
    return found


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_package_is_pinned_with_hashes(name: str) -> None:
    unpinned = [
        entry for entry in entries(name) if not re.match(r"\S+==\S+ .*--hash=sha256:[0-9a-f]{64}", entry)
    ]

    assert unpinned == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_no_lock_tells_where_its_packages_came_from(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")

    assert re.findall(r"://|--index|--find-links|--trusted-host|^\s*-[ief] ", text, re.MULTILINE) == []


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("requirements.lock", [*RUNTIME, *BUILD]), ("requirements-dev.lock", [*RUNTIME, *BUILD, *DEV])],
)
def test_what_the_project_asks_for_is_locked_within_its_range(name: str, wanted: list[Requirement]) -> None:
    locked = versions(name)
    outside = [
        str(each)
        for each in wanted
        if not (found := locked.get(canonicalize_name(each.name)))
        or not all(each.specifier.contains(Version(version)) for version in found)
    ]

    assert outside == [], "run `make lock`"


def test_what_is_tested_is_what_runs() -> None:
    tested = versions("requirements-dev.lock")
    differing = {
        name: found for name, found in versions("requirements.lock").items() if found != tested.get(name)
    }

    assert differing == {}
