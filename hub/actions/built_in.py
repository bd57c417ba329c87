"""What a built-in action is, and the port that runs all of them (hub.flow.actions.Actions)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec

from hub.actions.desk import Desk
from hub.actions.inputs import input_schema, read_inputs
from hub.actions.refusals import as_failure
from hub.model.actions import ActionCall, ActionDone, ActionFailed, ActionKind, ActionSpec, Repetition
from hub.model.errors import InvalidRequest, StoreError
from hub.rules.problems import suggestion

Inputs = TypeVar("Inputs", bound=msgspec.Struct)
Output = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class BuiltIn(Generic[Inputs]):
    """One action: its inputs are a struct, from which the schema is made."""

    name: str
    title: str
    description: str
    kind: ActionKind
    repetition: Repetition
    inputs: type[Inputs]
    #: An example of the inputs, which the schema accepts; the sample is what it gives.
    example: Mapping[str, Any]
    sample: Mapping[str, Any]
    #: May raise InvalidRequest, StoreError and ActionFailed.
    run: Callable[[Desk, ActionCall, Inputs], Awaitable[Output]]
    #: Says in a line what would be done; asks nobody.
    preview: Callable[[ActionCall, Inputs], str]

    def spec(self) -> ActionSpec:
        """Describe it to authors of routes."""
        return ActionSpec(
            name=self.name,
            title=self.title,
            kind=self.kind,
            repetition=self.repetition,
            inputs=input_schema(self.inputs, example=self.example),
            sample=self.sample,
            description=self.description,
        )


@dataclass(kw_only=True, slots=True)
class BuiltInActions:
    """All built-in actions, as the runs of routes use them."""

    desk: Desk
    actions: Sequence[BuiltIn[Any]]
    _by_name: dict[str, BuiltIn[Any]] = field(init=False)
    _specs: dict[str, ActionSpec] = field(init=False)

    def __post_init__(self) -> None:
        self._by_name = {each.name: each for each in self.actions}
        self._specs = {each.name: each.spec() for each in self.actions}

    def specs(self) -> Mapping[str, ActionSpec]:
        """Give all of them by name."""
        return self._specs

    def connections(self) -> Mapping[str, str]:
        """Give none: the hub needs no connection to itself."""
        return {}

    async def run(self, call: ActionCall) -> ActionDone:
        """Do one.

        Raises:
            ActionFailed: With the class that the refusal belongs to (hub.actions.refusals).
        """
        action = self._find(call.name)
        inputs = read_inputs(action.inputs, call.inputs)
        try:
            output = await action.run(self.desk, call, inputs)
        except (InvalidRequest, StoreError) as error:
            raise as_failure(error) from error
        return ActionDone(output=output, requests=(action.preview(call, inputs),))

    async def preview(self, call: ActionCall) -> Sequence[str]:
        """Say in a line what one would do; nothing is read or written.

        Raises:
            ActionFailed: It is not known, or its inputs are not as they must be.
        """
        action = self._find(call.name)
        return (action.preview(call, read_inputs(action.inputs, call.inputs)),)

    def _find(self, name: str) -> BuiltIn[Any]:
        action = self._by_name.get(name)
        if action is None:
            raise unknown_action(name, self._by_name)
        return action


def unknown_action(name: str, known: Mapping[str, object]) -> ActionFailed:
    """Say that there is no such action, and which was probably meant."""
    near = suggestion(name, known)
    fix = f"Did you mean '{near}'?" if near else "`hub schema` and docs/reference/actions.md list all."
    return ActionFailed("bug", f"There is no action '{name}'. {fix}")
