"""The group of exactly these people: the one that is there, or a new one (contracts: blooio §0, chatId form 4)."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

import msgspec

from hub.api.calls import Call
from hub.api.chat_shapes import ChatReply
from hub.api.sends import SendReply
from hub.dialects.blooio.errors import Refusal
from hub.dialects.blooio.finding import chats_of
from hub.dialects.blooio.identifiers import ChatName, group_id
from hub.dialects.blooio.natives import VERDICT_SECONDS, decided
from hub.dialects.native import ask

#: Groups of the same people that may have come and gone within the time that idempotency keys are kept.
_MOST_GENERATIONS: Final = 100
#: Whoever made it before us is through with it: look for it once more, then make the next.
_OVER: Final = frozenset({"sent", "failed", "cancelled"})


class _GroupOf(msgspec.Struct, frozen=True):
    """What tells the making of a group from others: whose it is."""

    handles: tuple[str, ...]
    line: str


async def find_or_make_group(call: Call[Any, Any], name: ChatName, *, line: str | None) -> tuple[str, bool]:
    """Give the native id of the group of these people, and whether it was made now.

    Requests at the same time make one: each generation of the group has an idempotency key of its own.

    Args:
        call: Whose key asks.
        name: A list.
        line: The number it is to be with; None for any.

    Raises:
        Refusal: 502: the device refused; 503: it has not answered yet.
    """
    for generation in range(_MOST_GENERATIONS):
        if (found := await _there(call, name, line)) is not None:
            return found.id, False
        if (made := await _made(call, name, line, generation)) is not None:
            return made, True
    raise _too_many()


async def make_group(call: Call[Any, Any], name: ChatName, *, line: str | None, title: str) -> str:
    """Make the group of these people; give its native id.

    Args:
        call: Whose key asks.
        name: A list.
        line: The number it is to be with; None for any.
        title: What it is called.

    Raises:
        Refusal: 409: it is there; 502: the device refused; 503: it has not answered yet.
    """
    for generation in range(_MOST_GENERATIONS):
        if (found := await _there(call, name, line)) is not None:
            raise Refusal(
                409,
                "A group of exactly these people is there already.",
                code="group_exists",
                field="members",
                more={"group_id": group_id(found.id)},
            )
        if (made := await _made(call, name, line, generation, title=title)) is not None:
            return made
    raise _too_many()


async def _there(call: Call[Any, Any], name: ChatName, line: str | None) -> ChatReply | None:
    found = await chats_of(call, name, line=line)
    return found[0] if found and found[0].left_at is None else None


async def _made(
    call: Call[Any, Any], name: ChatName, line: str | None, generation: int, *, title: str | None = None
) -> str | None:
    """Make one generation of a group; None where somebody else did, and is through with it."""
    chosen, handles = line or "auto", tuple(sorted(name.handles))
    digest = sha256(msgspec.json.encode([chosen, *handles])).hexdigest()[:40]
    body = {"from": chosen, "participants": list(name.handles)}
    asked = await ask(
        replace(call, body=_GroupOf(handles, chosen)),
        "create_group",
        SendReply,
        body=body if title is None else {**body, "name": title},
        idempotency_key=f"blooio-group-{digest}-{generation}",
        wait_seconds=VERDICT_SECONDS,
    )
    if not asked.is_replayed:
        return _chat_id(decided(asked))
    if asked.content.state not in _OVER:
        raise _not_made_yet()
    return None


def _chat_id(content: SendReply) -> str:
    result = content.result if isinstance(content.result, dict) else {}
    chat_id = result.get("chat_id")
    if not isinstance(chat_id, str):
        raise _not_made_yet()
    return chat_id


def _not_made_yet() -> Refusal:
    return Refusal(503, "The device has not made the group yet; ask again.", retry_after=5)


def _too_many() -> Refusal:
    return Refusal(503, "The group cannot be made just now; try again later.", retry_after=30)
