"""POST /v1/generate: have a language model draft an answer, and send it if that is wished (AVA's feature, made whole).

The draft goes out by the ordinary way of sends, with everything that holds there. What a send would be refused for is
checked before the model is asked, because asking costs.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from hub.api.authentication import require_scope
from hub.api.calls import EVENT_STREAM, EVENT_STREAM_CONTENT, AnyEndpoint, Call, Endpoint, NoQuery, Reply
from hub.api.error_replies import error_reply
from hub.api.reading import missing
from hub.api.sends import SEND_ERRORS, repeatable_as, sending_line
from hub.flow.capabilities import require_able
from hub.flow.generate import Drafted, Wish, turns_of
from hub.flow.line_choice import AUTO
from hub.flow.recipients import Recipient, find_chat, find_recipient, require_contact
from hub.model.draft import FinishReason, Turn
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text
from hub.model.line import Line
from hub.model.outbox import OperationKind

MOST_TURNS: Final = 200
MOST_HISTORY: Final = 50
MOST_WORDS: Final = 20_000


class ContextTurn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one side said: `user` is the contact, `assistant` is us."""

    role: Literal["user", "assistant"]
    content: Annotated[str, Meta(max_length=MOST_WORDS)]


class NewDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be drafted; at least one of context and use_history. A history and a send need `from` and `to`."""

    from_: Annotated[str, Meta(max_length=320)] | None = msgspec.field(name="from", default=None)
    to: Annotated[str, Meta(max_length=320)] | None = None
    context: Annotated[
        tuple[ContextTurn, ...], Meta(max_length=MOST_TURNS, description="The conversation, oldest first.")
    ] = ()
    use_history: Annotated[
        int,
        Meta(ge=0, le=MOST_HISTORY, description="Put so many of the chat's last messages before `context`."),
    ] = 0
    #: How the model is to answer this time.
    instructions: Annotated[str, Meta(max_length=MOST_WORDS)] | None = None
    max_chars: Annotated[int, Meta(ge=1, le=MOST_WORDS, description="Longest draft.")] = 2_000
    auto_send: Annotated[
        bool, Meta(description="Send the draft at once; needs the scope messages:write.")
    ] = False
    stream: Annotated[bool, Meta(description="Answer with server-sent events while the draft is made.")] = (
        False
    )


class DraftUsage(msgspec.Struct, frozen=True, kw_only=True):
    """What the draft took."""

    #: Null when the provider did not count.
    input_tokens: int | None
    output_tokens: int | None
    #: In the operator's currency, by ai.input_price and ai.output_price; 0 without prices.
    cost: float


class DraftReply(msgspec.Struct, frozen=True, kw_only=True):
    """A draft. It is a proposal: nothing was sent unless `sent` says so."""

    id: str
    text: str
    model: str
    finish_reason: FinishReason
    usage: DraftUsage
    sent: bool
    #: Of the send, when it was sent; GET /v1/outbox tells what becomes of it.
    outbox_id: str | None
    message_id: str | None
    request_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Where a draft would go."""

    line: Line
    recipient: Recipient


async def _generate(call: Call[NoQuery, NewDraft]) -> Reply:
    call.uses.drafts.require_connection()
    place = await _place(call)
    wish = Wish(
        turns=await _turns(call, place),
        instructions=call.body.instructions,
        most_characters=call.body.max_chars,
    )
    if call.body.stream:
        return await _streamed(call, wish, place)
    return Reply(content=await _finish(call, await call.uses.drafts.draft(wish), place))


async def _place(call: Call[NoQuery, NewDraft]) -> _Place | None:
    """Find where the draft belongs, and refuse now what could not be sent later."""
    body = call.body
    if body.from_ is None and body.to is None and not (body.auto_send or body.use_history):
        return None
    if body.from_ is None or body.to is None:
        raise missing("from" if body.from_ is None else "to")
    line = await sending_line(call, body.from_, body.to)
    recipient = await find_recipient(call.uses.store, line, body.to)
    if body.auto_send:
        require_scope(call.key, "messages:write")
        require_contact(line, recipient)
        require_able(line, OperationKind.SEND, {"text": "…"})
    return _Place(line=line, recipient=recipient)


async def _turns(call: Call[NoQuery, NewDraft], place: _Place | None) -> tuple[Turn, ...]:
    body = call.body
    context = turns_of([(turn.role, turn.content) for turn in body.context])
    if not body.use_history or place is None or body.to is None:
        return context
    require_scope(call.key, "messages:read")
    chat = await find_chat(call.uses.store, place.line, body.to)
    return (*await call.uses.drafts.history(chat, body.use_history), *context)


async def _finish(call: Call[NoQuery, NewDraft], drafted: Drafted, place: _Place | None) -> DraftReply:
    """Send the draft if that is wished, and tell of it."""
    draft, outbox_id, message_id = drafted.draft, None, None
    if call.body.auto_send and place is not None:
        outbox_id, message_id = await _send(call, place, draft.text)
    usage = draft.usage
    return DraftReply(
        id=id_text(Prefix.DRAFT, drafted.id),
        text=draft.text,
        model=draft.model,
        finish_reason=draft.finish_reason,
        usage=DraftUsage(
            input_tokens=None if usage is None else usage.input_tokens,
            output_tokens=None if usage is None else usage.output_tokens,
            cost=drafted.spending.cost_micros / 1_000_000,
        ),
        sent=outbox_id is not None,
        outbox_id=outbox_id,
        message_id=message_id,
        request_id=call.request_id,
    )


async def _send(call: Call[NoQuery, NewDraft], place: _Place, text: str) -> tuple[str, str | None]:
    """Owe the words to the line's bridge.

    A repeat under the same idempotency key sends nothing: what is hashed is the request, not the model's words.
    """
    payload = {
        "from": place.line.handle if call.body.from_ == AUTO else call.body.from_,
        "to": call.body.to,
        "text": text,
        "chat_key": place.recipient.chat_key,
    }
    accepted = await call.uses.outgoing.accept(
        place.line,
        OperationKind.SEND,
        payload,
        api_key_id=call.key.id,
        repeatable=repeatable_as(call, "generate", within=":generate"),
    )
    made = accepted.message_id
    return id_text(Prefix.OUTBOX, accepted.outbox_id), None if made is None else id_text(Prefix.MESSAGE, made)


async def _streamed(call: Call[NoQuery, NewDraft], wish: Wish, place: _Place | None) -> Reply:
    """Answer piece by piece; what goes wrong before the first word is an ordinary error."""
    pieces = call.uses.drafts.stream(wish)
    first = await anext(pieces)
    return Reply(
        content=_events(call, first, pieces, place),
        content_type=EVENT_STREAM.encode(),
        headers=((b"cache-control", b"no-store"),),
    )


async def _events(
    call: Call[NoQuery, NewDraft],
    first: str | Drafted,
    rest: AsyncGenerator[str | Drafted],
    place: _Place | None,
) -> AsyncIterator[bytes]:
    async with aclosing(rest):
        try:
            yield await _event(call, first, place)
            async for piece in rest:
                yield await _event(call, piece, place)
        except InvalidRequest as error:
            yield _written("error", error_reply(error, call.request_id))


async def _event(call: Call[NoQuery, NewDraft], piece: str | Drafted, place: _Place | None) -> bytes:
    if isinstance(piece, str):
        return _written("delta", {"text": piece})
    return _written("done", await _finish(call, piece, place))


def _written(name: str, data: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(data))


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="POST",
        path="/v1/generate",
        name="generate_draft",
        summary="Have a language model draft an answer.",
        description=(
            "The draft is a proposal; with `auto_send` it goes out by the ordinary way of sends. With `stream` the "
            "answer is server-sent events: `delta` with a piece of the words, then `done` with the whole reply, or "
            "`error` with the envelope of errors."
        ),
        tag="generate",
        scope="drafts:write",
        query=NoQuery,
        body=NewDraft,
        reply=DraftReply,
        reply_content={EVENT_STREAM: EVENT_STREAM_CONTENT},
        errors=(
            *SEND_ERRORS,
            "ai_limit_reached",
            "ai_misconfigured",
            "ai_not_configured",
            "ai_refused",
            "ai_unavailable",
            "contact_has_not_messaged",
        ),
        example={"context": [{"role": "user", "content": "When do you open on Saturday?"}]},
        handle=_generate,
    ),
)
