"""What answers mean: rules in their order, then what is usual; and how long to wait."""

from __future__ import annotations

from typing import Any

import pytest

from hub.model.actions import ErrorClass, Repetition
from hub.rules.connectors.classification import Classified, classify, said, usual_class, wait_asked
from hub.rules.connectors.compiling import Compiling, Names
from hub.rules.connectors.request_reading import read_errors
from hub.rules.expressions.frame import Surroundings
from hub.rules.routes.document import Reading

#: 2026-08-21T10:20:00Z.
NOW_MS = 1_787_307_600_000

#: Status → class if a repetition does no harm, class if it does.
USUAL: list[tuple[int, ErrorClass, ErrorClass]] = [
    (400, "invalid", "invalid"),
    (401, "auth", "auth"),
    (402, "invalid", "invalid"),
    (403, "permission", "permission"),
    (404, "not_found", "not_found"),
    (408, "rate_limited", "rate_limited"),
    (409, "conflict", "conflict"),
    (410, "not_found", "not_found"),
    (422, "invalid", "invalid"),
    (425, "rate_limited", "rate_limited"),
    (429, "rate_limited", "rate_limited"),
    (500, "server", "server"),
    (501, "server", "server"),
    (502, "retryable", "server"),
    (503, "retryable", "retryable"),
    (504, "retryable", "server"),
    (529, "retryable", "retryable"),
    (302, "invalid", "invalid"),
    (200, "invalid", "invalid"),
]


@pytest.mark.parametrize(("status", "safe", "unsafe"), USUAL)
def test_a_status_has_its_usual_class(status: int, safe: ErrorClass, unsafe: ErrorClass) -> None:
    assert usual_class(status, "safe") == safe
    assert usual_class(status, "keyed") == safe
    assert usual_class(status, "unsafe") == unsafe


def told(
    rules: list[dict[str, Any]],
    body: Any,
    *,
    status: int = 400,
    headers: dict[str, str] | None = None,
    repetition: Repetition = "safe",
) -> Classified:
    reading = Reading()
    found = read_errors(Compiling(reading, Names()), rules or None, "/errors")
    assert reading.problems == []
    values = {"status": status, "headers": headers or {}, "body": body}
    return classify(found, values, Surroundings(now_ms=NOW_MS), title="Acme", repetition=repetition)


def test_the_first_rule_that_fits_counts() -> None:
    rules: list[dict[str, Any]] = [
        {"status": 429, "class": "rate_limited"},
        {
            "status": [400, 422],
            "if": "body.code == 'gone'",
            "class": "not_found",
            "message": "{{ body.code }}",
        },
        {"status": 400, "class": "conflict"},
    ]

    assert told(rules, {"code": "gone"}).error_class == "not_found"
    assert told(rules, {"code": "gone"}).message == "Acme: gone"
    assert told(rules, {"code": "twice"}).error_class == "conflict"
    assert told(rules, {"code": "twice"}, status=404).error_class == "not_found"


def test_a_rule_that_cannot_be_decided_does_not_fit_and_is_told() -> None:
    found = told([{"if": "body.code == 'gone'", "class": "not_found"}], {"error": "x"})

    assert (found.error_class, found.undecided) == ("invalid", ("/errors/0",))


def test_what_cannot_be_extracted_is_left_out_and_told() -> None:
    rule = {
        "status": 409,
        "class": "conflict",
        "message": "{{ body.nothing }}",
        "extract": {
            "id": "{{ body.message | regex_find('ID: (\\d+)', 1) }}",
            "none": "{{ body.message | regex_find('x(y)', 1) }}",
            "missing": "{{ body.nothing }}",
        },
    }
    found = told([rule], {"message": "ID: 7"}, status=409)

    assert found.details == {"id": "7"}
    assert found.message == "Acme answered 409: ID: 7"
    assert found.undecided == ("/errors/0/message", "/errors/0/extract/missing")


#: `after` → headers, body → ms.
WAITS: list[tuple[str, dict[str, str], Any, int | None]] = [
    ("10s", {}, None, 10_000),
    ("next_hour", {}, None, 40 * 60_000),
    ("next_day", {}, None, (13 * 60 + 40) * 60_000),
    ("header:x-reset", {"x-reset": "30"}, None, 30_000),
    ("header:x-reset", {"x-reset": "1.5"}, None, 1_500),
    ("header:x-reset", {"x-reset": "1787307660"}, None, 60_000),
    ("header:x-reset", {"x-reset": "1787307660000"}, None, 60_000),
    ("header:x-reset", {"x-reset": "Fri, 21 Aug 2026 10:21:00 GMT"}, None, 60_000),
    ("header:x-reset", {"x-reset": "0"}, None, 0),
    ("header:x-reset", {"x-reset": "soon"}, None, None),
    ("header:x-reset", {}, None, None),
    ("header:retry-after-ms", {"retry-after-ms": "2500"}, None, 2_500),
    ("header:ratelimit[reset]", {"ratelimit": "limit=100, remaining=0, reset=5"}, None, 5_000),
    ("header:ratelimit[reset]", {"ratelimit": "limit=100"}, None, None),
    ("body:parameters.retry_after", {}, {"parameters": {"retry_after": 64.57}}, 64_570),
    ("body:parameters.retry_after", {}, {"parameters": {"retry_after": True}}, None),
    ("body:parameters.retry_after", {}, "text", None),
    ("header:x-reset", {"x-reset": "99999999"}, None, 86_400_000),
]


@pytest.mark.parametrize(("after", "headers", "body", "wanted"), WAITS)
def test_a_wait_is_read_as_providers_tell_it(
    after: str, headers: dict[str, str], body: Any, wanted: int | None
) -> None:
    reading = Reading()
    (rule,) = read_errors(
        Compiling(reading, Names()), [{"status": 429, "class": "rate_limited", "after": after}], ""
    )

    assert rule.after is not None
    assert wait_asked(rule.after, {"headers": headers, "body": body}, NOW_MS) == wanted


def test_retry_after_counts_where_no_rule_says_otherwise_for_an_hour_at_the_most() -> None:
    assert told([], None, status=429, headers={"retry-after": "7"}).after_ms == 7_000
    assert told([], None, status=503, headers={"retry-after": "7200"}).after_ms == 3_600_000
    assert told([], None, status=400, headers={"retry-after": "7"}).after_ms is None


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"message": "no"}, "no"),
        ({"error": {"message": "no"}}, "no"),
        ({"error": "no"}, "no"),
        ({"errors": [{"detail": "no"}]}, "no"),
        ([{"message": "no", "errorCode": "X"}], "no"),
        ("no_text", "no_text"),
        ("<html><body>oops", "a page of HTML"),
        ({"message": "a\nb\x1b[2J"}, "a b [2J"),
        ({"message": "x" * 2_000}, "x" * 499 + "…"),
        ({"other": 1}, ""),
        (None, ""),
    ],
)
def test_the_words_of_a_provider_are_found_and_tamed(body: Any, wanted: str) -> None:
    assert said(body) == wanted
