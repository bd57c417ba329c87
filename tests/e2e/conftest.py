"""One hub, `hub up` in processes of its own, shared by all tests that do not stop it; and one receiver."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.receiver import Receiver
from tests.e2e.rest import Rest
from tests.e2e.running import RunningHub


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """Give the running hub; its log is at debug level."""
    running = RunningHub(tmp_path_factory.mktemp("hub"), HUB_LOG__LEVEL="debug")
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def rest(hub: RunningHub) -> Rest:
    """Give a caller with the first key."""
    return Rest(hub.port, hub.key)


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    """Give the receiver; each test takes paths of its own."""
    receiving = Receiver()
    yield receiving
    receiving.close()
