"""What webhooks of this dialect get: event, timestamp and data, signed if there is a secret (contracts: coop §3).

`X-Webhook-Signature` is the bare lower-case hex of HMAC-SHA256 over the body, keyed with the secret as typed. The
body says nothing of the attempt, so it is the same on each retry.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from hub.dialects.coop.names import DIALECT_NAME, EVENT_NAMES, RELAY, message_id, spelled
from hub.dialects.coop.rendering import NativeMessage, conversation_id, from_and_to, status_of
from hub.dialects.coop.times import iso
from hub.flow.rows import DueDelivery
from hub.flow.webhook_forms import Render
from hub.model.ids import id_time_ms
from hub.model.webhook import Webhook
from hub.rules.signing import InvalidSecret

_encode: Final = msgspec.json.Encoder().encode
_read_message: Final = msgspec.json.Decoder(NativeMessage).decode


class _LineWord(msgspec.Struct, frozen=True, kw_only=True):
    """A line that lost its network, or has it again; and the bridge that carries it."""

    bridge_id: str
    bridge_name: str | None


_read_line: Final = msgspec.json.Decoder(_LineWord).decode


class CoopForm:
    """hub.flow.webhook_forms.WebhookForm."""

    name = DIALECT_NAME
    event_types = frozenset(EVENT_NAMES)
    is_secret_optional = True

    def check_secret(self, text: str) -> None:
        """Refuse an empty secret; any other text signs."""
        if not text:
            raise InvalidSecret("the secret is empty; leave it out for deliveries without a signature")

    def compile(self, webhook: Webhook, secrets: Sequence[str]) -> Render:
        """Make what renders for one webhook; while a secret is being replaced, the new one alone signs."""
        del webhook
        key = secrets[0].encode() if secrets else None

        def render(due: DueDelivery, now_ms: int) -> tuple[bytes, bytes]:
            del now_ms
            body = body_of(due)
            if key is None:
                return b"", body
            return b"X-Webhook-Signature: " + hmac.digest(key, body, "sha256").hex().encode(), body

        return render


def body_of(due: DueDelivery) -> bytes:
    """Write the body of a delivery."""
    event = EVENT_NAMES.get(due.event_type, due.event_type)
    content = {"event": event, "timestamp": iso(id_time_ms(due.event_id)), "data": _data(due)}
    return _encode(content)


def _data(due: DueDelivery) -> Any:
    write = _WRITERS.get(due.event_type)
    return msgspec.Raw(due.data.encode()) if write is None else write(due.data)


def _message(text: str) -> dict[str, Any]:
    message = _read_message(text)
    sender, recipient = from_and_to(message)
    shown = {
        "id": message_id(message.id, is_from_me=message.is_from_me),
        "to": recipient,
        "from": sender,
        "body": message.text,
        "status": status_of(message),
        "conversationId": conversation_id(message.chat_id),
    }
    return shown if message.is_from_me else {**shown, "receivedAt": iso(message.created_at)}


def _relay(status: str) -> Callable[[str], dict[str, Any]]:
    def write(text: str) -> dict[str, Any]:
        line = _read_line(text)
        return {"id": spelled(RELAY, line.bridge_id), "name": line.bridge_name, "status": status}

    return write


#: Native event type → what writes its data; `webhook.test` goes as it is.
_WRITERS: Final[Mapping[str, Callable[[str], dict[str, Any]]]] = {
    **{native: _message for native in EVENT_NAMES if native.startswith("message.")},
    "line.offline": _relay("offline"),
    "line.online": _relay("online"),
}
