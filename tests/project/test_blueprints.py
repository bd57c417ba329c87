"""The blueprints in config/blueprints are sound, pass their own tests, leave no step untested, and can be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # its stubs are another package

import hub
from hub.app.checking import check_texts, read_texts
from hub.app.offline import OfflineActions, offline_actions
from hub.app.trials import run_trials
from hub.config.blueprint_files import read_blueprint_folder
from hub.config.route_files import read_route_text
from hub.config.settings import load_settings
from hub.rules.routes.schema import route_schema

ROOT = Path(hub.__file__).parent.parent
FOLDER = ROOT / "config" / "blueprints"
FILES = sorted(FOLDER.glob("*.yaml"))
USES = """\
version: 1
routes:
  - use_blueprint: after-hours
    id: night
    inputs: { timezone: Europe/Berlin, days: mon-tue, again_after: 1d }
  - use_blueprint: keyword
    id: prices
    mode: shadow
    inputs: { words: [PRICES], text: "Hi {{ event.from }}", tag: asked }
"""


@pytest.fixture(scope="module")
def actions(tmp_path_factory: pytest.TempPathFactory) -> OfflineActions:
    nowhere = tmp_path_factory.mktemp("nowhere")
    named = {"HUB_CONNECTIONS_FILE": str(nowhere / "c.yaml"), "HUB_CONNECTORS_FOLDER": str(nowhere)}
    return offline_actions(load_settings(None, named))


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_a_blueprint_is_sound_and_passes_its_tests(file: Path, actions: OfflineActions) -> None:
    checked = check_texts(read_texts([file]), actions, has_connections=False)
    trials = run_trials([file], actions)

    assert [str(each.problem) for each in checked.findings] == []
    assert [each for of in trials.files for each in of.results if not each.has_passed] == []
    assert trials.passed >= 2
    assert trials.untested == ()


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_editors_take_a_blueprint(file: Path, actions: OfflineActions) -> None:
    (text,) = read_texts([file])
    validator = Draft202012Validator(route_schema(actions.specs, {}))

    assert [f"{each.json_path}: {each.message}" for each in validator.iter_errors(text.document)] == []


def test_they_can_be_used() -> None:
    found = read_route_text(USES, source="a.yaml", folder=read_blueprint_folder(FOLDER))

    assert [str(each) for each in found.problems] == []
    assert [each.route.id for each in found.routes] == ["night-answer", "prices-answer", "prices-tell"]


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("", "", []),
        ("use_blueprint: keyword", "use_blueprint: keywords", ["routes", 1, "use_blueprint"]),
        ("tag: asked", "tga: asked", ["routes", 1, "inputs"]),
        ("again_after: 1d", "again_after: a day", ["routes", 0, "inputs", "again_after"]),
        ("mode: shadow", "mode: dark", ["routes", 1, "mode"]),
    ],
)
def test_editors_know_what_a_blueprint_asks_for(
    old: str, new: str, path: list[str | int], actions: OfflineActions, tmp_path: Path
) -> None:
    folder = read_blueprint_folder(FOLDER)
    (tmp_path / "a.yaml").write_text(USES.replace(old, new))
    (text,) = read_texts([tmp_path], folder)
    found = list(
        Draft202012Validator(route_schema(actions.specs, {}, folder.blueprints)).iter_errors(text.document)
    )

    assert {tuple(each.absolute_path) for each in found} == ({tuple(path)} if path else set())
