"""The forms in which a webhook can get events: the native one, and those of the dialects (docs/decisions/0018).

A form turns an event into the bytes that one receiver expects: body, headers, signature. It decides nothing: what is
delivered, when and how often is the same for all forms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from hub.flow.rows import DueDelivery
from hub.model.dialect import NATIVE
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text
from hub.model.webhook import Webhook
from hub.rules.signing import InvalidSecret, NativeSigner, Secret, StandardSigner

#: Gives the header lines (CRLF between, none at the end) and the exact body of one attempt, at Unix ms.
Render = Callable[[DueDelivery, int], tuple[bytes, bytes]]


class WebhookForm(Protocol):
    """One form of webhooks."""

    @property
    def name(self) -> str:
        """The name of its dialect."""
        ...

    @property
    def event_types(self) -> frozenset[str] | None:
        """The event types that can be told in it, beside `webhook.test`, which every form tells; None for all."""
        ...

    @property
    def is_secret_optional(self) -> bool:
        """Whether a webhook without a secret is delivered unsigned; otherwise Hub draws one."""
        ...

    def check_secret(self, text: str) -> None:
        """Refuse a secret that its owner brings and that cannot sign.

        Raises:
            InvalidSecret: Says why, and what a good one looks like.
        """
        ...

    def compile(self, webhook: Webhook, secrets: Sequence[str]) -> Render:
        """Make what renders for one webhook.

        Args:
            webhook: What is registered.
            secrets: Those that sign now, newest first; none only where a secret is optional.
        """
        ...


class NativeForm:
    """contracts: messages.dev §6, and the Standard Webhooks headers on the same request.

    The webhook-id is the event's, on every attempt and replay; the timestamp is the attempt's.
    """

    name = NATIVE
    event_types = None
    is_secret_optional = False

    def check_secret(self, text: str) -> None:
        Secret(text)

    def compile(self, webhook: Webhook, secrets: Sequence[str]) -> Render:
        del webhook
        known = [Secret(text) for text in secrets]
        standard, native = StandardSigner(known), NativeSigner(known[0])
        #: During a rotation: the native form under the old secret, in a header of its own.
        previous = NativeSigner(known[1]) if len(known) > 1 else None

        def render(due: DueDelivery, now_ms: int) -> tuple[bytes, bytes]:
            delivery_id = id_text(Prefix.DELIVERY, due.id)
            body = (
                f'{{"event":"{due.event_type}","data":{due.data},"timestamp":{now_ms},'
                f'"delivery_id":"{delivery_id}"}}'
            ).encode()
            seconds = now_ms // 1000
            event_id = id_text(Prefix.EVENT, due.event_id).encode()
            headers = (
                b"webhook-id: %b\r\nwebhook-timestamp: %d\r\nwebhook-signature: %b\r\n"
                b"X-Webhook-Signature: %b\r\nX-Webhook-Timestamp: %d\r\nX-Webhook-Delivery-Id: %b"
                % (
                    event_id,
                    seconds,
                    standard.sign(event_id, seconds, body),
                    native.sign(now_ms, body),
                    now_ms,
                    delivery_id.encode(),
                )
            )
            if previous is not None:
                headers += b"\r\nX-Webhook-Signature-Previous: %b" % previous.sign(now_ms, body)
            return headers, body

        return render


WebhookForms = Mapping[str, WebhookForm]
#: What there is without any dialect.
NATIVE_FORMS: Final[WebhookForms] = {NATIVE: NativeForm()}


def find_form(forms: WebhookForms, name: str) -> WebhookForm:
    """Find a form that a caller names.

    Raises:
        InvalidRequest: There is none of this name.
    """
    form = forms.get(name)
    if form is None:
        message = f"There is no form of webhooks '{name[:64]}'; choose among {', '.join(sorted(forms))}."
        raise InvalidRequest("invalid_parameter_value", message, param="form")
    return form


def check_secret(form: WebhookForm, text: str) -> str:
    """Give the secret that an owner brings as it is kept.

    Raises:
        InvalidRequest: It cannot sign in this form.
    """
    try:
        form.check_secret(text)
    except InvalidSecret as problem:
        message = f"{str(problem)[0].upper()}{str(problem)[1:]}."
        raise InvalidRequest("invalid_parameter_value", message, param="secret") from None
    return text
