"""What a webhook's owner may ask for: each check names the field as the wire does, and says what to write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.model.errors import InvalidRequest
from hub.rules.conditions import Condition, compile_condition
from hub.rules.egress import EgressPolicy, Refusal, check_url
from hub.rules.event_types import expand_pattern, validate_pattern
from hub.rules.headers import validate_headers
from hub.rules.problems import Problem
from hub.rules.retry import RetryPolicy

#: More patterns than there are event types say nothing more.
MOST_PATTERNS = 64


def check_receiver_url(url: str, policy: EgressPolicy) -> None:
    """Refuse a URL that Hub may not call. Its name is resolved, and checked again, at each delivery."""
    verdict = check_url(url, policy)
    if isinstance(verdict, Refusal):
        sentence = verdict.message[0].upper() + verdict.message[1:]
        raise InvalidRequest("url_refused", f"{sentence.rstrip('.')}.", param="url")


def check_patterns(
    patterns: Sequence[str], *, param: str = "events", only: frozenset[str] | None = None
) -> tuple[str, ...]:
    """Give the patterns as they are kept: each once, in the order given.

    Args:
        patterns: Event types and families.
        param: The field that they stand in.
        only: The event types that can be told; None for all.
    """
    if not 1 <= len(patterns) <= MOST_PATTERNS:
        raise InvalidRequest(
            "invalid_parameter_value",
            f'Give 1 to {MOST_PATTERNS} event types, or ["*"] for all.',
            param=param,
        )
    kept = [validate_pattern(pattern) for pattern in patterns]
    for index, pattern in enumerate(kept):
        if isinstance(pattern, Problem):
            raise InvalidRequest("invalid_parameter_value", _sentence(pattern), param=f"{param}[{index}]")
    found = tuple(dict.fromkeys(pattern for pattern in kept if isinstance(pattern, str)))
    if only is not None:
        for pattern in found:
            if not only.issuperset(expand_pattern(pattern)):
                message = f"'{pattern}' cannot be told in this form; choose among {', '.join(sorted(only))}."
                raise InvalidRequest("invalid_parameter_value", message, param=param)
    return found


def check_condition(document: object) -> str | None:
    """Give a filter as canonical JSON; None when there is none."""
    if document is None:
        return None
    compiled = compile_condition(document)
    if isinstance(compiled, Condition):
        return compiled.text
    pointer = compiled[0].pointer
    raise InvalidRequest("invalid_parameter_value", _sentence(compiled[0]), param=f"filter{pointer}")


def check_headers(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Give custom headers as they are kept."""
    problems = validate_headers(headers)
    if problems:
        raise InvalidRequest("header_refused", _sentence(problems[0]), param=f"headers.{problems[0].pointer}")
    return tuple(headers.items())


def check_schedule(delays: Sequence[float] | None) -> tuple[float, ...] | None:
    """Give a retry schedule as it is kept; None for the hub's own."""
    if delays is None:
        return None
    try:
        RetryPolicy(delays_seconds=tuple(delays))
    except ValueError as error:
        message = f"{str(error)[0].upper()}{str(error)[1:]}."
        raise InvalidRequest("invalid_parameter_value", message, param="retry_schedule") from None
    return tuple(delays)


def _sentence(problem: Problem) -> str:
    text = str(problem).removeprefix(f"{problem.pointer}: ")
    return text[0].upper() + text[1:]
