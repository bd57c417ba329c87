"""Run a route in memory: actions are answered by whoever rehearses, and the clock jumps to what is waited for.

What `hub test` and `hub try` do, and what tests of the rules of runs use. Nothing is sent anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.model.actions import ActionDone, ActionFailed
from hub.rules.routes.model import Route
from hub.rules.runs import retries
from hub.rules.runs.facts import Known, RunFacts
from hub.rules.runs.listening import is_in_conversation, is_of
from hub.rules.runs.looking import End, Look, arrived, look
from hub.rules.runs.results import StepResult
from hub.rules.runs.signals import Attempt
from hub.rules.runs.using import followed
from hub.rules.runs.wishing import fits

Answer = Callable[[Attempt], ActionDone | ActionFailed]
#: More looks than this and the rules go round in circles.
MOST_LOOKS: Final = 50_000


class TooMuch(Exception):
    """It has looked at as much as it may, and did not come to rest."""


@dataclass(kw_only=True, slots=True)
class Rehearsal:
    """A run that happens in memory."""

    route: Route
    facts: RunFacts
    known: Known
    answer: Answer
    now_ms: int
    #: How many results it may look at, summed over all looks: each look begins at the first step. None for any number.
    most_seen: int | None = None
    results: dict[str, StepResult] = field(default_factory=dict)
    #: In the order in which they were made.
    attempts: list[Attempt] = field(default_factory=list)

    def go(self, *, until_ms: int | None = None) -> Look:
        """Go on until it is over, waits for an event, or the instant has come.

        Args:
            until_ms: Unix ms; None: delays and retries take no time.

        Raises:
            TooMuch: It looks at more than it may.
        """
        looked_at = 0
        for _ in range(MOST_LOOKS):
            seen = look(self.route, self.facts, self.known, self.results, now_ms=self.now_ms)
            self.results.update({each.path: each for each in seen.changes})
            looked_at += len(self.results)
            if self.most_seen is not None and looked_at > self.most_seen:
                raise TooMuch
            for attempt in seen.attempts:
                self._make(attempt)
            if seen.end is not None or not self._goes_on(seen, until_ms):
                return seen
        raise AssertionError("the run does not come to rest")

    def tell(self, event_type: str, event: Mapping[str, Any]) -> bool:
        """Give an event to what the run waits for; tell whether it was waited for."""
        seen = look(self.route, self.facts, self.known, self.results, now_ms=self.now_ms)
        own = self.facts.event.get("conversation_id")
        if own is not None and own != event.get("conversation_id") and is_in_conversation(event_type):
            return False
        for wait in seen.waits:
            is_theirs = is_of(wait.people, event_type, event) and fits(wait.trigger, event_type, event)
            if is_theirs and wait.when.holds(event, self.now_ms):
                self.results[wait.path] = arrived(self.results[wait.path], event, now_ms=self.now_ms)
                return True
        return False

    def end(self) -> End | None:
        """Give how it ended, if it did."""
        return look(self.route, self.facts, self.known, self.results, now_ms=self.now_ms).end

    def _goes_on(self, seen: Look, until_ms: int | None) -> bool:
        if seen.attempts:
            return True
        if seen.wake_at is None or (seen.waits and until_ms is None):
            return False
        if until_ms is not None and seen.wake_at > until_ms:
            self.now_ms = max(self.now_ms, until_ms)
            return False
        self.now_ms = max(self.now_ms, seen.wake_at)
        return True

    def _make(self, attempt: Attempt) -> None:
        self.attempts.append(attempt)
        told = self.answer(attempt)
        spec = self.known.actions.get(attempt.step.action)
        if isinstance(told, ActionDone):
            result = retries.completed(attempt.begun, told, now_ms=self.now_ms)
        else:
            repetition = "unsafe" if spec is None else spec.repetition
            result = followed(attempt, told, repetition=repetition, now_ms=self.now_ms, jitter=0.0)
        self.results[result.path] = result
