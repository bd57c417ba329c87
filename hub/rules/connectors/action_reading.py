"""Read the actions of a manifest: inputs, requests in their order, what they give, and a sample of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, get_args

from hub.model.actions import ActionKind, ErrorClass, Repetition
from hub.rules.connectors.compiling import ANSWER_SCOPE, FAILED_SCOPE, OUTPUT_SCOPE, REQUEST_SCOPE, Compiling
from hub.rules.connectors.model import Action, Instead, Lock, Paging, Step, StepRefusal
from hub.rules.connectors.request_reading import (
    CLASSES,
    read_errors,
    read_request,
    read_success,
)
from hub.rules.connectors.schemas import Schema, for_editors, read_schema
from hub.rules.expressions.structures import Structure
from hub.rules.problems import suggestion
from hub.rules.routes.document import Reading, at, shown

#: The name of the one step of an action that is a single request.
ONLY: Final = "request"
MOST_STEPS: Final = 10
MOST_PAGES: Final = 50
_ACTION: Final = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)
_HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_DAY: Final = re.compile(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]", re.ASCII)
_ACTION_KEYS: Final = (
    "title",
    "description",
    "kind",
    "idempotent",
    "input",
    "connection",
    "lock",
    "request",
    "paginate",
    "success",
    "errors",
    "steps",
    "output",
    "sample",
    "docs",
    "checked",
)
_STEP_KEYS: Final = (
    "id",
    "if",
    "with",
    "request",
    "action",
    "refuse",
    "success",
    "errors",
    "on_class",
    "paginate",
    "idempotent",
)


#: Of which a step has one.
_DOINGS: Final = ("request", "action", "refuse")


class ActionReader:
    """Reads the actions of one manifest."""

    def __init__(self, compiling: Compiling, written: Mapping[str, Any], *, docs: str, checked: str) -> None:
        self._compiling = compiling
        self._written = written
        self._docs = docs
        self._checked = checked

    def read(self, name: str, written: object, pointer: str) -> Action | None:
        """Read one."""
        reading = self._compiling.reading
        known = reading.map(written, pointer, noun="an action", keys=_ACTION_KEYS)
        if not known:
            return None
        if not _ACTION.fullmatch(name):
            why, fix = "it is small letters, digits and _", "Write it like create_note"
            reading.refuse(pointer, f"an action is called {shown(name)}", why, fix)
        title = reading.required(
            known, "title", pointer, noun="an action", fix="Say what it does in a few words"
        )
        kind = reading.required(known, "kind", pointer, noun="an action", fix="Write read, write or message")
        kind = reading.one_of(kind, at(pointer, "kind"), get_args(ActionKind), noun="`kind`", default="write")
        written_schema = known.get("input", {"type": "object"})
        schema = read_schema(reading, written_schema, at(pointer, "input"))
        compiling = self._compiling.knowing(inputs=_inputs(schema))
        repetition, key_header = self._repetition(known, kind, pointer)
        output = self._output(compiling, known, pointer)
        connection, lock = known.get("connection"), known.get("lock")
        steps = self._steps(compiling, known, pointer)
        return Action(
            name=name,
            title=reading.text(title, at(pointer, "title"), noun="`title`") or name,
            description=reading.text(
                known.get("description"), at(pointer, "description"), noun="`description`"
            )
            or "",
            kind=kind,
            repetition=repetition,
            key_header=key_header,
            schema=schema,
            inputs=for_editors(written_schema) if isinstance(written_schema, Mapping) else {},
            connection=None
            if connection is None
            else compiling.template(connection, at(pointer, "connection"), REQUEST_SCOPE),
            lock=None
            if lock is None
            else Lock(key=compiling.template(lock, at(pointer, "lock"), REQUEST_SCOPE)),
            steps=steps,
            output=output,
            sample=self._sample(known, pointer),
            docs=reading.text(known.get("docs"), at(pointer, "docs"), noun="`docs`") or self._docs,
            checked=read_day(reading, known.get("checked"), at(pointer, "checked")) or self._checked,
        )

    # ---- repeating

    def _repetition(
        self, known: Mapping[str, Any], kind: ActionKind, pointer: str
    ) -> tuple[Repetition, str | None]:
        reading, place = self._compiling.reading, at(pointer, "idempotent")
        written = known.get("idempotent")
        if written is None and kind == "read":
            return "safe", None
        if isinstance(written, bool):
            return ("safe" if written else "unsafe"), None
        if not isinstance(written, Mapping):
            fix = "Write true, false, { header: Idempotency-Key } or { field: external_id }"
            why = "whether a repetition does harm decides whether it is tried again"
            reading.refuse(
                place if written is not None else pointer, "an action needs `idempotent`", why, fix
            )
            return "unsafe", None
        both = reading.map(written, place, noun="`idempotent`", keys=("header", "field"))
        if "header" in both:
            header = reading.text(both["header"], at(place, "header"), noun="`header`")
            if header is not None and not _HEADER.fullmatch(header):
                why, fix = "it is no name of a header", "Write header: Idempotency-Key"
                reading.refuse(at(place, "header"), f"`header` is {shown(header)}", why, fix)
            return "keyed", header
        if not any("key" in names for names in _names_read(known)):
            why, fix = "no request of the action sends it", "Write the field in the request: … {{ key }}"
            reading.refuse(place, "the key is not sent", why, fix)
        return "keyed", None

    # ---- steps

    def _steps(self, compiling: Compiling, known: Mapping[str, Any], pointer: str) -> tuple[Step, ...]:
        reading = compiling.reading
        if ("steps" in known) == ("request" in known):
            why, fix = (
                "it is one request, or several steps",
                "Write request: { method: GET, path: /v1/things }",
            )
            reading.refuse(pointer, "an action has neither `request` nor `steps`, or both", why, fix)
            return ()
        if "request" in known:
            return (self._step(compiling, {**_part_of_step(known), "id": ONLY}, pointer),)
        place = at(pointer, "steps")
        for key in ("success", "errors", "paginate"):
            if key in known:
                why, fix = "each step has its own", "Write it in the step"
                reading.refuse(at(pointer, key), f"`{key}` stands beside `steps`", why, fix)
        steps = reading.list_of(
            known["steps"], place, lambda each, at_: self._step(compiling, each, at_), noun="`steps`"
        )
        self._check_steps(reading, steps, place)
        return steps

    def _step(self, compiling: Compiling, written: object, pointer: str) -> Step:
        reading = compiling.reading
        known = reading.map(written, pointer, noun="a step", keys=_STEP_KEYS)
        name = reading.required(known, "id", pointer, noun="a step", fix="Write id: found")
        if known and sum(key in known for key in _DOINGS) != 1:
            why, fix = "it does one thing", "Write request: …, action: find_contact, or refuse: …"
            reading.refuse(
                pointer, "a step has none of `request`, `action` and `refuse`, or several", why, fix
            )
        action = reading.text(known.get("action"), at(pointer, "action"), noun="`action`")
        if action is not None and action not in self._written:
            near = suggestion(action, self._written)
            fix = f"Did you mean {near}" if near else "Name one of this manifest"
            reading.refuse(at(pointer, "action"), f"there is no action {action}", "it is not here", fix)
        values, request = known.get("with"), known.get("request")
        return Step(
            id=reading.slug(name, at(pointer, "id"), noun="`id`") or "",
            if_=compiling.condition(known.get("if"), at(pointer, "if"), REQUEST_SCOPE),
            values=None
            if values is None
            else compiling.structure(values, at(pointer, "with"), REQUEST_SCOPE),
            request=None if request is None else read_request(compiling, request, at(pointer, "request")),
            action=action,
            refusal=_refusal(compiling, known.get("refuse"), at(pointer, "refuse")),
            success=read_success(compiling, known.get("success"), at(pointer, "success")),
            errors=read_errors(compiling, known.get("errors"), at(pointer, "errors")),
            on_class=self._on_class(compiling, known.get("on_class"), at(pointer, "on_class")),
            paging=self._paging(compiling, known.get("paginate"), at(pointer, "paginate")),
            repetition="safe"
            if reading.flag(
                known.get("idempotent"), at(pointer, "idempotent"), noun="`idempotent`", default=False
            )
            else None,
            pointer=pointer,
        )

    def _paging(self, compiling: Compiling, written: object, pointer: str) -> Paging | None:
        if written is None:
            return None
        reading = compiling.reading
        known = reading.map(written, pointer, noun="`paginate`", keys=("next", "items", "pages"))
        fix = 'Write next: "{{ body.next | default(none) }}" and items: "{{ body.results }}"'
        for key in ("next", "items"):
            reading.required(known, key, pointer, noun="`paginate`", fix=fix)
        return Paging(
            next=compiling.template(known.get("next"), at(pointer, "next"), ANSWER_SCOPE),
            items=compiling.template(known.get("items"), at(pointer, "items"), ANSWER_SCOPE),
            most_pages=reading.number(
                known.get("pages"), at(pointer, "pages"), noun="`pages`", least=1, most=MOST_PAGES, default=5
            ),
        )

    def _on_class(self, compiling: Compiling, written: object, pointer: str) -> dict[ErrorClass, Instead]:
        if written is None:
            return {}
        known = compiling.reading.map(written, pointer, noun="`on_class`", keys=CLASSES)
        return {
            word: self._instead(compiling, known[word], at(pointer, word))
            for word in CLASSES
            if word in known
        }

    @staticmethod
    def _instead(compiling: Compiling, written: object, pointer: str) -> Instead:
        if written == "continue":
            return Instead(step=None, values=None)
        fix = "Write continue, or { instead: update, with: { id: … } }"
        reading = compiling.reading
        known = reading.map(written, pointer, noun="what follows a failure", keys=("instead", "with"))
        name = reading.required(known, "instead", pointer, noun="what follows a failure", fix=fix)
        values = known.get("with")
        return Instead(
            step=reading.slug(name, at(pointer, "instead"), noun="`instead`") or "",
            values=None if values is None else compiling.structure(values, at(pointer, "with"), FAILED_SCOPE),
        )

    @staticmethod
    def _check_steps(reading: Reading, steps: tuple[Step, ...], pointer: str) -> None:
        ids = [step.id for step in steps]
        if len(steps) > MOST_STEPS:
            reading.refuse(
                pointer, f"there are {len(steps)} steps", f"{MOST_STEPS} are the most", "Take fewer"
            )
        for step in steps:
            if ids.count(step.id) > 1:
                why, fix = "results are called by it", "Give each step an id of its own"
                reading.refuse(at(step.pointer, "id"), f"two steps are called {step.id}", why, fix)
            for word, instead in step.on_class.items():
                if instead.step is not None and (instead.step not in ids or instead.step == step.id):
                    near = suggestion(instead.step, [each for each in ids if each != step.id])
                    fix = f"Did you mean {near}" if near else "Name another step of this action"
                    place = at(at(at(step.pointer, "on_class"), word), "instead")
                    reading.refuse(place, f"there is no other step {instead.step}", "it is not here", fix)

    # ---- what it gives

    def _output(self, compiling: Compiling, known: Mapping[str, Any], pointer: str) -> Structure:
        reading = compiling.reading
        fix = 'Write output: { id: "{{ body.id }}" }, or {} if it gives nothing'
        written = known.get("output")
        if written is None or not isinstance(written, Mapping):
            why = "it is missing" if written is None else "it is a map"
            reading.refuse(pointer, "an action needs `output`", why, fix)
            written = {}
        found = compiling.structure(written, at(pointer, "output"), OUTPUT_SCOPE)
        if found is None:
            found = compiling.structure({}, pointer, OUTPUT_SCOPE)
            assert found is not None, "an empty map is a structure"
        return found

    def _sample(self, known: Mapping[str, Any], pointer: str) -> Mapping[str, Any]:
        reading = self._compiling.reading
        sample, output = known.get("sample"), known.get("output")
        if not isinstance(sample, Mapping):
            why = "steps that tests do not mock answer it"
            reading.refuse(pointer, "an action needs `sample`", why, "Write an output as it gives it")
            return {}
        names = tuple(output) if isinstance(output, Mapping) else ()
        reading.map(sample, at(pointer, "sample"), noun="`sample`", keys=names)
        for name in names:
            if name not in sample and "omit" not in str(output[name] if output else ""):
                what, fix = f"`sample` lacks {name}", f"Write {name}: as the provider gives it"
                reading.refuse(at(pointer, "sample"), what, "`output` has it", fix)
        return sample


def _refusal(compiling: Compiling, written: object, pointer: str) -> StepRefusal | None:
    if written is None:
        return None
    reading = compiling.reading
    known = reading.map(written, pointer, noun="`refuse`", keys=("class", "message"))
    fix = "Write refuse: { class: conflict, message: several contacts have this number }"
    for key in ("class", "message"):
        reading.required(known, key, pointer, noun="`refuse`", fix=fix)
    return StepRefusal(
        error_class=reading.one_of(
            known.get("class"), at(pointer, "class"), CLASSES, noun="`class`", default="invalid"
        ),
        message=compiling.template(known.get("message", ""), at(pointer, "message"), REQUEST_SCOPE),
    )


def _part_of_step(known: Mapping[str, Any]) -> dict[str, Any]:
    return {key: known[key] for key in ("request", "success", "errors", "paginate") if key in known}


def _inputs(schema: Schema) -> Mapping[str, bool] | None:
    """Tell which inputs there are, and whether each always has a value."""
    if schema.is_open and not schema.properties:
        return None
    return {name: name in schema.required or each.has_default for name, each in schema.properties.items()}


def _names_read(value: object) -> list[set[str]]:
    """Give the words within the braces of all texts of a value."""
    match value:
        case str():
            return [set(re.findall(r"[A-Za-z_]+", each)) for each in re.findall(r"\{\{(.*?)\}\}", value)]
        case Mapping():
            return [found for each in value.values() for found in _names_read(each)]
        case list():
            return [found for each in value for found in _names_read(each)]
    return []


def read_day(reading: Reading, written: object, pointer: str) -> str | None:
    """Read the day of a check."""
    text = reading.text(written, pointer, noun="`checked`")
    if text is not None and not _DAY.fullmatch(text):
        why, fix = "it is the day on which somebody read the provider's documentation", "Write 2026-08-21"
        reading.refuse(pointer, f"`checked` is {shown(text)}", why, fix)
        return None
    return text
