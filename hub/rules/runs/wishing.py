"""Which routes an event starts: all candidates in order of priority, each with the run that it wants or why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Final, Literal

from hub.model.run import Decided, Gathered, Once, RunVerdict, Throttled
from hub.rules.event_types import expand_pattern
from hub.rules.expressions.frame import Surroundings
from hub.rules.routes.model import (
    Concurrency,
    EventTrigger,
    Route,
    ScheduleTrigger,
    SourceTrigger,
    Trigger,
    WebhookTrigger,
    Written,
)
from hub.rules.runs import evaluating
from hub.rules.runs.evaluating import WrittenWrong
from hub.rules.runs.seen import MOST_HOPS
from hub.rules.sources.hooks import HOOK_SOURCE, hook_key

SOURCE_RECEIVED: Final = "source.received"
#: What a route sees as the type of a moment of its schedule; no event is recorded for it.
SCHEDULE: Final = "schedule"
#: The same of what a person started.
MANUAL: Final = "manual"
#: Of a debounce without `max`: in how many times its wait it must come to an end.
_LONGEST_GATHERING: Final = 10
_DEFAULT_ZONE: Final = "UTC"


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A route at the revision at which it runs."""

    route: Route
    revision_id: int
    since_position: int
    #: Whole event types.
    types: frozenset[str]

    def fits(self, event_type: str, data: Mapping[str, Any]) -> bool:
        """Tell whether one of its triggers is meant: of what sources tell, only that source and that event."""
        return event_type != SOURCE_RECEIVED or any(
            fits(each, event_type, data) for each in self.route.triggers
        )

    @property
    def patterns(self) -> tuple[str, ...]:
        """For the index of listeners."""
        return tuple(self.types)

    @property
    def when(self) -> Any:
        """For the index of listeners."""
        return self.route.when


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A run that a route wants for an event."""

    standing: Standing
    once: Once | None
    throttled: Throttled | None
    gathered: Gathered | None
    #: Runs of one lane take turns.
    lane: int | None
    lane_limit: int
    then: Literal["wait", "skip", "replace"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidates:
    """What routes say to an event."""

    wanted: tuple[Wanted, ...]
    #: Those that could not say.
    decided: tuple[Decided, ...]
    #: The route after which no other one was asked.
    stopped_by: str | None


def in_order(standings: Iterable[Standing]) -> list[Standing]:
    """Sort routes as they are asked: the higher priority first, then by id."""
    return sorted(standings, key=lambda each: (-each.route.priority, each.route.id))


def ask(
    matching: Iterable[Standing],
    event: Mapping[str, Any],
    *,
    env_name: str,
    hops: int,
    now_ms: int,
) -> Candidates:
    """Ask routes whose `when` holds, in their order.

    Args:
        matching: Those, in order.
        event: As routes see it.
        env_name: What this hub is called.
        hops: How many runs the event stems from.
        now_ms: Unix ms.
    """
    wanted: list[Wanted] = []
    decided: list[Decided] = []
    for standing in matching:
        route = standing.route
        if hops >= MOST_HOPS:
            reason = f"the event stems from {hops} runs, one after the other, which is the most"
            decided.append(_decided(standing, RunVerdict.LOOP, reason))
            continue
        asked = _Asked(standing, names_for(standing.route, event, env_name), now_ms)
        try:
            if not asked.holds():
                continue
            wanted.append(asked.wanted())
        except WrittenWrong as wrong:
            decided.append(_decided(standing, RunVerdict.ERROR, str(wrong)))
            continue
        if route.stop_others:
            return Candidates(wanted=tuple(wanted), decided=tuple(decided), stopped_by=route.id)
    return Candidates(wanted=tuple(wanted), decided=tuple(decided), stopped_by=None)


def by_hand(standing: Standing, event: Mapping[str, Any], *, env_name: str, now_ms: int) -> Wanted:
    """Give the run of a route that a person starts: nothing holds it back but its lane.

    Raises:
        WrittenWrong: The key of its lane has no value for the event.
    """
    return _Asked(standing, names_for(standing.route, event, env_name), now_ms).unconditional()


def types_of(route: Route) -> frozenset[str]:
    """Give the types of events that a route listens to."""
    types: set[str] = set()
    for trigger in route.triggers:
        if isinstance(trigger, EventTrigger):
            types.update(each for pattern in trigger.patterns for each in expand_pattern(pattern))
        elif isinstance(trigger, (SourceTrigger, WebhookTrigger)):
            types.add(SOURCE_RECEIVED)
        elif isinstance(trigger, ScheduleTrigger):
            types.add(SCHEDULE)
    return frozenset(types)


def fits(trigger: Trigger, event_type: str, data: Mapping[str, Any]) -> bool:
    """Tell whether an event, with the data that it was recorded with, is what a trigger waits for."""
    match trigger:
        case EventTrigger():
            return any(event_type in expand_pattern(each) for each in trigger.patterns)
        case SourceTrigger() if event_type == SOURCE_RECEIVED and data.get("source") == trigger.source:
            return not trigger.events or _is_one_of(data.get("event"), trigger.events)
        case WebhookTrigger() if event_type == SOURCE_RECEIVED and data.get("source") == HOOK_SOURCE:
            return data.get("hook") == hook_key(trigger.path)
    return False


def _is_one_of(event: object, wanted: Iterable[str]) -> bool:
    """Tell whether an event of a source is one that is named: `invoice.paid`, or by its beginning, `invoice.*`."""
    return isinstance(event, str) and any(
        event.startswith(each[:-1]) if each.endswith("*") else event == each for each in wanted
    )


class _Asked:
    """One route and one event."""

    def __init__(self, standing: Standing, names: Mapping[str, Any], now_ms: int) -> None:
        self._standing = standing
        self._route = standing.route
        self._names = names
        self._now_ms = now_ms
        self._surroundings = Surroundings(now_ms=now_ms, timezone=self._route.timezone or _DEFAULT_ZONE)

    def holds(self) -> bool:
        written = self._route.if_
        return written is None or evaluating.holds(written, self._names, self._surroundings)

    def wanted(self) -> Wanted:
        return replace(
            self.unconditional(), once=self._once(), throttled=self._throttled(), gathered=self._gathered()
        )

    def unconditional(self) -> Wanted:
        concurrency = self._route.concurrency
        return Wanted(
            standing=self._standing,
            once=None,
            throttled=None,
            gathered=None,
            lane=self._lane(),
            lane_limit=1 if concurrency is None else concurrency.limit,
            then="wait" if concurrency is None else concurrency.then,
        )

    def _once(self) -> Once | None:
        dedupe = self._route.dedupe
        if dedupe is None or dedupe is False:
            return None  # an event is looked at once anyway
        return Once(key=self._key("dedupe", dedupe.key), until_ms=self._now_ms + dedupe.for_ms)

    def _throttled(self) -> Throttled | None:
        throttle = self._route.throttle
        if throttle is None:
            return None
        key = self._key("throttle", throttle.key)
        return Throttled(key=key, limit=throttle.limit, per_ms=throttle.per_ms, then=throttle.then)

    def _gathered(self) -> Gathered | None:
        debounce = self._route.debounce
        if debounce is None:
            return None
        longest = debounce.max_ms or debounce.wait_ms * _LONGEST_GATHERING
        return Gathered(key=self._key("debounce", debounce.key), wait_ms=debounce.wait_ms, max_ms=longest)

    def _lane(self) -> int | None:
        """The lane of the route's own key; else the conversation's, so that order is kept within it."""
        concurrency: Concurrency | None = self._route.concurrency
        if concurrency is not None:
            return int.from_bytes(self._key("lane", concurrency.key)[:8], "big", signed=True)
        conversation = self._names["event"].get("conversation_id")
        if not isinstance(conversation, str):
            return None
        return int.from_bytes(digest(self._route.id, "lane", conversation)[:8], "big", signed=True)

    def _key(self, kind: str, written: Written | None) -> bytes:
        if written is None:
            return digest(self._route.id, kind, "")
        value = evaluating.value(written, self._names, self._surroundings)
        if isinstance(value, (Mapping, Sequence)) and not isinstance(value, str):
            raise WrittenWrong(f"{written.pointer}: a key is a text or a number, not a list or a map")
        return digest(self._route.id, kind, str(value))


def digest(route_id: str, kind: str, key: str) -> bytes:
    """Give the key of a memory as it is kept: routes share nothing."""
    return blake2b(f"{route_id}\0{kind}\0{key}".encode(), digest_size=16).digest()


def _decided(standing: Standing, verdict: RunVerdict, reason: str) -> Decided:
    return Decided(
        route_id=standing.route.id, revision_id=standing.revision_id, verdict=verdict, reason=reason
    )


def names_for(route: Route, event: Mapping[str, Any], env_name: str) -> dict[str, Any]:
    """Give what conditions and keys of a route may ask for about an event, before there is a run."""
    return {
        "event": event,
        "events": [event],
        "env_name": env_name,
        "route": {"id": route.id},
        "input": route.inputs,
    }
