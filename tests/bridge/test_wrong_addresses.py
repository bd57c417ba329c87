"""Whoever typed the address of a network wrong is told so: what answers there is not taken for the network."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bridge.registry import KINDS
from tests.bridge.goldens.accounts import ACCOUNTS, ASKED
from tests.bridge.goldens.playing import surroundings
from tests.bridge.goldens.wire import ScriptedWire
from tests.support.manual_time import ManualClock

_KINDS = sorted({*ACCOUNTS, *ASKED} - {"bluebubbles"})
_PAGE = {"text": "<html>Welcome</html>"}


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize(
    "answer",
    [_PAGE, {"status": 301, "headers": {"Location": "https://example.com/"}}, {**_PAGE, "status": 404}],
    ids=["a page", "a redirect", "nothing"],
)
async def test_what_is_not_the_network_is_not_online(kind: str, answer: dict[str, Any]) -> None:
    given = ACCOUNTS[kind].settings if kind in ACCOUNTS else ASKED[kind]
    settings = msgspec.convert(dict(given), KINDS[kind].settings)
    adapter = KINDS[kind].open(settings, surroundings(ManualClock(), ScriptedWire([answer])))
    state, reason = await adapter.health()

    assert state != "online"
    assert reason


@pytest.mark.parametrize("kind", _KINDS)
async def test_its_doctor_says_so(kind: str) -> None:
    examine = KINDS[kind].examine
    assert examine is not None
    given = ACCOUNTS[kind].settings if kind in ACCOUNTS else ASKED[kind]
    settings = msgspec.convert(dict(given), KINDS[kind].settings)
    found = await examine(settings, surroundings(ManualClock(), ScriptedWire([_PAGE] * 9)))
    told = [each.detail for each in found if each.state in {"failed", "warning"}]

    assert any("status 200" in each for each in told), told
