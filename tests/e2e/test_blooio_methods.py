"""All methods of the official client `blooio`, found in it and not listed here, against a running hub.

A method without a case fails; a case that does not call its method fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import attrgetter
from typing import Any, Final

import pytest
from blooio import Blooio
from blooio._resource import SyncAPIResource

from tests.e2e.blooio_methods import CHATS, Method, Stage
from tests.e2e.blooio_people import PEOPLE
from tests.e2e.receiver import Receiver
from tests.e2e.rest import Rest
from tests.e2e.running import RunningHub

pytestmark = pytest.mark.slow


def methods(thing: Any, path: str = "") -> Iterator[str]:
    """Find what of a client, or of a part of it, asks the API."""
    for name in dir(type(thing)):
        if name.startswith(("_", "with_")):
            continue
        value = getattr(thing, name)
        if isinstance(value, SyncAPIResource):
            yield from methods(value, f"{path}{name}.")
        elif isinstance(thing, SyncAPIResource) and callable(value):
            yield path + name


CASES: Final = {**CHATS, **PEOPLE}
METHODS: Final = sorted(methods(Blooio(api_key="none", base_url="http://127.0.0.1:9")))


@pytest.fixture(scope="module")
def stage(hub: RunningHub, rest: Rest, receiver: Receiver) -> Iterator[Stage]:
    """The client as a customer makes it, but for the address and its patience."""
    made = hub.command("keys", "create", "--name", "sdk", "--dialect", "blooio")
    key = re.search(r"bl_live_[0-9A-Za-z]{32}", made)
    assert key is not None, made
    with Blooio(base_url=f"http://127.0.0.1:{hub.port}/v2/api", api_key=key[0], max_retries=0) as client:
        yield Stage(client, rest, receiver)


def test_the_client_has_the_methods_of_the_contract() -> None:
    assert len(METHODS) == 54
    assert sorted(CASES) == METHODS


@pytest.mark.parametrize("name", METHODS)
def test_each_method_works(stage: Stage, name: str) -> None:
    called: list[str] = []

    def counting(method: Method) -> Method:
        def call(*args: Any, **more: Any) -> Any:
            called.append(name)
            return method(*args, **more)

        return call

    CASES[name](stage, counting(attrgetter(name)(stage.client)))

    assert called
