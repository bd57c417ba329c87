"""Match an event to the webhooks that asked for it, from a compiled table.

An event costs a look-up by line and type plus the conditions of those found, however many other webhooks there
are. Equal conditions are evaluated once an event, and the payload is decoded only if somebody has one. A change of
a webhook makes a new table out of the old one, of which all that did not change stays in use.
Not here: what becomes of a match (hub.flow.record), and events addressed to one webhook, such as `webhook.test`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final, final

from hub.rules.condition_nodes import Explanation
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
    #: Of a condition that failed: its first comparison that did.
    failed: Explanation | None = None


@final
class MatchTable:
    """The compiled subscriptions. Immutable; `changed` makes a new one when webhooks change."""

    __slots__ = ("_by_line", "_every_line", "_subscriptions")

    def __init__(self, subscriptions: Iterable[Subscription]) -> None:
        ordered = sorted(subscriptions, key=lambda one: one.webhook_id)
        self._keep(
            {one.webhook_id: one for one in ordered}, _compile(one for one in ordered if one.is_active)
        )

    def _keep(self, subscriptions: Mapping[int, Subscription], by_line: Mapping[int | None, _ByType]) -> None:
        self._subscriptions = subscriptions
        self._by_line = by_line
        self._every_line = by_line.get(None, _NO_TYPES)

    def changed(self, gone: Iterable[int], now: Sequence[Subscription]) -> MatchTable:
        """Give the table after a change of some webhooks, at the cost of these few.

        Args:
            gone: webhooks that subscribe no more; unknown ones do not matter.
            now: webhooks that are new, or that subscribe otherwise than before.
        """
        dropped = {*gone, *(one.webhook_id for one in now)}
        if len(dropped) > MOST_CHANGED:
            kept = (one for number, one in self._subscriptions.items() if number not in dropped)
            return MatchTable([*kept, *now])
        subscriptions, lines = dict(self._subscriptions), _Lines(self._by_line)
        for number in dropped & subscriptions.keys():
            lines.edit(subscriptions.pop(number), _without)
        for one in now:
            subscriptions[one.webhook_id] = one
            lines.edit(one, _with)
        table = MatchTable.__new__(MatchTable)
        table._keep(subscriptions, lines.by_line)
        return table

    def match(self, event_type: str, line_id: int | None, payload: PayloadSource) -> tuple[int, ...]:
        """Return the ids of the webhooks that want the event, ascending.

        Args:
            event_type: nobody can have asked for a type outside the registry, so such a type matches nobody.
            line_id: the event's line; None for an event of no line, which only webhooks for every line get.
            payload: what conditions are about, or a function that decodes it, called at most once.
        """
        every = self._every_line.get(event_type, _NOBODY)
        own = _NOBODY if line_id is None else self._by_line.get(line_id, _NO_TYPES).get(event_type, _NOBODY)
        if not own.conditional and not every.conditional:
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
            for number, one in sorted(self._subscriptions.items())
            if webhook_id is None or number == webhook_id
        )


# ---- the compiled form


@dataclass(frozen=True, slots=True, eq=False)
class _Receivers:
    """Webhooks of one line (or of every line) and one event type; types that the same webhooks want share one."""

    #: Without a condition, ascending.
    plain_ids: tuple[int, ...]
    #: Each different condition once, with the webhooks that share it.
    conditional: Mapping[Condition, tuple[int, ...]]


_ByType = Mapping[str, _Receivers]

_NOBODY: Final = _Receivers((), {})
_NO_TYPES: Final[_ByType] = {}
#: More changes at once than this are compiled all together: each alone copies the ids of its line.
MOST_CHANGED: Final = 256


@lru_cache(maxsize=4096)  # most webhooks share a few choices of patterns
def _types_of(patterns: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name for pattern in patterns for name in expand_pattern(pattern))


def _compile(subscriptions: Iterable[Subscription]) -> dict[int | None, _ByType]:
    by_line: dict[int | None, dict[frozenset[str], list[Subscription]]] = {}
    for one in subscriptions:
        by_line.setdefault(one.line_id, {}).setdefault(_types_of(one.patterns), []).append(one)
    return {line_id: _by_type(choices) for line_id, choices in by_line.items()}


def _by_type(choices: Mapping[frozenset[str], Sequence[Subscription]]) -> _ByType:
    """Turn the different choices of event types that there are on a line into its receivers by type."""
    if len(choices) == 1:
        ((types, subscriptions),) = choices.items()
        return dict.fromkeys(types, _receivers(subscriptions))
    asking: dict[str, list[frozenset[str]]] = {}
    for choice in choices:
        for event_type in choice:
            asking.setdefault(event_type, []).append(choice)
    alike = {event_type: tuple(found) for event_type, found in asking.items()}
    shared = {found: _receivers([one for each in found for one in choices[each]]) for found in alike.values()}
    return {event_type: shared[found] for event_type, found in alike.items()}


def _receivers(subscriptions: Sequence[Subscription]) -> _Receivers:
    plain: list[int] = []
    sharing: dict[Condition, list[int]] = {}
    for one in sorted(subscriptions, key=lambda one: one.webhook_id):
        ids = plain if one.condition is None else sharing.setdefault(one.condition, [])
        ids.append(one.webhook_id)
    return _Receivers(tuple(plain), {condition: tuple(ids) for condition, ids in sharing.items()})


# ---- one change


_Edit = Callable[[_Receivers, Subscription], _Receivers]


class _Lines:
    """Receivers by line and type while they change: copied where they change, and only there."""

    def __init__(self, by_line: Mapping[int | None, _ByType]) -> None:
        self.by_line = dict(by_line)
        self._copied: dict[int | None, dict[str, _Receivers]] = {}

    def edit(self, one: Subscription, change: _Edit) -> None:
        """Change what the subscription's line has for each of its types."""
        if not one.is_active:
            return
        by_type = self._copied.get(one.line_id)
        if by_type is None:
            by_type = self._copied[one.line_id] = dict(self.by_line.get(one.line_id, _NO_TYPES))
        # Types that shared their receivers go on sharing them, so most changes copy the ids of a line once.
        done: dict[_Receivers, _Receivers] = {}
        for event_type in _types_of(one.patterns):
            before = by_type.get(event_type, _NOBODY)
            if before not in done:
                done[before] = change(before, one)
            by_type[event_type] = done[before]
        self._put(one.line_id, {name: found for name, found in by_type.items() if found is not _NOBODY})

    def _put(self, line_id: int | None, by_type: dict[str, _Receivers]) -> None:
        self._copied[line_id] = by_type
        if by_type:
            self.by_line[line_id] = by_type
        else:
            self.by_line.pop(line_id, None)


def _with(before: _Receivers, one: Subscription) -> _Receivers:
    if one.condition is None:
        return _Receivers(_inserted(before.plain_ids, one.webhook_id), before.conditional)
    ids = _inserted(before.conditional.get(one.condition, ()), one.webhook_id)
    return _Receivers(before.plain_ids, {**before.conditional, one.condition: ids})


def _without(before: _Receivers, one: Subscription) -> _Receivers:
    plain, conditional = before.plain_ids, before.conditional
    if one.condition is None:
        plain = _removed(plain, one.webhook_id)
    else:
        ids = _removed(conditional[one.condition], one.webhook_id)
        conditional = {**conditional, one.condition: ids}
        if not ids:
            del conditional[one.condition]
    return _Receivers(plain, conditional) if plain or conditional else _NOBODY


def _inserted(ids: tuple[int, ...], new: int) -> tuple[int, ...]:
    at = bisect_left(ids, new)
    return ids[:at] + (new,) + ids[at:]  # noqa: RUF005 - unpacking would go through a list


def _removed(ids: tuple[int, ...], gone: int) -> tuple[int, ...]:
    at = bisect_left(ids, gone)
    return ids[:at] + ids[at + 1 :]


def _meet(own: _Receivers, every: _Receivers, payload: Payload) -> tuple[int, ...]:
    found = [*own.plain_ids, *every.plain_ids]
    for receivers in (own, every):
        for condition, ids in receivers.conditional.items():
            if condition.matches(payload):
                found += ids
    found.sort()
    return tuple(found)


def _explain(one: Subscription, event_type: str, line_id: int | None, payload: Payload) -> MatchExplanation:
    verdict, detail = _judge(one, event_type, line_id, payload)
    reason = f"{verdict.value}: {detail}" if detail else verdict.value
    failed = detail if isinstance(detail, Explanation) else None
    return MatchExplanation(webhook_id=one.webhook_id, verdict=verdict, reason=reason, failed=failed)


def _judge(
    one: Subscription, event_type: str, line_id: int | None, payload: Payload
) -> tuple[Verdict, str | Explanation | None]:
    if not one.is_active:
        return Verdict.INACTIVE, None
    if not any(event_type in expand_pattern(pattern) for pattern in one.patterns):
        return Verdict.OTHER_TYPE, f"{event_type} is not in {', '.join(one.patterns)}"
    if one.line_id is not None and one.line_id != line_id:
        return Verdict.OTHER_LINE, None
    explanation = one.condition.explain(payload) if one.condition is not None else None
    if explanation is not None:
        return Verdict.CONDITION_FAILED, explanation
    return Verdict.MATCHED, None
