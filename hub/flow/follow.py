"""Follow from any position on: first what was recorded since, then what comes, without a gap or a repetition."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from hub.flow.event_store import Event, EventFilter, EventPage, Events
from hub.flow.feed import CutOff, Feed, FeedOver, Follower, Told
from hub.model.ids import InvalidId, Prefix, first_id_at, id_text, id_time_ms, parse_id

#: Events read at once of what came before.
PAGE: Final = 200
#: Before the id that a position is written like.
POSITION: Final = "pos"


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """What is told in one go; nothing, where only time has passed."""

    told: list[Told]
    #: Everything that was wanted up to here has been told by now.
    position: int


async def follow_from(
    feed: Feed, events: Events, wanted: EventFilter, *, after: int | None, beat_seconds: float
) -> AsyncGenerator[Progress, None]:
    """Tell what is recorded above a position, for ever; from now on if there is none.

    Gives at least one Progress each `beat_seconds`, and the first one as soon as nothing can be missed any more.

    Raises:
        CutOff: The caller takes too little.
        FeedOver: The process is about to stop.
        StoreUnavailable: The events cannot be read.
    """
    position = after
    while position is not None:
        page = await events.read_on(wanted, after=position, limit=PAGE)
        position = page.position
        if page.events:
            yield Progress(told=[*page.events], position=position)
        if page.is_end:
            break
    async with feed.follow(wanted) as follower:
        # What was committed between the last page and the start of following.
        while position is not None and position < follower.start:
            page = await events.read_on(wanted, after=position, limit=PAGE)
            position = page.position
            yield Progress(told=[*page.events], position=position)
            if page.is_end:
                break
        position = follower.start if position is None else position
        yield Progress(told=[], position=position)
        while True:
            reached = follower.position
            told = [each for each in await follower.take(beat_seconds) if _is_beyond(each, position)]
            position = max([position, reached, *(each.position for each in told if isinstance(each, Event))])
            yield Progress(told=told, position=position)


def _is_beyond(told: Told, position: int) -> bool:
    return not isinstance(told, Event) or told.position > position


async def read_position(events: Events, text: str) -> int | None:
    """Find the position that a caller names: one that it was given (`pos_…`), or that of an event (`evt_…`).

    An event that is not there, being old, stands for the time at which it was recorded, and at the latest for now.
    None for any other text.
    """
    try:
        if text.startswith(f"{POSITION}_"):
            return parse_id(POSITION, text)
        event_id = parse_id(Prefix.EVENT, text)
    except InvalidId:
        return None
    event = await events.get(event_id)
    if event is not None:
        return event.position
    return min(first_id_at(id_time_ms(event_id)) - 1, await events.newest_position())


def position_text(position: int) -> str:
    """Write a position as callers see it, to be handed back."""
    return id_text(POSITION, position)


async def read_or_wait(
    feed: Feed, events: Events, wanted: EventFilter, *, after: int, limit: int, seconds: float
) -> EventPage:
    """Read on; where nothing fits, wait until something does, at most so long.

    Raises:
        StoreUnavailable: The events cannot be read.
    """
    page = await events.read_on(wanted, after=after, limit=limit)
    if page.events or not page.is_end or not seconds:
        return page
    async with feed.follow(wanted) as follower:
        page = await events.read_on(wanted, after=page.position, limit=limit)
        if page.events or not page.is_end:
            return page
        await _until_recorded(follower, seconds)
    return await events.read_on(wanted, after=page.position, limit=limit)


async def _until_recorded(follower: Follower, seconds: float) -> None:
    """Wait for an event that is kept; signs of life are none."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    with contextlib.suppress(CutOff, FeedOver):
        while (left := until - loop.time()) > 0:
            if any(isinstance(told, Event) for told in await follower.take(left)):
                return
