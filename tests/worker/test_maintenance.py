"""What a worker does seldom, on a real store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hub.flow.disable import DisableWebhook
from hub.flow.file_cleanup import FileCleanup
from hub.flow.routing.book import RouteBook
from hub.flow.routing.forgetting import RunForgetting
from hub.observe.metrics import Metrics
from hub.worker.maintenance import Maintenance
from tests.support.hub_world import HubWorld, open_world
from tests.support.route_world import RouteWorld

WEEK_MS = 7 * 86_400_000


async def _nothing() -> None:
    """Another duty that has nothing to do."""


def maintenance(
    world: HubWorld, metrics: Metrics | None = None, keep_ms: Mapping[str, int] | None = None
) -> Maintenance:
    return Maintenance(
        store=world.store,
        clock=world.clock,
        keep_ms=keep_ms or {},
        run_job=_nothing,
        clean_files=FileCleanup(
            store=world.store, blobs=world.parts.files.blobs, clock=world.clock, unused_ms=WEEK_MS
        ).run,
        forget_runs=RunForgetting(
            store=world.store,
            book=RouteBook(world.store.routes),
            clock=world.clock,
            payload_ms=WEEK_MS,
            log_ms=WEEK_MS,
            events_ms=WEEK_MS,
        ),
        directory=world.directory,
        disable=DisableWebhook(
            store=world.store,
            directory=world.directory,
            take_ids=world.new_id.take,
            wake_ups=world.wake_ups,
            clock=world.clock,
        ),
        metrics=metrics or Metrics(),
    )


def value_of(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


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
    metrics = Metrics()
    told = []
    async with open_world(tmp_path) as world:
        duties = maintenance(world, metrics)
        for content in (b"seven b", b"seven b", b"more"):  # the same bytes are stored once
            made = await world.api.post("/v1/files", content, headers={"Content-Type": "text/plain"})
            assert made.status == 201
            await duties.measure_files()
            told.append([value_of(metrics, f"hub_stored_{what}") for what in ("files", "bytes")])

    assert told == [[1, 7], [1, 7], [2, 11]]


async def test_what_retention_deletes_is_counted_by_table(tmp_path: Path) -> None:
    metrics = Metrics()
    async with open_world(tmp_path) as world:
        duties = maintenance(world, metrics, {"messages": 1_000, "reactions": 1_000})
        await world.say("one")
        await world.say("two")
        world.clock.advance(5_000)
        await world.say("three")
        before = value_of(metrics, "hub_retention_last_success_timestamp_seconds")
        await duties.expire()
        await duties.expire()
        counts = {
            table: value_of(metrics, "hub_expired_rows_total", table=table)
            for table in ("messages", "reactions")
        }
        ended_at = value_of(metrics, "hub_retention_last_success_timestamp_seconds")

        assert counts == {"messages": 2, "reactions": 0}
        assert value_of(metrics, "hub_retention_seconds_count") == 2
        assert (before, ended_at) == (0, world.clock.now_ms() / 1000)


async def test_files_that_are_removed_are_counted(tmp_path: Path) -> None:
    metrics = Metrics()
    async with open_world(tmp_path) as world:
        for content in (b"one", b"two"):
            await world.api.post("/v1/files", content, headers={"Content-Type": "text/plain"})
        world.clock.advance(WEEK_MS + 1)
        await maintenance(world, metrics).clean_files()
        kinds = ("uses", "files", "blobs", "strays", "drafts")
        counts = {what: value_of(metrics, "hub_cleaned_total", what=what) for what in kinds}

    assert counts == {"uses": 0, "files": 2, "blobs": 2, "strays": 0, "drafts": 0}


async def test_a_sweep_that_fails_is_not_told_as_done(tmp_path: Path) -> None:
    """What it deleted before that is."""
    metrics = Metrics()
    async with open_world(tmp_path) as world:
        await world.say("one")
        world.clock.advance(5_000)
        with pytest.raises(KeyError):
            await maintenance(world, metrics, {"messages": 1_000, "no_such_table": 1_000}).expire()

    assert value_of(metrics, "hub_expired_rows_total", table="messages") == 1
    assert value_of(metrics, "hub_retention_seconds_count") == 0
    assert value_of(metrics, "hub_retention_last_success_timestamp_seconds") == 0


async def test_runs_that_are_not_over_are_measured(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        metrics, routes = Metrics(), RouteWorld(world)
        await routes.install(
            "version: 1\nroutes: [{ id: a, trigger: message.received, steps: [{ delay: 1h }] }]\n"
        )
        await world.say("one")
        await world.say("two")
        await routes.work()
        await maintenance(world, metrics).measure_runs()

        assert value_of(metrics, "hub_runs_unfinished", state="active") == 1
        assert value_of(metrics, "hub_runs_unfinished", state="parked") == 1
