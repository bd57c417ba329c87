"""Each vendor, played by a hub of ours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bridge.vendors.peer import Peer, playing
from tests.bridge.vendors.vendor_stage import VENDORS, Vendor


@pytest.fixture(params=sorted(VENDORS))
def vendor(request: pytest.FixtureRequest) -> Vendor:
    return VENDORS[request.param]


@pytest.fixture
async def peer(vendor: Vendor, tmp_path: Path) -> AsyncIterator[Peer]:
    async with playing(vendor, tmp_path / "vendor") as opened:
        yield opened
