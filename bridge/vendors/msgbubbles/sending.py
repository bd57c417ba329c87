"""Operations as requests of MsgBubbles (contracts: msgbubbles §3). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.sent_words import sent_words
from bridge.vendors.operations import is_group, place_of, text_of
from hub.model.outbox import Operation


def send_body(operation: Operation, file_ids: Sequence[str]) -> dict[str, Any]:
    """Write a send; the vendor refuses what it does not know, so nothing empty stands in it."""
    said = sent_words(operation.payload)
    more = {
        "text": said.text,
        "attachment_ids": list(file_ids),
        "reply_to": text_of(operation.payload, "reply_to_guid"),
        "effect": text_of(operation.payload, "effect"),
        "voice_memo": any(part.type == "audio" for part in said.files),
    }
    place = (
        {"conversation_id": place_of(operation)}
        if is_group(operation)
        else {"to": place_of(operation), "from_handle": operation.line_handle}
    )
    return {**place, **{name: value for name, value in more.items() if value}}
