"""Routes as the REST surface tells them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from hub.api.calls import Listed
from hub.api.delivery_shapes import IdText
from hub.api.paging import DEFAULT_LIMIT, Limit
from hub.flow.routing.installing import FolderStatus
from hub.model.ids import Prefix, id_text
from hub.model.run import KeptRoute, Revision, Run, RunState, RunTally

if TYPE_CHECKING:
    from hub.rules.routes.model import Route, Trigger

#: Any JSON object.
JsonObject = Annotated[dict[str, Any], Meta(max_length=1000)]
Shown = Annotated[Any, Meta(extra_json_schema={"description": "JSON."})]
#: Whoever knows the path of a route's own is believed, so it is shown to nobody.
_MASK: Final = "•••"


class RoutesQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of routes, by id."""

    #: Only those of files, or those that were made over this surface.
    origin: Literal["files", "api"] | None = None
    limit: Limit = DEFAULT_LIMIT
    #: `next_cursor` of the page before.
    cursor: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


class NewRun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a route is to be started with: an event that is made up, or one that happened."""

    #: What the route is to take for its event; for routes with a manual trigger. `id`, `type` and `occurred_at` are
    #: added where they are missing.
    event: JsonObject | None = None
    #: An event that happened, instead.
    event_id: IdText | None = None
    #: Values that stand in place of the route's `vars`, or beside them.
    vars: JsonObject | None = None


class RunCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Runs that are kept, by how they stand."""

    active: int = 0
    parked: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0


class RunMention(msgspec.Struct, frozen=True, kw_only=True):
    """A run in a few words."""

    id: str
    #: `active`, `parked`, `completed`, `failed` or `cancelled`.
    state: str
    #: Why it was stopped, or what failed.
    reason: str | None
    #: Unix ms.
    created_at: int
    finished_at: int | None


class RouteReply(msgspec.Struct, frozen=True, kw_only=True):
    """A route."""

    id: str
    #: `files`, or `api`: made over this surface.
    origin: str
    #: Where it is written; null for those of no file.
    file: str | None
    line: int | None
    description: str | None
    tags: list[str]
    owner: str | None
    #: An object of whoever made it.
    metadata: JsonObject
    #: `live` or `shadow`.
    mode: str
    #: Whether it runs: it is not retired, and not switched off (`enabled`).
    is_enabled: bool
    #: What starts it, a text each: `message.received`, `stripe: invoice.paid`, `schedule 0 9 * * 1-5
    #: (Europe/Berlin)`, `webhook`, `manual`.
    triggers: list[str]
    revision_id: str
    #: Unix ms: when it came to stand as it does.
    changed_at: int
    #: Unix ms; set when it is in no file any more, or was deleted.
    retired_at: int | None
    runs: RunCounts
    last_run: RunMention | None
    last_failed_run: RunMention | None


class RevisionReply(msgspec.Struct, frozen=True, kw_only=True):
    """A route as it was written from some time on."""

    id: str
    #: Unix ms.
    created_at: int
    is_current: bool


class OneRoute(RouteReply, frozen=True, kw_only=True):
    """A route with what is written."""

    #: The document of this one route with its defaults, as JSON; the paths of webhook triggers are masked.
    source: Shown
    #: The newest 50, the newest first.
    revisions: list[RevisionReply]
    request_id: str


class FolderReply(msgspec.Struct, frozen=True, kw_only=True):
    """How the folder of routes was found when this process read it last."""

    folder: str
    #: Unix ms; null before it ever was.
    read_at: int | None
    #: With file, line and column. If there are any, what ran before goes on running.
    problems: list[str]


class RouteList(Listed[RouteReply], frozen=True, kw_only=True):
    """A page of routes, and how their folder is."""

    #: Null where the process that answers follows no folder.
    folder: FolderReply | None


def folder_reply(status: FolderStatus | None) -> FolderReply | None:
    """Tell of the folder."""
    if status is None:
        return None
    return FolderReply(folder=status.folder, read_at=status.read_at, problems=list(status.problems))


def route_fields(
    kept: KeptRoute, route: Route | None, tallies: Mapping[RunState, RunTally], runs: Mapping[int, Run]
) -> dict[str, Any]:
    """Give the fields of a route; one that this version of the hub cannot read has no triggers."""
    failed = tallies.get(RunState.FAILED)
    last_id = max((each.last_id for each in tallies.values()), default=None)
    return {
        "id": kept.id,
        "origin": kept.origin,
        "file": kept.file,
        "line": kept.line,
        "description": None if route is None else route.description,
        "tags": [] if route is None else list(route.tags),
        "owner": None if route is None else route.owner,
        "metadata": {} if route is None else dict(route.metadata),
        "mode": "live" if route is None else route.mode,
        "is_enabled": route is not None and route.is_enabled and kept.retired_at is None,
        "triggers": [] if route is None else [trigger_text(each) for each in route.triggers],
        "revision_id": id_text(Prefix.REVISION, kept.revision_id),
        "changed_at": kept.changed_at,
        "retired_at": kept.retired_at,
        "runs": RunCounts(**{state.name.lower(): each.count for state, each in tallies.items()}),
        "last_run": _mention(runs.get(last_id or 0)),
        "last_failed_run": _mention(None if failed is None else runs.get(failed.last_id)),
    }


def revision_reply(revision: Revision, kept: KeptRoute) -> RevisionReply:
    """Tell of a revision."""
    return RevisionReply(
        id=id_text(Prefix.REVISION, revision.id),
        created_at=revision.created_at,
        is_current=revision.id == kept.revision_id,
    )


def trigger_text(trigger: Trigger) -> str:
    """Say in a few words what starts a route."""
    from hub.rules.routes.model import (  # noqa: PLC0415 - decision 28
        EventTrigger,
        ManualTrigger,
        ScheduleTrigger,
        SourceTrigger,
        WebhookTrigger,
    )

    match trigger:
        case EventTrigger():
            return ", ".join(trigger.patterns)
        case SourceTrigger():
            return f"{trigger.source}: {', '.join(trigger.events) or 'all'}"
        case ScheduleTrigger():
            return f"schedule {trigger.schedule} ({trigger.timezone})"
        case WebhookTrigger():
            return "webhook"
        case ManualTrigger():
            return "manual"


def shown_source(source: str) -> Any:
    """Give what is written without the secrets in it."""
    document = msgspec.json.decode(source)
    for route in document.get("routes", ()):
        triggers = route.get("trigger")
        for trigger in triggers if isinstance(triggers, list) else [triggers]:
            if isinstance(trigger, dict) and "webhook" in trigger:
                trigger["webhook"] = _MASK
    return document


def _mention(run: Run | None) -> RunMention | None:
    if run is None:
        return None
    return RunMention(
        id=id_text(Prefix.RUN, run.id),
        state=run.state.name.lower(),
        reason=run.reason,
        created_at=run.created_at,
        finished_at=run.finished_at,
    )
