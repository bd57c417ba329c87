"""Hostile bodies of agents, soundly signed: each is done or refused by name, and never a mistake of ours."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.api import agents, openapi
from hub.api.agent_sockets import WORDS
from hub.flow.agent_store import BridgeCalls
from hub.flow.bells import LocalBell
from hub.model.bridge_call import BridgeCall, CallVerb
from hub.model.ids import Prefix, id_text
from tests.support.agent_stage import AgentStage
from tests.support.asgi import Answered
from tests.support.hub_world import open_world

#: scripts/fuzz asks for many.
EXAMPLES = int(os.environ.get("HUB_FUZZ_EXAMPLES", "2")) * 20
EXAMPLES_OF: Final[Mapping[str, Mapping[str, Any]]] = {
    each.path.rpartition("/")[2]: each.example for each in (*agents.ENDPOINTS, openapi.BRIDGE_EVENTS)
}
HOSTILE: Final[st.SearchStrategy[Any]] = st.sampled_from(
    [
        None, True, 0, -1, 1, 2**31, 2**53, 2**63 - 1, 2**63, 2**64, -(2**63), 10**30, 1e308, -0.0, 0.1,
        "", " ", "\0", "\ud800", "\u202e", "😀" * 100, "x" * 70_000, "bcl_", "bcl_zzzzzzzzzzzzz", "bcl_0e9k2m4q6r8st",
        "file_0e9k2m4q6r8st", "../../etc/passwd", "';--", "%00", "+", "accepted", "not_started", "AAAA", "====",
        [], {}, [[]] * 100, {"": ""}, {"disposition": "accepted", "result": {"a": [1]}},
    ]
)  # fmt: skip
JSON: Final = st.recursive(
    HOSTILE | st.text(max_size=20) | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@dataclass
class Hostile:
    """An agent that signs well and means ill."""

    stage: AgentStage
    runner: asyncio.Runner
    calls: list[str]

    @property
    def store(self) -> BridgeCalls:
        return self.stage.world.store.bridge_calls

    def ask(self, word: str, body: bytes) -> Answered:
        signed = self.stage.link().signed(self.stage.draw(), body)
        headers = {"content-type": "application/json", **signed}
        asking = self.stage.wire.api.request("POST", f"/v1/bridge/{word}", body=body, headers=headers)
        return self.runner.run(asking)

    def fence(self) -> int:
        agent = self.runner.run(self.store.agent(self.stage.bridge.id))
        return 1 if agent is None else agent.fence


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    """It has taken calls on and begun them, so that there is something to break."""
    folder: Path = tmp_path_factory.mktemp("hostile")
    with asyncio.Runner() as runner:
        stack = contextlib.AsyncExitStack()
        world = runner.run(stack.enter_async_context(open_world(folder)))
        stage = AgentStage.of(world, folder / "agent")
        assert isinstance(world.parts.bell, LocalBell)
        world.parts.bell.close()  # nobody waits for work
        found = Hostile(stage, runner, [])
        assert found.ask("hello", json.dumps(EXAMPLES_OF["hello"]).encode()).status == 200
        for number, verb in enumerate(CallVerb):
            call = BridgeCall(
                id=1000 + number, bridge_id=stage.bridge.id, verb=verb, attempt_id=None, asked='{"ref":"r"}',
                created_at=world.clock.now_ms(),
            )  # fmt: skip
            runner.run(found.store.add(call))
            found.calls.append(id_text(Prefix.BRIDGE_CALL, call.id))
        assert found.ask("claim", b'{"fence":1}').status == 200
        for call_id in found.calls:
            assert (
                found.ask("dispatched", json.dumps({"fence": 1, "call_id": call_id}).encode()).status == 200
            )
        yield found
        runner.run(stack.aclose())


def judged(answered: Answered) -> None:
    assert answered.status < 500, answered.body
    assert answered.status < 300 or answered.code is not None


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document at which something stands."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = put(copy[path[0]], path[1:], new)
    return copy


def encoded(body: Any) -> bytes:
    return json.dumps(body).encode()


SLOW: Final = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("word", sorted(WORDS | {"files"}))
def test_one_wrong_thing_in_a_right_body_is_no_mistake_of_ours(hostile: Hostile, word: str) -> None:
    @SLOW
    @given(st.data())
    def attack(data: st.DataObject) -> None:
        body: dict[str, Any] = {**EXAMPLES_OF[word]}
        if "call_id" in body:
            body["call_id"] = data.draw(st.sampled_from(hostile.calls))
        if "fence" in body:
            body["fence"] = hostile.fence()
        place = data.draw(st.sampled_from(places(body)))
        judged(hostile.ask(word, encoded(put(body, place, data.draw(JSON)))))

    attack()


@pytest.mark.parametrize("word", sorted(WORDS | {"files"}))
def test_what_is_no_body_at_all_is_none_either(hostile: Hostile, word: str) -> None:
    @SLOW
    @given(
        st.binary(max_size=200)
        | JSON.map(encoded)
        | st.text().map(lambda text: text.encode("utf-8", "replace"))
    )
    def attack(body: bytes) -> None:
        answered = hostile.ask(word, body)
        judged(answered)
        assert answered.status in {400, 401, 409, 413, 415, 422} or word in {"hello", "claim"}

    attack()
