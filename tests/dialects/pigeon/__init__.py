"""A vendor that does not exist, whole in one file: the example of CONTRIBUTING.md, "Adding a dialect".

Pigeon Post takes notes (`POST /pigeon/notes`) and tells a receiver of those that come in.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from hub.api.calls import Call, Endpoint, NoQuery, Reply
from hub.api.dialect import Dialect, ErrorAnswer
from hub.api.errors import BY_CODE
from hub.api.sends import SendReply
from hub.dialects.native import ask
from hub.flow.rows import DueDelivery
from hub.flow.webhook_forms import Render
from hub.model.errors import InvalidRequest
from hub.model.webhook import Webhook
from hub.rules.signing import InvalidSecret


class NewNote(msgspec.Struct, frozen=True, kw_only=True):
    """A note to carry."""

    to: str
    note: str


class CarriedNote(msgspec.Struct, frozen=True, kw_only=True):
    """The note is on its way."""

    ok: Literal[True] = True
    note_id: str


class NativeMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What is needed of a message of an event."""

    id: str
    sender: str
    text: str | None


class PigeonForm:
    """hub.flow.webhook_forms.WebhookForm: the note, and `X-Pigeon-Ring`, the hex of HMAC-SHA256 over the body."""

    name = "pigeon"
    event_types = frozenset({"message.received"})
    is_secret_optional = False

    def check_secret(self, text: str) -> None:
        if not text:
            raise InvalidSecret("the secret is empty; leave it out and the hub draws one")

    def compile(self, webhook: Webhook, secrets: Sequence[str]) -> Render:
        del webhook
        key = secrets[0].encode()

        def render(due: DueDelivery, now_ms: int) -> tuple[bytes, bytes]:
            del now_ms
            body = _body_of(due)
            return b"X-Pigeon-Ring: " + hmac.digest(key, body, hashlib.sha256).hex().encode(), body

        return render


def note_id(message_id: str) -> str:
    """Spell a native id as the vendor does."""
    return "note_" + message_id.removeprefix("msg_")


def _body_of(due: DueDelivery) -> bytes:
    if due.event_type not in PigeonForm.event_types:  # webhook.test, which every form tells
        return b'{"coo":"test"}'
    message = msgspec.json.decode(due.data, type=NativeMessage)
    return msgspec.json.encode({"note_id": note_id(message.id), "by": message.sender, "note": message.text})


async def _carry(call: Call[NoQuery, NewNote]) -> Reply:
    wish = {"from": "auto", "to": call.body.to, "text": call.body.note}
    sent = (await ask(call, "send_message", SendReply, body=wish)).content
    return Reply(content=CarriedNote(note_id=note_id(str(sent.message_id))))


def _told(error: InvalidRequest, request_id: str) -> ErrorAnswer:
    message = error.message.replace("sk_live_", "coo_").replace("'text'", "'note'")
    return ErrorAnswer(
        status=BY_CODE[error.code].status, body={"ok": False, "message": message, "flight": request_id}
    )


PIGEON: Final = Dialect(
    name="pigeon",
    vendor="Pigeon Post",
    key_prefix="coo_",
    scopes=frozenset({"messages:write"}),
    paths=("/pigeon/",),
    endpoints=(
        Endpoint(
            method="POST",
            path="/pigeon/notes",
            name="pigeon_carry",
            summary="Carry a note.",
            tag="messages",
            scope="messages:write",
            query=NoQuery,
            body=NewNote,
            reply=CarriedNote,
            handle=_carry,
        ),
    ),
    errors=_told,
    webhook_form=PigeonForm(),
)
