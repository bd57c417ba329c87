"""/v1/events/{id}/explain: why an event went to a webhook, or did not, and what became of it."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, Reply, field_id
from hub.api.delivery_logs import DeliveryLog, delivery_logs, visible_webhooks
from hub.api.delivery_shapes import IdText
from hub.api.events import find_event
from hub.api.paging import DEFAULT_LIMIT, CursorText, Limit, read_id_cursor, split_page, write_cursor
from hub.flow.explain import Explained, Why, explain_event, explained_page
from hub.model.ids import Prefix, id_text
from hub.rules.condition_nodes import Explanation


class ExplainQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of which webhook; without it of all, oldest first."""

    webhook_id: IdText | None = None
    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText | None = None


class FailedComparison(msgspec.Struct, frozen=True, kw_only=True):
    """The first comparison of a filter that failed."""

    #: Where it stands in the filter: a JSON pointer.
    pointer: str
    #: Where in the payload it looks; empty when a whole group decided.
    path: str
    operator: str
    #: JSON, cut at 80 characters.
    expected: str
    #: The same, or `missing`.
    actual: str


class ExplainedReply(msgspec.Struct, frozen=True, kw_only=True):
    """How one webhook stands to the event."""

    webhook_id: str
    #: Null once it was deleted.
    url: str | None
    #: Whether it is enabled now; what a disabled one matches is held.
    is_active: bool
    why: Why
    #: A sentence.
    reason: str
    failed: FailedComparison | None
    #: What it got, with the last attempt; null if it got nothing.
    delivery: DeliveryLog | None


async def _explain(call: Call[ExplainQuery, NoBody]) -> Reply:
    query = call.query
    event = await find_event(call)
    visible = await visible_webhooks(call)
    if query.webhook_id is not None:
        webhook_id = field_id(query.webhook_id, Prefix.WEBHOOK, "webhook", param="webhook_id")
        visible = frozenset({webhook_id}) & (frozenset({webhook_id}) if visible is None else visible)
    directory = await call.uses.parts.directory.refresh()
    explained = await explain_event(call.uses.store, directory, event)
    rest = explained_page(explained, after=read_id_cursor(query.cursor), visible=visible)
    page, has_more = split_page(rest, query.limit)
    return Reply(
        content=Listed(
            data=await _shown(call, page),
            has_more=has_more,
            next_cursor=write_cursor(page[-1].webhook_id) if has_more else None,
            request_id=call.request_id,
        )
    )


async def _shown(call: Call[Any, Any], page: Any) -> list[ExplainedReply]:
    logs = await delivery_logs(call, [each.delivery for each in page if each.delivery is not None])
    by_id = {each.webhook_id: each for each in logs}
    return [_reply(each, by_id.get(id_text(Prefix.WEBHOOK, each.webhook_id))) for each in page]


def _reply(explained: Explained, log: DeliveryLog | None) -> ExplainedReply:
    webhook = explained.webhook
    return ExplainedReply(
        webhook_id=id_text(Prefix.WEBHOOK, explained.webhook_id),
        url=None if webhook is None else webhook.url,
        is_active=webhook is not None and webhook.is_active,
        why=explained.why,
        reason=explained.reason,
        failed=None if explained.failed is None else _failed(explained.failed),
        delivery=log,
    )


def _failed(failed: Explanation) -> FailedComparison:
    return FailedComparison(
        pointer=failed.pointer,
        path=failed.path,
        operator=failed.operator,
        expected=failed.expected,
        actual=failed.actual,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/events/{id}/explain",
        name="explain_event",
        summary="Say of each webhook why it got the event or did not, and what became of its delivery.",
        description=(
            "`why` is `matched`, `other_type`, `other_line`, `condition_failed` (with the first comparison that "
            "failed), `registered_later`, `changed_since` or `test_of_another`. `hub explain` says the same."
        ),
        tag="deliveries",
        scope="deliveries:read",
        query=ExplainQuery,
        body=NoBody,
        reply=Listed[ExplainedReply],
        errors=("event_not_found", "webhook_not_found"),
        handle=_explain,
    ),
)
