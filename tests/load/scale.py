"""How much a bench does: enough for figures, or just enough to see that it works."""

from __future__ import annotations

from dataclasses import dataclass

RATES = (20, 100, 500)
TLS_HOSTS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """How much of everything."""

    runs: int
    #: Events by fan-out.
    events: dict[int, int]
    latency_seconds: float
    idle_seconds: float
    rates: tuple[float, ...]
    tls_hosts: int
    tls_events: int


FULL = Scale(
    runs=3,
    events={1: 20_000, 3: 12_000, 5: 8_000},
    latency_seconds=10.0,
    idle_seconds=10.0,
    rates=RATES,
    tls_hosts=TLS_HOSTS,
    tls_events=30,
)
QUICK = Scale(
    runs=1,
    events={1: 200, 5: 100},
    latency_seconds=1.0,
    idle_seconds=0.5,
    rates=(100,),
    tls_hosts=5,
    tls_events=4,
)
