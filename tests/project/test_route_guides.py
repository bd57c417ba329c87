"""What the pages on routes show is so: each file is sound and passes its tests, each command prints what is printed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

import hub
from hub.cli import cli
from tests.cli.conftest import Command
from tests.cli.conftest import hub as hub_command  # noqa: F401

DOCS = Path(hub.__file__).parent.parent / "docs"
GUIDES = ("blueprints.md", "routes.md", "testing-routes.md")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"`((?:routes|blueprints)/[\w.]+\.yaml)`:\s*$")
#: Commands that need no hub.
OFFLINE = ("check", "try", "test", "schema")


@dataclass(frozen=True, slots=True)
class Fence:
    kind: str
    text: str
    #: The file that the words before it name.
    file: str | None


def fences(guide: str) -> list[Fence]:
    text = (DOCS / guide).read_text("utf-8")
    found = []
    for match in _FENCE.finditer(text):
        named = _NAMED.search(text[: match.start()].rstrip() + "\n")
        found.append(Fence(match[1], match[2], named[1] if named else None))
    return found


def routes_in(guide: str) -> list[Fence]:
    return [each for each in fences(guide) if each.kind == "yaml" and "\nroutes:\n" in each.text]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the connections of the guide."""
    monkeypatch.chdir(tmp_path)
    for name in ("routes", "blueprints"):
        (tmp_path / name).mkdir()
    for guide in GUIDES:
        for each in fences(guide):
            if each.file and each.file.startswith("blueprints/"):
                (tmp_path / each.file).write_text(each.text)
    (connections,) = [each for each in fences("routes.md") if "\nconnections:\n" in each.text]
    (tmp_path / "connections.yaml").write_text(connections.text)
    return tmp_path


#: Shown to be wrong.
WRONG = {"routes/wrong.yaml", "routes/missing.yaml"}


@pytest.mark.parametrize(
    ("guide", "number"), [(guide, number) for guide in GUIDES for number in range(len(routes_in(guide)))]
)
def test_a_file_that_is_shown_is_sound(guide: str, number: int, folder: Path, hub_command: Command) -> None:  # noqa: F811
    fence = routes_in(guide)[number]
    if fence.file in WRONG:
        return
    place = "blueprints" if fence.file and fence.file.startswith("blueprints/") else "routes"
    (folder / place / "shown.yaml").write_text(fence.text)

    checked, tested = hub_command("check", "--strict", place), hub_command("test", place)

    assert checked.code == 0, checked.out
    assert tested.code == 0, tested.out


@pytest.mark.parametrize("guide", GUIDES)
def test_commands_print_what_is_shown(guide: str, folder: Path, hub_command: Command) -> None:  # noqa: F811
    printed, compared = "", 0
    for fence in fences(guide):
        if fence.kind == "yaml" and fence.file and fence.file.startswith("routes/"):
            for other in (folder / "routes").iterdir():
                other.unlink()
            (folder / fence.file).write_text(fence.text)
        elif fence.kind == "sh":
            words = [each.split() for each in fence.text.splitlines()]
            printed = "".join(hub_command(*each[1:]).out for each in words if each[1] in OFFLINE)
        elif fence.kind == "text":
            assert fence.text == printed
            compared += 1

    assert compared >= 2


def test_the_pages_know_the_commands() -> None:
    assert set(OFFLINE) <= set(cli.commands)
