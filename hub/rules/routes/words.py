"""Every key of a file of routes: what it takes, what holds without it, what it is for.

From here, and from step_words, come the JSON Schema for editors (`hub schema`) and docs/reference/routes.md; tests tie
them to the reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub.rules.routes.forms import (
    CLOCK,
    DAYS,
    DURATION,
    EXPRESSION,
    FLAG,
    KEY_TEMPLATE,
    SLUG,
    STEPS,
    TEXT,
    TEXTS,
    VALUES,
    ZONE,
    Group,
    key,
    or_false,
    ref,
    whole,
    word,
)
from hub.rules.routes.policies import ERROR_CLASSES

# ---- the maps of a file

_SHARED: Final = (
    key("timezone", "IANA name", "Of schedules, windows and dates that name none.", ZONE),
    key("timeout", "duration", "Of one attempt at a step.", DURATION, "30s"),
    key("retry", "map, or `false`", "When a step that failed is tried again.", or_false(ref("retry"))),
    key("on_error", "steps", "Done once, after a route has failed for good; `error` says why.", STEPS),
    key("keep", "map", "How long what a run knew is kept.", ref("keep")),
)
FILE: Final = Group(
    title="The file",
    says="One file holds any number of routes. All files of the folder stand together, or none does.",
    keys=(
        key("version", "`1`", "Of this form.", {"const": 1}, need=True),
        key(
            "defaults", "map", "What every route of the file gets unless it says otherwise.", ref("defaults")
        ),
        key(
            "routes",
            "list",
            "The routes, and uses of blueprints.",
            {"type": "array", "minItems": 1, "items": ref("route_or_use")},
            need=True,
        ),
        key(
            "tests",
            "list",
            "Their tests: docs/testing-routes.md.",
            {"type": "array", "minItems": 1, "items": ref("test")},
        ),
    ),
)
DEFAULTS: Final = Group(title="`defaults`", says="What every route of the file gets.", keys=_SHARED)
ROUTE: Final = Group(
    title="A route",
    says="Read in this order: trigger, when, if, what holds it back, steps, on_error.",
    keys=(
        key(
            "id",
            "small letters, digits, -, _",
            "Its name, which stays: renamed, it is another route.",
            SLUG,
            need=True,
        ),
        key("description", "text", "For people, in lists and alerts.", TEXT),
        key("tags", "text or list", "For people.", TEXTS),
        key("owner", "text", "Whom to ask.", TEXT),
        key(
            "metadata",
            "map",
            "An object of your own, at most 16 KB of JSON, for programs that make routes; the hub does not read it.",
            {"type": "object"},
        ),
        key("enabled", "true or false", "Whether it runs.", FLAG, "true"),
        key(
            "mode",
            "`live`, `shadow`",
            "`shadow` renders everything and sends nothing.",
            word("live", "shadow"),
            "live",
        ),
        key("trigger", "event, list, map", "What starts it.", ref("trigger"), need=True),
        key("when", "map", "Paths of the event with values or matchers; all must hold.", ref("when")),
        key("if", "expression", "Asked after `when`; gives true or false.", EXPRESSION),
        key(
            "priority",
            "-1000 … 1000",
            "Of routes that one event starts, the higher is first.",
            whole(-1000, 1000),
            "0",
        ),
        key("stop_others", "true or false", "No route after it sees the event.", FLAG, "false"),
        key(
            "dedupe",
            "map, or `false`",
            "The same key starts one run within a time.",
            or_false(ref("dedupe")),
            "the event's id",
        ),
        key("throttle", "map", "So many runs of a key within a time.", ref("throttle")),
        key(
            "debounce",
            "map",
            "One run for what comes in quick succession; `events` has all.",
            ref("debounce"),
        ),
        key(
            "concurrency",
            "map",
            "So many runs of a key at once.",
            ref("concurrency"),
            "one for each conversation",
        ),
        key("quiet_hours", "map", "When steps that write to people wait.", ref("quiet_hours")),
        key("vars", "map", "Values, worked out once, that all below may use.", VALUES),
        key("steps", "list", "What is done, one after the other.", STEPS, need=True),
        *_SHARED,
    ),
)
DEDUPE: Final = Group(
    title="`dedupe`",
    says="An event starts a route once in any case; a key says which events are the same.",
    keys=(
        key("key", "template", "What is compared.", KEY_TEMPLATE, need=True),
        key("for", "duration", "How long it is remembered.", DURATION, "7d"),
    ),
)
THROTTLE: Final = Group(
    title="`throttle`",
    says="Against floods, and for answers that nobody wants twice.",
    keys=(
        key("limit", "1 …", "Runs.", whole(1, 1_000_000), "1"),
        key("per", "duration", "Within this time.", DURATION, need=True),
        key("key", "template", "Counted for each value of its own.", KEY_TEMPLATE, "one for all"),
        key(
            "then",
            "`skip`, `wait`, `last`",
            "What becomes of more: nothing; they wait; the last one waits.",
            word("skip", "wait", "last"),
            "skip",
        ),
    ),
)
DEBOUNCE: Final = Group(
    title="`debounce`",
    says="People send three bubbles; the route runs once, with the last as `event` and all as `events`.",
    keys=(
        key("key", "template", "What belongs together.", KEY_TEMPLATE, need=True),
        key("wait", "duration", "So long after the last one it runs.", DURATION, need=True),
        key("max", "duration", "But so long after the first at the latest.", DURATION, "ten times `wait`"),
    ),
)
CONCURRENCY: Final = Group(
    title="`concurrency`",
    says="Without it, runs of one conversation take turns, in order.",
    keys=(
        key("key", "template", "What takes turns.", KEY_TEMPLATE, need=True),
        key("limit", "1 … 1000", "Runs at once.", whole(1, 1000), "1"),
        key(
            "then",
            "`wait`, `skip`, `replace`",
            "What becomes of more: they wait; nothing; they take the place of those that run.",
            word("wait", "skip", "replace"),
            "wait",
        ),
    ),
)
QUIET_HOURS: Final = Group(
    title="`quiet_hours`",
    says="For `message.*` steps alone; a CRM may be written to at night.",
    keys=(
        key("from", "HH:MM", "They begin.", CLOCK, need=True),
        key("to", "HH:MM", "They end.", CLOCK, need=True),
        key("days", "`mon-fri`, list", "On which days they begin.", DAYS, "every day"),
        key(
            "timezone",
            "IANA name, `contact`",
            "By whose clock; `contact`: as their `metadata.timezone` says, or their number, or else the route. Of a "
            "`message.send` to somebody else than the event's contact: as that number says, or else the route.",
            ZONE,
            "the route's",
        ),
        key("then", "`wait`, `skip`", "What becomes of the step.", word("wait", "skip"), "wait"),
    ),
)
RETRY: Final = Group(
    title="`retry`",
    says="What may have happened and must not happen twice is never repeated, whatever stands here.",
    keys=(
        key("attempts", "1 … 100", "All together.", whole(1, 100), "5"),
        key(
            "backoff",
            "`exponential`, `fixed`",
            "How pauses grow.",
            word("exponential", "fixed"),
            "exponential",
        ),
        key("first", "duration", "The first pause.", DURATION, "2s"),
        key("max", "duration", "The longest.", DURATION, "10m"),
        key(
            "jitter",
            "0 … 1",
            "Which share of a pause is drawn by lot.",
            {"type": "number", "minimum": 0, "maximum": 1},
            "0.2",
        ),
        key("within", "duration", "All attempts lie in it.", DURATION, "24h"),
        key(
            "when",
            "list of classes",
            "After which errors.",
            {"type": ["string", "array"], "items": word(*ERROR_CLASSES)},
            "retryable, rate_limited, server, timeout_unknown",
        ),
    ),
)
KEEP: Final = Group(
    title="`keep`",
    says="Personal data goes when nobody needs it any more.",
    keys=(
        key("payload", "duration", "The event and what steps were given and gave.", DURATION, "7d"),
        key("log", "duration", "That it ran, and how it ended.", DURATION, "30d"),
        key("redact", "list of paths", "What is never kept.", TEXTS),
    ),
)
POLICIES: Final[Mapping[str, Group]] = {
    "dedupe": DEDUPE,
    "throttle": THROTTLE,
    "debounce": DEBOUNCE,
    "concurrency": CONCURRENCY,
    "quiet_hours": QUIET_HOURS,
    "retry": RETRY,
    "keep": KEEP,
}
