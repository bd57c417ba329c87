"""What a run knows from its beginning, as it is kept and as its rules read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from hub.flow.routing.parts import RunTexts
from hub.model.ids import Prefix, id_text
from hub.model.run import Run, RunState, RunWish
from hub.rules.lanes import shard_of
from hub.rules.runs.facts import RunFacts
from hub.rules.runs.wishing import Wanted


def facts_text(
    event: Mapping[str, Any],
    *,
    contact_timezone: str | None = None,
    given: Mapping[str, Any] | None = None,
    events: list[Mapping[str, Any]] | None = None,
) -> str:
    """Write what a run begins with."""
    facts = {
        "event": event,
        "events": events or [event],
        "contact_timezone": contact_timezone,
        "given": given or {},
    }
    return msgspec.json.encode(facts).decode()


def facts_of(run: Run, texts: RunTexts) -> RunFacts:
    """Read what a run began with."""
    facts = msgspec.json.decode(run.facts)
    name = id_text(Prefix.RUN, run.id)
    return RunFacts(
        id=name,
        url=f"{texts.public_url}/v1/runs/{name}",
        started_at=run.created_at,
        event=facts["event"],
        events=tuple(facts["events"]),
        timezone=texts.timezone,
        contact_timezone=facts["contact_timezone"],
        env_name=texts.env_name,
        hops=run.hops,
        is_shadow=run.is_shadow,
        key_seed=id_text(Prefix.RUN, run.key_run_id or run.id),
        given=facts["given"],
    )


def wish_for(
    wanted: Wanted,
    event: Mapping[str, Any],
    *,
    run_id: int,
    event_id: int | None,
    contact_timezone: str | None,
    hops: int,
    now_ms: int,
) -> RunWish:
    """Give the run that a route wants for an event, with what may hold it back."""
    route = wanted.standing.route
    contact = event.get("contact")
    told = contact.get("timezone") if isinstance(contact, Mapping) else None
    run = Run(
        id=run_id,
        route_id=route.id,
        revision_id=wanted.standing.revision_id,
        event_id=event_id,
        state=RunState.ACTIVE,
        shard=shard_of(run_id if wanted.lane is None else wanted.lane),
        lane=wanted.lane,
        lane_limit=wanted.lane_limit,
        next_at=now_ms,
        version=0,
        created_at=now_ms,
        finished_at=None,
        facts=facts_text(event, contact_timezone=told or contact_timezone),
        is_shadow=route.mode == "shadow",
        hops=hops,
    )
    return RunWish(
        run=run,
        event=msgspec.json.encode(event).decode() if wanted.gathered else "",
        once=wanted.once,
        throttled=wanted.throttled,
        gathered=wanted.gathered,
        then=wanted.then,
    )
