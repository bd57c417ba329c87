"""hub test: what tests of routes can say, and that each thing they say can fail."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import Command
from tests.cli.tested_routes import LINE, ROUTES

#: What a test says, and whether it passes; where it fails, what is told.
SAID = {
    "a run completes": ("route: lead, event: message.received, expect: { outcome: completed }", None),
    "an outcome": (
        "route: lead, event: message.received, expect: { outcome: failed }",
        'outcome\n          expected  "failed"\n          got       "completed"',
    ),
    "why not": (
        "route: lead, event: { fixture: message.received, contact.tags: [customer] },"
        " expect: { outcome: skipped, because: contact.tags }",
        None,
    ),
    "the if": (
        "route: lead, event: { fixture: message.received, text: skip }, expect: { because: if }",
        None,
    ),
    "another reason": (
        "route: lead, event: { fixture: message.received, text: skip }, expect: { because: contact.tags }",
        'because\n          expected  "contact.tags"\n          got       "if"',
    ),
    "another type": (
        "route: lead, event: message.sent, expect: { outcome: skipped, because: trigger }",
        None,
    ),
    "calls": (
        "route: lead, event: message.received, expect: { calls: [hubspot.upsert_contact, slack.post_message] }",
        None,
    ),
    "calls in another order": (
        "route: lead, event: message.received, expect: { calls: [slack.post_message, hubspot.upsert_contact] }",
        'calls\n          expected  ["slack.post_message","hubspot.upsert_contact"]',
    ),
    "a call with its inputs": (
        "route: lead, event: message.received, expect: { calls: [hubspot.upsert_contact,"
        ' { use: slack.post_message, with: { text: { starts_with: "New:" } } }] }',
        None,
    ),
    "a call with other inputs": (
        "route: lead, event: message.received, expect: { calls: [hubspot.upsert_contact,"
        " { use: slack.post_message, with: { text: { starts_with: Old } } }] }",
        'calls[1].with.text\n          expected  starts_with: "Old"',
    ),
    "a part of a step": (
        "route: lead, event: message.received,"
        " expect: { steps: { contact: { with: { properties: { firstname: Ada } } } } }",
        None,
    ),
    "another value in a step": (
        "route: lead, event: message.received,"
        " expect: { steps: { contact: { with: { properties: { firstname: Bob } } } } }",
        'steps.contact.with.properties.firstname\n          expected  "Bob"\n          got       "Ada"',
    ),
    "more than a part": (
        "route: lead, event: message.received, expect: { steps: { contact: { with: { exactly: { phone: x } } } } }",
        'steps.contact.with\n          expected  exactly {"phone":"x"}',
    ),
    "what is never called": (
        "route: lead, event: { fixture: message.received, text: skip }, expect: { not_called: [slack.post_message] }",
        None,
    ),
    "what is called nevertheless": (
        "route: lead, event: message.received, expect: { not_called: [slack.post_message] }",
        "not_called\n          expected  no call of slack.post_message",
    ),
    "a failure that is put up with": (
        "route: lead, event: message.received,"
        " mock: { slack.post_message: { error: { class: retryable, status: 503 } } },"
        " expect: { outcome: completed, warnings: 1 }",
        None,
    ),
    "warnings": (
        "route: lead, event: message.received, expect: { warnings: 1 }",
        "warnings\n          expected  1\n          got       0",
    ),
    "attempts": (
        "route: lead, event: message.received, mock: { contact: [{ error: { class: rate_limited, after: 3s } },"
        " { output: { id: a1 } }] }, expect: { steps: { contact: { attempts: 2, status: completed } },"
        " calls: [hubspot.upsert_contact, { use: slack.post_message, with: { text: { contains: a1 } } }] }",
        None,
    ),
    "a failure": (
        "route: lead, event: message.received, mock: { contact: { error: { class: invalid, message: no phone } } },"
        " expect: { outcome: failed, because: no phone, steps: { contact: { error: { class: invalid } } } }",
        None,
    ),
    "a throttle": (
        "route: night, events: [message.received, { fixture: message.received, after: 5m }],"
        " expect: [{ outcome: completed }, { outcome: skipped, because: throttle }]",
        None,
    ),
    "a throttle that is over": (
        "route: night, events: [message.received, { fixture: message.received, after: 13h }],"
        " expect: [{ outcome: completed }, { outcome: skipped }]",
        'event 2: outcome\n          expected  "skipped"\n          got       "completed"',
    ),
    "a throttle of another key": (
        'route: night, events: [message.received, { fixture: message.received, from: "+15550100001" }],'
        " expect: [{ outcome: completed }, { outcome: completed }]",
        None,
    ),
    "a debounce": (
        "route: bubbles, events: [{ fixture: message.received, text: a }, { fixture: message.received, text: b,"
        " after: 3s }], expect: [{ outcome: completed }, { outcome: joined,"
        " steps: { said: { with: { message: a b } } } }]",
        None,
    ),
    "a debounce as a whole": (
        "route: bubbles, events: [{ fixture: message.received, text: a }, { fixture: message.received, text: b,"
        " after: 3s }], expect: { outcome: completed, calls: [log] }",
        None,
    ),
    "an answer": (
        'route: asks, vars: { to: "+14155550123" },'
        " events: [manual, { fixture: message.received, text: Yes!, after: 5m }],"
        ' expect: { outcome: completed, calls: [message.send, { use: log, with: { message: "+14155550123 comes" } }] }',
        None,
    ),
    "somebody else's answer": (
        'route: asks, vars: { to: "+15550100001" },'
        " events: [manual, { fixture: message.received, text: Yes!, after: 5m }],"
        " expect: [{ outcome: waiting }, { outcome: skipped }]",
        None,
    ),
    "no answer yet": (
        'route: asks, vars: { to: "+15550100001" }, event: manual, expect: { outcome: waiting, not_called: [log] }',
        None,
    ),
    "no answer at all": (
        'route: asks, vars: { to: "+15550100001" }, events: [manual, { after: 2h }],'
        " expect: { outcome: completed, because: nobody answered }",
        None,
    ),
    "what goes on beside a wait": (
        "route: beside, event: manual, expect: { outcome: waiting, calls: [log, log] }",
        None,
    ),
    "another conversation is no answer": (
        'route: asks, vars: { to: "+15550100001" }, events: [{ fixture: manual, conversation_id: cht_1 },'
        " { fixture: message.received, text: yes }], expect: [{ outcome: waiting }, { outcome: skipped }]",
        None,
    ),
    "a source": (
        "route: paid, event: { fixture: source.received, data: { object: { amount_total: 200000 } } },"
        " expect: { steps: { large: { status: completed } } }",
        None,
    ),
    "the other case": (
        "route: paid, event: { fixture: source.received, data: { object: { amount_total: 5 } } },"
        " expect: { steps: { large: { status: not_reached } } }",
        None,
    ),
    "a schedule": (
        'route: daily, now: "2026-08-04T09:00:00-04:00", event: schedule,'
        ' expect: { calls: [{ use: log, with: { message: "09:00" } }] }',
        None,
    ),
    "a path": (
        "route: posted, event: { fixture: webhook, order: 7 },"
        ' expect: { calls: [{ use: log, with: { message: "7" } }] }',
        'calls[0].with.message\n          expected  "7"\n          got       7',
    ),
    "a field that is not there": (
        "route: paid, event: { fixture: source.received, data: { object: {} } }, expect: { outcome: failed }",
        "amount_total",
    ),
    "an input that does not fit": (
        'route: posted, event: { fixture: webhook, order: "" }, expect: { outcome: completed }',
        'outcome\n          expected  "completed"\n          got       "failed"',
    ),
}


def written(name: str) -> str:
    return ROUTES + f"  - {{ name: {name}, {SAID[name][0]} }}\n"


@pytest.mark.parametrize("name", SAID)
def test_what_is_said_passes_or_fails_as_it_must(name: str, hub: Command, tmp_path: Path) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text(written(name))
    told = SAID[name][1]

    ended = hub("test", "-v", str(file))

    assert f"{name}" in ended.out
    assert ended.code == (0 if told is None else 1), ended.out
    if told is None:
        assert ended.out.endswith("1 test: 1 passed, 0 failed.\n")
    else:
        assert told in ended.out
        assert f"FAIL  {file}:{LINE}  {name}" in ended.out


def test_a_template_without_a_value_is_shown_where_it_stands(hub: Command, tmp_path: Path) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text(written("a field that is not there"))

    ended = hub("test", str(file))

    assert f"{file}:58:17: routes[5].steps[0].switch[0].if" in ended.out
    assert 'if: "event.data.object.amount_total > 100000"' in ended.out
    assert "the run: failed" in ended.out


def test_tests_in_a_file_of_their_own_see_the_routes_beside_it(hub: Command, tmp_path: Path) -> None:
    (tmp_path / "routes.yaml").write_text(ROUTES.removesuffix("tests:\n"))
    tests = tmp_path / "routes.test.yaml"
    tests.write_text(
        "version: 1\ntests:\n  - { name: it, route: lead, event: message.received, expect: { outcome: completed } }\n"
    )

    for place in (tmp_path, tests, tmp_path / "routes.yaml"):
        assert hub("test", str(place)).out == "1 test: 1 passed, 0 failed.\n"
    tests.write_text("version: 1\ntests:\n  - { name: it, route: leed }\n")
    assert f"{tests}:3:24: error: tests[0].route: there is no route 'leed'" in hub("check", str(tmp_path)).out


def test_a_test_of_another_file_stands_with_the_route_it_calls(hub: Command, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "version: 1\nroutes:\n  - id: a\n    trigger: message.received\n    steps:\n"
        "      - call: { route: b, with: { word: hi } }\n"
        "tests:\n  - name: it calls\n    event: message.received\n"
        "    expect: { calls: [{ use: log, with: { message: hi } }] }\n"
    )
    (tmp_path / "b.yaml").write_text(
        "version: 1\nroutes:\n  - id: b\n    trigger: { manual: true }\n    steps:\n"
        '      - use: log\n        with: { message: "{{ vars.word }}" }\n'
    )

    assert hub("test", "-v", "--coverage", str(tmp_path)).out == (
        f"ok    {tmp_path}/a.yaml:8  it calls\nNot tested:\n  {tmp_path}/b.yaml:3: b: no test\n"
        "1 test: 1 passed, 0 failed.\n"
    )


def test_coverage_lists_what_no_test_comes_to(hub: Command, tmp_path: Path) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text(written("the other case"))

    rows = hub("test", "--coverage", str(file)).out.splitlines()

    assert f"  {file}:3: lead: no test" in rows
    assert f"  {file}:60: paid: no test comes to steps/0/switch/0/steps/0 (log)" in rows
    assert not any("paid: no test comes to steps/0/switch/1" in row for row in rows)


def test_results_are_written_as_junit(hub: Command, tmp_path: Path) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text(
        written("an outcome")
        + "  - { name: ok, route: lead, event: message.received, expect: { outcome: completed } }\n"
    )

    hub("test", "--junit", str(tmp_path / "out.xml"), str(file))
    (suite,) = ElementTree.parse(tmp_path / "out.xml").getroot()

    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")
    assert [case.get("name") for case in suite] == ["an outcome", "ok"]
    failure = suite[0].find("failure")
    assert failure is not None
    assert failure.get("message") == "outcome"


def test_a_broken_file_fails(hub: Command, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("version: 1\nroutes: [\n")
    (tmp_path / "b.yaml").write_text(
        "version: 1\nroutes:\n  - id: b\n    trigger: message.received\n    steps:\n      - use: lgo.a\n"
    )

    ended = hub("test", str(tmp_path))

    assert ended.code == 1
    assert "there is no action lgo.a" in ended.out
    assert ended.out.endswith("0 tests: 0 passed, 0 failed; problems that keep files from being tested: 2.\n")
