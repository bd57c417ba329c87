"""What a run knows from its beginning, as it is kept and as its rules read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from hub.model.ids import Prefix, id_text
from hub.model.run import Run
from hub.rules.runs.facts import RunFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class RunTexts:
    """What runs say about where they run."""

    #: Where people reach the hub, without a slash at its end.
    public_url: str
    env_name: str
    #: Of windows and dates that name none.
    timezone: str = "UTC"


def facts_text(
    event: Mapping[str, Any],
    *,
    contact_timezone: str | None = None,
    given: Mapping[str, Any] | None = None,
    key_seed: str | None = None,
    events: list[Mapping[str, Any]] | None = None,
) -> str:
    """Write what a run begins with."""
    facts = {
        "event": event,
        "events": events or [event],
        "contact_timezone": contact_timezone,
        "given": given or {},
        "key_seed": key_seed,
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
        key_seed=facts["key_seed"] or name,
        given=facts["given"],
    )
