"""A line that cannot says so, with the name of what is missing and who could mend it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub.flow.capabilities import CapabilityBook, require_able, what_is_missing
from hub.model.errors import InvalidRequest
from hub.model.outbox import OperationKind
from tests.store.specimens import LINE
from tests.support.hub_world import HubWorld, open_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    async with open_world(tmp_path) as opened:
        yield opened


ABLE = replace(LINE, capabilities=frozenset({"text", "edit"}), capabilities_off=frozenset({"edit"}))


@pytest.mark.parametrize(
    ("kind", "payload", "said"),
    [
        (OperationKind.SEND, {"text": "hi"}, None),
        (OperationKind.EDIT, {}, "'edit' is switched off"),
        (OperationKind.UNSEND, {}, "its bridge cannot take a message back ('unsend')"),
        (OperationKind.SEND, {"text": "hi", "effect": "slam"}, "('effects')"),
    ],
)
def test_what_is_missing_is_named(kind: OperationKind, payload: dict[str, object], said: str | None) -> None:
    missing = what_is_missing(ABLE, kind, payload)

    assert missing is None if said is None else said in (missing or "")


def test_a_line_whose_bridge_has_not_told_is_not_refused_but_for_what_is_switched_off() -> None:
    untold = replace(ABLE, capabilities=None)

    assert what_is_missing(untold, OperationKind.UNSEND, {}) is None
    assert what_is_missing(untold, OperationKind.EDIT, {}) is not None


def test_a_refusal_has_its_code() -> None:
    with pytest.raises(InvalidRequest, match="'unsend'") as raised:
        require_able(ABLE, OperationKind.UNSEND, {})

    assert raised.value.code == "advanced_features_required"


async def test_only_news_wake_others_and_unknown_names_are_dropped(world: HubWorld) -> None:
    book = CapabilityBook(world.store.lines, world.directory, world.wake_ups)
    for _ in range(2):
        await book.told(world.sandbox_line.bridge_id, frozenset({"text", "telepathy"}))
    line = (await world.directory.refresh()).lines_by_id[world.sandbox_line.id]

    assert line.capabilities == frozenset({"text"})
    assert world.wake_ups.configuration_changes == 1
