"""A route as it was written and found sound: its parts, with templates and expressions as text and compiled.

Every part knows where it stands (`pointer`, a JSON pointer into the document), so that whatever is found out later
can be told with file, line and column.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hub.model.actions import ErrorClass
from hub.rules.expressions.structures import Structure
from hub.rules.expressions.templates import Condition, Items
from hub.rules.routes.clock_windows import ClockWindow
from hub.rules.routes.when import When

#: What YAML can say: text, numbers, true, false, null, lists, maps.
Plain = object


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """A template, any value with templates in it, or a bare expression."""

    source: Plain
    pointer: str
    #: By its place: what decides (`if`), a list (`foreach`), or a value. Null only of what is wrong, in no route.
    code: Condition | Items | Structure | None = field(default=None, compare=False, repr=False)


# ---- triggers


@dataclass(frozen=True, kw_only=True, slots=True)
class EventTrigger:
    """Our own events."""

    #: Types and families.
    patterns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceTrigger:
    """Events of an inbound source, such as Stripe."""

    source: str
    #: As the source names them, or their beginnings with a `*`; empty for all.
    events: tuple[str, ...]
    #: Where it stands in the file; two that say the same are the same.
    pointer: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleTrigger:
    """Moments."""

    #: Five fields, as cron has them.
    schedule: str
    timezone: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookTrigger:
    """What is posted to a path of the route's own."""

    path: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ManualTrigger:
    """Whoever asks for it, and other routes that call it."""


Trigger = EventTrigger | SourceTrigger | ScheduleTrigger | WebhookTrigger | ManualTrigger


# ---- what holds a run back


@dataclass(frozen=True, kw_only=True, slots=True)
class Dedupe:
    """The same key starts one run within a time."""

    key: Written
    for_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Throttle:
    """So many runs of a key within a time."""

    limit: int
    per_ms: int
    key: Written | None
    then: Literal["skip", "wait", "last"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Debounce:
    """One run for what comes in quick succession."""

    key: Written
    wait_ms: int
    max_ms: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Concurrency:
    """So many runs of a key at once; more wait in order."""

    key: Written
    limit: int
    then: Literal["wait", "skip", "replace"]


@dataclass(frozen=True, kw_only=True, slots=True)
class QuietHours:
    """When people are not to be written to."""

    #: Null where it is the contact's own time zone that counts.
    window: ClockWindow | None
    #: Minutes from midnight, and days (0 is Monday), for the contact's own zone.
    start: int
    end: int
    days: frozenset[int]
    then: Literal["wait", "skip"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Retry:
    """How often, and when, a step is tried again."""

    attempts: int
    backoff: Literal["exponential", "fixed"]
    first_ms: int
    max_ms: int
    jitter: float
    #: In which all attempts lie.
    within_ms: int
    #: Classes that are retried; None for the default set.
    when: frozenset[ErrorClass] | None


# ---- steps


@dataclass(frozen=True, kw_only=True, slots=True)
class StepBase:
    """What every step has."""

    pointer: str
    #: To refer to its result.
    id: str | None
    #: False: the step is skipped.
    if_: Written | None


@dataclass(frozen=True, kw_only=True, slots=True)
class UseStep(StepBase):
    """One action of a connector."""

    #: `connector.action`.
    action: str
    connection: str | None
    with_: Written
    timeout_ms: int | None
    #: None: as the route says; False: never.
    retry: Retry | Literal[False] | None
    #: `fail`, `continue`, or what is done instead.
    on_error: Literal["fail", "continue"] | tuple[Step, ...]
    ignore: frozenset[Literal["suppression", "quiet_hours"]]


@dataclass(frozen=True, kw_only=True, slots=True)
class DelayStep(StepBase):
    """A pause that holds no worker."""

    ms: int | None
    #: Until an instant, instead.
    until: Written | None


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitStep(StepBase):
    """Until an event comes, or too long."""

    trigger: EventTrigger | SourceTrigger
    when: When
    #: Set where templates are in its `when`, which is then only the form; rendered once the step is reached.
    asked: Written | None = None
    timeout_ms: int
    on_timeout: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One way of a switch; without a condition the last."""

    if_: Written | None
    steps: tuple[Step, ...]
    pointer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SwitchStep(StepBase):
    """The first case that holds."""

    cases: tuple[Case, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ForeachStep(StepBase):
    """The same steps for each item of a list."""

    items: Written
    name: str
    limit: int
    parallel: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ParallelStep(StepBase):
    """Steps that do not wait for one another."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class CallStep(StepBase):
    """Another route, as a part of this one."""

    route: str
    with_: Written


@dataclass(frozen=True, kw_only=True, slots=True)
class SetStep(StepBase):
    """Values under names."""

    values: Mapping[str, Written]


@dataclass(frozen=True, kw_only=True, slots=True)
class StopStep(StepBase):
    """The end of the run."""

    outcome: Literal["completed", "failed"]
    reason: Written


Step = (
    UseStep | DelayStep | WaitStep | SwitchStep | ForeachStep | ParallelStep | CallStep | SetStep | StopStep
)


# ---- the route


@dataclass(frozen=True, kw_only=True, slots=True)
class Keep:
    """How long what a run knew is kept."""

    payload_ms: int
    log_ms: int
    #: Paths whose values are not kept.
    redact: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """One route."""

    pointer: str
    id: str
    description: str | None
    tags: tuple[str, ...]
    owner: str | None
    #: An object of whoever made it, which the hub keeps and does not read.
    metadata: Mapping[str, object]
    is_enabled: bool
    mode: Literal["live", "shadow"]
    triggers: tuple[Trigger, ...]
    when: When
    if_: Written | None
    #: Higher first.
    priority: int
    stop_others: bool
    #: None: the event's id, for seven days; False: none.
    dedupe: Dedupe | Literal[False] | None
    throttle: Throttle | None
    debounce: Debounce | None
    concurrency: Concurrency | None
    quiet_hours: QuietHours | None
    vars: Mapping[str, Written]
    steps: tuple[Step, ...]
    #: None: the hub's own.
    retry: Retry | Literal[False] | None
    timeout_ms: int | None
    on_error: tuple[Step, ...]
    keep: Keep | None
    #: Of schedules and windows that name none.
    timezone: str | None
    #: Of a blueprint: what its expressions may ask for as `input`.
    inputs: Mapping[str, Any] = field(default_factory=dict)
