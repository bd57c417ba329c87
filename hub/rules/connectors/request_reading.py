"""Read requests and what is said about their answers: `request`, `success`, `errors`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, get_args

from hub.model.actions import ErrorClass
from hub.rules.connectors.compiling import ANSWER_SCOPE, REQUEST_SCOPE, Compiling
from hub.rules.connectors.model import After, AnswerForm, BodyForm, ErrorRule, RequestSpec, Success
from hub.rules.expressions.scope import Scope
from hub.rules.routes.document import at, shown
from hub.rules.routes.durations import read_duration

CLASSES: Final[tuple[ErrorClass, ...]] = get_args(ErrorClass)
FORMS: Final[tuple[BodyForm, ...]] = get_args(BodyForm)
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
REQUEST_KEYS: Final = ("method", "path", "url", "query", "headers", *FORMS, "answer")
_RULE_KEYS: Final = ("status", "if", "class", "after", "message", "extract", "pause")
_HEADER: Final = re.compile(r"header:([A-Za-z0-9-]{1,64})(?:\[([A-Za-z0-9_-]{1,32})\])?", re.ASCII)
_BODY: Final = re.compile(r"body:([A-Za-z0-9_.-]{1,100})", re.ASCII)
_WORDS: Final = ("next_hour", "next_day")


def read_request(
    compiling: Compiling, written: object, pointer: str, scope: Scope = REQUEST_SCOPE
) -> RequestSpec:
    """Read `request`."""
    reading = compiling.reading
    known = reading.map(written, pointer, noun="a request", keys=REQUEST_KEYS)
    forms = [form for form in FORMS if form in known]
    if len(forms) > 1:
        what = f"a request has {' and '.join(forms)}"
        reading.refuse(at(pointer, forms[1]), what, "it has one body", "Keep one of them")
    if known and ("path" in known) == ("url" in known):
        why, fix = "it has either `path`, below the base URL, or `url`", "Write path: /v1/things"
        reading.refuse(pointer, "the request has no address, or two", why, fix)
    body = known.get(forms[0]) if forms else None
    return RequestSpec(
        method=_method(compiling, known, pointer, scope),
        path=compiling.path(known.get("path"), at(pointer, "path"), scope),
        url=None if "url" not in known else compiling.template(known["url"], at(pointer, "url"), scope),
        query=_map(compiling, known, "query", pointer, scope),
        headers=_map(compiling, known, "headers", pointer, scope),
        form=forms[0] if forms else None,
        body=compiling.structure(body, at(pointer, forms[0]), scope) if forms else None,
        answer=reading.one_of(
            known.get("answer"), at(pointer, "answer"), get_args(AnswerForm), noun="`answer`", default="json"
        ),
        pointer=pointer,
    )


def _method(compiling: Compiling, known: Mapping[str, Any], pointer: str, scope: Scope) -> Any:
    written, place = known.get("method", "GET"), at(pointer, "method")
    if not (isinstance(written, str) and "{{" in written):
        compiling.reading.one_of(written, place, METHODS, noun="`method`", default="GET")
    return compiling.template(written, place, scope)


def _map(compiling: Compiling, known: Mapping[str, Any], key: str, pointer: str, scope: Scope) -> Any:
    written = known.get(key)
    if written is None:
        return None
    is_template = isinstance(written, str) and "{{" in written
    if not (is_template or isinstance(written, Mapping)):
        why = "it maps names to values"
        compiling.reading.refuse(at(pointer, key), f"`{key}` is {shown(written)}", why, "Write name: value")
        return None
    return compiling.structure(written, at(pointer, key), scope)


def read_success(compiling: Compiling, written: object, pointer: str, scope: Scope = ANSWER_SCOPE) -> Success:
    """Read `success`; without it every 2xx is one."""
    if written is None:
        return Success()
    known = compiling.reading.map(written, pointer, noun="`success`", keys=("status", "if"))
    return Success(
        statuses=_statuses(compiling, known.get("status"), at(pointer, "status")),
        if_=compiling.condition(known.get("if"), at(pointer, "if"), scope),
    )


def read_errors(
    compiling: Compiling, written: object, pointer: str, scope: Scope = ANSWER_SCOPE
) -> tuple[ErrorRule, ...]:
    """Read `errors`: rules in their order, of which the first that fits counts."""
    if written is None:
        return ()
    return compiling.reading.list_of(
        written, pointer, lambda each, place: _rule(compiling, each, place, scope), noun="`errors`"
    )


def _rule(compiling: Compiling, written: object, pointer: str, scope: Scope) -> ErrorRule | None:
    reading = compiling.reading
    known = reading.map(written, pointer, noun="a rule for errors", keys=_RULE_KEYS)
    if not known:
        return None
    reading.required(
        known, "class", pointer, noun="a rule for errors", fix=f"Write one of {', '.join(CLASSES)}"
    )
    if "status" not in known and "if" not in known:
        why, fix = "it would fit everything", "Write status: 429, or if: …, or leave it out"
        reading.refuse(pointer, "a rule for errors says neither `status` nor `if`", why, fix)
    message = known.get("message")
    return ErrorRule(
        statuses=_statuses(compiling, known.get("status"), at(pointer, "status")),
        if_=compiling.condition(known.get("if"), at(pointer, "if"), scope),
        error_class=reading.one_of(
            known.get("class"), at(pointer, "class"), CLASSES, noun="`class`", default="invalid"
        ),
        after=_after(compiling, known.get("after"), at(pointer, "after")),
        message=None if message is None else compiling.template(message, at(pointer, "message"), scope),
        extract=compiling.templates(known.get("extract"), at(pointer, "extract"), scope, noun="`extract`"),
        pauses=reading.flag(known.get("pause"), at(pointer, "pause"), noun="`pause`", default=False),
        pointer=pointer,
    )


def _statuses(compiling: Compiling, written: object, pointer: str) -> frozenset[int]:
    found = set()
    for each in [] if written is None else written if isinstance(written, list) else [written]:
        if isinstance(each, bool) or not isinstance(each, int) or not 100 <= each <= 599:
            what, why = f"{shown(each)} is no status of HTTP", "it is a number from 100 to 599"
            compiling.reading.refuse(pointer, what, why, "Write one such as 429, or a list")
        else:
            found.add(each)
    return frozenset(found)


def _after(compiling: Compiling, written: object, pointer: str) -> After | None:
    if written is None:
        return None
    text = str(written)
    if text in _WORDS:
        return After(kind="next_hour" if text == _WORDS[0] else "next_day")
    if (header := _HEADER.fullmatch(text)) is not None:
        return After(kind="header", name=header[1].lower(), part=header[2] or "")
    if (body := _BODY.fullmatch(text)) is not None:
        return After(kind="body", name=body[1])
    span = read_duration(written, pointer)
    if isinstance(span, int):
        return After(kind="duration", ms=span)
    why = "it is a span of time, header:NAME, header:NAME[part], body:path, next_hour or next_day"
    compiling.reading.refuse(pointer, f"`after` is {shown(written)}", why, "Write 10s, or header:retry-after")
    return None
