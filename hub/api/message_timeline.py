"""GET /v1/messages/{id}/timeline: everything that happened to one message, with what its sends tried."""

from __future__ import annotations

from typing import Literal, cast

import msgspec

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply
from hub.api.finding import find_readable_message
from hub.flow.outgoing import MOST_ATTEMPTS
from hub.flow.payloads import status_of
from hub.flow.timelines import Moment, timeline_of
from hub.model.ids import Prefix, id_text
from hub.model.outbox import STATE_NAME, OutboxItem, OutboxStateName
from hub.rules.message_status import MessageStatus

MomentState = Literal[
    "queued", "scheduled", "attempt", "sent", "received", "delivered", "read", "failed", "downgraded",
    "edited", "unsent", "cancelled",
]  # fmt: skip


class AttemptShown(msgspec.Struct, frozen=True, kw_only=True):
    """The last try of an outbox item."""

    outbox_id: str
    #: `send`, `edit` or `unsend`.
    kind: str
    #: Which try it was, from 1; earlier ones of the same item are counted, not kept.
    number: int
    #: Where the item stands.
    state: OutboxStateName


class TimelineEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened."""

    state: MomentState
    #: Unix ms; for `scheduled` when it is to be sent; null where only the fact is known.
    at: int | None
    #: The member of the group whose receipt it is.
    actor: str | None
    error: str | None
    attempt: AttemptShown | None


class TimelineReply(msgspec.Struct, frozen=True, kw_only=True):
    """All that happened to a message, in the order of time."""

    message_id: str
    status: MessageStatus
    entries: list[TimelineEntry]
    #: Tries of all its sends together.
    attempts: int
    #: Tries that one send may have.
    max_attempts: int
    last_error: str | None
    request_id: str


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    _, message = await find_readable_message(call, call.path["id"])
    timeline = await timeline_of(call.uses.store, message)
    content = TimelineReply(
        message_id=id_text(Prefix.MESSAGE, message.id),
        status=status_of(message),
        entries=[_shown(moment) for moment in timeline.moments],
        attempts=timeline.attempts,
        max_attempts=MOST_ATTEMPTS,
        last_error=timeline.last_error,
        request_id=call.request_id,
    )
    return Reply(content=content)


def _shown(moment: Moment) -> TimelineEntry:
    item = moment.item
    return TimelineEntry(
        state=cast(MomentState, moment.state),
        at=moment.at,
        actor=moment.actor,
        error=moment.error,
        attempt=None if item is None else _attempt(item),
    )


def _attempt(item: OutboxItem) -> AttemptShown:
    return AttemptShown(
        outbox_id=id_text(Prefix.OUTBOX, item.id),
        kind=item.kind,
        number=item.attempt_count,
        state=STATE_NAME[item.state],
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/messages/{id}/timeline",
        name="get_message_timeline",
        summary="Tell what happened to a message, and when.",
        description=(
            "`id` is a `msg_` id or the network's GUID. In a group each member's receipts stand beside those of the "
            "message as a whole, as far as the network tells them and their events are kept."
        ),
        tag="messages",
        scope="messages:read",
        query=NoQuery,
        body=NoBody,
        reply=TimelineReply,
        errors=("line_not_accessible", "message_not_found"),
        handle=_get,
    ),
)
