"""Operations as requests of Blooio (contracts: blooio §3). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.sent_words import sent_words
from bridge.vendors.operations import Named, in_path, place_of, text_of
from hub.model.outbox import Operation


def chat_path(operation: Operation) -> str:
    """Give the path of the conversation."""
    return f"/chats/{in_path(place_of(operation))}"


def send_body(operation: Operation, files: Sequence[Named]) -> dict[str, Any]:
    """Write a send; absent is what is not asked for."""
    said = sent_words(operation.payload)
    body: dict[str, Any] = {"from_number": operation.line_handle}
    if said.text is not None:
        body["text"] = said.text
    if files:
        body["attachments"] = [
            {"url": each.url} if each.name is None else {"url": each.url, "name": each.name} for each in files
        ]
    effect, parent = text_of(operation.payload, "effect"), text_of(operation.payload, "reply_to_guid")
    if effect is not None:
        body["effect"] = effect
    if parent is not None:
        body["reply_to"] = {"message_id": parent}
    return body


def reaction_body(operation: Operation) -> dict[str, Any]:
    """Write a reaction: `+love`, `-👍`."""
    sign = "-" if operation.payload.get("remove") else "+"
    return {"reaction": f"{sign}{text_of(operation.payload, 'type') or 'love'}"}


def message_path(operation: Operation) -> str:
    """Give the path of the message that an operation is about."""
    return f"{chat_path(operation)}/messages/{in_path(text_of(operation.payload, 'message_guid') or '')}"
