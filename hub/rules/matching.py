"""Match an event to the webhooks that asked for it, from a table compiled once per change of the webhooks.

An event costs a look-up by type and line plus the conditions of those found, however many other webhooks there
are. Equal conditions are evaluated once an event, and the payload is decoded only if somebody has one.
Not here: what becomes of a match (hub.flow.record), and events addressed to one webhook, such as `webhook.test`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, final

from hub.rules.condition_paths import Payload
from hub.rules.conditions import Condition
from hub.rules.event_types import expand_pattern

PayloadSource = Callable[[], Payload] | Payload


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """What one webhook wants."""

    webhook_id: int
    #: None for the events of every line, and for events of no line.
    line_id: int | None
    #: As hub.rules.event_types.validate_pattern returned them; an event matches any of them.
    patterns: tuple[str, ...]
    condition: Condition | None
    is_active: bool


class Verdict(Enum):
    """How one subscription stood to an event; the value is a sentence."""

    MATCHED = "it matched"
    INACTIVE = "the webhook is not active"
    OTHER_TYPE = "none of its event types fits"
    OTHER_LINE = "it is for another line"
    CONDITION_FAILED = "its condition failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class MatchExplanation:
    """Why one webhook did or did not get an event."""

    webhook_id: int
    verdict: Verdict
    reason: str


@final
class MatchTable:
    """The compiled subscriptions. Immutable; make a new one when webhooks change."""

    __slots__ = ("_by_type", "_subscriptions")

    def __init__(self, subscriptions: Iterable[Subscription]) -> None:
        self._subscriptions = tuple(sorted(subscriptions, key=lambda one: one.webhook_id))
        self._by_type = _compile(one for one in self._subscriptions if one.is_active)

    def match(self, event_type: str, line_id: int | None, payload: PayloadSource) -> tuple[int, ...]:
        """Return the ids of the webhooks that want the event, ascending.

        Args:
            event_type: nobody can have asked for a type outside the registry, so such a type matches nobody.
            line_id: the event's line; None for an event of no line, which only webhooks for every line get.
            payload: what conditions are about, or a function that decodes it, called at most once.
        """
        group = self._by_type.get(event_type)
        if group is None:
            return ()
        own = group.by_line.get(line_id, _NOBODY) if line_id is not None else _NOBODY
        every = group.every_line
        if not own.has_conditions and not every.has_conditions:
            if not own.plain_ids:
                return every.plain_ids
            return tuple(sorted(own.plain_ids + every.plain_ids)) if every.plain_ids else own.plain_ids
        decoded = payload() if callable(payload) else payload
        return _meet(own, every, decoded)

    def explain(
        self, event_type: str, line_id: int | None, payload: PayloadSource, *, webhook_id: int | None = None
    ) -> tuple[MatchExplanation, ...]:
        """Say of each webhook, or of one, why it did or did not get the event. Slow: for people only."""
        decoded = payload() if callable(payload) else payload
        return tuple(
            _explain(one, event_type, line_id, decoded)
            for one in self._subscriptions
            if webhook_id is None or one.webhook_id == webhook_id
        )


# ---- the compiled form


@dataclass(frozen=True, slots=True)
class _Receivers:
    """Webhooks of one event type and one line (or of every line)."""

    #: Without a condition, ascending.
    plain_ids: tuple[int, ...]
    #: Each different condition once, with the webhooks that share it.
    conditional: tuple[tuple[Condition, tuple[int, ...]], ...]
    has_conditions: bool


@dataclass(frozen=True, slots=True)
class _TypeGroup:
    every_line: _Receivers
    by_line: Mapping[int, _Receivers]


_NOBODY: Final = _Receivers((), (), False)


def _compile(subscriptions: Iterable[Subscription]) -> dict[str, _TypeGroup]:
    gathered: dict[str, dict[int | None, list[Subscription]]] = {}
    types_of: dict[tuple[str, ...], frozenset[str]] = {}  # most webhooks share a few choices of patterns
    for one in subscriptions:
        types = types_of.get(one.patterns)
        if types is None:
            types = frozenset(name for pattern in one.patterns for name in expand_pattern(pattern))
            types_of[one.patterns] = types
        for event_type in types:
            gathered.setdefault(event_type, {}).setdefault(one.line_id, []).append(one)
    return {event_type: _type_group(by_line) for event_type, by_line in gathered.items()}


def _type_group(by_line: Mapping[int | None, Sequence[Subscription]]) -> _TypeGroup:
    receivers = {line_id: _receivers(found) for line_id, found in by_line.items() if line_id is not None}
    return _TypeGroup(_receivers(by_line[None]) if None in by_line else _NOBODY, receivers)


def _receivers(subscriptions: Sequence[Subscription]) -> _Receivers:
    plain: list[int] = []
    sharing: dict[Condition, list[int]] = {}
    for one in subscriptions:
        ids = plain if one.condition is None else sharing.setdefault(one.condition, [])
        ids.append(one.webhook_id)
    conditional = tuple((condition, tuple(ids)) for condition, ids in sharing.items())
    return _Receivers(tuple(plain), conditional, bool(conditional))


def _meet(own: _Receivers, every: _Receivers, payload: Payload) -> tuple[int, ...]:
    found = [*own.plain_ids, *every.plain_ids]
    for receivers in (own, every):
        for condition, ids in receivers.conditional:
            if condition.matches(payload):
                found += ids
    found.sort()
    return tuple(found)


def _explain(one: Subscription, event_type: str, line_id: int | None, payload: Payload) -> MatchExplanation:
    verdict, detail = _judge(one, event_type, line_id, payload)
    reason = f"{verdict.value}: {detail}" if detail else verdict.value
    return MatchExplanation(webhook_id=one.webhook_id, verdict=verdict, reason=reason)


def _judge(
    one: Subscription, event_type: str, line_id: int | None, payload: Payload
) -> tuple[Verdict, str | None]:
    if not one.is_active:
        return Verdict.INACTIVE, None
    if not any(event_type in expand_pattern(pattern) for pattern in one.patterns):
        return Verdict.OTHER_TYPE, f"{event_type} is not in {', '.join(one.patterns)}"
    if one.line_id is not None and one.line_id != line_id:
        return Verdict.OTHER_LINE, None
    explanation = one.condition.explain(payload) if one.condition is not None else None
    if explanation is not None:
        return Verdict.CONDITION_FAILED, str(explanation)
    return Verdict.MATCHED, None
