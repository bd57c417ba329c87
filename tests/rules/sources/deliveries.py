"""Golden deliveries: for each definition that ships, requests as the vendor sends them, and what becomes of them.

The bodies follow the vendors' documentation, shortened. Signatures are made here from the documented rule with the
standard library alone, so that what is tested is not what signs.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

#: Unix seconds.
NOW: Final = 1_780_000_000
NOW_MS: Final = NOW * 1000
NOW_ISO: Final = "2026-05-28T20:26:40.000Z"
URL: Final = "https://hub.example.com/hooks/it"
SECRET: Final = "a-shared-secret-of-forty-characters-0123"
STANDARD: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HEX_SECRET: Final = "7f" * 32
ED25519: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
P256: Final = derive_private_key(0x1234567890ABCDEF, SECP256R1())

Headers = Callable[[bytes], Mapping[str, str]]


def digest(text: bytes, *, name: str = "sha256", key: bytes = SECRET.encode()) -> bytes:
    return hmac.new(key, text, name).digest()


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def ed25519_key(encoding: str) -> str:
    raw = ED25519.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    der = ED25519.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return raw.hex() if encoding == "hex" else b64(der)


def p256_key() -> str:
    return b64(P256.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _stamped(name: str) -> Headers:
    def headers(body: bytes) -> Mapping[str, str]:
        return {name: f"t={NOW},v1={digest(b'%d.%b' % (NOW, body)).hex()}"}

    return headers


def _standard(prefix: str) -> Headers:
    def headers(body: bytes) -> Mapping[str, str]:
        key = base64.b64decode(STANDARD.removeprefix("whsec_"))
        made = b64(digest(b"msg_1.%d.%b" % (NOW, body), key=key))
        return {f"{prefix}-id": "msg_1", f"{prefix}-timestamp": str(NOW), f"{prefix}-signature": f"v1,{made}"}

    return headers


def twilio_signature(url: str, form: Mapping[str, str], *, key: str = SECRET) -> str:
    text = url + "".join(name + form[name] for name in sorted(form))
    return b64(digest(text.encode(), name="sha1", key=key.encode()))


def mailgun_body(**event: Any) -> dict[str, Any]:
    signature = digest(f"{NOW}tok".encode()).hex()
    return {"signature": {"timestamp": str(NOW), "token": "tok", "signature": signature}, "event-data": event}


@dataclass(frozen=True, kw_only=True)
class Golden:
    """One delivery and what is made of it."""

    verify: str
    body: Any
    headers: Headers
    #: (event, id) of each event, in order; an id that ends in … is a digest.
    events: tuple[tuple[str, str], ...]
    secret: str = SECRET
    content_type: str = "application/json"
    url: str = URL
    #: What some paths of the first event's payload hold.
    holds: Mapping[str, Any] = field(default_factory=dict)
    #: The signature covers no body: a change of it is not noticed (the vendor's way).
    is_body_unsigned: bool = False

    @property
    def raw(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


_FORM: Final = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+15550100001"}
_WHATSAPP: Final = {
    "object": "whatsapp_business_account",
    "entry": [
        {
            "id": "1",
            "changes": [
                {
                    "field": "messages",
                    "value": {
                        "metadata": {"phone_number_id": "555"},
                        "contacts": [{"profile": {"name": "Ann"}}],
                        "messages": [
                            {"id": "wamid.A", "from": "15550100001", "type": "text", "text": {"body": "Hi"}},
                            {"id": "wamid.B", "from": "15550100001", "type": "text", "text": {"body": "?"}},
                        ],
                        "statuses": [{"id": "wamid.C", "status": "read"}],
                    },
                },
                {"field": "account_update", "value": {"event": "VERIFIED_ACCOUNT"}},
            ],
        }
    ],
}

#: Alphabetical by definition.
GOLDEN: Final[tuple[Golden, ...]] = (
    Golden(
        verify="attio",
        body={
            "webhook_id": "w",
            "events": [{"event_type": "record.created"}, {"event_type": "record.created"}],
        },
        headers=lambda body: {"attio-signature": digest(body).hex(), "idempotency-key": "k1"},
        events=(("record.created", "k1:0"), ("record.created", "k1:1")),
    ),
    Golden(
        verify="calendly",
        body={"event": "invitee.created", "payload": {"uri": "https://api.calendly.com/i/1"}},
        headers=_stamped("calendly-webhook-signature"),
        events=(("invitee.created", "https://api.calendly.com/i/1:invitee.created"),),
    ),
    Golden(
        verify="close",
        secret=HEX_SECRET,
        body={"event": {"id": "ev_1", "object_type": "lead", "action": "created", "data": {"id": "lead_1"}}},
        headers=lambda body: {
            "close-sig-timestamp": str(NOW),
            "close-sig-hash": digest(b"%d%b" % (NOW, body), key=bytes.fromhex(HEX_SECRET)).hex(),
        },
        events=(("lead.created", "ev_1"),),
        holds={"data": {"id": "lead_1"}},
    ),
    Golden(
        verify="discord",
        secret=ed25519_key("hex"),
        body={"version": 1, "type": 1, "event": {"type": "APPLICATION_AUTHORIZED", "timestamp": "t"}},
        headers=lambda body: {
            "x-signature-timestamp": str(NOW),
            "x-signature-ed25519": ED25519.sign(b"%d%b" % (NOW, body)).hex(),
        },
        events=(("APPLICATION_AUTHORIZED", "sha256:…"),),
    ),
    Golden(
        verify="freshdesk",
        body={"type": "ticket.closed", "id": 7},
        headers=lambda body: {"x-webhook-secret": SECRET},
        events=(("ticket.closed", "7"),),
        is_body_unsigned=True,
    ),
    Golden(
        verify="github",
        body={"action": "opened", "number": 1},
        headers=lambda body: {
            "x-hub-signature-256": f"sha256={digest(body).hex()}",
            "x-github-event": "pull_request",
            "x-github-delivery": "72d3162e",
        },
        events=(("pull_request.opened", "72d3162e"),),
    ),
    Golden(
        verify="highlevel",
        secret=ed25519_key("base64"),
        body={"type": "ContactCreate", "webhookId": "wh_9", "timestamp": NOW_ISO},
        headers=lambda body: {"x-ghl-signature": b64(ED25519.sign(body))},
        events=(("ContactCreate", "wh_9"),),
    ),
    Golden(
        verify="hubspot",
        url=f"{URL}?a=1%2C2",
        body=[
            {"eventId": 1, "subscriptionId": 5, "occurredAt": 9, "subscriptionType": "contact.creation"},
            {"eventId": 2, "subscriptionId": 5, "occurredAt": 9, "subscriptionType": "deal.creation"},
        ],
        headers=lambda body: {
            "x-hubspot-request-timestamp": str(NOW_MS),
            "x-hubspot-signature-v3": b64(digest(b"POST" + f"{URL}?a=1,2".encode() + body + b"%d" % NOW_MS)),
        },
        events=(("contact.creation", "5:1:9"), ("deal.creation", "5:2:9")),
    ),
    Golden(
        verify="hubspot-v1",
        body=[{"eventId": 1, "subscriptionType": "contact.creation"}],
        headers=lambda body: {"x-hubspot-signature": hashlib.sha256(SECRET.encode() + body).hexdigest()},
        events=(("contact.creation", "1"),),
    ),
    Golden(
        verify="hubspot-v2",
        body={"objectId": 1},
        headers=lambda body: {
            "x-hubspot-signature": hashlib.sha256(SECRET.encode() + b"POST" + URL.encode() + body).hexdigest()
        },
        events=(("request", "sha256:…"),),
    ),
    Golden(
        verify="intercom",
        body={"type": "notification_event", "topic": "conversation.user.created", "id": "notif_1"},
        headers=lambda body: {"x-hub-signature": f"sha1={digest(body, name='sha1').hex()}"},
        events=(("conversation.user.created", "notif_1"),),
    ),
    Golden(
        verify="mailgun",
        body=mailgun_body(event="failed", id="mg_1", severity="permanent"),
        headers=lambda body: {},
        events=(("failed", "mg_1"),),
        holds={"severity": "permanent"},
        is_body_unsigned=True,
    ),
    Golden(
        verify="notion",
        body={"type": "page.created", "id": "n_1"},
        headers=lambda body: {"x-notion-signature": f"sha256={digest(body).hex()}"},
        events=(("page.created", "n_1"),),
    ),
    Golden(
        verify="pipedrive",
        secret="hub:pass word",
        body={"meta": {"action": "create", "entity": "deal", "id": "m1"}, "data": {"id": 4}},
        headers=lambda body: {"authorization": f"Basic {b64(b'hub:pass word')}"},
        events=(("create.deal", "m1"),),
        is_body_unsigned=True,
    ),
    Golden(
        verify="sendgrid",
        secret=p256_key(),
        body=[{"event": "delivered", "sg_event_id": "s1"}, {"event": "open", "sg_event_id": "s2"}],
        headers=lambda body: {
            "x-twilio-email-event-webhook-timestamp": str(NOW),
            "x-twilio-email-event-webhook-signature": b64(P256.sign(b"%d%b" % (NOW, body), ECDSA(SHA256()))),
        },
        events=(("delivered", "s1"), ("open", "s2")),
    ),
    Golden(
        verify="shopify",
        body={"id": 820982911946154508, "email": "jon@example.com"},
        headers=lambda body: {
            "x-shopify-hmac-sha256": b64(digest(body)),
            "x-shopify-topic": "orders/create",
            "x-shopify-webhook-id": "b54557e4",
        },
        events=(("orders/create", "b54557e4"),),
        holds={"id": 820982911946154508},
    ),
    Golden(
        verify="slack",
        body={
            "type": "event_callback",
            "team_id": "T1",
            "event_id": "Ev1",
            "event": {"type": "message", "text": "Hi", "user": "U1"},
        },
        headers=lambda body: {
            "x-slack-request-timestamp": str(NOW),
            "x-slack-signature": f"v0={digest(b'v0:%d:%b' % (NOW, body)).hex()}",
        },
        events=(("message", "Ev1"),),
        holds={"text": "Hi", "team_id": "T1"},
    ),
    Golden(
        verify="standard-webhooks",
        secret=STANDARD,
        body={"type": "user.created", "data": {"id": 1}},
        headers=_standard("webhook"),
        events=(("user.created", "msg_1"),),
    ),
    Golden(
        verify="stripe",
        body={
            "id": "evt_1",
            "type": "checkout.session.completed",
            "data": {"object": {"amount_total": 4200}},
        },
        headers=_stamped("stripe-signature"),
        events=(("checkout.session.completed", "evt_1"),),
        holds={"data": {"object": {"amount_total": 4200}}},
    ),
    Golden(
        verify="svix",
        secret=STANDARD,
        body={"type": "user.created"},
        headers=_standard("svix"),
        events=(("user.created", "msg_1"),),
    ),
    Golden(
        verify="telegram",
        body={"update_id": 11, "message": {"text": "Hi"}},
        headers=lambda body: {"x-telegram-bot-api-secret-token": SECRET},
        events=(("message", "11"),),
        is_body_unsigned=True,
    ),
    Golden(
        verify="twilio",
        content_type="application/x-www-form-urlencoded",
        body=b"MessageStatus=delivered&MessageSid=SM1&To=%2B15550100001",
        headers=lambda body: {"x-twilio-signature": twilio_signature(URL, _FORM)},
        events=(("message.delivered", "SM1:delivered"),),
        holds={"To": "+15550100001"},
    ),
    Golden(
        verify="typeform",
        body={"event_id": "01H", "event_type": "form_response", "form_response": {"token": "t"}},
        headers=lambda body: {"typeform-signature": f"sha256={b64(digest(body))}"},
        events=(("form_response", "01H"),),
    ),
    Golden(
        verify="whatsapp",
        body=_WHATSAPP,
        headers=lambda body: {"x-hub-signature-256": f"sha256={digest(body).hex()}"},
        events=(
            ("message", "wamid.A"),
            ("message", "wamid.B"),
            ("status.read", "wamid.C:read"),
            ("account_update", "sha256:…"),
        ),
        holds={"text": {"body": "Hi"}, "metadata": {"phone_number_id": "555"}},
    ),
    Golden(
        verify="zendesk",
        body={"type": "ticket.solved", "id": "z1"},
        headers=lambda body: {
            "x-zendesk-webhook-signature-timestamp": NOW_ISO,
            "x-zendesk-webhook-signature": b64(digest(NOW_ISO.encode() + body)),
        },
        events=(("ticket.solved", "z1"),),
    ),
)
