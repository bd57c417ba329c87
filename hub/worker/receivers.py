"""Compiled receivers, one a webhook, made anew when the webhook or its secrets change."""

from __future__ import annotations

from hub.flow.directory import DirectoryHolder
from hub.flow.ports import Clock
from hub.flow.receivers import DeliveryDefaults, Poster, Receiver, compile_receiver
from hub.flow.webhook_forms import WebhookForms
from hub.model.webhook import Webhook


class ReceiverBook:
    """Looks up what posting to a webhook needs."""

    def __init__(
        self,
        *,
        directory: DirectoryHolder,
        poster: Poster,
        defaults: DeliveryDefaults,
        forms: WebhookForms,
        clock: Clock,
        refused: type[Exception],
    ) -> None:
        self._directory = directory
        self._poster = poster
        self._defaults = defaults
        self._forms = forms
        self._clock = clock
        self._refused = refused
        self._compiled: dict[int, tuple[Webhook, Receiver]] = {}

    def get(self, webhook_id: int) -> Receiver:
        """Give the receiver of a webhook that the directory knows.

        Raises:
            KeyError: It does not.
        """
        webhook = self._directory.current.webhooks[webhook_id]
        known = self._compiled.get(webhook_id)
        if known is not None and self._is_current(known, webhook):
            return known[1]
        receiver = compile_receiver(
            webhook,
            self._poster,
            self._defaults,
            self._forms,
            now_ms=self._clock.now_ms(),
            refused=self._refused,
        )
        self._compiled[webhook_id] = (webhook, receiver)
        return receiver

    def _is_current(self, known: tuple[Webhook, Receiver], webhook: Webhook) -> bool:
        if known[0] is not webhook:  # a new revision of the directory; most webhooks still say the same
            if known[0] != webhook:
                return False
            self._compiled[webhook.id] = (webhook, known[1])
        stale_at = known[1].stale_at
        return stale_at is None or stale_at > self._clock.now_ms()

    def forget(self, webhook_id: int) -> None:
        """Let go of a webhook that is gone."""
        self._compiled.pop(webhook_id, None)
