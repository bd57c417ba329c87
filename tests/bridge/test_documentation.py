"""docs/bridges.md says what the code takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from bridge.sandbox.bridge import CAPABILITIES
from hub.model.observation import (
    Observation,
    ObservationKind,
    ObservedChat,
    ObservedError,
    ObservedMessage,
    ObservedReaction,
    Part,
)
from hub.rules.facts import FACT_TYPES
from hub.rules.refusals import NEEDED

TEXT = (Path(__file__).parents[2] / "docs" / "bridges.md").read_text(encoding="utf-8")
CODE = set(re.findall(r"`([^`\n]+)`", TEXT))
KINDS = {
    kind: (needs, events)
    for kind, needs, events in re.findall(
        r"^\| `([a-z_.]+)` \| (.+?) \| (.+?) \|$",
        TEXT.partition("### Kinds")[2].partition("### What to get right")[0],
        re.MULTILINE,
    )
}


def test_every_kind_is_explained() -> None:
    assert set(KINDS) == set(get_args(ObservationKind))


@pytest.mark.parametrize("kind", get_args(ObservationKind))
def test_needs_are_those_of_the_rule(kind: str) -> None:
    needs = set(re.findall(r"`(chat|message|target|reaction|value)`", KINDS[kind][0]))

    assert needs == {name for group in NEEDED[kind] for name in group}


def test_every_event_is_promised() -> None:
    promised = {name for _, events in KINDS.values() for name in re.findall(r"`([a-z_.]+)`", events)}

    assert set(FACT_TYPES) <= promised


@pytest.mark.parametrize(
    "noun", [Observation, ObservedChat, ObservedError, ObservedMessage, ObservedReaction, Part]
)
def test_every_member_is_named(noun: type[msgspec.Struct]) -> None:
    assert set(noun.__struct_fields__) - {"type"} <= CODE


def test_every_capability_is_named() -> None:
    assert CAPABILITIES <= CODE
