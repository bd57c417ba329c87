"""Write docs/reference/actions.md from the actions' own specs. `scripts/docs` writes it; a test ties the two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from hub.actions.refusals import CLASSES
from hub.actions.registry import BUILT_INS
from hub.model.actions import ActionSpec

_INTRODUCTION: Final = """# Built-in actions

Generated from the actions themselves (`scripts/docs`).

What a step of a route may `use` without any connection. Each does what the REST surface does, for everybody alike:
consent, contact-first, budgets, pace and quiet hours hold for routes, too.

- **Once.** A step is done once, however often it is tried: a repetition gives the first answer. `idempotency_key` of a
  send makes it once for all runs that give the same key; other content under it ends as `conflict`. Such keys are
  kept for `retention.idempotency_hours`, and while a run that used one is under way; those of steps as long as their
  run may be taken up again, however long that is.
- **Where.** What an event says need not be repeated: its line, conversation, message and contact are meant where an
  input is absent.
- **Accepted is not delivered.** `status: queued` says that the hub owes it; `message.*` events tell what becomes of it.
  They carry `hub_route`, `hub_run` and `hub_hops` in `metadata`, beside what you put there.
- **Quiet hours** of a line hold a message back until they end; the step is done meanwhile. `ignore: [quiet_hours]` lets
  it go at once.
- **Who has opted out** is not written to (`suppressed`). `ignore: [suppression]` lets one message confirm an opt-out
  within five minutes, however many routes ask; whatever else is asked ends as `suppressed`.

A step that fails ends in one of these classes; all other refusals are `invalid`: the inputs do not fit.

| class | codes ([errors.md](errors.md)) |
|---|---|
"""


def actions_markdown() -> str:
    """Render every built-in action, in the order of the alphabet."""
    by_class: dict[str, list[str]] = {}
    for code, error_class in sorted(CLASSES.items()):
        by_class.setdefault(error_class, []).append(f"`{code}`")
    table = "".join(f"| `{name}` | {', '.join(codes)} |\n" for name, codes in sorted(by_class.items()))
    return _INTRODUCTION + table + "".join("".join(_described(each.spec())) for each in BUILT_INS)


def _described(spec: ActionSpec) -> Iterator[str]:
    yield f"\n## {spec.name}\n\n{spec.title}. {spec.description}\n\n"
    yield f"Kind: `{spec.kind}`. Repetition: `{spec.repetition}`.\n\n"
    yield "| input | kind | |\n|---|---|---|\n"
    required = spec.inputs.get("required", ())
    for name, field in spec.inputs["properties"].items():
        mark = "*" if name in required else ""
        yield f"| `{name}`{mark} | {_kind(field)} | {_told(field)} |\n"
    (example,) = spec.inputs["examples"]
    yield f"\n    with: {msgspec.json.encode(example).decode()}\n"
    yield f"    gives: {msgspec.json.encode(spec.sample).decode()}\n"


def _kind(field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "anyOf" in field:
        kinds = [_kind(each) for each in field["anyOf"] if each.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if field.get("type") == "array":
        return f"list of {_kind(field['items'])}s"
    if field.get("type") == "object" and isinstance(field.get("additionalProperties"), Mapping):
        return f"object of {_kind(field['additionalProperties'])}"
    return str(field.get("type", "anything"))


def _told(field: Mapping[str, Any]) -> str:
    """Give the description with an example; of an input that may be null they stand one level down."""
    parts = (field, *field.get("anyOf", ()))
    told = next((part["description"] for part in parts if "description" in part), "")
    title = next((part["title"] for part in parts if "title" in part), "")
    example = next((part["examples"][0] for part in parts if part.get("examples")), None)
    shown = "" if example is None else f" `{msgspec.json.encode(example).decode()}`"
    return f"{told or title + '.'}{shown}".replace("|", "\\|")
