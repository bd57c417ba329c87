"""The examples in config/routes are sound, pass their own tests, and leave no step untested."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # its stubs are another package

import hub
from hub.app.checking import check_texts, read_texts
from hub.app.offline import OfflineActions, offline_actions
from hub.app.trials import run_trials
from hub.config.settings import load_settings
from hub.rules.routes.schema import route_schema

FOLDER = Path(hub.__file__).parent.parent / "config" / "routes"
FILES = sorted(FOLDER.glob("*.yaml"))


@pytest.fixture(scope="module")
def actions(tmp_path_factory: pytest.TempPathFactory) -> OfflineActions:
    nowhere = tmp_path_factory.mktemp("nowhere")
    named = {"HUB_CONNECTIONS_FILE": str(nowhere / "c.yaml"), "HUB_CONNECTORS_FOLDER": str(nowhere)}
    return offline_actions(load_settings(None, named))


def test_there_are_the_eight_of_the_design_and_seven_more() -> None:
    assert len(FILES) == 15


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_an_example_is_sound_and_passes_its_tests(file: Path, actions: OfflineActions) -> None:
    texts = read_texts([file])
    checked = check_texts(texts, actions, has_connections=False)
    trials = run_trials([file], actions)

    assert [str(each.problem) for each in checked.findings] == []
    assert [each for of in trials.files for each in of.results if not each.has_passed] == []
    assert trials.passed >= 2
    assert trials.untested == ()
    assert texts[0].routes[0].id == file.stem


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_editors_take_an_example(file: Path, actions: OfflineActions) -> None:
    (text,) = read_texts([file])
    validator = Draft202012Validator(route_schema(actions.specs, {}))

    assert [f"{each.json_path}: {each.message}" for each in validator.iter_errors(text.document)] == []


def test_they_are_no_routes_of_a_new_hub() -> None:
    folder = load_settings(None, {}).routes.folder

    assert folder.resolve() != FOLDER
