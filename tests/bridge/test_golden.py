"""Golden files of every bridge: a folder for each kind, and in it what it hears and what it says, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.registry import KINDS
from tests.bridge.goldens.accounts import ACCOUNTS, ASKED
from tests.bridge.goldens.cases import FOLDER, check, read_case
from tests.bridge.goldens.playing import play

FILES = sorted(FOLDER.glob("*/*.json"))


@pytest.mark.parametrize("path", FILES, ids=[f"{path.parent.name}/{path.stem}" for path in FILES])
async def test_golden(path: Path, tmp_path: Path) -> None:
    case = read_case(path)

    assert (case.told is None) is not (case.asked is None), "a file holds what is told or what is asked"
    check(path, await play(path.parent.name, case, tmp_path))


def test_every_kind_has_a_folder() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_shows_how_it_hears_and_how_it_sends(kind: str) -> None:
    cases = [read_case(path) for path in sorted((FOLDER / kind).glob("*.json"))]

    assert any(case.observations for case in cases), "no file shows what becomes of what the network tells"
    assert any(case.asked and case.asked.kind == "send" and case.wire for case in cases), (
        "no file shows a send"
    )


def test_every_kind_with_hooks_is_signed_for() -> None:
    assert {name for name in KINDS if KINDS[name].open_hooks is not None} == set(ACCOUNTS)
    assert not set(ACCOUNTS) & set(ASKED)
