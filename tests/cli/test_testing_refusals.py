"""hub test: a test that cannot fail, or that says nothing, is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.cli.tested_routes import LINE, ROUTES

#: Tests that could not fail, or say nothing: each is refused.
REFUSED = {
    "nothing is expected": ("route: lead, event: message.received, expect: {}", "the test expects nothing"),
    "no expectation": ("route: lead, event: message.received", "a test needs `expect`"),
    "a misspelt key": (
        "route: lead, event: message.received, expect: { outcom: completed }",
        "`expect` has no 'outcom'",
    ),
    "a misspelt outcome": (
        "route: lead, event: message.received, expect: { outcome: complete }",
        "Did you mean completed",
    ),
    "a step that is not there": (
        "route: lead, event: message.received, expect: { steps: { contacts: { status: completed } } }",
        "Did you mean contact",
    ),
    "a call that cannot be": (
        "route: lead, event: message.received, expect: { not_called: [slack.post_mesage] }",
        "the route never uses 'slack.post_mesage'",
    ),
    "a mock of nothing": (
        "route: lead, event: message.received, mock: { notes: { output: {} } }, expect: { outcome: completed }",
        "no step or action is called 'notes'",
    ),
    "a mock with two answers": (
        "route: lead, event: message.received, mock: { contact: { output: {}, error: { class: auth } } },"
        " expect: { outcome: completed }",
        "a mock has one answer",
    ),
    "a class that is none": (
        "route: lead, event: message.received, mock: { contact: { error: { class: retriable } } },"
        " expect: { outcome: completed }",
        "Did you mean retryable",
    ),
    "another fixture": (
        "route: lead, event: message.recieved, expect: { outcome: completed }",
        "Did you mean message.received",
    ),
    "a field that no event has": (
        "route: lead, event: { fixture: message.received, txt: a }, expect: { outcome: completed }",
        "Did you mean text",
    ),
    "another route": (
        "route: leed, event: message.received, expect: { outcome: completed }",
        "Did you mean lead",
    ),
    "no route": ("event: message.received, expect: { outcome: completed }", "a test needs `route`"),
    "no event": ("route: lead, expect: { outcome: completed }", "a test needs `event` or `events`"),
    "fewer expectations than events": (
        "route: lead, events: [message.received, message.received], expect: [{ outcome: completed }]",
        "1 things are expected of 2 events",
    ),
    "a matcher that fits nothing": (
        "route: lead, event: message.received, expect: { because: { any_of: [] } }",
        "any_of cannot take an empty list",
    ),
    "a time that is none": (
        "route: lead, now: tomorrow, event: message.received, expect: { outcome: completed }",
        "`now` is 'tomorrow'",
    ),
    "what nobody is given": (
        "route: lead, vars: { a: 1 }, event: message.received, expect: { outcome: completed }",
        "`vars` are given to nobody",
    ),
    "vars that are no map": (
        "route: asks, vars: 5, event: manual, expect: { outcome: completed }",
        "`vars` is 5",
    ),
    "a status that is none": (
        "route: lead, event: message.received, expect: { steps: { contact: { status: done } } }",
        "`status` is 'done'",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_test_that_cannot_fail_is_refused(name: str, hub: Command, tmp_path: Path) -> None:
    said, told = REFUSED[name]
    file = tmp_path / "routes.yaml"
    file.write_text(ROUTES + f"  - {{ name: it, {said} }}\n")

    ended = hub("test", str(file))

    assert told in ended.out
    assert f"{file}:{LINE}:" in ended.out
    assert ended.code == 1
    assert told in hub("check", "--no-connections", str(file)).out
