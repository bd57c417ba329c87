"""The worker of the first shard looks after connections, and shows in the metrics how they stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from structlog.testing import capture_logs

from hub.flow.connection_states import ConnectionStanding
from hub.observe.metrics import Metrics
from hub.worker.connection_rounds import ConnectionRounds


def standing(name: str, state: str = "ok", *, works: bool | None = True) -> ConnectionStanding:
    return ConnectionStanding(
        name=name,
        connector="acme",
        auth="key",
        state=state,  # type: ignore[arg-type]  # one of its words
        reason=None,
        paused_at=None,
        tested_at=None,
        works=works,
        told=None,
    )


class Watch:
    """Says what it is told to say."""

    def __init__(self, *found: ConnectionStanding) -> None:
        self.found: Sequence[ConnectionStanding] | Exception = found
        self.has_rested = False

    async def go_round(self, is_ours: Callable[[], bool]) -> Sequence[ConnectionStanding]:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found if is_ours() else ()

    def rest(self) -> None:
        self.has_rested = True


def shown(metrics: Metrics) -> dict[str, float]:
    (family,) = metrics.connection_works.collect()
    return {sample.labels["connection"]: sample.value for sample in family.samples}


async def test_what_works_and_what_does_not_is_in_the_metrics() -> None:
    metrics = Metrics()
    watch = Watch(
        standing("works"),
        standing("fails", "failing", works=False),
        standing("paused", "paused", works=None),
        standing("untested", works=None),
    )
    rounds = ConnectionRounds(watch, metrics=metrics)
    rounds.own([0, 7])
    await rounds.go_round()
    assert shown(metrics) == {"works": 1, "fails": 0, "paused": 0}

    watch.found = [standing("works")]
    await rounds.go_round()
    assert shown(metrics) == {"works": 1}


async def test_a_worker_that_lost_the_first_shard_shows_nothing_and_rests() -> None:
    metrics, watch = Metrics(), Watch(standing("works"))
    rounds = ConnectionRounds(watch, metrics=metrics)
    rounds.own([0])
    await rounds.go_round()
    rounds.own([7])

    assert shown(metrics) == {}
    assert watch.has_rested


async def test_a_round_that_fails_is_told_and_not_the_last() -> None:
    watch = Watch()
    rounds = ConnectionRounds(watch, metrics=Metrics())
    rounds.own([0])
    watch.found = OSError("no database")
    with capture_logs() as lines:
        await rounds.go_round()
    watch.found = [standing("works")]
    await rounds.go_round()

    assert [each["event"] for each in lines] == ["connections.unwatched"]
