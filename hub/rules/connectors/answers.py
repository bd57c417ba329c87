"""Read what a provider answered into plain values: bounded, whatever it claims to be."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from hub.rules.connectors.model import AnswerForm
from hub.rules.expressions.limits import DEEPEST_VALUE
from hub.rules.jsonguard import check_json

#: Of one answer.
MOST_BYTES: Final = 1_048_576
_MOST_HEADERS: Final = 100
#: The brackets of an answer beside those of what is made of it.
_MOST_DEPTH: Final = DEEPEST_VALUE // 2
_decode: Final = msgspec.json.Decoder().decode


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An answer, read."""

    status: int
    #: In small letters; the first of each name.
    headers: dict[str, str]
    #: Plain; None where there is none.
    body: Any
    #: Why the body is not what it was to be; None if it is.
    fault: str | None = None


def read_answer(
    status: int, headers: Iterable[tuple[bytes, bytes]], raw: bytes, form: AnswerForm, *, is_cut: bool = False
) -> Answer:
    """Read an answer; one that lies about what it is has a fault, and its text as the body."""
    named: dict[str, str] = {}
    for name, value in headers:
        if len(named) < _MOST_HEADERS:
            named.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    if is_cut:
        is_large = len(raw) >= MOST_BYTES
        told = f"its answer is larger than {MOST_BYTES} bytes" if is_large else "its answer broke off"
        return Answer(status=status, headers=named, body=None, fault=told)
    is_success = 200 <= status < 300
    if (form == "none" and is_success) or not raw.strip():
        return Answer(status=status, headers=named, body=None)
    if form == "text":
        return Answer(status=status, headers=named, body=_text(raw))
    body, fault = _json(raw)
    if fault is None:
        return Answer(status=status, headers=named, body=body)
    kind = named.get("content-type", "").partition(";")[0].strip().lower()
    is_json = "json" in kind
    # What went wrong may be told in any form, whatever a success looks like.
    if (form in ("any", "none") or not is_success) and not is_json:
        return Answer(status=status, headers=named, body=_text(raw))
    told = f"its answer is no JSON{f', but {kind[:60]}' if kind and not is_json else ''}: {fault}"
    return Answer(status=status, headers=named, body=_text(raw), fault=told)


def _json(raw: bytes) -> tuple[Any, str | None]:
    raw = raw.removeprefix(BOM_UTF8)  # RFC 8259 §8.1 lets readers pass over it, and .NET writes it
    problem = check_json(raw, max_depth=_MOST_DEPTH)
    if problem is not None:
        return None, str(problem)
    try:
        return _decode(raw), None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return None, str(error)[:200]


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace")
