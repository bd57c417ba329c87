"""A hub on PostgreSQL takes in what one on SQLite does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from hub.store import migration
from tests.moving.conftest import Mover, Vendor
from tests.moving.test_vendors import test_contacts_lists_and_webhooks_of_coop as of_coop
from tests.support.calling import local_client
from tests.support.hub_world import open_world
from tests.support.postgres import running_postgres


@pytest.fixture
def url() -> Iterator[str]:
    """The URL of a migrated database on a server of our own."""
    with running_postgres() as server:
        made = server.create_database("hub_moving")
        with ThreadPoolExecutor(1) as thread:  # the fixture may be made from within a running loop
            thread.submit(asyncio.run, migration.migrate(made)).result()
        yield made


@pytest.mark.slow
async def test_contacts_lists_and_webhooks(url: str, vendor: Vendor) -> None:
    client = local_client()
    async with open_world(url) as world:
        await of_coop(vendor, Mover(world, client))
    await client.aclose()
