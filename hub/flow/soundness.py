"""Of what bridges inside the hub tell, keep what can be taken in; the rest is told of and passed over.

It would be the same on the next try, and would stop a feed for ever (decision 31). Bridges that push are answered with
the reason instead (hub.api.bridge_events). Not here: keeping it for the operator (hub.flow.refused).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog

from hub.model.observation import Observation
from hub.rules.refusals import Refusal, validate

log = structlog.get_logger("bridges")


def sound(
    observations: Iterable[Observation],
    *,
    bridge_id: int,
    now_ms: int,
    on_refused: Callable[[Observation, Refusal], None],
) -> tuple[Observation, ...]:
    """Give those that can be taken in, in order.

    Args:
        observations: As the adapter or its hooks made them.
        bridge_id: Whose they are, for the log.
        now_ms: Unix ms.
        on_refused: Told of each of the others, and why.
    """
    kept: list[Observation] = []
    for each in observations:
        wrong = validate(each, now_ms=now_ms)
        if wrong is None:
            kept.append(each)
            continue
        log.warning(
            "observation.refused",
            bridge_id=bridge_id,
            kind=each.kind,
            path=wrong.path,
            reason=wrong.why,
            raw_ref=each.raw_ref,
        )
        on_refused(each, wrong)
    return tuple(kept)
