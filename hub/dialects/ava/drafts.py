"""/api/generate: have an answer drafted, and sent if that is wished (contracts: ava §2)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoQuery, Reply
from hub.api.generate import MOST_TURNS, MOST_WORDS, DraftReply
from hub.dialects.ava.names import draft_id, read_phone
from hub.dialects.ava.times import iso
from hub.dialects.native import ask

Words = Annotated[str, Meta(max_length=MOST_WORDS)]


class ContextTurn(msgspec.Struct, frozen=True, kw_only=True):
    """What one side said: `user` is the contact, `assistant` is us."""

    role: Literal["user", "assistant"]
    content: Words


class NewDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be drafted, and for whom."""

    phone: Annotated[str, Meta(max_length=64)]
    context: Annotated[tuple[ContextTurn, ...], Meta(min_length=1, max_length=MOST_TURNS)]
    instructions: Words | None = None
    auto_send: bool | None = None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A draft."""

    success: Literal[True] = True
    generated_message: str
    message_id: str
    sent: bool
    timestamp: str


async def _generate(call: Call[NoQuery, NewDraft]) -> Reply:
    body, phone = call.body, read_phone(call.body.phone)
    wish = {
        "context": [{"role": turn.role, "content": turn.content} for turn in body.context],
        "instructions": body.instructions,
        "auto_send": bool(body.auto_send),
        # A draft that is not sent needs no line.
        **({"from": "auto", "to": phone} if body.auto_send else {}),
    }
    draft = (await ask(call, "generate_draft", DraftReply, body=wish)).content
    content = Draft(
        generated_message=draft.text,
        message_id=draft_id(draft.id),
        sent=draft.sent,
        timestamp=iso(call.now_ms),
    )
    return Reply(content=content)


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="POST",
        path="/api/generate",
        name="ava_generate",
        summary="Have a language model draft an answer.",
        tag="generate",
        scope="drafts:write",
        query=NoQuery,
        body=NewDraft,
        reply=Draft,
        example={
            "phone": "+15551234567",
            "context": [{"role": "user", "content": "Are you open on Sunday?"}],
        },
        handle=_generate,
    ),
)
