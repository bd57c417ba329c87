"""/v1/sources: which services may tell what happened, and what was turned away, with the reason."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply
from hub.api.paging import DEFAULT_LIMIT, CursorText, Limit, read_id_cursor, split_page, write_cursor
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text
from hub.model.source import Rejection, RejectionTally
from hub.rules.sources.model import Source

Headers = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "object"})]


class RejectedQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page, newest first."""

    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText | None = None


class SourceReply(msgspec.Struct, frozen=True, kw_only=True):
    """A source that is set up."""

    name: str
    #: Whose events these are.
    title: str
    #: The definition that it follows; its own name where connections.yaml holds the definition.
    verify: str
    #: What the service must be told to call.
    url: str
    #: Secrets that may sign now; 0: nothing is believed yet.
    secret_count: int
    #: How long an id is remembered, in seconds.
    remember_seconds: int
    #: The vendor's page on it; empty without one.
    docs: str
    #: Rejected requests that are kept.
    rejected_count: int
    #: Unix ms; null without any.
    last_rejected_at: int | None


class RejectionReply(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was turned away. What might be secret or personal is masked."""

    id: str
    source: str
    #: `bad_signature`, `too_old`, `unreadable`, …: docs/inbound-sources.md lists them.
    reason: str
    #: A sentence.
    detail: str
    method: str
    headers: Headers
    #: The form of it: names, numbers and the beginning of each text.
    body: str
    body_bytes: int
    #: Unix ms.
    rejected_at: int


async def _list(call: Call[NoQuery, NoBody]) -> Reply:
    call.uses.lines.require(call.key, None)
    tallies = await call.uses.store.rejections.tally()
    sources = call.uses.parts.sources.book.all()
    data = [_shown(each, call.uses.settings.public_url, tallies.get(each.name)) for each in sources]
    return Reply(content=Listed(data=data, request_id=call.request_id))


async def _rejected(call: Call[RejectedQuery, NoBody]) -> Reply:
    call.uses.lines.require(call.key, None)
    name = call.path["name"]
    if call.uses.parts.sources.book.find(name) is None:
        raise InvalidRequest("source_not_found", "Source not found.")
    after, limit = read_id_cursor(call.query.cursor), call.query.limit
    found = await call.uses.store.rejections.page(name, after=after, limit=limit + 1)
    page, has_more = split_page(found, limit)
    cursor = write_cursor(page[-1].id) if has_more else None
    data = [_rejection(each) for each in page]
    return Reply(content=Listed(data=data, has_more=has_more, next_cursor=cursor, request_id=call.request_id))


def _shown(source: Source, public_url: str, tally: RejectionTally | None) -> SourceReply:
    definition = source.definition
    return SourceReply(
        name=source.name,
        title=definition.title,
        verify=definition.name,
        url=f"{public_url}/hooks/{source.name}",
        secret_count=len(source.secrets),
        remember_seconds=source.remember_ms // 1000,
        docs=definition.docs,
        rejected_count=0 if tally is None else tally.count,
        last_rejected_at=None if tally is None else tally.last_at,
    )


def _rejection(rejection: Rejection) -> RejectionReply:
    fields: dict[str, Any] = {
        name: getattr(rejection, name)
        for name in ("source", "reason", "detail", "method", "body", "body_bytes", "rejected_at")
    }
    return RejectionReply(
        id=id_text(Prefix.REJECTION, rejection.id),
        headers=msgspec.Raw(rejection.headers.encode()),
        **fields,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/sources",
        name="list_sources",
        summary="List the services that may tell this hub what happened, by name.",
        description="They are set up in connections.yaml. docs/inbound-sources.md.",
        tag="sources",
        scope="admin",
        query=NoQuery,
        body=NoBody,
        reply=Listed[SourceReply],
        errors=("line_not_accessible",),
        handle=_list,
    ),
    Endpoint(
        method="GET",
        path="/v1/sources/{name}/rejected",
        name="list_rejected",
        summary="List the requests to a source that were turned away, with the reason, newest first.",
        description=(
            "The newest ones are kept for some days (`sources.rejected_kept`, `sources.rejected_days`), masked; of a "
            "flood one a second."
        ),
        tag="sources",
        scope="admin",
        query=RejectedQuery,
        body=NoBody,
        reply=Listed[RejectionReply],
        errors=("line_not_accessible", "source_not_found"),
        handle=_rejected,
    ),
)
