"""Does one action: its steps in their order, what one step's failure leads to, and what it gives in the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.connectors.exchanging import Attempt, Exchanging, Wanted
from hub.flow.ports import Clock
from hub.model.actions import ActionFailed
from hub.rules.connectors.answers import Answer
from hub.rules.connectors.inputs import fit
from hub.rules.connectors.model import Action, Manifest, Step, StepRefusal
from hub.rules.expressions.frame import Surroundings
from hub.rules.expressions.problems import ExpressionError
from hub.rules.expressions.values import OMIT
from hub.rules.routes.document import named

#: Items of all pages together.
MOST_ITEMS: Final = 5_000


@dataclass(kw_only=True, slots=True)
class _Course:
    """How far an action has come."""

    action: Action
    inputs: Mapping[str, Any]
    public: Mapping[str, Any]
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    last: Answer | None = None
    items: list[Any] | None = None

    def values(self, attempt: Attempt, given: Any = None) -> dict[str, Any]:
        values = {**self.public, "input": self.inputs, "key": attempt.key, "steps": self.steps}
        if given is not None:
            values["with"] = given
        return values

    def told(self, attempt: Attempt) -> dict[str, Any]:
        values = self.values(attempt)
        if self.last is not None:
            values |= {"status": self.last.status, "headers": self.last.headers, "body": self.last.body}
        if self.items is not None:
            values["items"] = self.items
        return values


class Doing:
    """Does the actions of manifests."""

    def __init__(self, exchanging: Exchanging, clock: Clock) -> None:
        self._exchanging = exchanging
        self._clock = clock

    async def do(self, attempt: Attempt, action: Action, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Do an action, and give its output.

        Args:
            attempt: In whose name, until when.
            action: Of the connection's manifest.
            inputs: As rendered; they are converted here.

        Raises:
            ActionFailed: It was not done, or nobody knows.
        """
        fitted = fit(action.schema, inputs)
        if isinstance(fitted, list):
            told = " ".join(_sentence(each.pointer, each.what, each.why, each.fix) for each in fitted)
            raise ActionFailed("invalid", attempt.masker.text(told), requests=tuple(attempt.requests))
        public = await self._exchanging.public(attempt)
        course = _Course(action=action, inputs=fitted, public=public)
        try:
            for step in action.steps:
                await self._step(attempt, course, step)
            return self._output(attempt, course)
        except ExpressionError as error:
            raise self._bug(attempt, action, error) from None

    async def _step(self, attempt: Attempt, course: _Course, step: Step) -> None:
        if step.id in course.steps:
            return  # done already, in the place of another
        surroundings = self._surroundings()
        values = course.values(attempt)
        if step.if_ is not None and not step.if_.holds(values, surroundings):
            course.steps[step.id] = {"status": "skipped"}
            return
        given = None if step.values is None else step.values.render(values, surroundings)
        await self._cared_for(attempt, course, step, given)

    async def _cared_for(self, attempt: Attempt, course: _Course, step: Step, given: Any) -> None:
        try:
            await self._done(attempt, course, step, given)
        except ActionFailed as failure:
            instead = step.on_class.get(failure.error_class)
            if instead is None:
                raise
            error = {
                "class": failure.error_class,
                "status": failure.status,
                "message": failure.message,
                **failure.details,
            }
            course.steps[step.id] = {"status": "failed", "error": error}
            other = next((each for each in course.action.steps if each.id == instead.step), None)
            if other is None:
                return
            if course.steps.get(other.id, {}).get("status") in ("completed", "failed"):
                raise  # it had its turn; nothing is done twice
            values = {**course.values(attempt), "error": error}
            try:
                handed = (
                    None if instead.values is None else instead.values.render(values, self._surroundings())
                )
            except ExpressionError:
                raise failure from None  # the provider did not tell what the other step needs
            await self._cared_for(attempt, course, other, handed)

    async def _done(self, attempt: Attempt, course: _Course, step: Step, given: Any) -> None:
        if step.action is not None:
            inner = attempt.connection.manifest.actions[step.action]
            output = await self.do(attempt, inner, {} if given is None or given is OMIT else given)
            course.steps[step.id] = {"status": "completed", "output": output}
            return
        values = course.values(attempt, given)
        if step.refusal is not None:
            raise self._refused(attempt, step.refusal, values)
        if step.paging is None:
            answer = await self._asked(attempt, course, step, values)
        else:
            answer, items = await self._paged(attempt, course, step, values)
            course.items = items
        course.last = answer
        course.steps[step.id] = {
            "status": "completed",
            "code": answer.status,
            "headers": answer.headers,
            "body": answer.body,
        }
        if course.items is not None:
            course.steps[step.id]["items"] = course.items

    async def _asked(
        self, attempt: Attempt, course: _Course, step: Step, values: Mapping[str, Any]
    ) -> Answer:
        assert step.request is not None, "a step asks, acts or refuses"
        wanted = Wanted(
            request=step.request,
            success=step.success,
            errors=step.errors,
            values=values,
            repetition=step.repetition or course.action.repetition,
        )
        return await self._exchanging.ask(attempt, wanted)

    async def _paged(
        self, attempt: Attempt, course: _Course, step: Step, values: Mapping[str, Any]
    ) -> tuple[Answer, list[Any]]:
        paging = step.paging
        assert paging is not None, "a list that is read on says how"
        items: list[Any] = []
        cursor: Any = None
        seen: set[str] = set()
        for number in range(1, paging.most_pages + 1):
            page = {"cursor": cursor, "number": number}
            answer = await self._asked(attempt, course, step, {**values, "page": page})
            told = {**values, "status": answer.status, "headers": answer.headers, "body": answer.body}
            surroundings = self._surroundings()
            found = paging.items.render(told, surroundings)
            items += found if isinstance(found, list) else []
            cursor = paging.next.render(told, surroundings)
            if cursor is None or cursor == "" or str(cursor) in seen or len(items) >= MOST_ITEMS:
                break
            seen.add(str(cursor))
        return answer, items[:MOST_ITEMS]

    def _output(self, attempt: Attempt, course: _Course) -> dict[str, Any]:
        output = course.action.output.render(course.told(attempt), self._surroundings())
        masked = attempt.masker.value(output)
        assert isinstance(masked, dict), "outputs are written as maps"
        return masked

    def _refused(self, attempt: Attempt, refusal: StepRefusal, values: Mapping[str, Any]) -> ActionFailed:
        words = str(refusal.message.render(values, self._surroundings()))
        told = f"{attempt.connection.manifest.title}: {words}"
        return ActionFailed(refusal.error_class, attempt.masker.text(told), requests=tuple(attempt.requests))

    def _bug(self, attempt: Attempt, action: Action, error: ExpressionError) -> ActionFailed:
        manifest: Manifest = attempt.connection.manifest
        done = "; the requests were made" if attempt.requests else ""
        told = f"{manifest.title} answered otherwise than {manifest.id}.{action.name} expects{done}: {error}"
        return ActionFailed("bug", attempt.masker.text(told), requests=tuple(attempt.requests))

    def _surroundings(self) -> Surroundings:
        return Surroundings(now_ms=self._clock.now_ms())


def _sentence(pointer: str, what: str, why: str, fix: str) -> str:
    where = f"Input {named(pointer)}: " if pointer else "Inputs: "
    end = "?" if fix.startswith("Did you mean") else "."
    return f"{where}{what}: {why}. {fix}{end}"
