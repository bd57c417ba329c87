"""Each vendor, played by a hub of ours: one for all tests of a file, which goes back to its beginning after each."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.bridge.vendors.bridged import Bridged, between_tests, bridged
from tests.bridge.vendors.peer import Peer, playing
from tests.bridge.vendors.vendor_stage import VENDORS, Vendor
from tests.support.rewinding import Moment


@pytest.fixture(scope="module", params=sorted(VENDORS))
def vendor(request: pytest.FixtureRequest) -> Vendor:
    return VENDORS[request.param]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played(
    vendor: Vendor, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Peer, Moment]]:
    place = tmp_path_factory.mktemp("vendor")
    async with playing(vendor, place) as opened:
        yield opened, Moment(place)


@pytest_asyncio.fixture(loop_scope="module")
async def peer(played: tuple[Peer, Moment]) -> AsyncIterator[Peer]:
    opened, moment = played
    yield opened
    opened.forget()
    moment.restore()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(
    played: tuple[Peer, Moment], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Bridged, Moment]]:
    place = tmp_path_factory.mktemp("hub")
    async with bridged(played[0], place) as opened:
        yield opened, Moment(place)


@pytest_asyncio.fixture(loop_scope="module")
async def both(peer: Peer, hub: tuple[Bridged, Moment]) -> AsyncIterator[Bridged]:
    opened, moment = hub
    yield await between_tests(opened)
    moment.restore()
