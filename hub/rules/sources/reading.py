"""Read how a source speaks, strictly: a definition that ships with the hub, or one of an operator's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from hub.rules.routes.document import Reading, at, shown
from hub.rules.sources.checks import read_check, required_path
from hub.rules.sources.model import Answer, Definition, Handshake, Part, Wanted
from hub.rules.sources.paths import KeyOf, Path, Text, read_way

KEYS: Final = (
    "title",
    "docs",
    "note",
    "format",
    "form_json",
    "verify",
    "handshake",
    "split",
    "event",
    "id",
    "data",
    "with",
    "once",
    "answer",
    "public_key",
)
_PART_KEYS: Final = ("each", "unless", "event", "id", "data", "with")
_FORMATS: Final = ("json", "form", "text", "auto")
_TEXT_FIX: Final = (
    'Write a path such as body.type, a text such as "{body.kind}.{body.action}", or { text: name }'
)


def read_definition(reading: Reading, name: str, value: object, pointer: str = "") -> Definition | None:
    """Read one definition; None, with problems, where it cannot be used."""
    known = reading.map(value, pointer, noun="a source's definition", keys=KEYS)
    reading.required(
        known, "verify", pointer, noun="a source", fix="Write verify: { hmac: sha256, header: … }"
    )
    check = read_check(reading, known["verify"], at(pointer, "verify")) if known.get("verify") else None
    handshakes = read_handshakes(reading, known.get("handshake"), at(pointer, "handshake"))
    parts = _parts(reading, known, pointer)
    once = _list(known.get("once"))
    texts = [read_text(reading, each, at(at(pointer, "once"), index)) for index, each in enumerate(once)]
    answer = _answer(reading, known.get("answer"), at(pointer, "answer"))
    if check is None or not parts:
        return None
    return Definition(
        name=name,
        title=reading.text(known.get("title"), at(pointer, "title"), noun="`title`") or name,
        docs=reading.text(known.get("docs"), at(pointer, "docs"), noun="`docs`") or "",
        note=reading.text(known.get("note"), at(pointer, "note"), noun="`note`") or "",
        format=reading.one_of(
            known.get("format"), at(pointer, "format"), _FORMATS, noun="`format`", default="json"
        ),
        form_json=reading.text(known.get("form_json"), at(pointer, "form_json"), noun="`form_json`") or "",
        public_key=reading.text(known.get("public_key"), at(pointer, "public_key"), noun="`public_key`")
        or "",
        check=check,
        handshakes=handshakes,
        parts=parts,
        once=tuple(each for each in texts if each is not None),
        answer=answer,
    )


def _list(value: object) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _parts(reading: Reading, known: Mapping[str, Any], pointer: str) -> tuple[Part, ...]:
    split = known.get("split")
    if not isinstance(split, list):
        part = _part(reading, {**known, "each": split}, pointer, each_key="split")
        return () if part is None else (part,)
    for key in ("event", "id", "data", "with"):
        if key in known:
            why = "each part of `split` says it for itself"
            reading.refuse(
                at(pointer, key), f"`{key}` stands beside a list of parts", why, "Move it into the parts"
            )
    here = at(pointer, "split")
    found = []
    for index, each in enumerate(split):
        place = at(here, index)
        found.append(_part(reading, reading.map(each, place, noun="a part", keys=_PART_KEYS), place))
    return tuple(part for part in found if part is not None)


def _part(reading: Reading, known: Mapping[str, Any], pointer: str, *, each_key: str = "each") -> Part | None:
    each = None
    if known.get("each") is not None:
        each = required_path(reading, known["each"], at(pointer, each_key), root="body")
    event = reading.required(known, "event", pointer, noun="a source", fix=_TEXT_FIX)
    name = None if event is None else read_text(reading, event, at(pointer, "event"))
    given = known.get("id")
    data, beside = known.get("data"), known.get("with")
    unless = [
        required_path(reading, path, at(at(pointer, "unless"), index), root="item")
        for index, path in enumerate(_list(known.get("unless")))
    ]
    if name is None:
        return None
    return Part(
        each=each,
        unless=tuple(path for path in unless if path is not None),
        event=name,
        id=None if given is None else read_text(reading, given, at(pointer, "id")),
        data=None if data is None else required_path(reading, data, at(pointer, "data")),
        beside={} if beside is None else _beside(reading, beside, at(pointer, "with")),
    )


def _beside(reading: Reading, value: object, pointer: str) -> dict[str, Path]:
    if not isinstance(value, Mapping):
        reading.refuse(
            pointer, f"`with` is {shown(value)}", "it is a map of names to paths", "Write name: parent.x"
        )
        return {}
    paths = {str(name): required_path(reading, path, at(pointer, name)) for name, path in value.items()}
    return {name: path for name, path in paths.items() if path is not None}


def read_text(reading: Reading, value: object, pointer: str) -> Text | None:
    """Read what makes a text: a path, a text with paths, `{text}`, `{key_of}`, or a list of which the first counts."""
    items = value if isinstance(value, list) else [value]
    ways: list[tuple[str | Path | KeyOf, ...]] = []
    for index, each in enumerate(items):
        here = at(pointer, index) if isinstance(value, list) else pointer
        way = _way(reading, each, here)
        if way is not None:
            ways.append(way)
    return Text(tuple(ways)) if ways else None


def _way(reading: Reading, value: object, pointer: str) -> tuple[str | Path | KeyOf, ...] | None:
    if isinstance(value, Mapping):
        known = reading.map(value, pointer, noun="a text", keys=("text", "key_of", "besides"))
        if "text" in known:
            text = reading.text(known["text"], at(pointer, "text"), noun="`text`")
            return None if text is None else (text,)
        path = required_path(reading, known.get("key_of"), at(pointer, "key_of"))
        besides = reading.texts(known.get("besides"), at(pointer, "besides"), noun="`besides`")
        return None if path is None else (KeyOf(path, frozenset(besides)),)
    found = read_way(value) if isinstance(value, str) else "it is a text"
    if isinstance(found, str):
        reading.refuse(pointer, f"{shown(value)} names nothing", found, _TEXT_FIX)
        return None
    return found


def read_handshakes(reading: Reading, value: object, pointer: str) -> tuple[Handshake, ...]:
    """Read the requests that set a source up."""
    found = []
    for index, each in enumerate(_list(value)):
        here = at(pointer, index) if isinstance(value, list) else pointer
        keys = ("method", "when", "token", "unsigned", "reply", "answer")
        found.append(_handshake(reading, reading.map(each, here, noun="a handshake", keys=keys), here))
    return tuple(found)


def _handshake(reading: Reading, known: Mapping[str, Any], pointer: str) -> Handshake:
    when = known.get("when") or {}
    if not isinstance(when, Mapping):
        fix = "Write when: { body.type: url_verification }"
        reading.refuse(at(pointer, "when"), f"`when` is {shown(when)}", "it maps paths to values", fix)
        when = {}
    wanted = [
        (required_path(reading, path, at(at(pointer, "when"), path)), _wanted(expected))
        for path, expected in when.items()
    ]
    token, reply = known.get("token"), known.get("reply")
    return Handshake(
        method=reading.one_of(
            known.get("method"), at(pointer, "method"), ("GET", "POST"), noun="`method`", default="POST"
        ),
        when=tuple((path, expected) for path, expected in wanted if path is not None),
        token=None if token is None else required_path(reading, token, at(pointer, "token")),
        is_unsigned=reading.flag(
            known.get("unsigned"), at(pointer, "unsigned"), noun="`unsigned`", default=False
        ),
        reply=None if reply is None else required_path(reading, reply, at(pointer, "reply")),
        answer=known.get("answer"),
    )


def _wanted(expected: object) -> Wanted:
    if isinstance(expected, Mapping) and isinstance(expected.get("exists"), bool):
        return Wanted(is_there=expected["exists"])
    return Wanted(expected)


def _answer(reading: Reading, value: object, pointer: str) -> Answer:
    if value is None:
        return Answer()
    known = reading.map(value, pointer, noun="`answer`", keys=("status", "json", "type", "text"))
    status = reading.number(
        known.get("status"), at(pointer, "status"), noun="`status`", least=200, most=299, default=200
    )
    if "json" in known:
        return Answer(status, "application/json", msgspec.json.encode(known["json"]))
    text = reading.text(known.get("text"), at(pointer, "text"), noun="`text`") or ""
    kind = reading.text(known.get("type"), at(pointer, "type"), noun="`type`") or "text/plain; charset=utf-8"
    return Answer(status, kind if text else "", text.encode())
