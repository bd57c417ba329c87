"""The form in which a receiver gets events. The vendor's is not known: this is our choice (contracts: msgbubbles §7).

Body: {"event", "data", "created_at", "id"}; `id` and `created_at` are the event's, the same on each attempt. Headers:
`X-Webhook-Timestamp` (Unix ms of the attempt) and `X-Webhook-Signature`, the hex of an HMAC-SHA256 over
`{timestamp}.{body}` under the text of the secret: as in the native form, so one verifier serves both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from hub.dialects.msgbubbles.event_names import NAMES
from hub.dialects.msgbubbles.identifiers import uuid_of, uuid_text
from hub.dialects.msgbubbles.natives import NativeMessage, NativeReaction, NativeTest
from hub.dialects.msgbubbles.rendering import message_of, reaction_of
from hub.dialects.msgbubbles.times import iso
from hub.flow.rows import DueDelivery
from hub.flow.webhook_forms import Render
from hub.model.ids import Prefix, id_time_ms
from hub.model.webhook import Webhook
from hub.rules.signing import NativeSigner, Secret


class Delivered(msgspec.Struct, frozen=True):
    """The body of a delivery."""

    event: str
    #: A Message or a Reaction of hub.dialects.msgbubbles.shapes.
    data: Any
    created_at: str
    id: str


_encode: Final = msgspec.json.Encoder().encode
_decode_message: Final = msgspec.json.Decoder(NativeMessage).decode
_decode_reaction: Final = msgspec.json.Decoder(NativeReaction).decode
_decode_test: Final = msgspec.json.Decoder(NativeTest).decode


def _message(data: str) -> msgspec.Struct:
    """Unlike the reads, it says who wrote to whom: nobody could make anything of it otherwise."""
    native = _decode_message(data)
    return msgspec.structs.replace(
        message_of(native, reply_to=None),
        from_handle=native.line_handle,
        remote_handle=None if native.is_group else native.chat_address,
        sender_handle=native.line_handle if native.is_from_me else native.sender,
    )


def _reaction(data: str) -> msgspec.Struct:
    return reaction_of(_decode_reaction(data))


def _test(data: str) -> dict[str, str]:
    native = _decode_test(data)
    return {"webhook_id": uuid_of(native.webhook_id), "message": native.message}


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "message": _message,
    "reaction": _reaction,
    "webhook": _test,
}


class MsgBubblesForm:
    """hub.flow.webhook_forms.WebhookForm."""

    name = "msgbubbles"
    event_types: frozenset[str] | None = frozenset(NAMES)
    is_secret_optional = False

    def check_secret(self, text: str) -> None:
        Secret(text)

    def compile(self, webhook: Webhook, secrets: Sequence[str]) -> Render:
        """Sign with the newest secret alone: a rotation has no overlap."""
        del webhook
        signer = NativeSigner(Secret(secrets[0]))

        def render(due: DueDelivery, now_ms: int) -> tuple[bytes, bytes]:
            event = NAMES.get(due.event_type, due.event_type)
            delivered = Delivered(
                event=event,
                data=_READERS[due.event_type.partition(".")[0]](due.data),
                created_at=iso(id_time_ms(due.event_id)),
                id=uuid_text(Prefix.EVENT, due.event_id),
            )
            body = _encode(delivered)
            headers = (
                b"X-Webhook-Event: %b\r\nX-Webhook-Delivery-Id: %b\r\n"
                b"X-Webhook-Timestamp: %d\r\nX-Webhook-Signature: %b"
                % (
                    event.encode(),
                    uuid_text(Prefix.DELIVERY, due.id).encode(),
                    now_ms,
                    signer.sign(now_ms, body),
                )
            )
            return headers, body

        return render


FORM: Final = MsgBubblesForm()
