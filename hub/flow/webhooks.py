"""Webhooks: register, change, test, rotate, disable, delete. Everything is checked here, before it is kept.

Not here: which events reach which webhook (hub.rules.matching) and how they are delivered (hub.flow.deliver).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hub.flow.directory import DirectoryHolder
from hub.flow.payloads import webhook_test_data
from hub.flow.ports import Clock, HotTransaction, WakeUps
from hub.flow.repositories import Store
from hub.flow.rotation import rotated
from hub.flow.rows import DeliveryRow, EventRow
from hub.flow.webhook_checks import (
    check_condition,
    check_headers,
    check_patterns,
    check_receiver_url,
    check_schedule,
)
from hub.flow.webhook_forms import NATIVE_FORMS, WebhookForm, WebhookForms, check_secret, find_form
from hub.model.delivery import DeliveryState
from hub.model.dialect import NATIVE
from hub.model.errors import InvalidRequest
from hub.model.ids import IdFactory
from hub.model.webhook import StoredSecret, Webhook
from hub.rules.egress import EgressPolicy
from hub.rules.lanes import shard_of
from hub.rules.signing import SECRET_BYTES_GENERATED, Secret

#: Why a webhook that its owner disabled is disabled.
BY_REQUEST = "disabled by request"


@dataclass(frozen=True, kw_only=True, slots=True)
class NewSecret:
    """A webhook with a fresh secret: the only moment at which it is shown."""

    webhook: Webhook
    #: Empty where the webhook has none.
    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class TestFired:
    """A test on its way."""

    event_id: int
    delivery_id: int


class WebhookRegistry:
    """All webhooks."""

    def __init__(
        self,
        *,
        store: Store,
        directory: DirectoryHolder,
        clock: Clock,
        new_id: IdFactory,
        random_bytes: Callable[[int], bytes],
        wake_ups: WakeUps,
        egress: EgressPolicy,
        forms: WebhookForms = NATIVE_FORMS,
    ) -> None:
        self._store = store
        self._directory = directory
        self._clock = clock
        self._new_id = new_id
        self._random_bytes = random_bytes
        self._wake_ups = wake_ups
        self._egress = egress
        self._forms = forms

    async def all(self) -> Sequence[Webhook]:
        """Every webhook, oldest first, with what is known of their failing now."""
        return sorted((await self._directory.reload()).webhooks.values(), key=lambda each: each.id)

    async def get(self, webhook_id: int) -> Webhook:
        """Find a webhook.

        Raises:
            InvalidRequest: webhook_not_found.
        """
        webhook = await self._store.webhooks.get(webhook_id)
        if webhook is None:
            raise InvalidRequest("webhook_not_found", "Webhook not found.")
        return webhook

    async def register(
        self, *, line_id: int | None, fields: Mapping[str, Any], secret: str | None = None
    ) -> NewSecret:
        """Register a receiver.

        Args:
            line_id: The line whose events it gets; None for every line.
            fields: Fields of Webhook as `checked_fields` takes them; `url` and `patterns` are there.
            secret: One that its owner brings; None for one that Hub draws, where the form needs one.

        Raises:
            InvalidRequest: A field is refused; `param` names it as the wire does.
        """
        now = self._clock.now_ms()
        form = find_form(self._forms, fields.get("form", NATIVE))
        text = self._secret(form, secret)
        blank = Webhook(
            id=self._new_id(),
            line_id=line_id,
            url="",
            patterns=(),
            condition=None,
            headers=(),
            secrets=(StoredSecret(text=text),) if text else (),
            description=None,
            is_active=True,
            disabled_reason=None,
            disabled_at=None,
            failing_since=None,
            retry_schedule=None,
            timeout_ms=None,
            concurrency=None,
            rate_per_second=None,
            is_ordered=False,
            created_at=now,
            updated_at=now,
        )
        webhook = replace(blank, **self.checked_fields(fields, form))
        await self._store.webhooks.add(webhook)
        self._wake_ups.configuration_changed()
        return NewSecret(webhook=webhook, secret=text)

    async def update(
        self, webhook: Webhook, fields: Mapping[str, Any], *, secret: str | None = None
    ) -> Webhook:
        """Change what is given; a secret that its owner brings counts at once, alone.

        Raises:
            InvalidRequest: A field is refused, or the webhook was deleted meanwhile.
        """
        form = find_form(self._forms, webhook.form)
        checked = self.checked_fields(fields, form)
        if secret is not None:
            checked["secrets"] = (StoredSecret(text=check_secret(form, secret)),)
        return await self._change(webhook, lambda current: replace(current, **checked))

    def draw_secret(self) -> str:
        """Draw a secret, such as all forms take."""
        return Secret.from_bytes(self._random_bytes(SECRET_BYTES_GENERATED)).text

    def check(self, fields: Mapping[str, Any], secret: str) -> None:
        """Refuse what `register` would refuse, and do nothing.

        Raises:
            InvalidRequest: As `register`.
        """
        form = find_form(self._forms, fields.get("form", NATIVE))
        check_secret(form, secret)
        self.checked_fields(fields, form)

    def checked_fields(self, fields: Mapping[str, Any], form: WebhookForm) -> dict[str, Any]:
        """Turn what a caller gave into fields of Webhook, or refuse it.

        `headers` comes as a mapping and `condition` as a document; the others have their stored form.
        """
        checked = dict(fields)
        if "url" in checked:
            check_receiver_url(checked["url"], self._egress)
        if "patterns" in checked:
            checked["patterns"] = check_patterns(checked["patterns"], only=form.event_types)
        if "condition" in checked:
            checked["condition"] = check_condition(checked["condition"])
        if "headers" in checked:
            checked["headers"] = check_headers(checked["headers"])
        if "retry_schedule" in checked:
            checked["retry_schedule"] = check_schedule(checked["retry_schedule"])
        return checked

    async def set_active(self, webhook: Webhook, *, is_active: bool) -> Webhook:
        """Enable or disable; doing it again changes nothing. What a disabled one misses is held for a replay."""
        if webhook.is_active == is_active:
            return webhook
        now = self._clock.now_ms()
        if is_active:
            await self._store.hot.write(lambda tx: tx.mark_webhooks([], [webhook.id]))
        reason, disabled_at = (None, None) if is_active else (BY_REQUEST, now)
        saved = await self._change(
            webhook,
            lambda current: replace(
                current, is_active=is_active, disabled_reason=reason, disabled_at=disabled_at
            ),
        )
        self._wake_ups.lane_due(webhook.id, now)
        return replace(saved, failing_since=None) if is_active else saved

    async def rotate_secret(self, webhook: Webhook, *, overlap_hours: float) -> NewSecret:
        """Make a new secret; until the overlap is over the old one signs too."""
        secret = self.draw_secret()
        now = self._clock.now_ms()

        def rotate(current: Webhook) -> Webhook:
            secrets = rotated(current.secrets, secret, overlap_hours=overlap_hours, now_ms=now)
            return replace(current, secrets=secrets)

        return NewSecret(webhook=await self._change(webhook, rotate), secret=secret)

    async def delete(self, webhook_id: int) -> None:
        """Forget a webhook; what it still waits for is cancelled by the sweep.

        Raises:
            InvalidRequest: webhook_not_found.
        """
        if not await self._store.webhooks.delete(webhook_id, at=self._clock.now_ms()):
            raise InvalidRequest("webhook_not_found", "Webhook not found.")
        self._wake_ups.configuration_changed()
        self._wake_ups.lane_due(webhook_id, self._clock.now_ms())

    async def test_fire(self, webhook: Webhook) -> TestFired:
        """Record a `webhook.test` event and its delivery to this webhook alone; it goes the normal way.

        Raises:
            InvalidRequest: webhook_disabled.
        """
        require_active(webhook)
        now = self._clock.now_ms()
        event_id, delivery_id = self._new_id.take(2)
        event = EventRow(
            event_id,
            "webhook.test",
            webhook.line_id,
            None,
            event_id.to_bytes(16),  # asked for by a person: each one is its own fact
            now,
            None,
            webhook_test_data(webhook, now_ms=now),
        )
        shard = shard_of(webhook.id)
        delivery = DeliveryRow(delivery_id, event_id, webhook.id, shard, DeliveryState.PENDING, now)

        async def record(tx: HotTransaction) -> None:
            await tx.insert_events([event])
            await tx.insert_deliveries([delivery])

        await self._store.hot.write(record)
        self._wake_ups.deliveries_recorded(delivery_id, delivery_id)
        return TestFired(event_id=event_id, delivery_id=delivery_id)

    async def _change(self, webhook: Webhook, change: Callable[[Webhook], Webhook]) -> Webhook:
        """Save a change; if someone else (a worker that disables it) was faster, change what that one left.

        Raises:
            InvalidRequest: webhook_not_found.
        """
        while True:
            updated_at = max(self._clock.now_ms(), webhook.updated_at + 1)
            saved = replace(change(webhook), updated_at=updated_at)
            if await self._store.webhooks.save(saved, seen_at=webhook.updated_at):
                self._wake_ups.configuration_changed()
                return saved
            webhook = await self.get(webhook.id)

    def _secret(self, form: WebhookForm, brought: str | None) -> str:
        """Give the text of a new webhook's secret; empty for none."""
        if brought is not None:
            return check_secret(form, brought)
        return "" if form.is_secret_optional else self.draw_secret()


def require_active(webhook: Webhook) -> None:
    """Refuse what makes no sense for a webhook that gets nothing.

    Raises:
        InvalidRequest: webhook_disabled.
    """
    if not webhook.is_active:
        why = f" ({webhook.disabled_reason})" if webhook.disabled_reason else ""
        raise InvalidRequest("webhook_disabled", f"The webhook is disabled{why}; enable it first.")
