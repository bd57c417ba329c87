"""A webhook is disabled once, with one event, whoever notices and whatever dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.flow.directory import DirectoryHolder, load_directory
from hub.flow.disable import DisableWebhook
from hub.flow.event_store import Event
from hub.flow.repositories import DeliveryFilter, Webhooks
from hub.model.ids import Prefix, parse_id
from hub.model.webhook import Webhook
from tests.support.hub_world import HubWorld, open_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    async with open_world(tmp_path) as opened:
        yield opened


async def disabling(world: HubWorld) -> DisableWebhook:
    """The use case as one process has it, with a directory of its own."""
    return DisableWebhook(
        store=world.store,
        directory=DirectoryHolder(world.store, await load_directory(world.store)),
        take_ids=world.new_id.take,
        wake_ups=world.wake_ups,
        clock=world.clock,
    )


async def a_webhook(world: HubWorld) -> Webhook:
    answer = await world.webhook()
    webhook = await world.store.webhooks.get(parse_id(Prefix.WEBHOOK, answer["id"]))
    assert webhook is not None
    return webhook


async def told(world: HubWorld) -> list[Event]:
    events = await world.store.events.page(first_id=0, last_id=2**62, limit=100)
    return [event for event in events if event.type == "webhook.disabled"]


async def test_it_is_disabled_and_others_are_told(world: HubWorld) -> None:
    webhook, other = await a_webhook(world), await a_webhook(world)
    await (await disabling(world))(webhook, "gone")

    saved = await world.store.webhooks.get(webhook.id)
    assert saved is not None
    assert (saved.is_active, saved.disabled_reason) == (False, "gone")
    [event] = await told(world)
    assert msgspec.json.decode(event.data)["reason"] == "gone"
    owed = await world.store.deliveries.list(DeliveryFilter(event_id=event.id), after=None, limit=9)
    assert other.id in {delivery.webhook_id for delivery in owed}


async def test_two_workers_that_notice_tell_it_once(world: HubWorld) -> None:
    webhook = await a_webhook(world)
    first, second = await disabling(world), await disabling(world)
    await asyncio.gather(*(each(webhook, "gone") for each in (first, second, first, second)))

    assert len(await told(world)) == 1


async def test_what_a_crash_cut_short_is_completed_by_the_next_failure(world: HubWorld) -> None:
    """The event is recorded, and the process dies before the webhook is off."""
    webhook = await a_webhook(world)
    use_case = await disabling(world)
    dead: Any = _Dying(world.store.webhooks)
    away = replace(world.store, webhooks=dead)
    dying = DisableWebhook(
        store=away,
        directory=world.directory,
        take_ids=world.new_id.take,
        wake_ups=world.wake_ups,
        clock=world.clock,
    )
    with pytest.raises(OSError, match="died"):
        await dying(webhook, "gone")
    world.clock.advance(60_000)
    await use_case(webhook, "gone")

    saved = await world.store.webhooks.get(webhook.id)
    assert saved is not None
    assert not saved.is_active
    assert len(await told(world)) == 1


async def test_a_webhook_that_was_changed_meanwhile_is_left_alone(world: HubWorld) -> None:
    webhook = await a_webhook(world)
    await world.store.webhooks.save(
        replace(webhook, url="https://new.example/", updated_at=webhook.updated_at + 1)
    )
    await (await disabling(world))(webhook, "gone")

    saved = await world.store.webhooks.get(webhook.id)
    assert saved is not None
    assert saved.is_active
    assert await told(world) == []


async def test_it_can_be_disabled_again_after_it_was_enabled(world: HubWorld) -> None:
    webhook = await a_webhook(world)
    use_case = await disabling(world)
    await use_case(webhook, "gone")
    world.clock.advance(1_000)
    enabled = replace(webhook, updated_at=world.clock.now_ms())
    await world.store.webhooks.save(enabled)
    await use_case(enabled, "gone")

    assert len(await told(world)) == 2


class _Dying:
    """The real webhooks, in a process that dies when it disables one."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    def __getattr__(self, name: str) -> object:
        return getattr(self._webhooks, name)

    async def disable(self, webhook_id: int, *, reason: str, at: int) -> bool:
        raise OSError("died")
