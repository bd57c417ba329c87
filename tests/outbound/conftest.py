"""Clients of the loopback, on both event loops."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import uvloop

from hub.outbound import NameNotResolvedError, OutboundClient, OutboundLimits
from hub.outbound.tls import client_context
from hub.rules.egress import EgressPolicy, read_allow_list
from tests.outbound.certificates import Authority
from tests.support.calling import trusting_nobody

LOOPBACK = read_allow_list(["127.0.0.0/8", "::1"])
LIMITS = OutboundLimits(deadline_tick_seconds=0.01, idle_sweep_seconds=0.01)


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run every test of this folder on both loops: they differ in TLS, errors and closing."""
    return {"asyncio": asyncio.SelectorEventLoop, "uvloop": uvloop.new_event_loop}


@dataclass
class Clock:
    """Seconds that pass only when told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Names:
    """A resolver with a table; several answers in a list are given one after the other."""

    table: dict[str, tuple[str, ...]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def addresses(self, host: str) -> tuple[str, ...]:
        """Look the name up in the table."""
        self.asked.append(host)
        if host not in self.table:
            raise NameNotResolvedError(is_ours=False, is_temporary=False)
        return self.table[host]


MakeClient = Callable[..., OutboundClient]


@pytest.fixture
async def make_client() -> AsyncIterator[MakeClient]:
    """Make clients that are closed, and have no connection left, when the test ends."""
    clients: list[OutboundClient] = []

    def make(
        policy: EgressPolicy = LOOPBACK, *, limits: dict[str, float] | None = None, **more: Any
    ) -> OutboundClient:
        tls = more.pop("tls", None) or trusting_nobody()
        bounds = replace(LIMITS, **(limits or {}))  # type: ignore[arg-type]  # passed through
        client = OutboundClient(policy, limits=bounds, tls=tls, **more)
        clients.append(client)
        return client

    yield make
    for client in clients:
        await client.aclose()
        assert client.open_connections == 0


@pytest.fixture
def client(make_client: MakeClient) -> OutboundClient:
    """A client that may call the loopback."""
    return make_client()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority that only these tests trust."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def trusting(authority: Authority) -> ssl.SSLContext:
    """A client's TLS context that trusts the tests' authority."""
    return client_context(ca_file=authority.file)
