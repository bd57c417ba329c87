"""The JSON Schema takes what the hub takes, and refuses the mistakes that a schema can tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types

from hub.actions.registry import BUILT_INS
from hub.config.connectors import shipped_manifests
from hub.config.loader import read_document
from hub.config.plain import plain
from hub.connectors.catalogue import catalogue
from hub.rules.fixtures.examples import FIXTURES
from hub.rules.routes import blueprint_inputs, blueprints, policies, reading, steps
from hub.rules.routes.blueprint_words import _SCHEMAS, BLUEPRINT, INPUT, USE_OF_BLUEPRINT
from hub.rules.routes.forms import Group
from hub.rules.routes.reading import RouteDocument, read_routes
from hub.rules.routes.schema import route_schema
from hub.rules.routes.step_words import CALL, CASE, FOREACH, STEPS_BY_VERB, USE, WAIT_FOR
from hub.rules.routes.words import DEFAULTS, FILE, POLICIES, RETRY, ROUTE
from hub.rules.trials.expecting import _KEYS as EXPECTED
from hub.rules.trials.reading import _KEYS as TESTED

HERE = Path(__file__).parent
SPECS = {
    **catalogue(shipped_manifests(), {}).specs,
    **{each.name: each.spec() for each in BUILT_INS},
}
SCHEMA = route_schema(SPECS, {"slack": "slack", "crm": "hubspot"})
VALIDATOR = Draft202012Validator(SCHEMA)
HEAD = "version: 1\nroutes:\n  - id: a\n    trigger: message.received\n    steps:\n"


def faults(text: str) -> list[str]:
    node, problems = read_document(text, source="routes.yaml", is_prose=True)
    assert node is not None, problems
    return [f"{'/'.join(map(str, each.absolute_path))}" for each in VALIDATOR.iter_errors(plain(node))]


def names(group: Group) -> set[str]:
    return {each.name for each in group.keys}


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    json.dumps(SCHEMA)


def test_every_word_of_the_reader_is_described() -> None:
    assert names(FILE) == set(reading._FILE_KEYS)
    assert names(DEFAULTS) == set(reading._DEFAULT_KEYS)
    assert names(ROUTE) == set(reading._ROUTE_KEYS)
    assert names(BLUEPRINT) == set(blueprints.BLUEPRINT_KEYS)
    assert names(USE_OF_BLUEPRINT) == set(blueprints.INSTANCE_KEYS)
    assert names(INPUT) == set(blueprint_inputs.INPUT_KEYS)
    assert _SCHEMAS.keys() == blueprint_inputs.KINDS.keys()
    assert STEPS_BY_VERB.keys() == steps.VERBS.keys()
    assert names(USE) == {"use", *steps.VERBS["use"]}
    assert names(FOREACH) == {"foreach", *steps.VERBS["foreach"]}
    assert SCHEMA["$defs"]["test"]["properties"].keys() == set(TESTED)
    assert SCHEMA["$defs"]["expect"]["properties"].keys() == set(EXPECTED)


#: A map of each kind with nothing but a word that it does not have: the reader's answer names what it has.
STRANGE = {
    "dedupe": "    dedupe: { zzz: 1 }\n",
    "throttle": "    throttle: { zzz: 1 }\n",
    "debounce": "    debounce: { zzz: 1 }\n",
    "concurrency": "    concurrency: { zzz: 1 }\n",
    "quiet_hours": "    quiet_hours: { zzz: 1 }\n",
    "retry": "    retry: { zzz: 1 }\n",
    "keep": "    keep: { zzz: 1 }\n",
}


@pytest.mark.parametrize("name", STRANGE)
def test_policies_have_the_keys_of_the_reader(name: str) -> None:
    text = HEAD.replace("    steps:\n", STRANGE[name]) + "    steps: [{ use: log, with: { message: a } }]\n"
    node, _ = read_document(text, source="a.yaml", is_prose=True)
    assert node is not None
    found = read_routes(plain(node))
    assert isinstance(found, list)
    (told,) = [each.fix for each in found if "zzz" in each.what]

    assert set(told.removeprefix("Use ").split(", ")) == names(POLICIES[name])


#: A default that is written out changes nothing: what the words say of it is so.
DEFAULTED = [
    ("retry", RETRY),
    ("throttle", POLICIES["throttle"]),
    ("concurrency", POLICIES["concurrency"]),
    ("dedupe", POLICIES["dedupe"]),
    ("keep", POLICIES["keep"]),
    ("quiet_hours", POLICIES["quiet_hours"]),
]
NEEDED: dict[str, dict[str, Any]] = {
    "retry": {"attempts": 5},
    "throttle": {"per": "1h"},
    "concurrency": {"key": "a"},
    "dedupe": {"key": "a"},
    "keep": {"redact": ["a"]},
    "quiet_hours": {"from": "21:00", "to": "08:00", "timezone": "UTC"},
}
IN_WORDS = {"every day", "the route's", "one for all", "retryable, rate_limited, server, timeout_unknown"}


@pytest.mark.parametrize(("name", "group"), DEFAULTED, ids=[name for name, _ in DEFAULTED])
def test_a_default_that_is_written_changes_nothing(name: str, group: Group) -> None:
    given = {
        each.name: _typed(each.default)
        for each in group.keys
        if each.default and each.default not in IN_WORDS and each.name not in NEEDED[name]
    }

    assert given
    assert read(name, NEEDED[name]) == read(name, {**NEEDED[name], **given})


def read(name: str, value: dict[str, Any]) -> object:
    route = {
        "id": "a",
        "trigger": "message.received",
        "steps": [{"use": "log", "with": {"message": "a"}}],
        name: value,
    }
    found = read_routes({"version": 1, "routes": [route]})
    assert isinstance(found, RouteDocument), [str(each) for each in found]
    return getattr(found.routes[0], name)


def _typed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def test_the_eight_routes_and_their_tests_pass() -> None:
    # ai.reply and attio.update_person are spelt there as they were before these actions existed.
    text = (HERE / "eight.yaml").read_text()

    assert set(faults(text)) <= {"routes/3/steps/0", "routes/6/steps/0"}


#: Each step, and what is wrong with it; all else is right.
REFUSED = {
    "an unknown action": "      - use: slack.post_mesage\n        with: { channel: a }\n",
    "an unknown input": "      - use: log\n        with: { mesage: a }\n",
    "a missing input": "      - use: log\n        with: { level: info }\n",
    "no inputs at all": "      - use: log\n",
    "a word that is none": "      - use: log\n        with: { message: a, level: warn }\n",
    "a connection of nobody": (
        "      - use: slack.post_message\n        connection: slck\n        with: { channel: a, text: b }\n"
    ),
    "a connection of the hub itself": "      - use: log\n        connection: slack\n        with: { message: a }\n",
    "two things at once": "      - use: log\n        delay: 5s\n        with: { message: a }\n",
    "nothing at all": "      - id: a\n",
    "a number for a duration": "      - delay: 5\n",
    "a case without a condition": "      - switch:\n          - steps: [{ delay: 5s }]\n",
    "a list as an input of text": "      - use: log\n        with: { message: [a] }\n",
    "too many at once": "      - foreach: event.attachments\n        parallel: 51\n        steps: [{ delay: 5s }]\n",
    "a wait without an end": "      - wait_for: { trigger: message.received }\n",
    "an unknown key": "      - use: log\n        whit: { message: a }\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_mistake_in_a_step_is_refused(name: str) -> None:
    assert faults(HEAD + REFUSED[name]) == ["routes/0/steps/0"]


ACCEPTED = {
    "a template for a word": '      - use: log\n        with: { message: a, level: "{{ vars.level }}" }\n',
    "a template for a list": '      - use: contact.tag\n        with: { add: "{{ event.contact.tags }}" }\n',
    "a template in a list": '      - use: contact.tag\n        with: { add: ["{{ event.channel }}"] }\n',
    "a number for a text": "      - use: message.send\n        with: { to: 14155550123, text: a }\n",
    "cells of several kinds": """\
      - { use: google_sheets.append_row, with: { values: [a, 1, true, null, "{{ event.text }}"] } }
""",
    "a map within": '      - use: hubspot.upsert_contact\n        with: { phone: "+1", properties: { a: 1 } }\n',
    "all kinds of steps": """\
      - delay: { until: "{{ event.occurred_at }}" }
      - wait_for: { trigger: [message.received], when: { text: { any_of: [a], normalize: keyword } }, timeout: 1h }
      - switch: [{ if: "true", steps: [{ delay: 1s }] }, { else: true, steps: [{ stop: enough }] }]
      - { foreach: event.attachments, as: file, steps: [{ delay: 1s }] }
      - parallel: [{ delay: 1s }, { set: { a: 1 } }]
      - call: { route: b, with: { a: 1 } }
      - stop: { as: failed, reason: enough }
""",
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_is_right_is_taken(name: str) -> None:
    assert faults(HEAD + ACCEPTED[name]) == []


#: What is in expressions, or hangs on other parts of the file, a schema cannot tell: `hub check` does.
BEYOND = {
    "'{{ event.to }}' is a template",
    "'Berlin' is no time zone",
    "`else` is not last",
    "`schedule` is '0 0 30 2 *'",
    "`schedule` is '0 25 * * *'",
    "`schedule` is '0 9 * * mon-fri'",
    "`schedule` is '9",
    "a schedule needs a time zone",
    "braces stand around a part of this expression",
    "braces stand in a text within an expression",
    "env is not known",
    "evnt is not known",
    "text is not known",
    "there is no item here",
    "this gives text",
    "two routes are called a",
    "there is no steps.tag.contact_id",
}


def test_the_mistakes_of_the_list_are_refused_by_the_schema_too() -> None:
    blocks = [each.strip("\n") for each in (HERE / "mistakes.txt").read_text().split("\n\n")]
    passed = set()
    for block in blocks:
        written = [line for line in block.split("\n") if not line.startswith("=> ")]
        node, problems = read_document("\n".join(written) + "\n", source="a.yaml", is_prose=True)
        if node is None or problems:
            continue
        # `log.write` stands for any action there; this one takes nothing that must be given.
        document = json.loads(json.dumps(plain(node)).replace("log.write", "contact.tag"))
        if VALIDATOR.is_valid(document):
            told = next(line for line in block.split("\n") if line.startswith("=> "))
            passed.add(told.partition(" ")[2].partition(" ")[2].partition(":")[0])

    assert passed == BEYOND


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ("    when: { text: { contain: a } }\n", "routes/0/when/text"),
        ("    when: { event.text: a }\n", "routes/0/when"),
        ("    when: { now: { around: { from: '09:00' } } }\n", "routes/0/when/now"),
        ("    throttle: { limit: 1 }\n", "routes/0/throttle"),
        ("    priority: high\n", "routes/0/priority"),
        ("    mode: dry\n", "routes/0/mode"),
    ],
)
def test_a_mistake_in_a_route_is_refused(more: str, place: str) -> None:
    text = HEAD.replace("    steps:\n", more) + "    steps: [{ use: log, with: { message: a } }]\n"

    assert faults(text) == [place]


def test_fixtures_and_groups_are_complete() -> None:
    assert SCHEMA["$defs"]["happening"]["anyOf"][0]["enum"] == list(FIXTURES)
    assert {"trigger", "timeout"} <= names(WAIT_FOR)
    assert names(CALL) == {"route", "with"}
    assert names(CASE) == {"if", "else", "steps"}
    assert set(policies.ERROR_CLASSES) == set(RETRY.keys[-1].schema["items"]["enum"])


@pytest.mark.parametrize(
    ("written", "is_right"),
    [
        ("{ text: { file: prompts/a.md } }", True),
        ("{ text: { file: [a] } }", False),
        ("{ text: { file: a, of: b } }", False),
        ("{ text: a, send_at: { file: 5 } }", False),
    ],
)
def test_a_text_may_stand_in_a_file(written: str, is_right: bool) -> None:
    assert (faults(f"{HEAD}      - use: message.reply\n        with: {written}\n") == []) is is_right
