"""What a worker does seldom, on a real store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub.flow.disable import DisableWebhook
from hub.worker.maintenance import Maintenance
from tests.support.hub_world import HubWorld, open_world


async def _nothing() -> None:
    """Another duty that has nothing to do."""


def maintenance(world: HubWorld, told: list[int] | None = None) -> Maintenance:
    told = [] if told is None else told
    return Maintenance(
        store=world.store,
        clock=world.clock,
        keep_ms={},
        run_job=_nothing,
        clean_files=_nothing,
        tell_stored_bytes=told.append,
        directory=world.directory,
        disable=DisableWebhook(
            store=world.store,
            directory=world.directory,
            take_ids=world.new_id.take,
            wake_ups=world.wake_ups,
            clock=world.clock,
        ),
    )


async def shown(world: HubWorld, webhook: dict[str, Any]) -> dict[str, Any]:
    answered: dict[str, Any] = (await world.api.get(f"/v1/webhooks/{webhook['id']}")).json
    return answered


async def test_a_webhook_ends_when_its_owner_said(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        end = world.clock.now_ms() + 60_000
        ending = await world.webhook(expires_at=end)
        lasting = await world.webhook(url="https://receiver.example/lasting")
        await world.directory.refresh()
        world.clock.advance(59_999)

        await maintenance(world).end_expired()
        assert (await shown(world, ending))["is_active"]

        world.clock.advance(1)
        await maintenance(world).end_expired()

        ended = await shown(world, ending)
        assert not ended["is_active"]
        assert ended["disabled_reason"] == "expired: its owner's `expires_at` has passed"
        assert (await shown(world, lasting))["is_active"]


async def test_a_webhook_that_was_given_more_time_goes_on(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        webhook = await world.webhook(expires_at=world.clock.now_ms() + 1)
        changed = await world.api.patch(f"/v1/webhooks/{webhook['id']}", {"expires_at": None})
        assert changed.status == 200
        await world.directory.refresh()
        world.clock.advance(10)

        await maintenance(world).end_expired()

        assert (await shown(world, webhook))["is_active"]


async def test_what_is_stored_is_told(tmp_path: Path) -> None:
    told: list[int] = []
    async with open_world(tmp_path) as world:
        duties = maintenance(world, told)
        await duties.measure_files()
        for _ in range(2):  # the same bytes are stored once
            made = await world.api.post("/v1/files", b"seven b", headers={"Content-Type": "text/plain"})
            assert made.status == 201
        await duties.measure_files()

    assert told == [0, 7]
