"""The commands that documents promise exist, and scripts can be run."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from hub.cli import cli

ROOT = Path(__file__).parents[2]
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
#: Those with an ending are modules for others to import.
SCRIPTS = sorted(
    path
    for path in [*(ROOT / "scripts").iterdir(), ROOT / ".ci" / "run"]
    if path.is_file() and not path.suffix
)
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def code(document: Path) -> str:
    """Return what a document shows as code: spans, fences and indented lines."""
    text = document.read_text("utf-8")
    return "\n".join([*re.findall(r"`([^`\n]+)`", text), *re.findall(r"^ {4,}(.+)$", text, re.MULTILINE)])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_in_a_document_exists(document: Path) -> None:
    assert set(re.findall(r"^make ([a-z-]+)", code(document), re.MULTILINE)) <= TARGETS


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_hub_command_in_a_document_exists(document: Path) -> None:
    """Lower-case words after `hub` are commands."""
    assert set(re.findall(r"^hub ([a-z][a-z-]+)", code(document), re.MULTILINE)) <= set(cli.commands)


def test_the_makefile_calls_scripts_that_exist() -> None:
    called = set(re.findall(r"scripts/[a-z-]+", (ROOT / "Makefile").read_text("utf-8")))

    assert {name for name in called if not (ROOT / name).exists()} == set()


def test_the_readmes_two_commands_are_targets() -> None:
    assert {"run", "test"} <= TARGETS


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_can_be_run(script: Path) -> None:
    first = script.read_text("utf-8").splitlines()[0]

    assert os.access(script, os.X_OK)
    assert first.startswith("#!")


@pytest.mark.parametrize(
    "script",
    [path for path in SCRIPTS if path.read_text("utf-8").startswith("#!/bin/sh")],
    ids=lambda path: path.name,
)
def test_shell_scripts_are_valid(script: Path) -> None:
    assert subprocess.run(["sh", "-n", script], capture_output=True, check=False).stderr == b""


def test_the_check_of_the_project_calls_the_readmes_test_command() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")

    assert "make test" in script
    assert "make check" in script


def test_no_file_names_the_machine_it_was_made_on() -> None:
    """Nothing that this repository's tooling writes may carry a path or a host of ours."""
    names = ("Makefile", "requirements.lock", "requirements-dev.lock", "Dockerfile", "compose.yaml")
    made = [*(ROOT / name for name in names), *SCRIPTS]
    words = re.compile(r"/(work|opt/wheels|home|root|Users)/|--index-url|--extra-index")

    assert [path.name for path in made if words.search(path.read_text("utf-8"))] == []
