"""Blueprints: values stand in their places, and what is wrong is told where they are used and where it comes from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.config.blueprint_files import BlueprintFolder, read_blueprint_folder
from hub.config.route_documents import read_route_document
from hub.config.route_files import ReadText, read_route_files, read_route_text
from hub.rules.routes.model import CallStep, DelayStep, EventTrigger, Route, UseStep
from hub.rules.routes.reading import read_kept

GREETING = """\
version: 1
blueprint: Greet
inputs:
  text: { type: template, description: What is said, example: "Hi {{ event.from }}" }
  wait: { type: duration, description: How long, default: 5s }
  channels: { type: list, description: Where, default: [sms] }
  longest: { type: number, description: Signs, default: 200 }
  kind: { type: text, description: Which, default: warm, options: [warm, cool] }
  is_polite: { type: flag, description: Whether, default: true }
  account: { type: connection, description: Of Slack, default: slack }
  zone: { type: timezone, description: Whose clock, default: UTC }
  opens: { type: time, description: When, default: "09:00" }
routes:
  - id: greet
    trigger: message.received
    timezone: "{{ input.zone }}"
    when:
      channel: "{{ input.channels }}"
      now: { inside: { from: "{{ input.opens }}", to: "18:00" } }
    if: "input.is_polite and event.text | length < input.longest"
    throttle: { per: 1h, key: "{{ input.kind }}:{{ event.from }}" }
    steps:
      - delay: "{{ input.wait }}"
      - use: message.reply
        with: { text: "{{ input.text }}" }
      - use: slack.post_message
        connection: "{{ input.account }}"
        with: { channel: "#a", text: "{{ input.kind }} words" }
      - call: { route: after }
  - id: after
    trigger: { manual: true }
    steps:
      - use: log
        with: { message: "{{ input.channels | first }}" }
"""


@pytest.fixture
def folder(tmp_path: Path) -> BlueprintFolder:
    return folder_with(tmp_path, greeting=GREETING)


def folder_with(place: Path, **blueprints: str) -> BlueprintFolder:
    blueprint_folder = place / "blueprints"
    blueprint_folder.mkdir(exist_ok=True)
    for name, text in blueprints.items():
        (blueprint_folder / f"{name}.yaml").write_text(text)
    return read_blueprint_folder(blueprint_folder)


def use_of(more: str) -> str:
    return f"version: 1\nroutes:\n  - use_blueprint: greeting\n    id: desk\n{more}"


def read(text: str, folder: BlueprintFolder) -> ReadText:
    return read_route_text(text, source="routes.yaml", folder=folder)


def test_values_stand_in_their_places(folder: BlueprintFolder) -> None:
    found = read(
        use_of(
            "    mode: shadow\n"
            '    inputs: { text: "Dear {{ event.contact.name }}", wait: 1m, channels: [imessage, rcs],'
            " account: team }\n"
        ),
        folder,
    )
    greet, after = (each.route for each in found.routes)

    assert (found.problems, greet.id, after.id, greet.mode) == ((), "desk-greet", "desk-after", "shadow")
    assert greet.triggers == (EventTrigger(patterns=("message.received",)),)
    delay, reply, post, call = greet.steps
    assert isinstance(delay, DelayStep)
    assert isinstance(reply, UseStep)
    assert isinstance(post, UseStep)
    assert isinstance(call, CallStep)
    assert (delay.ms, post.connection, call.route) == (60_000, "team", "desk-after")
    assert reply.with_.source == {"text": "Dear {{ event.contact.name }}"}
    assert greet.inputs["channels"] == ["imessage", "rcs"]
    assert "text" not in greet.inputs
    assert {each.line for each in found.routes} == {3}


def test_what_is_kept_is_read_again_without_the_blueprint(folder: BlueprintFolder) -> None:
    found = read(use_of("    inputs: { text: Hello, longest: 3 }\n"), folder)
    (greet, _) = found.routes
    again = read_kept(json.loads(greet.source))

    assert isinstance(again, Route)
    assert (again.id, again.inputs["longest"]) == ("desk-greet", 3)
    assert again.steps[0] == greet.route.steps[0].__class__(
        pointer="/routes/0/steps/0", id=None, if_=None, ms=5000, until=None
    )  # type: ignore[call-arg]  # a delay


def test_defaults_of_the_file_hold_and_the_blueprint_is_a_part_of_the_revision(tmp_path: Path) -> None:
    text = use_of("    inputs: { text: Hello }\n").replace("routes:", "defaults: { timeout: 7s }\nroutes:")
    first = read(text, folder_with(tmp_path, greeting=GREETING)).routes[0]
    second = read(text, folder_with(tmp_path, greeting=GREETING.replace("#a", "#b"))).routes[0]

    assert first.route.timeout_ms == 7_000
    assert first.source != second.source


def test_a_file_is_read_again_when_a_blueprint_of_it_changed(tmp_path: Path) -> None:
    routes = tmp_path / "routes"
    routes.mkdir()
    (routes / "a.yaml").write_text(use_of("    inputs: { text: Hello }\n"))
    (routes / "b.yaml").write_text(
        "version: 1\nroutes: [{ id: b, trigger: { manual: true }, steps: [{ stop: done }] }]\n"
    )
    first = read_route_files(routes, folder=folder_with(tmp_path, greeting=GREETING))
    same = read_route_files(routes, folder=folder_with(tmp_path, greeting=GREETING), known=first.known)
    other = folder_with(tmp_path, greeting=GREETING.replace("default: 5s", "default: 6s"))
    changed = read_route_files(routes, folder=other, known=first.known)

    assert all(same.known[path] is first.known[path] for path in first.known)
    assert changed.known[routes / "a.yaml"] is not first.known[routes / "a.yaml"]
    assert changed.known[routes / "b.yaml"] is first.known[routes / "b.yaml"]


#: What is used → where it is told, what, and where in the blueprint it comes from.
WRONG = [
    ("    inputs: {}\n", "5:13", "greeting needs text", "4:3"),
    ("", "3:5", "greeting needs text", "4:3"),
    ("    inputs:\n      text:\n", "6:12", "greeting needs text", "4:3"),
    ("    inputs: [a]\n", "5:13", "`inputs` is a list", "3:1"),
    ("    inputs: { text: a, tekst: b }\n", "5:31", "`inputs` has no 'tekst'", "3:1"),
    ("    inputs: { text: [a] }\n", "5:21", "text is a list", "4:3"),
    ("    inputs: { text: a, wait: soon }\n", "5:30", "wait is 'soon'", "5:3"),
    ("    inputs: { text: a, channels: sms }\n", "5:34", "channels is 'sms'", "6:3"),
    ("    inputs: { text: a, channels: [] }\n", "5:34", "channels is an empty list", "6:3"),
    ("    inputs: { text: a, channels: [1] }\n", "5:34", "channels is a list", "6:3"),
    ('    inputs: { text: a, longest: "3" }\n', "5:33", "longest is '3'", "7:3"),
    ("    inputs: { text: a, longest: true }\n", "5:33", "longest is true", "7:3"),
    ("    inputs: { text: a, kind: hot }\n", "5:30", "kind is 'hot'", "8:3"),
    ('    inputs: { text: a, kind: "{{ event.text }}" }\n', "5:30", "kind is '{{ event.text }}'", "8:3"),
    ("    inputs: { text: a, is_polite: yes }\n", "5:35", "is_polite is 'yes'", "9:3"),
    ("    inputs: { text: a, account: My Slack }\n", "5:33", "account is 'My Slack'", "10:3"),
    ("    inputs: { text: a, zone: Berlin }\n", "5:30", "zone is 'Berlin'", "11:3"),
    ('    inputs: { text: a, opens: "9" }\n', "5:31", "opens is '9'", "12:3"),
    # These fit by themselves and not in their places.
    ('    inputs: { text: "{{ evnt.text }}" }\n', "5:25", "evnt is not known", "25:23"),
    ('    inputs: { text: "{{ event.text" }\n', "5:31", "the braces are not closed", "25:23"),
    ('    inputs: { text: "{{ input.no }}" }\n', "5:25", "there is no input.no here", "25:23"),
    ('    inputs: { text: "{{ steps.x.output }}" }\n', "5:25", "there is no step x", "25:23"),
    ("    inputs: { text: a }\n    mode: dry\n", "6:11", "`mode` is 'dry'", "14:5"),
    ("    inputs: { text: a }\n    steps: []\n", "6:12", "the use of a blueprint has no 'steps'", None),
    ("    trigger: message.sent\n", "5:14", "the use of a blueprint has no 'trigger'", None),
]


@pytest.mark.parametrize(("more", "at", "what", "origin"), WRONG)
def test_a_mistake_is_told_where_it_is_made_and_where_it_comes_from(
    more: str, at: str, what: str, origin: str | None, folder: BlueprintFolder
) -> None:
    found = read(use_of(more), folder)
    told = [
        (
            f"{each.line}:{each.column}",
            each.what,
            None if each.origin is None else f"{each.origin.line}:{each.origin.column}",
        )
        for each in found.problems
    ]

    assert (at, what, origin) in told
    assert found.routes == ()


def test_the_message_shows_both_lines(folder: BlueprintFolder) -> None:
    (told,) = read(use_of('    inputs: { text: "Hi {{ evnt.text }}" }\n'), folder).problems
    rows = str(told).split("\n")

    assert rows[0] == "routes.yaml:5:28: routes[0].inputs.text: evnt is not known"
    assert rows[1].endswith('inputs: { text: "Hi {{ evnt.text }}" }')
    assert rows[3].startswith("  blueprint: ")
    assert rows[3].endswith("greeting.yaml:25:23")
    assert rows[4].endswith('with: { text: "{{ input.text }}" }')


@pytest.mark.parametrize(
    ("use", "what", "fix"),
    [
        ("greetings", "there is no blueprint greetings", "Did you mean greeting"),
        ("zzz", "there is no blueprint zzz", "There are: broken, greeting"),
        ("../greeting", "`use_blueprint` is '../greeting'", "Write it like lead-to-crm"),
        ("broken", "the blueprint broken cannot be used", "`hub check` on its file tells everything"),
        ("[a]", "`use_blueprint` is a list", 'Put it into quotes: "…"'),
        ("", "`use_blueprint` says nothing", "Write the name of one"),
    ],
)
def test_a_blueprint_that_cannot_be_used(use: str, what: str, fix: str, tmp_path: Path) -> None:
    folder = folder_with(tmp_path, greeting=GREETING, broken=GREETING.replace("input.kind", "input.kin"))
    text = use_of("    inputs: { text: a }\n").replace("use_blueprint: greeting", f"use_blueprint: {use}")

    assert [(each.what, each.fix) for each in read(text, folder).problems] == [(what, fix)]


#: A change to the blueprint → what is told of it by itself.
UNSOUND = [
    ("type: duration", "type: span", "5:17 `type` is 'span'"),
    ("type: duration, ", "", "5:9 an input needs `type`"),
    ("description: How long, ", "", "5:9 an input needs `description`"),
    ("default: 5s", "default: soon", "5:59 wait is 'soon'"),
    (", default: 5s", "", "5:9 wait has neither default nor example"),
    ("default: 5s", "standard: 5s", "5:60 an input has no 'standard'"),
    ("  wait:", "  Wait:", "5:9 'Wait' is no name"),
    ("type: flag, ", "type: flag, options: [a], ", "9:37 a flag has no options"),
    ('"{{ input.wait }}"', '"{{ input.wiat }}"', "23:16 there is no input wiat"),
    ('"{{ input.kind }}:{{', '"{{ input.text }}:{{', "21:35 there is no input.text here"),
    ('"{{ input.wait }}"', "5s", "5:9 nothing asks for wait"),
    ("input.is_polite and", "input.is_plite and", "20:9 there is no input.is_plite here"),
    ("blueprint: Greet", "blueprint:", "2:11 `blueprint` says nothing"),
    ("version: 1", "version: 2", "1:10 `version` is 2"),
    ("routes:\n", "defaults: {}\nroutes:\n", "13:11 a blueprint has no 'defaults'"),
    ("message.received", "message.recieved", "15:14 'message.recieved' cannot be a trigger"),
]


@pytest.mark.parametrize(("old", "new", "told"), UNSOUND)
def test_a_blueprint_is_checked_by_itself(old: str, new: str, told: str, tmp_path: Path) -> None:
    assert old in GREETING
    path = tmp_path / "greeting.yaml"
    path.write_text(GREETING.replace(old, new, 1))
    found = read_route_document(path)

    assert told in [f"{each.line}:{each.column} {each.what}" for each in found.problems]


def test_a_sound_blueprint_has_its_routes_with_examples(tmp_path: Path) -> None:
    path = tmp_path / "greeting.yaml"
    path.write_text(GREETING)
    found = read_route_document(path)

    assert found.problems == ()
    assert [each.id for each in found.routes] == ["greet", "after"]


def test_a_blueprint_is_no_file_of_routes() -> None:
    (told,) = read_route_text(GREETING, source="a.yaml").problems

    assert (told.line, told.what) == (2, "this is a blueprint")


def test_inputs_are_in_blueprints_alone() -> None:
    text = 'version: 1\nroutes: [{ id: a, trigger: message.sent, if: "input.x", steps: [{ stop: done }] }]\n'
    (told,) = read_route_text(text, source="a.yaml").problems

    assert (told.what, told.why) == ("there is no input here", "it is there in a blueprint")
