"""Bad days of a bridge's feed: what it tells is shuffled, repeated, late, in requests of any size, and partly lost.

What is lost is made up for by what the bridge tells of the past. Whatever the day was like, the store ends with the
same events and the same messages. Times are left out: a webhook tells when it came, a list when it happened.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hub.flow.ingest import BridgeRequest
from hub.model.line import Line
from hub.model.observation import Observation
from hub.rules.facts import facts_of
from tests.support.hub_world import HubWorld, open_world

_LINE_ID = 7
#: Few: each is a day in a whole store. What fails is not made smaller, which would take minutes.
_FEW = settings(
    max_examples=8,
    deadline=None,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
#: What names an event, whoever tells it and whenever; its words are those that were known then.
_NAMED_BY = ("guid", "message_guid", "target_guid", "reaction", "type", "handle")


class Ended(NamedTuple):
    """What the store holds at the end of a day."""

    events: Counter[str]
    messages: tuple[Any, ...]


Living = Callable[[Sequence[Observation], int], Ended]


def require_the_same(live: Sequence[Observation], past: Sequence[Observation]) -> None:
    """Let many days go bad, and demand that each ends as the good one did. Not to be called where a loop runs.

    Args:
        live: What the bridge told while things happened, in order.
        past: What it tells of the same things later, after a restart.
    """
    known = frozenset().union(*map(_facts, past))

    with _days() as live_through:
        good = live_through([*live, *past], 1000)
        assert good.events, "the bridge told nothing"

        @_FEW
        @given(data=st.data(), size=st.integers(1, 40))
        def bad_day(data: st.DataObject, size: int) -> None:
            lost = data.draw(st.sets(st.sampled_from(range(len(live))))) if live else set()
            told = [
                each for number, each in enumerate(live) if number not in lost or not _facts(each) <= known
            ]
            told += [*past, *data.draw(st.lists(st.sampled_from([*live, *past]), max_size=20))]

            bad = live_through(data.draw(st.permutations(told)), size)

            unlike = _unlike(good, bad)
            assert not unlike, unlike

        bad_day()


def _unlike(good: Ended, bad: Ended) -> list[str]:
    """Say what one has and the other has not."""
    events, messages = Counter(good.events), set(good.messages) ^ set(bad.messages)
    events.subtract(bad.events)
    return [
        *(f"{count:+} {name}" for name, count in events.items() if count),
        *map(str, sorted(messages, key=str)),
    ]


def _facts(observation: Observation) -> frozenset[bytes]:
    return frozenset(fact.dedupe_key for fact in facts_of(observation, _LINE_ID))


@contextlib.contextmanager
def _days() -> Iterator[Living]:
    """Live through days in one hub, each on a line of its own."""
    numbers = itertools.count(1)
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        opening = open_world(Path(folder))
        world = runner.run(opening.__aenter__())
        try:
            yield lambda told, size: runner.run(_day(world, told, size=size, number=next(numbers)))
        finally:
            runner.run(opening.__aexit__(None, None, None))


async def _day(world: HubWorld, told: Sequence[Observation], *, size: int, number: int) -> Ended:
    line = replace(world.sandbox_line, id=world.new_id(), handle=f"+1555019{number:04}")
    await world.store.lines.add(line)
    await world.directory.refresh()
    here = [msgspec.structs.replace(each, line=line.handle) for each in told]
    for start in range(0, len(here), size):
        request = BridgeRequest(line.bridge_id, f"{number}.{start}", b"{}", tuple(here[start : start + size]))
        assert "refused" not in {each.status for each in await world.ingest(request)}
    return Ended(await _events(world, line), await _messages(world, line, told))


async def _events(world: HubWorld, line: Line) -> Counter[str]:
    found = await world.store.events.page(first_id=0, last_id=2**62, limit=100_000)
    mine = [each for each in found if each.line_id == line.id]
    return Counter(_name(each.type, msgspec.json.decode(each.data)) for each in mine)


def _name(event_type: str, data: dict[str, Any]) -> str:
    return f"{event_type} {[data[name] for name in _NAMED_BY if data.get(name) is not None]}"


async def _messages(world: HubWorld, line: Line, told: Sequence[Observation]) -> tuple[Any, ...]:
    guids = sorted({each.message.provider_id for each in told if each.message is not None})
    rows = [await world.store.messages.by_guid(line.id, guid) for guid in guids]
    return tuple(
        (row.guid, row.text, row.delivered_at is None, row.read_at is None, row.failed_at is None)
        for row in rows
        if row is not None
    )
