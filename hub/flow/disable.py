"""Turn a webhook off that is gone or hopeless, and say so with an event that other webhooks can take."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b

import structlog

from hub.flow.directory import Directory, DirectoryHolder, StaleDirectory
from hub.flow.payloads import webhook_disabled_data
from hub.flow.ports import Clock, HotTransaction, WakeUps
from hub.flow.record import TakeIds, record_events
from hub.flow.repositories import Store
from hub.flow.rows import DeliveryRow, EventRow
from hub.model.ids import Prefix, id_text
from hub.model.webhook import Webhook

log = structlog.get_logger("webhooks")


class DisableWebhook:
    """Disables once, whoever notices first, and records `webhook.disabled`."""

    def __init__(
        self,
        *,
        store: Store,
        directory: DirectoryHolder,
        take_ids: TakeIds,
        wake_ups: WakeUps,
        clock: Clock,
    ) -> None:
        self._store = store
        self._directory = directory
        self._take_ids = take_ids
        self._wake_ups = wake_ups
        self._clock = clock

    async def __call__(self, webhook: Webhook, reason: str) -> None:
        """Disable; unfinished deliveries stay and go on when it is enabled again, new ones are held.

        The event comes first, under a key that names the webhook as it was: whoever notices too, and whoever
        repeats this after a crash, finds it recorded. A webhook that was changed meanwhile is left alone.
        Nobody is woken for the event before the webhook is off: who hears of it finds it so.
        """
        now_ms = self._clock.now_ms()
        deliveries = await self._tell(webhook, reason, now_ms)
        if deliveries is None:
            return
        if await self._store.webhooks.disable(webhook.id, reason=reason, at=now_ms):
            log.warning("webhook.disabled", webhook_id=id_text(Prefix.WEBHOOK, webhook.id), reason=reason)
            self._wake_ups.configuration_changed()
        if deliveries:
            self._wake_ups.deliveries_recorded(deliveries[0].id, deliveries[-1].id)

    async def _tell(self, webhook: Webhook, reason: str, now_ms: int) -> list[DeliveryRow] | None:
        """Record the event, once, and give its new deliveries; None if the webhook is no longer as it was."""
        mark = f"webhook.disabled:{webhook.id}:{webhook.updated_at}".encode()
        event = EventRow(
            self._take_ids(1)[0],
            "webhook.disabled",
            webhook.line_id,
            None,
            blake2b(mark, digest_size=16).digest(),
            now_ms,
            None,
            webhook_disabled_data(replace(webhook, disabled_reason=reason, disabled_at=now_ms)),
        )
        while True:
            directory = await self._directory.refresh()
            current = directory.webhooks.get(webhook.id)
            if current is None or not current.is_active or current.updated_at != webhook.updated_at:
                return None
            try:
                _, deliveries = await self._store.hot.write(
                    lambda tx: self._record(tx, directory, event, now_ms)  # noqa: B023 - used within the turn
                )
            except StaleDirectory:
                continue
            return deliveries

    async def _record(
        self, tx: HotTransaction, directory: Directory, event: EventRow, now_ms: int
    ) -> tuple[set[int], list[DeliveryRow]]:
        return await record_events(tx, directory, [event], take_ids=self._take_ids, now_ms=now_ms)
