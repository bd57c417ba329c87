"""hub.flow.webhooks: two hands on one webhook at the same moment. The rest is shown over the surface (tests/api)."""

from __future__ import annotations

from hub.api.usecases import use_cases
from hub.model.ids import Prefix, parse_id
from tests.support.hub_world import HubWorld


async def test_a_change_does_not_undo_a_disabling_that_was_faster(world: HubWorld) -> None:
    registry = use_cases(world.parts).webhooks
    webhook_id = parse_id(Prefix.WEBHOOK, (await world.webhook())["id"])
    read_before = await registry.get(webhook_id)
    await world.store.webhooks.disable(webhook_id, reason="gone", at=world.clock.now_ms() + 1)

    changed = await registry.update(read_before, {"description": "shop"})

    assert (changed.description, changed.is_active, changed.disabled_reason) == ("shop", False, "gone")


async def test_a_change_leaves_since_when_it_fails(world: HubWorld) -> None:
    registry = use_cases(world.parts).webhooks
    webhook_id = parse_id(Prefix.WEBHOOK, (await world.webhook())["id"])
    read_before = await registry.get(webhook_id)
    await world.store.hot.write(lambda tx: tx.mark_webhooks([(webhook_id, 5)], []))

    await registry.update(read_before, {"description": "shop"})

    assert (await registry.get(webhook_id)).failing_since == 5


async def test_enabling_forgets_since_when_it_failed(world: HubWorld) -> None:
    registry = use_cases(world.parts).webhooks
    webhook_id = parse_id(Prefix.WEBHOOK, (await world.webhook())["id"])
    await world.store.hot.write(lambda tx: tx.mark_webhooks([(webhook_id, 5)], []))
    await world.store.webhooks.disable(webhook_id, reason="gone", at=world.clock.now_ms() + 1)

    await registry.set_active(await registry.get(webhook_id), is_active=True)

    enabled = await registry.get(webhook_id)
    assert (enabled.is_active, enabled.failing_since, enabled.disabled_at) == (True, None, None)


async def test_a_list_tells_since_when_webhooks_fail(world: HubWorld) -> None:
    """A worker notes it without raising the revision."""
    registry = use_cases(world.parts).webhooks
    webhook_id = parse_id(Prefix.WEBHOOK, (await world.webhook())["id"])
    await registry.all()
    await world.store.hot.write(lambda tx: tx.mark_webhooks([(webhook_id, 5)], []))

    assert [each.failing_since for each in await registry.all()] == [5]
