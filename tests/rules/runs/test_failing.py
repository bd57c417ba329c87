"""What a run does when a step fails: tried again, continued, taken care of, or over. Rehearsed as in test_looking."""

from __future__ import annotations

import pytest

from hub.model.actions import ActionDone, ActionFailed
from tests.rules.runs.rehearsals import NOW_MS, played, route_of

MINUTE = 60_000


def test_an_error_that_passes_is_tried_again_with_growing_pauses() -> None:
    run = played(
        route_of("- use: do.safe\n  retry: { attempts: 4, first: 1s, max: 3s, jitter: 0 }"),
        answers={"0": [ActionFailed("retryable", "Down")] * 3},
    )
    times = []
    while run.rehearsal.go(until_ms=run.rehearsal.now_ms).end is None:
        times.append(run.rehearsal.now_ms - NOW_MS)
        run.rehearsal.now_ms = run.rehearsal.go(until_ms=run.rehearsal.now_ms).wake_at or 0

    assert times == [0, 1000, 3000]
    assert run.rehearsal.now_ms - NOW_MS == 6000
    assert len({each.key for each in run.rehearsal.attempts}) == 1
    assert [each.begun.attempts for each in run.rehearsal.attempts] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("action", "fault", "attempts"),
    [
        ("safe", ActionFailed("server", "500"), 5),
        ("keyed", ActionFailed("timeout_unknown", "?"), 5),
        ("unsafe", ActionFailed("timeout_unknown", "?"), 1),
        ("unsafe", ActionFailed("server", "500"), 1),
        ("unsafe", ActionFailed("retryable", "503"), 5),
        ("safe", ActionFailed("auth", "401"), 1),
        ("safe", ActionFailed("invalid", "400"), 1),
        ("safe", ActionFailed("rate_limited", "429", after_ms=5_000), 5),
    ],
)
def test_what_is_tried_again(action: str, fault: ActionFailed, attempts: int) -> None:
    run = played(route_of(f"- use: do.{action}"), answers={"0": [fault] * 9})
    end = run.rehearsal.go().end

    assert len(run.calls) == attempts
    assert end is not None
    assert end.outcome == "failed"


def test_a_provider_is_left_alone_as_long_as_it_asks() -> None:
    run = played(
        route_of("- use: do.safe"), answers={"0": [ActionFailed("rate_limited", "429", after_ms=99_000)]}
    )

    assert run.rehearsal.go(until_ms=NOW_MS).wake_at == NOW_MS + 99_000


def test_attempts_lie_within_the_time_they_have() -> None:
    run = played(
        route_of("- use: do.safe\n  retry: { attempts: 100, first: 1m, max: 1m, jitter: 0, within: 5m }"),
        answers={"0": [ActionFailed("retryable", "Down")] * 100},
    )
    run.rehearsal.go()

    assert len(run.calls) == 6


def test_a_failure_that_is_continued_is_a_warning() -> None:
    run = played(
        route_of("""
- id: ping
  use: do.safe
  on_error: continue
- use: do.safe
  with: { s: "{{ steps.ping.status }}" }
"""),
        answers={"0": [ActionFailed("invalid", "No")]},
    )
    end = run.rehearsal.go().end

    assert end is not None
    assert (end.outcome, end.warnings) == ("completed", 1)
    assert run.calls[1] == ("1", {"s": "failed"})


def test_a_failure_is_taken_care_of_by_steps_that_know_it() -> None:
    run = played(
        route_of("""
- id: draft
  use: do.safe
  on_error:
    - use: do.safe
      with: { why: "{{ error.class }} {{ error.status }} {{ error.message }} {{ error.step }} {{ error.attempts }}" }
- use: do.safe
"""),
        answers={"0": [ActionFailed("permission", "Missing scope", status=403)]},
    )
    end = run.rehearsal.go().end

    assert end is not None
    assert (end.outcome, end.warnings) == ("completed", 1)
    assert run.calls[1] == ("0/error/0", {"why": "permission 403 Missing scope draft 1"})


def test_what_a_route_does_when_it_has_failed_for_good() -> None:
    run = played(
        route_of(
            "- use: do.safe\n- use: do.safe",
            more='on_error:\n  - use: do.safe\n    with: { text: "{{ route.id }} {{ error.message }} {{ run.url }}" }',
        ),
        answers={"0": [ActionFailed("invalid", "No")]},
    )
    end = run.rehearsal.go().end

    assert run.calls == [("0", {}), ("error/0", {"text": "main No http://hub/run_1"})]
    assert end is not None
    assert (end.outcome, end.reason, end.failed_path) == ("failed", "No", "0")


def test_a_failure_names_what_was_asked() -> None:
    run = played(
        route_of("- use: do.safe"),
        answers={"0": [ActionFailed("invalid", "No", status=400, requests=("POST https://x 400",))]},
    )
    run.rehearsal.go()

    assert run.rehearsal.results["0"].requests == ("POST https://x 400",)
    assert run.rehearsal.results["0"].reason == "errors of class invalid do not pass by themselves"
    assert isinstance(run.rehearsal.answer(run.rehearsal.attempts[0]), ActionDone)
