"""How often a provider may be asked: which limits a request falls under, and the pace that keeps each of them.

A limit of N within T is kept by starts that are spread out: a fifth of N at once, the rest evenly, so that no window
of T ever has more than N.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from hub.rules.connectors.classification import span_ms
from hub.rules.connectors.model import Adapt, Limit
from hub.rules.expressions.frame import Surroundings
from hub.rules.expressions.problems import ExpressionError
from hub.rules.pacing import Pace


@dataclass(frozen=True, kw_only=True, slots=True)
class Bucket:
    """What is counted together, and its pace."""

    name: str
    pace: Pace


def buckets(
    limits: Iterable[Limit],
    *,
    connector: str,
    connection: str,
    place: str,
    values: Mapping[str, Any],
    surroundings: Surroundings,
) -> tuple[Bucket, ...]:
    """Give the buckets that a request takes from.

    Args:
        limits: Of the connector.
        connector: Its id.
        connection: Whose request it is.
        place: `METHOD /path`.
        values: What keys read.
        surroundings: The time.
    """
    found = []
    for index, limit in enumerate(limits):
        if limit.match is not None and not fnmatchcase(place, limit.match):
            continue
        owner = connector if limit.scope == "connector" else f"{connector}:{connection}"
        name = f"{owner}:{index}"
        if limit.key is not None:
            try:
                name = f"{name}:{limit.key.render(values, surroundings)}"
            except ExpressionError:
                continue  # other requests of the connector have no such input, and are not meant
        found.append(Bucket(name=name, pace=pace_of(limit.count, limit.per_ms)))
    return tuple(found)


def pace_of(count: int, per_ms: int) -> Pace:
    """Give the pace that keeps a limit in every window."""
    burst = max(1, count // 5)
    steady = max(1, count - burst) if count > 1 else 1
    rate = min(max(steady * 1000 / per_ms, 1e-6), 1e6)
    return Pace(rate_per_second=rate, burst=burst)


def rest_ms(adapt: Adapt | None, headers: Mapping[str, str], now_ms: int) -> int | None:
    """Give how long nothing should be asked, where the provider says that nothing is left."""
    if adapt is None:
        return None
    try:
        remaining = float(headers.get(adapt.remaining, ""))
    except ValueError:
        return None
    return span_ms(headers.get(adapt.reset, ""), now_ms) if remaining <= 0 else None
