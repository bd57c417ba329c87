"""What webhooks of this dialect get: one flat object, signed with its second (contracts: blooio §4).

`X-Blooio-Signature: t=<seconds>,v1=<hex>` is HMAC-SHA256 over `{t}.{body}`, keyed with the whole secret as text. A
replay says so, and names the delivery that it repeats.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from hub.dialects.blooio.identifiers import group_id
from hub.dialects.blooio.message_shapes import protocol_of
from hub.dialects.blooio.natives import NativeError, NativeMessage
from hub.flow.rows import DueDelivery
from hub.flow.webhook_forms import Render
from hub.model.ids import Prefix, id_text
from hub.model.webhook import Webhook
from hub.rules.signing import Secret

NAME: Final = "blooio"
Fields = dict[str, Any]
_encode: Final = msgspec.json.Encoder().encode


class _Message(NativeMessage, frozen=True):
    """A message, with what only webhooks tell of it."""

    read_at: int | None = None
    failed_at: int | None = None
    accepted_at: int | None = None
    #: Of a group.
    chat_name: str | None = None
    participants: tuple[str, ...] | None = None


class _Reaction(msgspec.Struct, frozen=True):
    """A reaction."""

    message_id: str
    line_handle: str
    type: str
    sender: str
    is_from_me: bool
    chat_id: str | None = None


class _Poll(msgspec.Struct, frozen=True):
    """A poll, or a vote in one."""

    id: str
    line_handle: str
    is_from_me: bool
    title: str | None = None
    options: tuple[msgspec.Raw, ...] = ()
    actor: str | None = None
    choices: tuple[str, ...] = ()
    chat_id: str | None = None


class _Chat(msgspec.Struct, frozen=True):
    """A group after something happened to it."""

    id: str
    line_handle: str
    name: str | None = None


_message: Final = msgspec.json.Decoder(_Message).decode
_reaction: Final = msgspec.json.Decoder(_Reaction).decode
_poll: Final = msgspec.json.Decoder(_Poll).decode
_chat: Final = msgspec.json.Decoder(_Chat).decode
_whole: Final = msgspec.json.Decoder(dict[str, Any]).decode


class BlooioForm:
    """hub.flow.webhook_forms.WebhookForm."""

    name = NAME
    is_secret_optional = False

    @property
    def event_types(self) -> frozenset[str]:
        """Those that the vendor has a name for."""
        return frozenset(WRITERS)

    def check_secret(self, text: str) -> None:
        """Refuse a secret that is none of Standard Webhooks, as all are that Hub draws."""
        Secret(text)

    def compile(self, webhook: Webhook, secrets: Sequence[str]) -> Render:
        """Make what renders for one webhook; after a rotation the new secret alone signs."""
        del webhook
        key = secrets[0].encode()

        def render(due: DueDelivery, now_ms: int) -> tuple[bytes, bytes]:
            fields = event_body(due.event_type, due.data, now_ms)
            body, seconds = _encode(fields), now_ms // 1000
            signature = hmac.digest(key, b"%d.%b" % (seconds, body), "sha256").hex().encode()
            headers = b"X-Blooio-Event: %b\r\nX-Blooio-Message-Id: %b\r\nX-Blooio-Signature: t=%d,v1=%b" % (
                str(fields["event"]).encode(),
                str(fields.get("message_id") or fields.get("poll_id") or "").encode(),
                seconds,
                signature,
            )
            if due.replay_count:
                original = id_text(Prefix.DELIVERY, due.id).encode()
                headers += b"\r\nX-Blooio-Replay: true\r\nX-Original-Event-Id: %b" % original
            return headers, body

        return render


def event_body(event_type: str, data: str | bytes, now_ms: int) -> Fields:
    """Write the body of a delivery; it tells the moment at which it is sent."""
    known = WRITERS.get(event_type)
    if known is None:  # a test of the webhook
        return {"event": event_type, "message_id": None, "timestamp": now_ms, "data": _whole(data)}
    name, write = known
    return {"event": name, **write(data), "timestamp": now_ms}


def _of_message(status: str, at: str | None) -> Callable[[str | bytes], Fields]:
    """Write a message with the status that the event gives it, and the time under the vendor's name."""

    def write(data: str | bytes) -> Fields:
        message = _message(data)
        is_group = bool(message.is_group)
        fields: Fields = {
            "message_id": message.id,
            "external_id": _external(message),
            "internal_id": message.line_handle,
            "status": status,
            "protocol": protocol_of(message.service),
            "is_group": is_group,
            "group_id": _group(message) if is_group else None,
            "group_name": message.chat_name,
            "participants": None if message.participants is None else _people(message.participants),
            "text": message.text,
            "attachments": [{"url": each.url, "name": each.filename} for each in message.attachments],
            "sender": None if message.is_from_me else message.sender,
        }
        if at is not None:
            fields[at] = _TIMES[at](message)
        if status == "failed":
            error = message.error or NativeError()
            fields |= {"error_code": error.code, "error_message": error.raw or error.code}
        return fields

    return write


_TIMES: Final[Mapping[str, Callable[[_Message], int | None]]] = {
    "received_at": lambda message: message.synced_at,
    "sent_at": lambda message: message.sent_at,
    "delivered_at": lambda message: message.delivered_at,
    "read_at": lambda message: message.read_at,
}


def _people(handles: Iterable[str]) -> list[Fields]:
    """Write members; whose contacts they are, events do not tell."""
    return [{"contact_id": None, "identifier": each, "name": None} for each in handles]


def _external(message: _Message) -> str | None:
    return _group(message) if message.is_group else message.chat_address


def _group(message: _Message) -> str | None:
    return None if message.chat_id is None else group_id(message.chat_id)


def _of_reaction(action: str) -> Callable[[str | bytes], Fields]:
    def write(data: str | bytes) -> Fields:
        reaction = _reaction(data)
        return {
            "direction": "outbound" if reaction.is_from_me else "inbound",
            "message_id": reaction.message_id,
            "external_id": None if reaction.is_from_me else reaction.sender,
            "internal_id": reaction.line_handle,
            "sender": None if reaction.is_from_me else reaction.sender,
            "reaction": reaction.type,
            "action": action,
            "original_text": None,
        }

    return write


def _poll_made(data: str | bytes) -> Fields:
    poll = _poll(data)
    event = {} if poll.is_from_me else {"event": "poll.received"}
    return {**event, **_poll_fields(poll), "title": poll.title, "options": list(poll.options)}


def _poll_voted(data: str | bytes) -> Fields:
    poll = _poll(data)
    return {**_poll_fields(poll), "voter": poll.actor, "choices": list(poll.choices)}


def _poll_fields(poll: _Poll) -> Fields:
    return {
        "poll_id": poll.id,
        "internal_id": poll.line_handle,
        "direction": "outbound" if poll.is_from_me else "inbound",
    }


def _group_named(data: str | bytes) -> Fields:
    chat = _chat(data)
    fields = {"name": chat.name, "previous_name": None}
    return {"group_id": group_id(chat.id), "internal_id": chat.line_handle, **fields}


def _group_pictured(data: str | bytes) -> Fields:
    chat = _chat(data)
    fields = {"icon_url": None, "previous_icon_url": None}
    return {"group_id": group_id(chat.id), "internal_id": chat.line_handle, **fields}


Writer = Callable[[str | bytes], Fields]
#: Native event type → the vendor's name, and what writes its fields.
WRITERS: Final[Mapping[str, tuple[str, Writer]]] = {
    "chat.icon_changed": ("group.icon_changed", _group_pictured),
    "chat.renamed": ("group.name_changed", _group_named),
    "message.delivered": ("message.delivered", _of_message("delivered", "delivered_at")),
    "message.failed": ("message.failed", _of_message("failed", None)),
    "message.read": ("message.read", _of_message("read", "read_at")),
    "message.received": ("message.received", _of_message("received", "received_at")),
    "message.sent": ("message.sent", _of_message("sent", "sent_at")),
    "poll.created": ("poll.created", _poll_made),
    "poll.voted": ("poll.voted", _poll_voted),
    "reaction.added": ("message.reaction", _of_reaction("add")),
    "reaction.removed": ("message.reaction", _of_reaction("remove")),
}
_STATUS: Final = ("message.delivered", "message.failed", "message.read", "message.sent")
_POLL: Final = ("poll.created", "poll.voted")
#: What each type of webhook gets.
TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "message": ("message.received", *_STATUS, "reaction.added", "reaction.removed"),
    "status": _STATUS,
    "poll": _POLL,
    "all": tuple(WRITERS),
}
