"""Writes docs/reference/routes.md from the words of routes and the examples of events; a test ties the two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hub.rules.event_types import SUBSCRIBABLE
from hub.rules.fixtures.examples import example
from hub.rules.routes.advice import RULES
from hub.rules.routes.blueprint_words import BLUEPRINT, INPUT, USE_OF_BLUEPRINT
from hub.rules.routes.forms import Group
from hub.rules.routes.matchers import MATCHERS
from hub.rules.routes.policies import ERROR_CLASSES
from hub.rules.routes.step_words import STEP, STEPS_BY_VERB
from hub.rules.routes.words import DEFAULTS, FILE, POLICIES, ROUTE

_INTRODUCTION = """# Routes: every key

Generated from the tables that the hub itself uses (`scripts/docs`). [Routes in ten minutes](../routes.md) explains;
[expressions.md](expressions.md) has filters and functions, [actions.md](actions.md) what steps may `use`.

A `*` marks what must be there. Durations are written `20s`, `10m`, `1h30m`, `7d`.
"""
_TRIGGERS = """
## `trigger`

| form | starts the route |
|---|---|
| `message.received` | each event of this type |
| `message.*`, `"*"` | each event of a family, or each at all |
| `[message.received, reaction.added]` | any of these |
| `{ source: stripe, event: checkout.session.completed }` | what a source tells; without `event` all of it |
| `{ source: stripe, event: [invoice.*, payout.paid] }` | the same, of all that begin so |
| `{ schedule: "0 9 * * 1-5", timezone: Europe/Berlin }` | moments: minute, hour, day, month, weekday |
| `{ webhook: a-long-odd-word }` | what is posted to `/hooks/a-long-odd-word` |
| `{ manual: true }` | a person (`hub routes run`), or another route (`call`) |
"""
_WHEN = """
## `when`

Paths of the event, without `event.`: `contact.tags`. Each has a value, a list (any of them) or a map of matchers.
Nothing is converted: `"1"` is not `1`. Where the event has a list, a matcher that asks for one value looks at its
items. A missing field fails all but `exists: false`. `normalize: casefold` ignores case; `normalize: keyword` blanks
and punctuation at the ends, too. `now: { inside: … }` and `now: { outside: … }` take windows:
`{ days: mon-fri, from: "09:00", to: "18:00" }`.

| matcher | holds if |
|---|---|
"""
_ERRORS = """
## Errors

`retry.when` names classes; `error.class` has one. `error` also has `message`, `status`, `step` and `attempts`.

"""
_EVENT = """
## What an event has

As expressions see it (`event.contact.first_name`) and `when` names it (`contact.first_name`).
`conversation.assignee` is missing while nobody takes care of a conversation. What a source sends stands at the top and
in `event.payload`.

"""
_WARNINGS = """
## Warnings of `hub check`

Their names do not change. Errors have none: they say what to write instead.

| name | |
|---|---|
"""


def routes_markdown() -> str:
    """Render everything."""
    return "".join(
        [
            _INTRODUCTION,
            *_group(FILE),
            *_group(DEFAULTS),
            *_group(ROUTE),
            *(part for group in (USE_OF_BLUEPRINT, BLUEPRINT, INPUT) for part in _group(group)),
            _TRIGGERS,
            _WHEN,
            *(f"| `{name}` | {each.summary} |\n" for name, each in MATCHERS.items()),
            *(part for group in POLICIES.values() for part in _group(group)),
            "\n# Steps\n",
            *_group(STEP),
            *(part for group in STEPS_BY_VERB.values() for part in _group(group)),
            _ERRORS,
            ", ".join(f"`{each}`" for each in ERROR_CLASSES),
            ".\n",
            _EVENT,
            *_events(),
            _WARNINGS,
            *(f"| `{name}` | {says} |\n" for name, says in RULES.items()),
        ]
    )


def _group(group: Group) -> Iterator[str]:
    yield f"\n## {group.title}\n\n{group.says}\n\n| key | takes | | default |\n|---|---|---|---|\n"
    for each in group.keys:
        mark = "*" if each.is_required else ""
        yield f"| `{each.name}`{mark} | {each.form} | {each.says} | {each.default} |\n"


def _events() -> Iterator[str]:
    """Give the fields of each type, those with the same together."""
    by_fields: dict[tuple[str, ...], list[str]] = {}
    for name in SUBSCRIBABLE:
        by_fields.setdefault(tuple(_fields(example(name))), []).append(name)
    yield "| events | fields |\n|---|---|\n"
    for fields, names in by_fields.items():
        yield f"| {', '.join(f'`{each}`' for each in names)} | {', '.join(f'`{each}`' for each in fields)} |\n"


def _fields(event: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in sorted(event.items()):
        if isinstance(value, Mapping) and value:
            yield from _fields(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
