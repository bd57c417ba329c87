"""Drive a run: look at it, record, attempt what is due, and look again, until it is over or waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

import structlog

from hub.flow.actions import Actions
from hub.flow.ports import Clock
from hub.flow.repositories import Store
from hub.flow.route_store import RunCommit, WaitNote
from hub.flow.routing.book import RouteBook
from hub.flow.routing.facts import facts_of
from hub.flow.routing.parts import RunTexts
from hub.model.actions import ActionCall, ActionDone, ActionFailed
from hub.model.ids import InvalidId, Prefix, parse_id
from hub.model.run import Run, RunState
from hub.rules.event_types import expand_pattern
from hub.rules.routes.model import EventTrigger
from hub.rules.runs import retries
from hub.rules.runs.facts import Known, RevisionUnknown, RunFacts
from hub.rules.runs.listening import ANYWHERE, places
from hub.rules.runs.looking import End, Look, look
from hub.rules.runs.results import StepError, StepResult
from hub.rules.runs.signals import Attempt, Waited
from hub.rules.runs.using import followed
from hub.rules.runs.wishing import SOURCE_RECEIVED

log = structlog.get_logger("runs")

Commit = Callable[[RunCommit], Awaitable[bool]]
#: Beyond an attempt's own time: to notice, and to say so.
_GRACE_SECONDS: Final = 5.0
_UNREADABLE: Final = (
    "this version of the hub cannot read the route as it was written then (the log says why: route.unreadable); "
    "replay the run on the latest revision"
)


class RunLost(Exception):
    """The run is not ours any more: its shard is another worker's."""


class Driver:
    """Drives runs, each in a call of its own."""

    def __init__(
        self,
        *,
        store: Store,
        book: RouteBook,
        actions: Actions,
        clock: Clock,
        draw: Callable[[], float],
        texts: RunTexts,
        commit: Commit,
    ) -> None:
        self._store = store
        self._book = book
        self._actions = actions
        self._clock = clock
        self._draw = draw
        self._texts = texts
        self._commit = commit
        #: Told of each attempt: the action, what came of it, milliseconds.
        self.on_attempted: Callable[[str, StepResult, int], None] = lambda action, result, duration_ms: None
        #: Told of each run that is over.
        self.on_ended: Callable[[Run], None] = lambda run: None

    async def drive(self, run: Run, *, is_ours: Callable[[], bool]) -> Run:
        """Bring a run on as far as it goes now; give it as it is then.

        Args:
            run: As it was read.
            is_ours: Tells whether its shard is still this worker's.
        """
        recorded = (await self._store.runs.results([run.id]))[run.id] if run.version else []
        driven = _Driven(self, run, {each.path: each for each in recorded})
        try:
            return await driven.go(is_ours)
        finally:
            await driven.let_go()

    # ---- what a driven run asks of its surroundings

    async def have(self, run: Run, results: dict[str, StepResult]) -> None:
        """Have every revision at hand that a run has named."""
        called = {
            each.inputs["revision"]
            for each in results.values()
            if each.verb == "call" and isinstance(each.inputs, dict)
        }
        await self._book.ensure({run.revision_id, *called})

    def look(
        self, run: Run, facts: RunFacts, results: dict[str, StepResult], in_hand: frozenset[str]
    ) -> Look:
        known = Known(actions=self._actions.specs(), callees=self._book)
        try:
            route = self._book.route(run.revision_id)
            return look(route, facts, known, results, now_ms=self._clock.now_ms(), in_hand=in_hand)
        except RevisionUnknown:
            error = StepError(error_class="bug", message=_UNREADABLE)
            end = End(outcome="failed", reason=_UNREADABLE, error=error)
            return Look(changes=(), attempts=(), waits=(), wake_at=None, end=end)

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def facts(self, run: Run) -> RunFacts:
        return facts_of(run, self._texts)

    async def commit(self, commit: RunCommit) -> bool:
        return await self._commit(commit)

    async def reread(self, run_id: int) -> tuple[Run, dict[str, StepResult]] | None:
        run = await self._store.runs.get(run_id)
        if run is None:
            return None
        recorded = (await self._store.runs.results([run_id]))[run_id]
        return run, {each.path: each for each in recorded}

    async def attempt(self, run: Run, facts: RunFacts, attempt: Attempt) -> StepResult:
        """Make an attempt and give what follows; nothing that an action does gets out of here."""
        step = attempt.step
        call = ActionCall(
            name=step.action,
            connection=step.connection,
            inputs=attempt.begun.inputs,
            key=attempt.key,
            attempt=attempt.begun.attempts,
            timeout_ms=attempt.timeout_ms,
            event=facts.event,
            ignore=frozenset(step.ignore),
            hops=facts.hops,
            route=run.route_id,
            run=facts.id,
            key_run_id=run.key_run_id or run.id,
        )
        began = self._clock.now_ms()
        told = await self._told(call)
        now_ms = self._clock.now_ms()
        if isinstance(told, ActionDone):
            result = retries.completed(attempt.begun, told, now_ms=now_ms)
        else:
            spec = self._actions.specs().get(step.action)
            repetition = "unsafe" if spec is None else spec.repetition
            result = followed(attempt, told, repetition=repetition, now_ms=now_ms, jitter=self._draw())
        self.on_attempted(step.action, result, now_ms - began)
        log.info(
            "step.attempted",
            run=facts.id,
            route=run.route_id,
            path=result.path,
            action=step.action,
            attempt=result.attempts,
            status=str(result.status),
            error=None if result.error is None else result.error.error_class,
            duration_ms=now_ms - began,
        )
        return result

    async def _told(self, call: ActionCall) -> ActionDone | ActionFailed:
        seconds = call.timeout_ms / 1000
        try:
            async with asyncio.timeout(seconds + _GRACE_SECONDS):
                return await self._actions.run(call)
        except ActionFailed as failed:
            return failed
        except TimeoutError:
            return ActionFailed(
                "timeout_unknown", f"{call.name} did not end within {seconds:g} s; it may have happened"
            )
        except Exception as error:
            log.exception("action.broken", action=call.name)
            return ActionFailed("bug", f"{call.name} is broken: {type(error).__name__}; its log tells more")


class _Driven:
    """One run in hand."""

    def __init__(self, driver: Driver, run: Run, results: dict[str, StepResult]) -> None:
        self._driver = driver
        self._run = run
        self._results = results
        #: What is not recorded yet.
        self._unsaved: dict[str, StepResult] = {}
        self._tasks: dict[asyncio.Task[StepResult], str] = {}
        #: Whether it may be on record that it listens.
        self._listens = any(each.verb == "wait_for" for each in results.values())

    async def go(self, is_ours: Callable[[], bool]) -> Run:
        """Go on until the run is over, waits, or is not ours any more."""
        while is_ours():
            await self._driver.have(self._run, self._results)
            facts = self._driver.facts(self._run)
            seen = self._driver.look(self._run, facts, self._results, self._in_hand)
            for change in seen.changes:
                self._keep(change)
            if seen.end is not None:
                await self._let_end()
                if await self._save(self._ended(seen.end), waits=() if self._listens else None):
                    self._tell_end(facts, seen.end)
                    return self._run
            elif seen.attempts:
                if not self._unsaved or await self._save(self._run, waits=self._notes(seen.waits)):
                    self._begin(facts, seen.attempts)
                    await self._one_ends()
            elif self._tasks:
                await self._one_ends()
            elif await self._save(self._waiting(seen), waits=self._notes(seen.waits)):
                return self._run
            if self._run.state is not RunState.ACTIVE:
                return self._run
        return self._run

    async def let_go(self) -> None:
        """End what is under way: the run is somebody else's, or this process ends."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    @property
    def _in_hand(self) -> frozenset[str]:
        return frozenset(self._tasks.values())

    def _keep(self, result: StepResult) -> None:
        self._results[result.path] = self._unsaved[result.path] = result

    def _begin(self, facts: RunFacts, attempts: tuple[Attempt, ...]) -> None:
        for attempt in attempts:
            self._results[attempt.begun.path] = attempt.begun
            work = self._driver.attempt(self._run, facts, attempt)
            self._tasks[asyncio.get_running_loop().create_task(work)] = attempt.begun.path

    async def _one_ends(self) -> None:
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            del self._tasks[task]
            self._keep(task.result())

    async def _let_end(self) -> None:
        while self._tasks:
            await self._one_ends()

    async def _save(self, run: Run, *, waits: tuple[WaitNote, ...] | None = None) -> bool:
        """Record what is not recorded yet; False if somebody changed the run, which is then read again."""
        commit = RunCommit(
            run=run, version=self._run.version, changes=tuple(self._unsaved.values()), waits=waits
        )
        if await self._driver.commit(commit):
            self._run = replace(run, version=run.version + 1)
            self._unsaved = {}
            return True
        await self._let_end()
        reread = await self._driver.reread(self._run.id)
        if reread is None:
            raise RunLost
        self._run, known = reread
        self._results = known | self._unsaved
        if self._run.state is not RunState.ACTIVE and self._unsaved:
            await self._driver.commit(
                RunCommit(run=self._run, version=self._run.version, changes=tuple(self._unsaved.values()))
            )
        return False

    def _waiting(self, seen: Look) -> Run:
        assert seen.wake_at is not None, "a run that is not over and has nothing in hand waits for an instant"
        return replace(self._run, next_at=seen.wake_at)

    def _ended(self, end: End) -> Run:
        return replace(
            self._run,
            state=RunState.COMPLETED if end.outcome == "completed" else RunState.FAILED,
            finished_at=self._driver.now_ms(),
            reason=end.reason,
            error_class=None if end.error is None else end.error.error_class,
            failed_path=end.failed_path,
            warnings=end.warnings,
        )

    def _notes(self, waits: tuple[Waited, ...]) -> tuple[WaitNote, ...] | None:
        """What it listens for now; None if it never did."""
        self._listens = self._listens or bool(waits)
        if not self._listens:
            return None
        conversation = self._driver.facts(self._run).event.get("conversation_id")
        return tuple(note for wait in waits for note in _note(wait, conversation))

    def _tell_end(self, facts: RunFacts, end: End) -> None:
        self._driver.on_ended(self._run)
        tell = log.info if end.outcome == "completed" else log.warning
        tell(
            "run.ended",
            run=facts.id,
            route=self._run.route_id,
            outcome=end.outcome,
            reason=end.reason,
            path=end.failed_path,
            steps=len(self._results),
            warnings=end.warnings,
            duration_ms=self._driver.now_ms() - self._run.created_at,
        )


def _note(wait: Waited, conversation: object) -> list[WaitNote]:
    """Say where an event that is waited for is looked for."""
    types: tuple[str, ...] = (SOURCE_RECEIVED,)
    if isinstance(wait.trigger, EventTrigger):
        types = tuple(sorted({each for pattern in wait.trigger.patterns for each in expand_pattern(pattern)}))
    return [
        WaitNote(path=wait.path, event_types=tuple(near), place=place)
        for place, near in places(wait, types, _chat_id(conversation)).items()
    ]


def _chat_id(conversation: object) -> int:
    if not isinstance(conversation, str):
        return ANYWHERE
    try:
        return parse_id(Prefix.CHAT, conversation)
    except InvalidId:
        return ANYWHERE
