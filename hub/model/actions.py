"""Actions: what a step of a route does, as its author, its interpreter and its connector see it.

The classes of errors are those of facts: routes A2; what each means for a repetition stands in hub.rules.actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hub.model.errors import HubError

ErrorClass = Literal[
    "retryable",
    "rate_limited",
    "server",
    "timeout_unknown",
    "auth",
    "permission",
    "not_found",
    "invalid",
    "conflict",
    "suppressed",
    "budget",
    "bug",
]

#: What an action is for: reading, writing, or a message to a person, which quiet hours and consent hold back.
ActionKind = Literal["read", "write", "message"]

#: What a repetition does: `safe` nothing more; `keyed` nothing more under the same key; `unsafe` perhaps all again.
Repetition = Literal["safe", "keyed", "unsafe"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ActionSpec:
    """An action that a route may use."""

    #: `connector.action`, or a word of its own: `log`.
    name: str
    title: str
    kind: ActionKind
    repetition: Repetition
    #: JSON Schema of its inputs; each value may also be a template that gives one.
    inputs: Mapping[str, Any]
    #: An output as it gives it: what un-mocked steps of tests answer.
    sample: Mapping[str, Any]
    description: str = ""
    #: None where no connection is needed.
    connector: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ActionCall:
    """One attempt at one action."""

    #: `connector.action`.
    name: str
    #: As the step names it; None: the only one of the connector.
    connection: str | None
    #: Rendered, and checked against the action's schema.
    inputs: Mapping[str, Any]
    #: The same for each attempt at this step of this run.
    key: str
    #: From 1.
    attempt: int
    timeout_ms: int
    #: What the run knows and built-in actions need: the event that started it, as routes see it.
    event: Mapping[str, Any] = field(default_factory=dict)
    #: What a step may disregard: `suppression`, `quiet_hours`.
    ignore: frozenset[str] = frozenset()
    #: How many runs the event stems from, this one included.
    hops: int = 1
    #: The ids of the route and of its run; None where somebody else asks.
    route: str | None = None
    run: str | None = None
    #: The run that `key` is made of.
    key_run_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ActionDone:
    """What an action gave."""

    output: Mapping[str, Any]
    #: What was asked of whom, masked: `POST https://api.hubapi.com/crm/… 201`, in the order of the requests.
    requests: tuple[str, ...] = ()


class ActionFailed(HubError):
    """An action did not do what it is for.

    Args:
        error_class: Decides whether and when it is tried again.
        message: For the reader of the run: what happened and what to do; masked.
        status: The provider's HTTP status, if it answered.
        after_ms: How long the provider wants to be left alone.
        details: What the manifest extracted (`existing_id`).
        requests: As in ActionDone.
    """

    def __init__(
        self,
        error_class: ErrorClass,
        message: str,
        *,
        status: int | None = None,
        after_ms: int | None = None,
        details: Mapping[str, Any] | None = None,
        requests: tuple[str, ...] = (),
    ):
        super().__init__(message)
        self.error_class: ErrorClass = error_class
        self.message = message
        self.status = status
        self.after_ms = after_ms
        self.details = details or {}
        self.requests = requests
