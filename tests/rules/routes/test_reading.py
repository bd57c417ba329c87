"""Routes as people write them: the eight of the design are read, and what goes wrong is told with a way out."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.config.loader import read_document
from hub.config.plain import plain, spot_of
from hub.rules.expressions import Condition, Structure, Surroundings
from hub.rules.routes.model import (
    DelayStep,
    EventTrigger,
    ParallelStep,
    Route,
    SourceTrigger,
    SwitchStep,
    UseStep,
    Written,
)
from hub.rules.routes.reading import RouteDocument, read_routes

HERE = Path(__file__).parent
#: Each a file with what is told of it, line and column first.
MISTAKES = [block.strip("\n") for block in (HERE / "mistakes.txt").read_text().split("\n\n")]


def told(text: str) -> list[str]:
    node, problems = read_document(text, source="routes.yaml", is_prose=True)
    if node is None or problems:
        return [f"{each.line}:{each.column} {each.what}: {each.why}. {each.fix}" for each in problems]
    found = read_routes(plain(node))
    assert isinstance(found, list), "nothing is wrong with it"
    lines = []
    for each in found:
        place = spot_of(node, each.pointer, offset=each.offset).place
        lines.append(f"{place.line}:{place.column} {str(each).removeprefix(f'{each.pointer}: ')}")
    return lines


@pytest.mark.parametrize("block", MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_is_told_with_its_place_and_what_to_write(block: str) -> None:
    lines = block.split("\n")
    written = [line for line in lines if not line.startswith("=> ")]

    assert told("\n".join(written) + "\n") == [
        line.removeprefix("=> ") for line in lines if line.startswith("=> ")
    ]


@pytest.fixture(scope="module")
def eight() -> dict[str, Route]:
    """The routes of facts: routes A3, to the letter."""
    node, problems = read_document((HERE / "eight.yaml").read_text(), source="eight.yaml", is_prose=True)
    assert node is not None, problems
    found = read_routes(plain(node))
    assert isinstance(found, RouteDocument), [str(each) for each in found]
    return {route.id: route for route in found.routes}


def test_the_eight_routes_are_read(eight: dict[str, Route]) -> None:
    assert list(eight) == [
        "lead-to-hubspot",
        "stop-keyword",
        "after-hours",
        "love-to-tag",
        "stripe-receipt",
        "delivery-failed",
        "ai-reply",
        "fan-out",
    ]


def test_defaults_hold_where_a_route_says_nothing(eight: dict[str, Route]) -> None:
    lead = eight["lead-to-hubspot"]

    assert lead.timeout_ms == 30_000
    assert lead.retry
    assert (lead.retry.attempts, lead.retry.max_ms, lead.retry.within_ms) == (5, 600_000, 86_400_000)
    assert [step.action for step in lead.on_error if isinstance(step, UseStep)] == ["slack.post_message"]
    assert lead.timezone == "America/Los_Angeles"


def test_their_parts_are_what_they_say(eight: dict[str, Route]) -> None:
    stop, hours, stripe = eight["stop-keyword"], eight["after-hours"], eight["stripe-receipt"]
    draft, fan_out = eight["ai-reply"], eight["fan-out"]

    assert (stop.priority, stop.stop_others) == (100, True)
    assert stop.when.holds({"direction": "inbound", "text": " stop. "}, 0)
    assert hours.throttle is not None
    assert (hours.throttle.limit, hours.throttle.per_ms, hours.throttle.then) == (1, 43_200_000, "skip")
    assert isinstance(hours.steps[0], DelayStep)
    assert hours.steps[0].ms == 20_000
    assert stripe.triggers == (SourceTrigger(source="stripe", events=("checkout.session.completed",)),)
    assert stripe.quiet_hours is not None
    assert (stripe.quiet_hours.window, stripe.quiet_hours.start, stripe.quiet_hours.end) == (None, 1260, 480)
    assert draft.debounce is not None
    assert (draft.debounce.wait_ms, draft.debounce.max_ms) == (6_000, 30_000)
    switch = draft.steps[1]
    assert isinstance(switch, SwitchStep)
    assert [case.if_ is None for case in switch.cases] == [False, True]
    assert fan_out.triggers == (
        EventTrigger(patterns=("message.received", "message.delivered", "reaction.added")),
    )
    parallel = fan_out.steps[0]
    assert isinstance(parallel, ParallelStep)
    assert [step.id for step in parallel.steps] == ["warehouse", "partner"]


def test_what_may_still_go_out_after_stop_is_said_by_the_step(eight: dict[str, Route]) -> None:
    reply = eight["stop-keyword"].steps[1]

    assert isinstance(reply, UseStep)
    assert reply.ignore == {"suppression", "quiet_hours"}


def test_all_that_is_written_in_them_is_compiled(eight: dict[str, Route]) -> None:
    found = [written for route in eight.values() for written in written_in(route)]

    assert len(found) == 34
    assert all(written.code is not None for written in found)
    kinds = {type(written.code) for written in found}
    assert kinds == {Condition, Structure}


def test_what_is_compiled_runs(eight: dict[str, Route]) -> None:
    lead, failed = eight["lead-to-hubspot"].steps, eight["delivery-failed"]
    now = Surroundings(now_ms=0)
    event = {"from": "+14155550123", "contact": {"first_name": None}, "attempt": 2, "error": {"code": "x"}}

    assert isinstance(lead[0], UseStep)
    assert isinstance(lead[0].with_.code, Structure)
    assert lead[0].with_.code.render({"event": event}, now) == {
        "phone": "+14155550123",
        "properties": {"firstname": "", "hs_lead_status": "NEW"},
    }
    assert failed.if_ is not None
    assert isinstance(failed.if_.code, Condition)
    assert failed.if_.code.holds({"event": event}, now)
    assert [each.path for each in failed.if_.code.reads] == [("event", "attempt"), ("event", "error", "code")]


def test_a_route_that_is_called_may_be_given_vars() -> None:
    told_of = "version: 1\nroutes:\n  - id: a\n    trigger: {}\n    steps: [{{ stop: '{{{{ vars.x }}}}' }}]\n"

    assert told(told_of.format("message.sent")) == [
        "5:25 there is no vars.x: there are no vars. Write x under vars."
    ]
    with pytest.raises(AssertionError, match="nothing is wrong"):
        told(told_of.format("{ manual: true }"))


def written_in(part: Any) -> list[Written]:
    """All that is written in a route, wherever it stands."""
    if isinstance(part, Written):
        return [part]
    if isinstance(part, (tuple, list)):
        return [found for each in part for found in written_in(each)]
    if isinstance(part, dict):
        return written_in(list(part.values()))
    if is_dataclass(part):
        return written_in([getattr(part, each.name) for each in fields(part)])
    return []


WORDS = st.sampled_from(
    [
        "version",
        "routes",
        "id",
        "trigger",
        "steps",
        "use",
        "if",
        "when",
        "retry",
        "switch",
        "foreach",
        "log.write",
    ]
)
DOCUMENTS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=6),
    max_leaves=20,
)


@given(DOCUMENTS, DOCUMENTS)
def test_no_document_makes_it_raise(whole: Any, routes: Any) -> None:
    for document in (whole, {"version": 1, "routes": routes}):
        found = read_routes(document)
        assert isinstance(found, RouteDocument) or 0 < len(found) <= 50


def test_a_document_that_is_wrong_everywhere_is_told_in_part() -> None:
    found = read_routes({"version": 1, "routes": [{"colour": 1}] * 1000})

    assert isinstance(found, list)
    assert len(found) == 50


def test_steps_nested_without_end_are_cut() -> None:
    steps: list[Any] = [{"use": "log.write"}]
    for _ in range(30):
        steps = [{"parallel": steps}]
    found = read_routes({"version": 1, "routes": [{"id": "a", "trigger": "message.sent", "steps": steps}]})

    assert isinstance(found, list)
    assert found[0].what == "steps are nested too deep"
