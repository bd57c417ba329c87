"""/api/v1/messages/bulk: many messages as one job, how far it is, and what became of each (contracts: coop §2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from hub.api.bulk_shapes import BulkReply, OneBulk, RecipientReply
from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply
from hub.dialects.coop.errors import hidden, in_their_words
from hub.dialects.coop.names import (
    BULK,
    BULK_STATUS,
    RECIPIENT_STATUS,
    MessageStatus,
    message_id,
    native_id,
    spelled,
)
from hub.dialects.coop.paging import Paged, PageLimit, PageQuery, ask_page
from hub.dialects.coop.times import iso
from hub.dialects.native import ask
from hub.model.errors import InvalidRequest

#: Native fields → theirs.
FIELDS: Final = {"recipients": "messages", "text": "body"}
#: What the native refusal begins with, though the field says it, and what it offers that nobody can ask for here.
_PLACE: Final = re.compile(r"^recipients\[\d+\]: ")
_OFFER: Final = " Mend them, or give 'skip_invalid': true; nothing was sent."


class BulkMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One of the messages."""

    to: Annotated[str, Meta(min_length=1, max_length=320)]
    body: Annotated[str, Meta(min_length=1, max_length=20_000)]


class NewBulk(msgspec.Struct, frozen=True, kw_only=True):
    """Messages to send."""

    messages: Annotated[tuple[BulkMessage, ...], Meta(min_length=1)]


class BulkStarted(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The job is durable."""

    job_id: str
    status: Literal["processing"] = "processing"
    total_recipients: int
    created_at: str


class BulkJob(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A job, and how far it is."""

    job_id: str
    status: str
    total_recipients: int
    #: Of all recipients: whose message has left, arrived, will not arrive.
    sent: int
    delivered: int
    failed: int
    created_at: str
    completed_at: str | None


class ResultsQuery(PageQuery, frozen=True, kw_only=True):
    """Which recipients; a hundred unless said, because nothing documents pages here."""

    limit: PageLimit = 100


class RecipientResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of one message."""

    to: str
    status: MessageStatus
    #: Null until it is in the queue.
    message_id: str | None
    error: str | None
    sent_at: str | None
    delivered_at: str | None


async def _make(call: Call[NoQuery, NewBulk]) -> Reply:
    recipients = [{"to": each.to, "text": each.body} for each in call.body.messages]
    wish = {"from": "auto", "recipients": recipients, "literal": True, "allow_duplicates": True}
    with _mending(), in_their_words(FIELDS):
        made = (await ask(call, "make_bulk", OneBulk, body=wish)).content
    content = BulkStarted(
        job_id=spelled(BULK, str(made.id)), total_recipients=made.total, created_at=iso(made.created_at)
    )
    return Reply(content=content, status=201)


@contextmanager
def _mending() -> Iterator[None]:
    """Say of a message that is wrong what can be done here."""
    try:
        yield
    except InvalidRequest as error:
        message = _PLACE.sub("", error.message.replace(_OFFER, " Nothing was sent."))
        raise InvalidRequest(error.code, message, param=error.param, retry_after=error.retry_after) from None


def _job(job: BulkReply) -> BulkJob:
    counts = job.counts
    delivered = counts.get("delivered", 0) + counts.get("read", 0)
    return BulkJob(
        job_id=spelled(BULK, str(job.id)),
        status=BULK_STATUS[job.status],
        total_recipients=job.total,
        sent=delivered + counts.get("sent", 0) + counts.get("unsent", 0),
        delivered=delivered,
        failed=sum(counts.get(each, 0) for each in ("failed", "skipped", "cancelled")),
        created_at=iso(job.created_at),
        completed_at=iso(job.finished_at),
    )


async def _list(call: Call[PageQuery, NoBody]) -> Reply:
    jobs, pagination = await ask_page(call, "list_bulk", BulkReply, query={}, names={})
    return Reply(content=Paged(data=[_job(each) for each in jobs], pagination=pagination))


def _path(call: Call[Any, Any]) -> dict[str, str]:
    return {"id": native_id(BULK, call.path["job_id"], "bulk")}


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    with hidden("bulk"):
        return Reply(content=_job((await ask(call, "get_bulk", OneBulk, path=_path(call))).content))


async def _results(call: Call[ResultsQuery, NoBody]) -> Reply:
    with hidden("bulk"):
        rows, pagination = await ask_page(
            call, "list_bulk_results", RecipientReply, path=_path(call), query={}, names={}
        )
    return Reply(content=Paged(data=[_result(each) for each in rows], pagination=pagination))


def _result(row: RecipientReply) -> RecipientResult:
    return RecipientResult(
        to=row.to,
        status=RECIPIENT_STATUS[row.status],
        message_id=None if row.message_id is None else message_id(row.message_id, is_from_me=True),
        error=row.error,
        sent_at=iso(row.sent_at),
        delivered_at=iso(row.delivered_at),
    )


def _read(path: str, name: str, summary: str, **more: Any) -> AnyEndpoint:
    return Endpoint(
        method="GET",
        path=f"/api/v1/messages/bulk{path}",
        name=f"coop_{name}",
        summary=summary,
        tag="messages",
        scope="messages:read",
        query=more.pop("query", NoQuery),
        body=NoBody,
        **more,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="POST",
        path="/api/v1/messages/bulk",
        name="coop_make_bulk",
        summary="Send many messages.",
        tag="messages",
        scope="messages:write",
        query=NoQuery,
        body=NewBulk,
        reply=BulkStarted,
        example={
            "messages": [{"to": "+15551234567", "body": "Hello!"}, {"to": "+15559876543", "body": "Hello!"}]
        },
        status=201,
        handle=_make,
    ),
    _read("", "list_bulk", "List jobs.", query=PageQuery, reply=Paged[BulkJob], handle=_list),
    _read("/{job_id}", "get_bulk", "Show a job.", reply=BulkJob, handle=_get),
    _read(
        "/{job_id}/results",
        "list_bulk_results",
        "List what became of each message.",
        query=ResultsQuery,
        reply=Paged[RecipientResult],
        handle=_results,
    ),
)
