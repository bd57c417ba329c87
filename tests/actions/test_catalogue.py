"""The catalogue: schemas, samples, previews, and what happens to names that nobody knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # its stubs are another package

from hub.actions.combined import CombinedActions
from hub.actions.inputs import read_inputs
from hub.actions.refusals import CLASSES
from hub.actions.registry import BUILT_INS
from hub.api.errors import BY_CODE
from hub.model.actions import ActionCall, ActionDone, ActionFailed, ActionSpec
from tests.actions.bench import Bench, open_bench
from tests.support.hub_world import SANDBOX_LINE

SPECS = [each.spec() for each in BUILT_INS]
by_name = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)


def test_they_stand_in_the_order_of_the_alphabet() -> None:
    names = [each.name for each in BUILT_INS]
    assert names == sorted(names)


@by_name
def test_a_schema_accepts_its_examples(spec: ActionSpec) -> None:
    """The whole one, each field's, and nothing that is not declared."""
    Draft202012Validator.check_schema(spec.inputs)
    validator = Draft202012Validator(spec.inputs)
    (example,) = spec.inputs["examples"]
    validator.validate(example)
    assert not validator.is_valid({**example, "no_such_input": 1})
    for name, field in spec.inputs["properties"].items():
        for value in _examples(field):
            assert validator.is_valid({**example, name: value}), name


def _examples(field: Mapping[str, Any]) -> list[Any]:
    found = list(field.get("examples", ()))
    for each in field.get("anyOf", ()):
        found += _examples(each)
    return found


def _titled(field: Mapping[str, Any]) -> bool:
    return "title" in field or any("title" in each for each in field.get("anyOf", ()))


@by_name
def test_a_schema_tells_an_author_all_there_is(spec: ActionSpec) -> None:
    assert spec.title
    assert spec.description.endswith(".")
    assert "$ref" not in msgspec.json.encode(spec.inputs).decode()
    for name, field in spec.inputs["properties"].items():
        assert _titled(field), name


@by_name
def test_a_schema_and_the_reader_accept_the_same_example(spec: ActionSpec) -> None:
    action = next(each for each in BUILT_INS if each.name == spec.name)
    read_inputs(action.inputs, action.example)


@pytest.mark.parametrize(
    "action", [each for each in BUILT_INS if each.name != "ai.reply"], ids=lambda action: action.name
)
async def test_a_sample_is_as_what_is_given(bench: Bench, action: Any) -> None:
    """Same names, same kinds: what un-mocked steps answer in tests can be relied upon. For ai.reply: test_drafts."""
    event = await bench.received()

    output = await bench.run(action.name, {**action.example, **_HERE.get(action.name, {})}, event=event)

    assert list(output) == list(action.sample)
    kinds = {name: type(value) for name, value in action.sample.items() if output[name] is not None}
    assert {name: type(output[name]) for name in kinds} == kinds


#: What an example needs in the world of the tests.
_HERE: Mapping[str, Mapping[str, Any]] = {"message.send": {"from": SANDBOX_LINE}}

PREVIEWS: Sequence[tuple[str, Mapping[str, Any], str]] = (
    ("ai.reply", {"history": 5}, "ai.reply drafts answer from the last 5 messages"),
    ("contact.suppress", {"channel": "sms"}, "contact.suppress +15550100001 on lines of sms"),
    ("contact.tag", {"add": ["vip"], "remove": ["lead"]}, "contact.tag +15550100001: +vip -lead"),
    ("contact.update", {"contact": "ct_1", "name": "A", "notes": None}, "contact.update ct_1: name, notes"),
    ("conversation.assign", {"team": "support"}, "conversation.assign +15550100001 to support"),
    ("log", {"message": "New lead"}, 'log info: "New lead"'),
    ("message.react", {"reaction": "love"}, "message.react love on msg_0f2m4h8x0g001"),
    ("message.read", {}, "message.read +15550100001"),
    ("message.reply", {"text": "Thanks,\nwe got it."}, 'message.reply to +15550100001: "Thanks, we got it."'),
    (
        "message.send",
        {"to": "+15550100002", "text": "x" * 100, "from": "sales-line", "attachments": ["https://example.com/a"]},
        f'message.send to +15550100002: "{"x" * 77}…" and 1 attachment (from sales-line)',
    ),
    ("message.typing", {"state": "off"}, "message.typing off in +15550100001"),
)  # fmt: skip
SEEN = {"line": SANDBOX_LINE, "from": "+15550100001", "message_id": "msg_0f2m4h8x0g001", "text": "Hi"}


def test_every_action_has_a_preview_here() -> None:
    assert [name for name, _, _ in PREVIEWS] == [spec.name for spec in SPECS]


@pytest.mark.parametrize(("name", "inputs", "expected"), PREVIEWS, ids=lambda each: str(each)[:20])
async def test_a_preview_says_what_would_be_done(
    tmp_path: Path, name: str, inputs: Mapping[str, Any], expected: str
) -> None:
    """In a line, and asking nobody: there is no desk behind it."""
    async with open_bench(tmp_path) as bench:
        bench.actions.desk = None  # type: ignore[assignment] # whatever touched it would fail
        assert list(await bench.actions.preview(bench.call(name, inputs, event=SEEN))) == [expected]


async def test_a_preview_says_what_is_ignored(bench: Bench) -> None:
    call = bench.call("message.reply", {"text": "Bye"}, event=SEEN, ignore=frozenset({"suppression"}))
    assert list(await bench.actions.preview(call)) == [
        'message.reply to +15550100001: "Bye" (ignoring suppression)'
    ]


async def test_a_preview_refuses_what_a_run_would(bench: Bench) -> None:
    with pytest.raises(ActionFailed, match="There must be an input 'to'"):
        await bench.actions.preview(bench.call("message.send", {"text": "Hi"}))


def test_each_class_belongs_to_a_code_that_exists() -> None:
    assert set(CLASSES) <= set(BY_CODE)


def test_what_is_not_there_and_what_is_forbidden_is_never_called_invalid() -> None:
    """Of what a use case of these actions can refuse, each code with such a status has its class."""
    reachable = {"chat", "contact", "file", "line", "message"}
    missing = {
        code
        for code, listed in BY_CODE.items()
        if listed.status in {404, 429} and code.partition("_")[0] in reachable and "group" not in code
    }
    assert missing <= set(CLASSES)


class Connectors:
    """Actions of a connector: a real implementation of the port that only remembers."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.called: list[str] = []

    def specs(self) -> Mapping[str, ActionSpec]:
        return {name: replace(SPECS[0], name=name, connector="slack") for name in self.names}

    def connections(self) -> Mapping[str, str]:
        return {"team": "slack"}

    async def run(self, call: ActionCall) -> ActionDone:
        self.called.append(call.name)
        return ActionDone(output={"ok": True})

    async def preview(self, call: ActionCall) -> Sequence[str]:
        return (f"POST {call.name}",)


async def test_both_kinds_are_one_catalogue(bench: Bench) -> None:
    """A connector cannot take the place of what the hub brings along, and may change while it runs."""
    connectors = Connectors("slack.post_message", "message.send")
    actions = CombinedActions(bench.actions, connectors)

    await actions.run(bench.call("slack.post_message"))
    await actions.run(bench.call("log", {"message": "Hi"}))
    assert "slack.get_user" not in actions.specs()
    connectors.names = ("slack.post_message", "slack.get_user")

    assert connectors.called == ["slack.post_message"]
    assert set(actions.specs()) == {*(spec.name for spec in SPECS), "slack.post_message", "slack.get_user"}
    assert actions.specs()["message.send"].connector is None
    assert actions.connections() == {"team": "slack"}
    assert list(await actions.preview(bench.call("slack.get_user"))) == ["POST slack.get_user"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("message.sent", "Did you mean 'message.send'?"),
        ("slack.post_mesage", "Did you mean 'slack.post_message'?"),
        ("fax.send_a_page_to_somewhere", "docs/reference/actions.md"),
    ],
)
async def test_an_unknown_action_is_a_bug_of_the_route(bench: Bench, name: str, says: str) -> None:
    actions = CombinedActions(bench.actions, Connectors("slack.post_message"))

    for ask in (actions.run, actions.preview):
        with pytest.raises(ActionFailed) as caught:
            await ask(bench.call(name))
        assert caught.value.error_class == "bug"
        assert says in caught.value.message


async def test_a_word_in_the_log(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    output = await bench.run("log", {"message": "New lead", "level": "warning", "fields": {"score": 7}})

    assert output == {"level": "warning", "message": "New lead"}


async def test_too_much_for_the_log(bench: Bench) -> None:
    failed = await bench.refused("log", {"message": "Hi", "fields": {"a": "x" * 9000}})
    assert failed.error_class == "invalid"


async def test_what_was_done_can_be_read_in_the_run(bench: Bench) -> None:
    event = await bench.received()
    done = await bench.actions.run(bench.call("message.reply", {"text": "Hi"}, event=event))
    assert list(done.requests) == ['message.reply to +15550100001: "Hi"']
