"""Read the body of a delivery: JSON, a form, or text; and give its query and headers names."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from hub.rules.jsonguard import check_json
from hub.rules.sources.model import Definition, Reason, Refused

MOST_FIELDS: Final = 1_000
_FORM: Final = "application/x-www-form-urlencoded"


def read_body(definition: Definition, body: bytes, content_type: str, *, most_depth: int) -> Any:
    """Read the body as the source writes it; Refused where that is not possible."""
    kind = content_type.partition(";")[0].strip().lower()
    form = definition.format
    if form == "auto":
        form = "form" if kind == _FORM else "text" if kind.startswith("text/") else "json"
    if form == "text":
        return _text(body)
    if form == "json":
        return _json(body, most_depth)
    found = read_form(body)
    if isinstance(found, Refused) or definition.form_json not in found:
        return found
    inner = found[definition.form_json]
    return _json(inner.encode(), most_depth) if isinstance(inner, str) else found


def _json(body: bytes, most_depth: int) -> Any:
    body = body.removeprefix(BOM_UTF8)  # RFC 8259 §8.1 lets readers pass over it
    problem = check_json(body, max_depth=most_depth)
    if problem is not None:
        return Refused(Reason.UNREADABLE, str(problem))
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return Refused(Reason.UNREADABLE, "The body is not the JSON that this source sends.")


def _text(body: bytes) -> str | Refused:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return Refused(Reason.UNREADABLE, "The body is not UTF-8.")
    return Refused(Reason.UNREADABLE, "The body holds a NUL character.") if "\0" in text else text


def read_form(body: bytes) -> dict[str, Any] | Refused:
    """Read a form: a name that stands there several times has a list of values."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:  # not UTF-8 (plain or within percent codes), or too many fields
        return Refused(Reason.UNREADABLE, f"The body is no form in UTF-8 of at most {MOST_FIELDS} fields.")
    found: dict[str, Any] = {}
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            return Refused(Reason.UNREADABLE, "The body holds a NUL character.")
        before = found.get(name)
        if name not in found:
            found[name] = value
        elif isinstance(before, list):
            before.append(value)
        else:
            found[name] = [before, value]
    return found


def read_query(raw: str) -> Mapping[str, str]:
    """Read a query string; of a repeated name the last counts."""
    try:
        return dict(parse_qsl(raw, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        return {}


def loosely_read(body: bytes) -> Any:
    """Read JSON to look for what a verification needs in it; None where it is none."""
    body = body.removeprefix(BOM_UTF8)
    if check_json(body) is not None:
        return None
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return None


def read_any(body: bytes, content_type: str, *, most_depth: int) -> Any:
    """Read what nobody described, as its content type says: a form, text, or else JSON; nothing at all is null."""
    kind = content_type.partition(";")[0].strip().lower()
    if not body:
        return None
    if kind == _FORM:
        return read_form(body)
    return _text(body) if kind.startswith("text/") else _json(body, most_depth)
