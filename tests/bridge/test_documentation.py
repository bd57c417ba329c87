"""docs/bridges.md says what the code takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from hub.model.capability import CAPABILITIES
from hub.model.observation import (
    Observation,
    ObservationKind,
    ObservedChat,
    ObservedError,
    ObservedMessage,
    ObservedOption,
    ObservedPoll,
    ObservedReaction,
    Part,
)
from hub.model.outbox import OperationKind
from hub.rules.capabilities import needs_of
from hub.rules.facts import FACT_TYPES
from hub.rules.refusals import NEEDED

TEXT = (Path(__file__).parents[2] / "docs" / "bridges.md").read_text(encoding="utf-8")
#: What these need depends on what they say.
LOOKED_AT = {
    OperationKind.CONTACT_CARD,
    OperationKind.GROUP_CREATE,
    OperationKind.REACT,
    OperationKind.SEND,
}
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
    needs = set(re.findall(r"`(chat|message|poll|target|reaction|value)`", KINDS[kind][0]))

    assert needs == {name for group in NEEDED[kind] for name in group}


def test_every_event_is_promised() -> None:
    promised = {name for _, events in KINDS.values() for name in re.findall(r"`([a-z_.]+)`", events)}

    assert set(FACT_TYPES) <= promised


@pytest.mark.parametrize(
    "noun",
    [
        Observation,
        ObservedChat,
        ObservedError,
        ObservedMessage,
        ObservedOption,
        ObservedPoll,
        ObservedReaction,
        Part,
    ],
)
def test_every_member_is_named(noun: type[msgspec.Struct]) -> None:
    assert set(noun.__struct_fields__) - {"type"} <= CODE


def test_every_capability_is_named() -> None:
    listed = TEXT.partition("### Capabilities")[2].partition("`idempotent_send` says")[0]

    assert set(re.findall(r"`([a-z_]+)`", listed)) == set(CAPABILITIES)


def test_every_operation_is_explained_with_what_it_needs() -> None:
    table = TEXT.partition("### Operations")[2]
    rows = re.findall(r"^\| `([a-z_]+)` \| .*? ?\| (.+?) \| .*?\|$", table, re.MULTILINE)
    needs = {kind: set(re.findall(r"`([a-z_]+)`", text)) for kind, text in rows}

    assert list(needs) == sorted(OperationKind)
    for kind in set(OperationKind) - LOOKED_AT:
        assert needs[kind] == needs_of(kind, {})
    assert all(names <= CAPABILITIES.keys() for names in needs.values())
