"""The chaos test in its short form: every blow once, on both topologies. `scripts/chaos` goes on for longer."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.chaos.faults import Fault
from tests.chaos.session import apart_session, embedded_session
from tests.chaos.trial import Pace, Reckoning, run_trial
from tests.load.rig import Rig

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(180)]

Session = Callable[[Path], AbstractContextManager[tuple[Rig, list[Fault]]]]


def _assert_nothing_lost(reckoning: Reckoning) -> None:
    assert reckoning.lost == 0, reckoning
    assert reckoning.accepted == reckoning.posted, reckoning
    assert reckoning.recorded == reckoning.posted, reckoning
    assert reckoning.faults == 0, reckoning


@pytest.mark.parametrize("session", [embedded_session, apart_session], ids=["embedded", "apart"])
def test_every_accepted_event_is_delivered_whatever_dies(session: Session, tmp_path: Path) -> None:
    """And a request that was repeated because nobody answered it is one event, not two."""
    with session(tmp_path) as (rig, faults):
        reckoning = run_trial(rig, faults, Pace(rate=200, settle_seconds=1.5))

    _assert_nothing_lost(reckoning)
    for blow in reckoning.blows:
        assert blow.needless == 0 or blow.repeats_because, blow


def test_two_webs_and_two_workers_deliver_each_event_once(tmp_path: Path) -> None:
    """The topology of compose.yaml as plain processes, when nothing goes wrong."""
    with apart_session(tmp_path) as (rig, _):
        reckoning = run_trial(rig, [], Pace(rate=200, settle_seconds=2))

    _assert_nothing_lost(reckoning)
    assert reckoning.needless == 0
    assert reckoning.answers == {"202": reckoning.posted}
