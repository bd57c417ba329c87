"""What a client asks of a line, and the rows that it leaves: outbox item, message, chat. Pure.

Not here: checking the wish (hub.api), and the transaction that takes the rows (hub.flow.outgoing).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from hub.flow.file_links import FileLinks
from hub.flow.payloads import message_data
from hub.flow.rows import ChatRow, EventRow, Known, MessageRow, OutboxRow
from hub.flow.sent_parts import sent_parts
from hub.flow.snapshots import is_plain, parts_json
from hub.model.line import Line
from hub.model.outbox import OperationKind, attempt_id
from hub.rules.chatkeys import direct_chat_key, handle_of, normalize_handle
from hub.rules.facts import dedupe_key, text_of
from hub.rules.lanes import shard_of

#: Of what would be useless late, such as corrections and what somebody waits for: it goes before what waits.
URGENT_PRIORITY = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """One operation that is asked of a line."""

    kind: OperationKind
    #: The client's request, checked, with what it names resolved (hub.flow.outgoing.RESOLVED_FIELDS).
    payload: Mapping[str, object]
    #: The message acted on; a SEND makes one of its own.
    message_id: int | None = None
    #: 0 to 100, higher first.
    priority: int = 0
    #: Unix ms; None, or a time that is over, means now.
    send_at: int | None = None
    #: A JSON object, given back in events.
    metadata: str | None = None
    #: The bulk job that it belongs to.
    job_id: int | None = None

    @property
    def chat_key(self) -> str | None:
        """Where it goes; None for what goes nowhere."""
        key, to = self.payload.get("chat_key"), self.payload.get("to")
        if isinstance(key, str):
            return key
        return direct_chat_key(normalize_handle(to)) if isinstance(to, str) else None


def outbox_row(wish: Wish, *, outbox_id: int, line: Line, api_key_id: int | None, now_ms: int) -> OutboxRow:
    """Give the pending item; of a message that is still to be made, without its id."""
    is_put_off = wish.job_id is not None or (wish.send_at or 0) > now_ms
    return OutboxRow(
        id=outbox_id,
        line_id=line.id,
        shard=shard_of(line.id),
        api_key_id=api_key_id,
        kind=wish.kind,
        payload=msgspec.json.encode(wish.payload).decode(),
        next_attempt_at=max(now_ms, wish.send_at or 0),
        created_at=now_ms,
        message_id=wish.message_id,
        priority=wish.priority,
        job_id=wish.job_id,
        is_counted=int(not is_put_off),
    )


def asked_message(wish: Wish, item: OutboxRow, *, message_id: int, chat_id: int) -> MessageRow:
    """Give the message that a SEND makes, as it is asked for."""
    parts = sent_parts(wish.payload)
    is_planned = item.next_attempt_at > item.created_at
    return MessageRow(
        id=message_id,
        line_id=item.line_id,
        chat_id=chat_id,
        guid=attempt_id(item.id),
        is_known=Known.ASKED,
        sender=None,
        text=text_of(parts),
        parts=parts_json(parts) if parts and not is_plain(parts) else None,
        service=None,
        is_from_me=1,
        is_audio_message=int(any(part.type == "audio" for part in parts)),
        reply_to_guid=_text(wish, "reply_to_guid"),
        effect=_text(wish, "effect"),
        subject=_text(wish, "subject"),
        outbox_id=item.id,
        # Clients demand a time; until there is a better one it is that of the request.
        sent_at=item.created_at,
        synced_at=item.created_at,
        delivered_at=None,
        read_at=None,
        failed_at=None,
        error=None,
        edited_at=None,
        unsent_at=None,
        queued_at=item.created_at,
        send_at=item.next_attempt_at if is_planned else None,
        metadata=wish.metadata,
        job_id=wish.job_id,
    )


def _text(wish: Wish, name: str) -> str | None:
    value = wish.payload.get(name)
    return value if isinstance(value, str) else None


def asked_chat(chat_key: str, *, chat_id: int, line_id: int, now_ms: int) -> ChatRow:
    """Give the chat that a message goes to, knowing nothing but its key."""
    handle = handle_of(chat_key)
    return ChatRow(
        id=chat_id,
        line_id=line_id,
        chat_key=chat_key,
        identifier=handle or chat_key,
        service="",
        name=None,
        is_group=int(handle is None),
        participants=msgspec.json.encode([handle] if handle else []).decode(),
        has_inbound=0,
        last_message_at=None,
        created_at=now_ms,
    )


def own_event(
    event_type: str,
    message: MessageRow,
    *,
    outbox_id: int,
    line_handle: str,
    chat_key: str | None,
    at_ms: int,
    links: FileLinks | None,
) -> EventRow:
    """Give the event of something that an item did to a message of ours: once, whoever repeats it.

    Args:
        event_type: `message.queued`, `message.cancelled`, …
        message: As it stands now.
        outbox_id: The item.
        line_handle: Whose it is.
        chat_key: Of the message's chat.
        at_ms: Unix ms.
        links: Makes the addresses of attachments.
    """
    attempt = attempt_id(outbox_id)
    return EventRow(
        0,
        event_type,
        message.line_id,
        message.chat_id or None,
        dedupe_key(f"{message.line_id}:{attempt}:", f"{event_type}:"),
        at_ms,
        None,
        message_data(message, line_handle=line_handle, chat_key=chat_key, links=links),
    )
