"""GET /v1/usage: how many messages the lines of a key have had, altogether and one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, Reply
from hub.api.chat_shapes import CountsReply, counts_reply
from hub.api.sends import From
from hub.flow.message_counts import MessageCounts
from hub.model.ids import Prefix, id_text
from hub.model.observation import Instant


class UsageQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of which line, and when; without `from` of every line that the key may see."""

    from_: From | None = msgspec.field(name="from", default=None)
    #: By `sent_at`: from then on.
    since: Instant | None = None
    #: By `sent_at`: before then.
    until: Instant | None = None


class LineUsage(CountsReply, frozen=True, kw_only=True):
    """The messages of one line."""

    line_id: str
    handle: str


class UsageReply(CountsReply, frozen=True, kw_only=True):
    """The messages of all these lines."""

    lines: list[LineUsage]
    request_id: str


async def _show(call: Call[UsageQuery, NoBody]) -> Reply:
    query = call.query
    lines = [await call.line(query.from_)] if query.from_ else await call.uses.lines.visible(call.key)
    counts = await call.uses.store.lines.counts(
        [line.id for line in lines], since=query.since, until=query.until
    )
    shown = [
        msgspec.convert(
            {**_fields(counts[line.id]), "line_id": id_text(Prefix.LINE, line.id), "handle": line.handle},
            LineUsage,
        )
        for line in lines
    ]
    whole = {**_fields(_sum(counts.values())), "lines": shown, "request_id": call.request_id}
    return Reply(content=msgspec.convert(whole, UsageReply))


def _fields(counts: MessageCounts) -> dict[str, object]:
    return msgspec.structs.asdict(counts_reply(counts))


def _sum(counts: Iterable[MessageCounts]) -> MessageCounts:
    each = list(counts)

    def among(choose: Callable[[list[int]], int], instants: Iterable[int | None]) -> int | None:
        known = [instant for instant in instants if instant is not None]
        return choose(known) if known else None

    return MessageCounts(
        inbound=sum(one.inbound for one in each),
        outbound=sum(one.outbound for one in each),
        first_at=among(min, (one.first_at for one in each)),
        last_at=among(max, (one.last_at for one in each)),
        last_inbound_at=among(max, (one.last_inbound_at for one in each)),
        last_outbound_at=among(max, (one.last_outbound_at for one in each)),
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/usage",
        name="get_usage",
        summary="Count the messages of all lines that the key may see, and of each.",
        description=(
            "Messages as `GET /v1/messages` lists them: those that wait or have failed, too. It reads an index from "
            "end to end: narrow it by `since` and `until` where there are many millions."
        ),
        tag="lines",
        scope="lines:read",
        query=UsageQuery,
        body=NoBody,
        reply=UsageReply,
        errors=("line_not_found", "line_not_accessible"),
        handle=_show,
    ),
)
