"""A worker that ends at any moment loses nothing and does nothing twice that must not be done twice."""

from __future__ import annotations

import re
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.model.actions import ActionDone
from hub.rules.runs import retries
from hub.rules.runs.looking import look
from hub.rules.runs.rehearsing import Rehearsal
from hub.rules.runs.results import StepResult
from tests.rules.runs.rehearsals import played, route_of

STEPS = """
- id: one
  use: do.unsafe
- foreach: event.tags
  as: tag
  parallel: 2
  steps:
    - use: do.keyed
      with: { tag: "{{ tag }}" }
    - use: do.unsafe
- delay: 5m
- parallel:
    - use: do.safe
    - use: do.unsafe
    - switch:
        - if: "steps.one.status == 'completed'"
          steps:
            - use: do.keyed
        - else: true
          steps:
            - use: do.unsafe
"""
#: Every unsafe step is cared for, so that the run goes on whatever happened to it.
CARED = re.sub(r"\n( *)- use: do.unsafe", r"\n\1- use: do.unsafe\n\1  on_error: continue", STEPS)


class Worker:
    """Does what a worker does, on results that outlive it."""

    def __init__(self, run: Rehearsal, stored: dict[str, StepResult], done: list[str]) -> None:
        self.run = run
        self.stored = stored
        self.done = done

    def work(self, moves: int) -> bool:
        """Make so many moves, then be gone; tell whether the run is over."""
        memory = dict(self.stored)
        now_ms = self.run.now_ms
        while True:
            seen = look(self.run.route, self.run.facts, self.run.known, memory, now_ms=now_ms)
            for change in seen.changes:
                memory[change.path] = change
            if moves <= 0:
                return False
            self.stored.update({each.path: each for each in seen.changes})
            moves -= 1
            if seen.end is not None:
                return True
            for attempt in seen.attempts:
                if moves <= 0:
                    return False
                self.done.append(attempt.key)  # the world has seen it
                moves -= 1
                if moves <= 0:
                    return False
                result = retries.completed(attempt.begun, ActionDone(output={}), now_ms=now_ms)
                memory[result.path] = self.stored[result.path] = result
                moves -= 1
            if not seen.attempts:
                now_ms = self.run.now_ms = seen.wake_at or now_ms


@pytest.mark.parametrize("steps", [STEPS, CARED])
@given(lives=st.lists(st.integers(min_value=0, max_value=12), max_size=30))
def test_nothing_unsafe_is_done_twice_and_the_run_comes_to_its_end(steps: str, lives: list[int]) -> None:
    run = played(route_of(steps)).rehearsal
    stored: dict[str, StepResult] = {}
    done: list[str] = []
    for moves in lives:
        Worker(run, stored, done).work(moves)
    is_over = Worker(run, stored, done).work(10_000)
    unsafe = {_key(run, path) for path, each in stored.items() if each.verb == "do.unsafe"}
    unsafe_done = [key for key in done if key in unsafe]

    assert is_over
    assert all(each.is_over for each in stored.values() if each.verb.startswith("do."))
    assert len(unsafe_done) == len(set(unsafe_done))


def _key(run: Rehearsal, path: str) -> str:
    return sha256(f"{run.facts.key_seed}/{path}".encode()).hexdigest()
