"""A test of a route as it was written and found sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hub.model.actions import ActionDone, ActionFailed
from hub.rules.fixtures.events import NOW_MS

Outcome = Literal["completed", "failed", "skipped", "waiting", "joined", "cancelled"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Happening:
    """Something happens, or time goes by."""

    #: None: only time goes by.
    fixture: str | None
    overrides: Mapping[str, Any]
    #: Since the one before.
    after_ms: int
    pointer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Mock:
    """What an action answers instead of its sample."""

    #: For successive attempts; the last one goes on.
    answers: tuple[ActionDone | ActionFailed, ...]
    pointer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Expected:
    """What is to come of an event, or of the last run. What is None is not asked for."""

    pointer: str
    outcome: Outcome | None = None
    #: Text, or a matcher.
    because: Any = None
    #: Names of actions, or maps of `use` and `with`: all calls, in order.
    calls: tuple[Any, ...] | None = None
    #: Of a step by its id: `with`, `status`, `attempts`, `output`, `error`.
    steps: Mapping[str, Mapping[str, Any]] | None = None
    not_called: tuple[str, ...] = ()
    #: A number, or a matcher.
    warnings: Any = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """One test."""

    pointer: str
    name: str
    route: str
    happenings: tuple[Happening, ...]
    #: One for each thing that happens.
    each: tuple[Expected, ...] | None
    #: Of the last run, whichever happening began it.
    last: Expected | None
    #: By step id or by action.
    mocks: Mapping[str, Mock]
    #: What whoever starts it by hand hands over.
    given: Mapping[str, Any]
    #: Routes that hear of the events first, and may keep them from it.
    beside: tuple[str, ...] = ()
    #: Unix ms.
    now_ms: int = NOW_MS
