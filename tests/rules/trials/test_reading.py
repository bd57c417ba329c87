"""No document of tests is too odd to be read: it is sound, or told what is wrong with it."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.rules.routes.document import Reading
from hub.rules.routes.model import Route
from hub.rules.routes.reading import RouteDocument, read_routes
from hub.rules.trials.model import Trial
from hub.rules.trials.reading import read_tests

_WORDS = (
    "name", "route", "event", "events", "now", "vars", "mock", "expect", "fixture", "after", "message.received",
    "output", "error", "class", "retryable", "outcome", "completed", "because", "calls", "steps", "not_called",
    "warnings", "exactly", "any_of", "contains", "lead", "note", "log", "5m", "manual", "source.received",
)  # fmt: skip
_PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-3, 10**15), st.floats(allow_nan=False), st.sampled_from(_WORDS)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(_WORDS), inner, max_size=4)
    ),
    max_leaves=20,
)


def routes() -> dict[str, Route]:
    steps = [{"id": "note", "use": "log", "with": {"message": "a"}}]
    found = read_routes(
        {"version": 1, "routes": [{"id": "lead", "trigger": "message.received", "steps": steps}]}
    )
    assert isinstance(found, RouteDocument)
    return {route.id: route for route in found.routes}


def read(value: Any) -> tuple[tuple[Trial, ...], Reading]:
    reading = Reading()
    return read_tests(reading, value, "/tests", routes()), reading


@settings(deadline=None, max_examples=300)
@given(_PLAIN, st.dictionaries(st.sampled_from(_WORDS[:8]), _PLAIN, max_size=8))
def test_no_document_makes_it_raise(whole: Any, test: dict[str, Any]) -> None:
    for value in (whole, [test], [{"name": "a", "route": "lead", "event": "message.received", **test}]):
        trials, reading = read(value)

        assert reading.problems or all(each.each or each.last for each in trials)


def test_a_test_is_read_whole() -> None:
    trials, reading = read(
        [
            {
                "name": "a",
                "route": "lead",
                "events": [{"fixture": "message.received", "text": "x"}, {"after": "5m"}],
                "mock": {"note": [{"error": {"class": "auth"}}, {"output": {"a": 1}}]},
                "expect": {"outcome": "completed"},
            }
        ]
    )

    assert reading.problems == []
    (trial,) = trials
    assert [each.after_ms for each in trial.happenings] == [0, 300_000]
    assert [each.fixture for each in trial.happenings] == ["message.received", None]
    assert len(trial.mocks["note"].answers) == 2
    assert trial.last is not None
    assert trial.last.outcome == "completed"
