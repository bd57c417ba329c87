"""A hub whose key was stolen chooses nothing on an agent's machine: neither files nor programs."""

from __future__ import annotations

import msgspec
import pytest

from bridge.registry import KINDS
from hub.agent.folder import AgentConfig
from hub.agent.running import Welcomed
from hub.agent.work import GivenCall
from hub.app.agent import own_settings
from hub.flow.agent_calls import AskedAttachment, AskedOperation

#: All that a hub says to an agent. Who adds a field says here why it opens, runs and configures nothing.
HEARD: dict[type[msgspec.Struct], set[str]] = {
    AskedAttachment: {"ref"},
    # `taken`: which messages of the chat prove other sends; they are only compared with.
    AskedOperation: {"asked_of", "attempt_id", "dispatched_at", "kind", "line", "payload", "taken"},
    GivenCall: {"asked", "call_id", "verb"},
    # `has_sockets`: whether one is opened to the very same hub.
    Welcomed: {"fence", "has_sockets", "lines", "max_body_bytes", "max_events"},
}


@pytest.mark.parametrize("shape", HEARD, ids=lambda shape: shape.__name__)
def test_no_setting_is_among_what_an_agent_hears(shape: type[msgspec.Struct]) -> None:
    assert set(shape.__struct_fields__) == HEARD[shape]


def test_more_than_that_is_not_heard() -> None:
    told = b'{"fence": 1, "lines": [], "max_body_bytes": 1, "max_events": 1, "settings": {"database": "/x"}}'

    assert "/x" not in repr(msgspec.json.decode(told, type=Welcomed))


@pytest.mark.parametrize("kind", ["chatdb", "imsg"])
def test_the_settings_are_those_of_the_machines_own_file(kind: str) -> None:
    config = AgentConfig(hub="https://hub.example", secret="x", kind=kind, settings={"database": "/mine"})

    assert own_settings(KINDS[kind], config).database == "/mine"


def test_no_setting_names_what_runs_the_scripts() -> None:
    assert not [field for field in KINDS["chatdb"].settings.__struct_fields__ if "osascript" in field]
