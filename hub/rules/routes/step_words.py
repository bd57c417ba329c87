"""Every key of a step, as words.py has those of a route."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub.rules.routes.forms import (
    DURATION,
    EXPRESSION,
    LIST_EXPRESSION,
    NAME,
    SLUG,
    STEPS,
    TEXT,
    VALUES,
    Group,
    key,
    or_false,
    ref,
    whole,
    word,
)
from hub.rules.routes.steps import MOST_ITEMS

STEP: Final = Group(
    title="Every step",
    says="Does one thing: `use`, `delay`, `wait_for`, `switch`, `foreach`, `parallel`, `call`, `set` or `stop`.",
    keys=(
        key("id", "small letters, digits, _", "To ask for its result: `steps.<id>.output`.", NAME),
        key("if", "expression", "False: it is skipped.", EXPRESSION),
    ),
)
USE: Final = Group(
    title="`use`",
    says="Does an action: docs/reference/actions.md and docs/connectors.md list them.",
    keys=(
        key("use", "`connector.action`", "Which.", ref("action"), need=True),
        key("connection", "name", "Of connections.yaml.", SLUG, "the connector's only one"),
        key(
            "with",
            "map",
            "Its inputs; each may be a template, and a text `{ file: prompts/support.md }`.",
            {"type": "object"},
        ),
        key("timeout", "duration", "Of one attempt.", DURATION, "the route's"),
        key("retry", "map, or `false`", "When it is tried again.", or_false(ref("retry")), "the route's"),
        key(
            "on_error",
            "`fail`, `continue`, steps",
            "What follows when it has failed for good.",
            {"anyOf": [word("fail", "continue"), STEPS]},
            "fail",
        ),
        key(
            "ignore",
            "list",
            "`suppression`: an opt-out may be confirmed; `quiet_hours`: now.",
            {"type": ["string", "array"], "items": word("suppression", "quiet_hours")},
        ),
    ),
)
DELAY: Final = Group(
    title="`delay`",
    says="A pause that holds no worker and survives a restart.",
    keys=(
        key(
            "delay",
            "duration, or `{until}`",
            "How long, or until which instant: Unix ms, or a date with its time.",
            {
                "anyOf": [
                    DURATION,
                    {
                        "type": "object",
                        "required": ["until"],
                        "properties": {"until": {"type": ["string", "number"]}},
                        "additionalProperties": False,
                    },
                ]
            },
            need=True,
        ),
    ),
)
WAIT_FOR: Final = Group(
    title="`wait_for`",
    says="Waits for an event; `steps.<id>.output.event` is it. What people say is waited for in the conversation of "
    "the run's event; without one, of those to whom the run wrote before (`message.send`); else of anybody.",
    keys=(
        key("trigger", "event, or `{source, event}`", "What for.", ref("awaited"), need=True),
        key("when", "map", 'As in a route; values may be templates: `from: "{{ vars.to }}"`.', ref("when")),
        key("timeout", "duration", "How long.", DURATION, need=True),
        key("on_timeout", "steps", "Done if nothing came.", STEPS),
    ),
)
CASE: Final = Group(
    title="`switch`: a list of cases",
    says="The first that holds is done.",
    keys=(
        key("if", "expression", "Whether.", EXPRESSION),
        key("else", "`true`", "If none above does; the last one.", {"const": True}),
        key("steps", "steps", "What is done.", STEPS, need=True),
    ),
    one_of=("if", "else"),
)
FOREACH: Final = Group(
    title="`foreach`",
    says="The same steps for each item of a list; `index` counts from 0.",
    keys=(
        key("foreach", "expression", "The list.", LIST_EXPRESSION, need=True),
        key("as", "name", "What an item is called.", NAME, "item"),
        key("limit", f"1 … {MOST_ITEMS}", "More items, and it fails.", whole(1, MOST_ITEMS), "100"),
        key("parallel", "1 … 50", "How many at once.", whole(1, 50), "1"),
        key("steps", "steps", "What is done for each.", STEPS, need=True),
    ),
)
PARALLEL: Final = Group(
    title="`parallel`",
    says="Steps that do not wait for one another.",
    keys=(key("parallel", "steps", "They.", STEPS, need=True),),
)
CALL: Final = Group(
    title="`call`",
    says="Another route as a part of this one; its `vars` are `steps.<id>.output.vars`.",
    keys=(
        key("route", "id", "Which.", SLUG, need=True),
        key("with", "map", "Its `vars`.", {"type": "object"}),
    ),
)
SET: Final = Group(
    title="`set`",
    says="Values under names: `vars.<name>`.",
    keys=(key("set", "map", "They.", VALUES, need=True),),
)
STOP: Final = Group(
    title="`stop`",
    says="The run ends here.",
    keys=(
        key(
            "stop",
            "text, or `{as, reason}`",
            "Why; `as: failed` has it fail.",
            {
                "anyOf": [
                    TEXT,
                    {
                        "type": "object",
                        "required": ["reason"],
                        "properties": {"as": word("failed", "completed"), "reason": TEXT},
                        "additionalProperties": False,
                    },
                ]
            },
            need=True,
        ),
    ),
)
#: The keys of each kind of step, beside those of every step.
STEPS_BY_VERB: Final[Mapping[str, Group]] = {
    "use": USE,
    "delay": DELAY,
    "wait_for": WAIT_FOR,
    "switch": CASE,
    "foreach": FOREACH,
    "parallel": PARALLEL,
    "call": CALL,
    "set": SET,
    "stop": STOP,
}
