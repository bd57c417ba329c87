"""A run that failed anywhere is taken up there: nothing that was done is done again, and keys stay as they were."""

from __future__ import annotations

import pytest

from hub.model.actions import ActionDone, ActionFailed
from hub.rules.runs.places import find_step, verb_of
from hub.rules.runs.rehearsing import Rehearsal
from hub.rules.runs.results import StepStatus
from hub.rules.runs.taking_up import Misfit, called_in, taken_up
from tests.rules.runs.rehearsals import Played, played, routes

#: Every construct, with steps in each of its places.
ALL = """
version: 1
routes:
  - id: main
    trigger: message.received
    vars: { who: "{{ event.from }}" }
    on_error:
      - use: do.tell
        with: { failed: "{{ error.step }}" }
    steps:
      - id: first
        use: do.unsafe
        with: { who: "{{ vars.who }}" }
      - id: ping
        use: do.safe
        on_error: continue
      - id: cared
        use: do.safe
        with: { cared: true }
        on_error:
          - id: instead
            use: do.unsafe
      - set: { seen: "{{ steps.first.output.got.who }}" }
      - switch:
          - if: "event.text == 'Hello'"
            steps:
              - use: do.unsafe
                with: { chosen: "{{ vars.seen }}" }
          - else: true
            steps: [{ use: do.safe }]
      - foreach: event.tags
        as: tag
        steps:
          - use: do.unsafe
            with: { tag: "{{ tag }}" }
          - use: do.keyed
            with: { tag: "{{ tag }}" }
      - parallel:
          - use: do.unsafe
          - use: do.keyed
      - call: { route: sub, with: { given: "{{ vars.seen }}" } }
      - delay: 1m
      - id: waited
        wait_for: { trigger: message.received, timeout: 1m, on_timeout: [{ use: do.unsafe }] }
      - use: do.unsafe
        with: { last: "{{ steps.waited.status }}" }
  - id: sub
    trigger: { manual: true }
    vars: { twice: "{{ vars.given }}{{ vars.given }}" }
    on_error:
      - use: do.tell
    steps:
      - use: do.unsafe
        with: { twice: "{{ vars.twice }}" }
"""
DOWN = ActionFailed("permission", "Missing scope", status=403)
#: Steps whose failure fails the run.
LEAVES = [
    "0",
    "2/error/0",
    "4/case.0/0",
    "5/item.0/0",
    "5/item.1/1",
    "6/0",
    "6/1",
    "7/call/0",
    "9/timeout/0",
    "10",
]
#: What fails, so that each place is reached.
CARED: dict[str, list[ActionDone | ActionFailed]] = {"1": [DOWN], "2": [DOWN]}


def take_up(run: Played, written: str = ALL, *, is_other_revision: bool = False) -> Played:
    """Begin a run that takes up one that failed."""
    found = list(routes(written).values())
    recorded = run.rehearsal.results
    calls = called_in(recorded.values())
    kept = taken_up(
        found[0],
        recorded.values(),
        lambda path: found[calls[path]] if path in calls else None,
        is_other_revision=is_other_revision,
    )
    again = played(written, answers=CARED)
    again.rehearsal.results.update({each.path: each for each in kept})
    again.rehearsal.now_ms = run.rehearsal.now_ms + 1000
    return again


def to_its_end(rehearsal: Rehearsal) -> str:
    """Let nothing come that is waited for."""
    for _ in range(10):
        seen = rehearsal.go(until_ms=rehearsal.now_ms + 3_600_000)
        if seen.end is not None:
            return seen.end.outcome
    raise AssertionError("the run does not come to its end")


@pytest.mark.parametrize("path", LEAVES)
def test_what_was_done_is_done_once_and_what_failed_goes_on(path: str) -> None:
    run = played(ALL, answers={**CARED, path: [DOWN]})
    assert to_its_end(run.rehearsal) == "failed"
    again = take_up(run)
    assert to_its_end(again.rehearsal) == "completed"

    failed = {each for each, result in run.rehearsal.results.items() if result.status is StepStatus.FAILED}
    done_before = {each.begun.path for each in run.rehearsal.attempts} - failed
    done_after = [each.begun.path for each in again.rehearsal.attempts]
    afterwards = {each for each in done_before if each.startswith("error/") or "/call/error/" in each}
    assert path in done_after
    assert len(done_after) == len(set(done_after))
    assert done_before & set(done_after) <= afterwards
    keys = {each.begun.path: each.key for each in run.rehearsal.attempts}
    assert {each.key for each in again.rehearsal.attempts if each.begun.path == path} == {keys[path]}


@pytest.mark.parametrize("path", LEAVES)
def test_in_the_end_all_was_done_that_is_done_without_a_failure(path: str) -> None:
    straight = played(ALL, answers=CARED)
    to_its_end(straight.rehearsal)
    run = played(ALL, answers={**CARED, path: [DOWN]})
    to_its_end(run.rehearsal)
    again = take_up(run)
    to_its_end(again.rehearsal)

    def over(rehearsal: Rehearsal) -> dict[str, tuple[StepStatus, object]]:
        return {each.path: (each.status, each.output) for each in rehearsal.results.values()}

    assert over(again.rehearsal) == over(straight.rehearsal)


def test_two_that_failed_beside_each_other_are_both_done_again() -> None:
    run = played(ALL, answers={**CARED, "6/0": [DOWN], "6/1": [DOWN]})
    to_its_end(run.rehearsal)
    again = take_up(run)

    assert to_its_end(again.rehearsal) == "completed"
    assert {"6/0", "6/1"} <= {each.begun.path for each in again.rehearsal.attempts}


def test_every_step_is_found_at_the_path_of_its_result() -> None:
    run = played(ALL, answers=CARED)
    to_its_end(run.rehearsal)
    main, sub = routes(ALL).values()
    results = run.rehearsal.results
    found = {
        path: find_step(main, path, lambda at: sub if at == "7" else None)
        for path in results
        if not path.endswith("vars")
    }

    assert {path: step and (step.id, verb_of(step)) for path, step in found.items()} == {
        path: (results[path].name, results[path].verb) for path in found
    }


@pytest.mark.parametrize(
    "path",
    ["vars", "99", "0/error/0", "1/error/0", "4/case.9/0", "4/case.x/0", "5/0", "8/call/0", "0/0", "x", ""],
)
def test_where_no_step_is_none_is_found(path: str) -> None:
    assert find_step(routes(ALL)["main"], path, lambda at: None) is None


def test_on_another_revision_what_is_done_must_be_the_same() -> None:
    run = played(ALL, answers={**CARED, "10": [DOWN]})
    to_its_end(run.rehearsal)
    mended = ALL.replace("last:", "mended: true, last:").replace(
        'who: "{{ event.from }}"', 'who: "{{ event.id }}"'
    )
    again = take_up(run, mended, is_other_revision=True)
    assert to_its_end(again.rehearsal) == "completed"
    assert again.calls[-1][1]["mended"] is True
    assert again.rehearsal.results["vars"].output["who"] == "evt_1"

    for other in (
        ALL.replace("first", "other"),
        ALL.replace(
            "        use: do.unsafe\n        with: { who", "        use: do.keyed\n        with: { who"
        ),
        ALL.replace("      - parallel:", "      - delay: 1s\n      - parallel:"),
    ):
        with pytest.raises(Misfit, match=r"^step \S+ was .* and is .* in the latest revision$"):
            take_up(run, other, is_other_revision=True)


STOPPING = """
version: 1
routes:
  - id: main
    trigger: message.received
    steps: [{ call: { route: sub } }]
  - id: sub
    trigger: { manual: true }
    steps: [{ use: do.unsafe }, { stop: { as: failed, reason: enough } }]
"""


def test_a_route_that_was_called_and_stopped_as_failed_is_asked_again_and_does_nothing_twice() -> None:
    run = played(STOPPING)
    assert to_its_end(run.rehearsal) == "failed"
    mended = STOPPING.replace("{ as: failed, reason: enough }", "fine")
    again = take_up(run, mended)

    assert again.rehearsal.results["0"].status is StepStatus.BEGUN
    assert "0/call/1" not in again.rehearsal.results
    assert to_its_end(again.rehearsal) == "completed"
    assert again.calls == []
