"""Routes beside the one that is tested: asked as in life, and refused where they could make no difference."""

from __future__ import annotations

from typing import Any

import pytest

from hub.model.actions import ActionSpec
from hub.rules.routes.document import Reading
from hub.rules.routes.model import Route
from hub.rules.routes.reading import RouteDocument, read_routes
from hub.rules.trials.judging import Verdict, play
from hub.rules.trials.reading import read_tests

LOG = ActionSpec(name="log", title="Log", kind="write", repetition="safe", inputs={}, sample={})


def routes(**more: dict[str, Any]) -> dict[str, Route]:
    steps = [{"use": "log", "with": {"message": "a"}}]
    written = [
        {"id": name, "trigger": "message.received", "steps": steps, **each} for name, each in more.items()
    ]
    found = read_routes({"version": 1, "routes": written})
    assert isinstance(found, RouteDocument), [str(each) for each in found]
    return {route.id: route for route in found.routes}


STOP = {"stop_others": True, "when": {"text": "STOP"}}


def played(known: dict[str, Route], **test: Any) -> Verdict:
    reading = Reading()
    written = {
        "name": "a",
        "route": "mine",
        "beside": [each for each in known if each != "mine"],
        "event": {"fixture": "message.received", "text": "STOP"},
        **test,
    }
    trials = read_tests(reading, [written], "/tests", known)
    assert reading.problems == []
    return play(trials[0], routes=known, actions={"log": LOG}, check_inputs=lambda name, inputs: None)


SKIPPED = {"outcome": "skipped", "because": "stop_others"}
RUNS = {"outcome": "completed"}


@pytest.mark.parametrize(
    ("beside", "mine", "expected"),
    [
        (STOP, {}, SKIPPED),
        ({**STOP, "priority": 5}, {"priority": 4}, SKIPPED),
        ({**STOP, "if": "event.text == 'STOP'"}, {}, SKIPPED),
        ({**STOP, "if": "event.text != 'STOP'"}, {}, RUNS),
        ({**STOP, "enabled": False}, {}, RUNS),
        ({**STOP, "trigger": "message.sent"}, {}, RUNS),
        ({**STOP, "when": {"text": "HALT"}}, {}, RUNS),
        (STOP, {"when": {"text": "no"}}, {"outcome": "skipped", "because": "text"}),
        (STOP, {"if": "event.text == 'no'"}, SKIPPED),
        # What remembers does not decide: a route that is held back has been asked.
        ({**STOP, "throttle": {"limit": 1, "per": "1d"}}, {}, SKIPPED),
    ],
)
def test_it_is_asked_as_in_life(
    beside: dict[str, Any], mine: dict[str, Any], expected: dict[str, Any]
) -> None:
    verdict = played(routes(halt=beside, mine=mine), expect=expected)

    assert [str(each) for each in verdict.differences] == []


def test_one_without_a_value_is_a_fault() -> None:
    verdict = played(
        routes(halt={**STOP, "if": "event.payload.x == 1"}, mine={}), expect={"outcome": "skipped"}
    )

    assert [each.message.partition(": ")[0] for each in verdict.faults] == ["halt"]


@pytest.mark.parametrize(
    ("beside", "told"),
    [
        ("halt", []),
        (["halt"], []),
        ("hallt", ["there is no route 'hallt' beside it"]),
        ("mine", ["there is no route 'mine' beside it"]),
        ("mild", ["mild keeps nothing from mine"]),
        ("later", ["later is asked after mine"]),
        ([3], ["a route is 3"]),
        ({"a": 1}, ["a route is a map"]),
    ],
)
def test_one_that_makes_no_difference_is_refused(beside: Any, told: list[str]) -> None:
    known = routes(halt=STOP, mild={}, later={**STOP, "priority": -1}, mine={})
    reading = Reading()
    test = {"name": "a", "route": "mine", "beside": beside, "event": "message.received", "expect": RUNS}
    read_tests(reading, [test], "/tests", known)

    assert [each.what for each in reading.problems] == told
