"""/v1/consents: who may be written to, who said so, and when.

Not here: whole files of consents (hub.api.consent_files), and what is withheld (hub.flow.safety).
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply
from hub.api.paging import DEFAULT_LIMIT, CursorText, Limit, read_id_cursor, split_page, write_cursor
from hub.api.sends import From
from hub.flow.consent import ConsentWish, read_handle
from hub.flow.safety_repositories import ConsentFilter
from hub.model.consent import EVERY_LINE, Consent, ConsentAction, ConsentEntry, ConsentSource
from hub.model.ids import Prefix, id_text
from hub.model.line import Line
from hub.model.observation import Handle, Instant
from hub.rules.consent import decisive

State = Literal["opted_out", "opted_in"]
Reason = Annotated[str, Meta(min_length=1, max_length=500)]
#: Entries of the log that are shown with a handle.
MOST_HISTORY: Final = 100
#: The line of a consent that counts for all.
ALL_LINES: Final = "*"


class ConsentItem(msgspec.Struct, frozen=True, kw_only=True):
    """Where a handle stands."""

    #: Of the log's entry that says so.
    id: str
    handle: str
    state: State
    #: For which lines it counts: `line` (that of `line_id`) or `hub`, for every line.
    scope: Literal["line", "hub"]
    #: The line that heard it or was named.
    line_id: str | None
    #: `keyword`, `api`, `import`, `operator` or `network`.
    source: str
    said_at: int
    recorded_at: int


class ConsentLogItem(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the log."""

    id: str
    handle: str
    #: `opted_out`, `opted_in`, or `help`, which changes nothing.
    action: Literal["opted_out", "opted_in", "help"]
    scope: Literal["line", "hub"]
    line_id: str | None
    source: str
    said_at: int
    recorded_at: int
    message_id: str | None
    keyword: str | None
    reason: str | None
    #: Who asked for it, of `api`.
    api_key_id: str | None
    #: False for a repetition, and for a word that a later one had overtaken.
    is_applied: bool


class ConsentsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which consents; of all lines that the key may use, if none is given."""

    from_: From | None = msgspec.field(default=None, name="from")
    state: State | None = None
    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText | None = None


class HandleQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For which line; without one, what counts for the whole hub."""

    from_: From | None = msgspec.field(default=None, name="from")


class NewConsent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A consent that was given or taken back elsewhere: on a form, by telephone."""

    #: The line that it counts for; `*` for every line.
    from_: From = msgspec.field(name="from")
    handle: Handle
    state: State
    reason: Reason
    #: When it was said; now, if not given.
    said_at: Instant | None = None


class ConsentReply(msgspec.Struct, frozen=True, kw_only=True):
    """Where a handle stands with a line, and everything that was said."""

    handle: str
    #: Null while nothing was ever said.
    state: State | None
    #: Whether the line may write, as far as consent goes.
    is_allowed: bool
    #: What counts: of the line, and of the whole hub; the later one decides.
    consents: list[ConsentItem]
    #: The newest 100 entries of the log that the key may see.
    history: list[ConsentLogItem]
    request_id: str


def consent_item(consent: Consent) -> ConsentItem:
    """Give the JSON of where a handle stands."""
    fields = _fields(consent, consent.entry_id)
    return msgspec.convert({**fields, "state": consent.action.value}, ConsentItem)


def log_item(entry: ConsentEntry) -> ConsentLogItem:
    """Give the JSON of an entry of the log."""
    more = {
        "action": entry.action.value,
        "message_id": None if entry.message_id is None else id_text(Prefix.MESSAGE, entry.message_id),
        "keyword": entry.keyword,
        "reason": entry.reason,
        "api_key_id": None if entry.api_key_id is None else id_text(Prefix.API_KEY, entry.api_key_id),
        "is_applied": entry.is_applied,
    }
    return msgspec.convert({**_fields(entry, entry.id), **more}, ConsentLogItem)


def _fields(said: Consent | ConsentEntry, entry_id: int) -> dict[str, object]:
    return {
        "id": id_text(Prefix.CONSENT, entry_id),
        "handle": said.handle,
        "scope": "hub" if said.scope_line_id == EVERY_LINE else "line",
        "line_id": None if said.line_id is None else id_text(Prefix.LINE, said.line_id),
        "source": said.source.value,
        "said_at": said.said_at,
        "recorded_at": said.recorded_at,
    }


async def find_scope(call: Call[Any, Any], text: str) -> Line | None:
    """Find the line that a consent counts for; None for every line, which takes a key for every line.

    Raises:
        InvalidRequest: line_not_found or line_not_accessible.
    """
    if text == ALL_LINES:
        call.uses.lines.require(call.key, None, param="from")
        return None
    return await call.line(text)


async def visible_filter(call: Call[Any, Any], text: str | None, **more: Any) -> ConsentFilter:
    """Give the filter of what the key may see: all, or what concerns its lines."""
    if text is not None and text != ALL_LINES:
        line = await call.line(text)
        return ConsentFilter(line_ids=frozenset({line.id}), **more)
    if text == ALL_LINES:
        call.uses.lines.require(call.key, None, param="from")
    if call.key.line_ids is None:
        return ConsentFilter(**more)
    lines = await call.uses.lines.visible(call.key)
    return ConsentFilter(line_ids=frozenset(line.id for line in lines), **more)


async def _list(call: Call[ConsentsQuery, NoBody]) -> Reply:
    query = call.query
    action = None if query.state is None else ConsentAction(query.state)
    wanted = await visible_filter(call, query.from_, action=action)
    after = read_id_cursor(query.cursor)
    found = await call.uses.store.consents.list(wanted, after=after, limit=query.limit + 1)
    page, has_more = split_page(found, query.limit)
    cursor = write_cursor(page[-1].entry_id) if has_more else None
    data = [consent_item(consent) for consent in page]
    return Reply(content=Listed(data=data, has_more=has_more, next_cursor=cursor, request_id=call.request_id))


async def _get(call: Call[HandleQuery, NoBody]) -> Reply:
    handle = read_handle(call.path["handle"])
    line = None if call.query.from_ is None else await find_scope(call, call.query.from_)
    return Reply(content=await _reply(call, line, handle))


async def _reply(call: Call[Any, Any], line: Line | None, handle: str) -> ConsentReply:
    consents = await call.uses.consents.standing(line, handle)
    wanted = await visible_filter(call, None if line is None else line.handle, handle=handle)
    history = await call.uses.store.consents.history(wanted, after=None, limit=MOST_HISTORY)
    counts = decisive(consents)
    state = None if counts is None else counts.action
    return ConsentReply(
        handle=handle,
        state=None if state is None else msgspec.convert(state.value, State),
        is_allowed=state is not ConsentAction.OPTED_OUT,
        consents=[consent_item(consent) for consent in consents],
        history=[log_item(entry) for entry in history],
        request_id=call.request_id,
    )


async def _set(call: Call[NoQuery, NewConsent]) -> Reply:
    body = call.body
    line = await find_scope(call, body.from_)
    handle = read_handle(body.handle)
    wish = ConsentWish(
        line=line,
        handle=handle,
        action=ConsentAction(body.state),
        source=ConsentSource.API,
        reason=body.reason,
        said_at=body.said_at,
        api_key_id=call.key.id,
    )
    await call.uses.consents.record([wish])
    return Reply(content=await _reply(call, line, handle), status=201)


_ERRORS: Final = ("line_not_found", "line_not_accessible")

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/consents",
        name="list_consents",
        summary="List who opted out or in, newest first.",
        description="A handle that never said anything is not listed: it may be written to.",
        tag="consents",
        scope="consents:read",
        query=ConsentsQuery,
        body=NoBody,
        reply=Listed[ConsentItem],
        errors=_ERRORS,
        handle=_list,
    ),
    Endpoint(
        method="POST",
        path="/v1/consents",
        name="set_consent",
        summary="Record that somebody opted out or in elsewhere.",
        description=(
            "The word is added to the log, which is never changed. It counts if it is later than the word that "
            "stands; an opt-out also if a program or a list said otherwise at the same time or later."
        ),
        tag="consents",
        scope="consents:write",
        query=NoQuery,
        body=NewConsent,
        reply=ConsentReply,
        status=201,
        errors=_ERRORS,
        example={
            "from": "+15550100000",
            "handle": "+15550100001",
            "state": "opted_out",
            "reason": "Asked us on the telephone",
        },
        handle=_set,
    ),
    Endpoint(
        method="GET",
        path="/v1/consents/{handle}",
        name="get_consent",
        summary="Tell whether a handle may be written to, and who said what.",
        tag="consents",
        scope="consents:read",
        query=HandleQuery,
        body=NoBody,
        reply=ConsentReply,
        errors=_ERRORS,
        handle=_get,
    ),
)
