"""What an answer means that was no success: the rules of the action, then of the connector, then the usual (facts:
routes B2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hub.model.actions import ErrorClass, Repetition
from hub.rules.connectors.model import After, ErrorRule, Success
from hub.rules.expressions.access import follow
from hub.rules.expressions.frame import Surroundings
from hub.rules.expressions.problems import ExpressionError
from hub.rules.retry import parse_retry_after

#: The longest that `Retry-After` can ask for where no rule speaks of it …
LONGEST_ASKED_MS: Final = 3_600_000
#: … and the header or the part of the body that a rule names, such as the end of a daily quota.
_LONGEST_NAMED_MS: Final = 86_400_000
_LONGEST_MESSAGE: Final = 500
#: Unix seconds and milliseconds from 2001 on: a reset that is no span of time.
_EPOCH_SECONDS: Final = 1_000_000_000
_EPOCH_MS: Final = 1_000_000_000_000

_RATE_LIMITED: Final = frozenset({408, 425, 429})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PASSING: Final = frozenset({503, 529})
#: A gateway gave up on a server that may have done it.
_UNSURE: Final = frozenset({502, 504})
_BY_STATUS: Final[Mapping[int, ErrorClass]] = {
    401: "auth",
    403: "permission",
    404: "not_found",
    409: "conflict",
    410: "not_found",
}
#: Where providers put their words, the most telling first.
_WORDS: Final = (
    "message",
    "error.message",
    "error_description",
    "error",
    "detail",
    "description",
    "errors.0.message",
    "errors.0.detail",
    "0.message",
    "title",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Classified:
    """What went wrong, in our words and classes."""

    error_class: ErrorClass
    message: str
    status: int | None
    after_ms: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    #: The connection is of no use until somebody looks at it.
    pauses: bool = False
    #: Places of rules that could not be decided for this answer, which shows a mistake of the manifest.
    undecided: tuple[str, ...] = ()


def is_success(success: Success, values: Mapping[str, Any], surroundings: Surroundings) -> bool:
    """Tell whether an answer is what was hoped for."""
    status = values["status"]
    if status not in success.statuses if success.statuses else not 200 <= status < 300:
        return False
    if success.if_ is None:
        return True
    try:
        return success.if_.holds(values, surroundings)
    except ExpressionError:
        return False


def classify(
    rules: Iterable[ErrorRule],
    values: Mapping[str, Any],
    surroundings: Surroundings,
    *,
    title: str,
    repetition: Repetition,
) -> Classified:
    """Say what an answer means.

    Args:
        rules: In their order; the first that fits counts.
        values: `status`, `headers` (small letters), `body`, and what the request read.
        surroundings: The time.
        title: The provider's name, for messages.
        repetition: What doing it again does.
    """
    undecided: list[str] = []
    status = values["status"]
    for rule in rules:
        if rule.statuses and status not in rule.statuses:
            continue
        try:
            if rule.if_ is not None and not rule.if_.holds(values, surroundings):
                continue
        except ExpressionError:
            undecided.append(rule.pointer)
            continue
        return _by_rule(rule, values, surroundings, title, tuple(undecided))
    error_class = usual_class(status, repetition)
    return Classified(
        error_class=error_class,
        message=_usual_message(title, values),
        status=status,
        after_ms=_usual_wait(error_class, values, surroundings.now_ms),
        undecided=tuple(undecided),
    )


def usual_class(status: int, repetition: Repetition) -> ErrorClass:
    """Give the class of a status that no rule speaks of."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status in _RATE_LIMITED:
        return "rate_limited"
    if status in _PASSING or (status in _UNSURE and repetition != "unsafe"):
        return "retryable"
    return "server" if status >= 500 else "invalid"


def _by_rule(
    rule: ErrorRule,
    values: Mapping[str, Any],
    surroundings: Surroundings,
    title: str,
    undecided: tuple[str, ...],
) -> Classified:
    usual = _usual_message(title, values)
    message = usual
    if rule.message is not None:
        try:
            message = f"{title}: {str(rule.message.render(values, surroundings)).strip()[:_LONGEST_MESSAGE]}"
        except ExpressionError:
            undecided = (*undecided, f"{rule.pointer}/message")
    details = {}
    for name, template in rule.extract.items():
        try:
            found = template.render(values, surroundings)
        except ExpressionError:
            undecided = (*undecided, f"{rule.pointer}/extract/{name}")
            continue
        if found is not None:
            details[name] = found
    after_ms = None
    if rule.after is not None:
        after_ms = wait_asked(rule.after, values, surroundings.now_ms)
    return Classified(
        error_class=rule.error_class,
        message=message or usual,
        status=values["status"],
        after_ms=_usual_wait(rule.error_class, values, surroundings.now_ms) if after_ms is None else after_ms,
        details=details,
        pauses=rule.pauses,
        undecided=undecided,
    )


# ---- how long to wait


def wait_asked(after: After, values: Mapping[str, Any], now_ms: int) -> int | None:
    """Give the wait that a rule reads out of an answer, in ms."""
    match after.kind:
        case "duration":
            return after.ms
        case "next_hour" | "next_day":
            now = datetime.fromtimestamp(now_ms / 1000, UTC)
            start = now.replace(minute=0, second=0, microsecond=0)
            later = (
                start + timedelta(hours=1)
                if after.kind == "next_hour"
                else start.replace(hour=0) + timedelta(days=1)
            )
            return round((later - now).total_seconds() * 1000)
        case "body":
            found = follow(values["body"], after.name)
            text = str(found) if isinstance(found, int | float | str) and not isinstance(found, bool) else ""
        case "header":
            text = str(values["headers"].get(after.name, ""))
    if after.part:
        part = re.search(rf"(?:^|[,;\s]){re.escape(after.part)}\s*=\s*\"?([0-9.]+)", text)
        text = part[1] if part else ""
    wait = span_ms(text, now_ms, unit_ms=1 if after.name.endswith("-ms") else 1000)
    return None if wait is None else min(wait, _LONGEST_NAMED_MS)


def span_ms(text: str, now_ms: int, *, unit_ms: int = 1000) -> int | None:
    """Read a wait: a span, a date, or an instant in Unix seconds or milliseconds."""
    asked = parse_retry_after(text, now_ms) if text else None
    if asked is None:
        return None
    number = asked // 1000 if text.strip().replace(".", "", 1).isdigit() else 0
    if number >= _EPOCH_MS:
        return max(0, number - now_ms)
    if number >= _EPOCH_SECONDS:
        return max(0, asked - now_ms)
    return asked if unit_ms == 1000 or not number else asked * unit_ms // 1000


def _usual_wait(error_class: ErrorClass, values: Mapping[str, Any], now_ms: int) -> int | None:
    if error_class not in ("rate_limited", "retryable"):
        return None
    wait = span_ms(str(values["headers"].get("retry-after", "")), now_ms)
    return None if wait is None else min(wait, LONGEST_ASKED_MS)


# ---- words


def _usual_message(title: str, values: Mapping[str, Any]) -> str:
    status, words = values["status"], said(values["body"])
    if status in _REDIRECTS:
        where = _short(str(values["headers"].get("location", "")).partition("?")[0])
        words = f"redirects are not followed{f'; ask {where} itself' if where else ''}"
    return f"{title} answered {status}{f': {words}' if words else ''}"


def said(body: object) -> str:
    """Give the words of an answer that tell most, shortened."""
    if isinstance(body, str):
        return _short(body) if not body.lstrip().startswith("<") else "a page of HTML"
    for path in _WORDS:
        found = follow(body, path)
        if isinstance(found, str) and found.strip():
            return _short(found)
    return ""


def _short(text: str) -> str:
    """Give a text in one line; what a provider wrote must not write lines into logs."""
    line = " ".join(
        "".join(each if each.isprintable() else " " for each in text[: _LONGEST_MESSAGE * 2]).split()
    )
    return line if len(line) <= _LONGEST_MESSAGE else f"{line[: _LONGEST_MESSAGE - 1]}…"
