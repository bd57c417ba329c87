"""Explain an event to the routes that listen to its type: worked out again from what is kept (decision 20)."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from hub.flow.directory import DirectoryHolder
from hub.flow.event_store import Event
from hub.flow.repositories import Store
from hub.flow.routing.book import RouteBook
from hub.flow.routing.contexts import Contexts
from hub.flow.routing.parts import RunTexts
from hub.model.ids import Prefix, id_text, id_time_ms
from hub.model.run import KeptRoute, Triage
from hub.rules.runs.answering import Answer, Asked, answers
from hub.rules.runs.seen import Context, hops_of, seen
from hub.rules.runs.wishing import Standing, types_of


@dataclass(frozen=True, kw_only=True, slots=True)
class ExplainedEvent:
    """What routes say to an event."""

    answers: tuple[Answer, ...]
    #: Unix ms: when it was looked at; None where that left nothing to record, or is still to come.
    decided_at: int | None


async def explain_routes(
    store: Store, directory: DirectoryHolder, book: RouteBook, event: Event, texts: RunTexts
) -> ExplainedEvent:
    """Explain an event to the routes that listen to its type.

    With what was known when it was looked at, if any route wanted it; else nothing of that was kept, and contact and
    chat are taken as they are now.
    """
    triage = await store.routes.triage(event.id)
    at_ms = id_time_ms(event.position) if triage is None else triage.decided_at
    data = msgspec.json.decode(event.data)
    context = await _context(store, directory, event, triage)
    asked = Asked(
        type=event.type,
        position=event.position,
        data=data,
        shown=seen(id_text(Prefix.EVENT, event.id), event.type, event.occurred_at, data, context),
        hops=hops_of(data),
        now_ms=at_ms,
        env_name=texts.env_name,
        is_decided=triage is not None or event.position <= await store.routes.position(),
    )
    found = answers(await _standings(store, book, at_ms), asked, () if triage is None else triage.decided)
    return ExplainedEvent(answers=tuple(found), decided_at=None if triage is None else triage.decided_at)


async def _context(store: Store, directory: DirectoryHolder, event: Event, triage: Triage | None) -> Context:
    if triage is None:
        (context,) = await Contexts(store, directory).of([event], [msgspec.json.decode(event.data)])
        return context
    return msgspec.json.decode(triage.context, type=Context)


async def _standings(store: Store, book: RouteBook, at_ms: int) -> list[Standing]:
    """Give the routes as they stood at an instant, and as they stand now those that came later."""
    then = {each.route_id: each.id for each in await store.routes.standing_at(at_ms)}
    kept = [each for each in await store.routes.all() if each.retired_at is None or each.retired_at >= at_ms]
    revisions = {each.id: then.get(each.id, each.revision_id) for each in kept}
    await book.ensure(set(revisions.values()))
    found = (_standing(book, each, revisions[each.id]) for each in kept)
    return [each for each in found if each is not None]


def _standing(book: RouteBook, kept: KeptRoute, revision_id: int) -> Standing | None:
    route = book.find(revision_id)
    if route is None:
        return None
    return Standing(
        route=route, revision_id=revision_id, since_position=kept.since_position, types=types_of(route)
    )
