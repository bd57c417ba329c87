"""Every mistake in a manifest is told with its place and how to mend it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.config.loader import load_document
from hub.config.plain import plain
from hub.rules.connectors.model import Manifest
from hub.rules.connectors.reading import read_manifest
from tests.rules.connectors.manifests import MANIFEST, document

MISTAKES: Any = plain(
    load_document(Path(__file__).with_name("mistakes.yaml").read_bytes(), source="mistakes.yaml")
)


@pytest.mark.parametrize("mistake", MISTAKES, ids=[each["told"][:60] for each in MISTAKES])
def test_a_mistake_is_told_with_its_place_and_how_to_mend_it(mistake: dict[str, str]) -> None:
    assert mistake["was"] in MANIFEST
    found = read_manifest(document(MANIFEST.replace(mistake["was"], mistake["now"], 1)))

    assert not isinstance(found, Manifest)
    assert mistake["told"] in [str(each) for each in found]


STEPS = """
    steps:
      - id: found
        request: { path: /find }
      - id: create
        request: { path: /create }
        on_class: { conflict: { instead: %s, with: { id: 1 } } }
"""


@pytest.mark.parametrize("other", ["foun", "create"])
def test_what_is_done_instead_is_another_step(other: str) -> None:
    text = (
        MANIFEST[: MANIFEST.index("    request:")] + STEPS % other + MANIFEST[MANIFEST.index("    output:") :]
    )
    found = read_manifest(document(text))

    assert not isinstance(found, Manifest)
    (problem,) = found
    assert problem.pointer == "/actions/add/steps/1/on_class/conflict/instead"
    assert problem.what == f"there is no other step {other}"


#: A step as written → where and what is wrong.
STEP_MISTAKES = [
    ("{ id: a }", "", "a step has none of `request`, `action` and `refuse`, or several"),
    (
        "{ id: a, request: { path: /a }, refuse: { class: conflict, message: no } }",
        "",
        "a step has none of `request`, `action` and `refuse`, or several",
    ),
    ("{ id: a, refuse: { class: conflict } }", "/refuse", "`refuse` needs `message`"),
    ("{ id: a, refuse: { message: no } }", "/refuse", "`refuse` needs `class`"),
    ("{ id: a, refuse: { class: conflicts, message: no } }", "/refuse/class", "`class` is 'conflicts'"),
    (
        "{ id: a, refuse: { class: conflict, message: '{{ body.x }}' } }",
        "/refuse/message",
        "body is not known",
    ),
]


@pytest.mark.parametrize(("step", "place", "what"), STEP_MISTAKES, ids=[each[0] for each in STEP_MISTAKES])
def test_a_step_does_one_thing(step: str, place: str, what: str) -> None:
    text = MANIFEST[: MANIFEST.index("    request:")] + f"    steps: [{step}]\n"
    found = read_manifest(document(text + MANIFEST[MANIFEST.index("    output:") :]))

    assert not isinstance(found, Manifest)
    assert (f"/actions/add/steps/0{place}", what) in [(each.pointer, each.what) for each in found]


def test_an_action_does_not_use_itself() -> None:
    text = MANIFEST[: MANIFEST.index("    request:")] + "    steps: [{ id: again, action: add }]\n"
    found = read_manifest(document(text + MANIFEST[MANIFEST.index("    output:") :]))

    assert not isinstance(found, Manifest)
    assert "add uses itself, or goes too deep" in [each.what for each in found]


def test_all_mistakes_are_told_at_once() -> None:
    text = MANIFEST.replace("title: Acme\n", "").replace("kind: write", "kind: wirte").replace("400", "42")
    found = read_manifest(document(text))

    assert not isinstance(found, Manifest)
    assert {each.pointer for each in found} == {"", "/actions/add/kind", "/errors/0/status"}


@pytest.mark.parametrize(
    "value", [None, 1, "x", [], {}, {"manifest": 1}, {"manifest": 1, "actions": []}, {"auth": 1}]
)
def test_anything_can_be_read_without_harm(value: object) -> None:
    assert not isinstance(read_manifest(value), Manifest)
