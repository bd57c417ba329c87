"""Read what holds a route back, what it does again, and what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

import msgspec

from hub.model.actions import ErrorClass
from hub.rules.expressions.scope import Scope
from hub.rules.routes import compiling
from hub.rules.routes.clock_windows import ClockWindow, read_window
from hub.rules.routes.document import Reading, at, shown
from hub.rules.routes.model import (
    Concurrency,
    Debounce,
    Dedupe,
    Keep,
    QuietHours,
    Retry,
    Throttle,
    Written,
)

ERROR_CLASSES: Final[tuple[str, ...]] = get_args(ErrorClass)
DAY_MS: Final = 86_400_000
#: Bytes of the JSON of a route's `metadata`.
MOST_METADATA: Final = 16_384
#: Of a duplicate nobody speaks any more after a week.
DEDUPE_MS: Final = 7 * DAY_MS
#: The zone that stands for that of whom a message is for.
CONTACT: Final = "contact"


def read_retry(reading: Reading, value: Any, pointer: str) -> Retry | Literal[False] | None:
    """Read `retry`; None where there is none."""
    if value is None or value is False:
        return value
    keys = ("attempts", "backoff", "first", "max", "jitter", "within", "when")
    retry = reading.map(value, pointer, noun="`retry`", keys=keys)
    first = reading.duration(retry.get("first", "2s"), at(pointer, "first"))
    longest = reading.duration(retry.get("max", "10m"), at(pointer, "max"))
    within = reading.duration(retry.get("within", "24h"), at(pointer, "within"))
    if first is not None and longest is not None and first > longest:
        reading.refuse(
            at(pointer, "first"), "the first pause is longer than `max`", "pauses grow", "Swap the two"
        )
    return Retry(
        attempts=reading.number(
            retry.get("attempts"), at(pointer, "attempts"), noun="`attempts`", least=1, most=100, default=5
        ),
        backoff=reading.one_of(
            retry.get("backoff"),
            at(pointer, "backoff"),
            ("exponential", "fixed"),
            noun="`backoff`",
            default="exponential",
        ),
        first_ms=first or 0,
        max_ms=longest or 0,
        jitter=_jitter(reading, retry.get("jitter"), at(pointer, "jitter")),
        within_ms=within or 0,
        when=_classes(reading, retry.get("when"), at(pointer, "when")),
    )


def _jitter(reading: Reading, value: Any, pointer: str) -> float:
    if value is None:
        return 0.2
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        reading.refuse(pointer, "`jitter` is no share", "it is a number from 0 to 1", "Write 0.2")
        return 0.2
    return float(value)


def _classes(reading: Reading, value: Any, pointer: str) -> frozenset[Any] | None:
    if value is None:
        return None
    words = reading.texts(value, pointer, noun="an error class")
    found = [
        reading.one_of(word, at(pointer, index), ERROR_CLASSES, noun="an error class", default=None)
        for index, word in enumerate(words)
    ]
    return frozenset(each for each in found if each is not None)


def read_dedupe(reading: Reading, value: Any, pointer: str, scope: Scope) -> Dedupe | Literal[False] | None:
    """Read `dedupe`; None for the event's id."""
    if value is None or value is False:
        return value
    dedupe = reading.map(value, pointer, noun="`dedupe`", keys=("key", "for"))
    key = read_key(reading, dedupe, pointer, scope, noun="`dedupe`")
    for_ms = reading.duration(dedupe.get("for"), at(pointer, "for"))
    return None if key is None else Dedupe(key=key, for_ms=DEDUPE_MS if for_ms is None else for_ms)


def read_throttle(reading: Reading, value: Any, pointer: str, scope: Scope) -> Throttle | None:
    """Read `throttle`."""
    if value is None:
        return None
    throttle = reading.map(value, pointer, noun="`throttle`", keys=("limit", "per", "key", "then"))
    reading.required(throttle, "per", pointer, noun="`throttle`", fix="Write per: 1h")
    return Throttle(
        limit=reading.number(
            throttle.get("limit"), at(pointer, "limit"), noun="`limit`", least=1, most=1_000_000, default=1
        ),
        per_ms=reading.duration(throttle.get("per"), at(pointer, "per")) or 0,
        key=read_key(reading, throttle, pointer, scope, noun="`throttle`", is_optional=True),
        then=reading.one_of(
            throttle.get("then"), at(pointer, "then"), ("skip", "wait", "last"), noun="`then`", default="skip"
        ),
    )


def read_debounce(reading: Reading, value: Any, pointer: str, scope: Scope) -> Debounce | None:
    """Read `debounce`."""
    if value is None:
        return None
    debounce = reading.map(value, pointer, noun="`debounce`", keys=("key", "wait", "max"))
    key = read_key(reading, debounce, pointer, scope, noun="`debounce`")
    reading.required(debounce, "wait", pointer, noun="`debounce`", fix="Write wait: 5s")
    wait = reading.duration(debounce.get("wait"), at(pointer, "wait"))
    longest = reading.duration(debounce.get("max"), at(pointer, "max"))
    if wait is not None and longest is not None and wait > longest:
        reading.refuse(
            at(pointer, "max"), "`max` is shorter than `wait`", "it ends the waiting", "Write a longer one"
        )
    return None if key is None else Debounce(key=key, wait_ms=wait or 0, max_ms=longest)


def read_concurrency(reading: Reading, value: Any, pointer: str, scope: Scope) -> Concurrency | None:
    """Read `concurrency`."""
    if value is None:
        return None
    found = reading.map(value, pointer, noun="`concurrency`", keys=("key", "limit", "then"))
    key = read_key(reading, found, pointer, scope, noun="`concurrency`")
    limit = reading.number(
        found.get("limit"), at(pointer, "limit"), noun="`limit`", least=1, most=1000, default=1
    )
    words = ("wait", "skip", "replace")
    then = reading.one_of(found.get("then"), at(pointer, "then"), words, noun="`then`", default="wait")
    return None if key is None else Concurrency(key=key, limit=limit, then=then)


def read_quiet_hours(
    reading: Reading, value: Any, pointer: str, *, timezone: str | None
) -> QuietHours | None:
    """Read `quiet_hours`."""
    if value is None:
        return None
    keys = ("from", "to", "days", "timezone", "then")
    found = reading.map(value, pointer, noun="`quiet_hours`", keys=keys)
    for key in ("from", "to"):
        reading.required(found, key, pointer, noun="`quiet_hours`", fix=f'Write {key}: "21:00"')
    is_contacts = found.get("timezone") == CONTACT
    asked = {key: found[key] for key in ("from", "to", "days", "timezone") if key in found}
    if is_contacts:
        asked["timezone"] = "UTC"
    window = read_window(asked, pointer, timezone=timezone) if asked else []
    if not isinstance(window, ClockWindow):
        reading.add(window)
        return None
    words = ("wait", "skip")
    then = reading.one_of(found.get("then"), at(pointer, "then"), words, noun="`then`", default="wait")
    return QuietHours(
        window=None if is_contacts else window,
        start=window.start,
        end=window.end,
        days=window.days,
        then=then,
    )


def read_keep(reading: Reading, value: Any, pointer: str) -> Keep | None:
    """Read `keep`."""
    if value is None:
        return None
    keep = reading.map(value, pointer, noun="`keep`", keys=("payload", "log", "redact"))
    payload = reading.duration(keep.get("payload", "7d"), at(pointer, "payload"))
    log = reading.duration(keep.get("log", "30d"), at(pointer, "log"))
    redact = reading.texts(keep.get("redact"), at(pointer, "redact"), noun="a path")
    return Keep(payload_ms=payload or 0, log_ms=log or 0, redact=redact)


def read_metadata(reading: Reading, value: Any, pointer: str) -> Mapping[str, object]:
    """Read `metadata`."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        what, why = f"`metadata` is {shown(value)}", "it is a map"
        reading.refuse(pointer, what, why, "Write metadata: { ticket: OPS-7 }")
        return {}
    try:
        size = len(msgspec.json.encode(value))
    except (TypeError, ValueError):
        what, why = "`metadata` cannot be kept", "something in it is no JSON"
        reading.refuse(pointer, what, why, "Put it into quotes")
        return {}
    if size > MOST_METADATA:
        why = f"it has {size} bytes of JSON, and {MOST_METADATA} are kept"
        reading.refuse(pointer, "`metadata` is too large", why, "Keep the rest elsewhere")
    return value


def read_key(
    reading: Reading, document: Any, pointer: str, scope: Scope, *, noun: str, is_optional: bool = False
) -> Written | None:
    """Read the template of a key."""
    value = document.get("key")
    if value is None and is_optional:
        return None
    if value is None:
        reading.required(document, "key", pointer, noun=noun, fix='Write key: "{{ event.from }}"')
        return None
    if isinstance(value, (list, dict, bool)):
        what, why = "`key` is no text", "keys are compared as text"
        reading.refuse(at(pointer, "key"), what, why, 'Write key: "{{ event.from }}"')
        return None
    return compiling.value(reading, str(value), at(pointer, "key"), scope)
