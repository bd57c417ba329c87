"""The chaos test in its short form: every blow once, on both topologies. `scripts/chaos` goes on for longer."""

from collections.abc import Iterator

import pytest

from tests.chaos.faults import Fault
from tests.chaos.session import apart_session, embedded_session
from tests.chaos.trial import Pace, Reckoning, run_trial
from tests.load.rig import Rig

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(180)]

_SESSIONS = {"embedded": embedded_session, "apart": apart_session}


@pytest.fixture(scope="module", params=_SESSIONS)
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Rig, list[Fault]]]:
    """A hub of each topology; apart is web and worker twice each, PostgreSQL and Valkey, as in compose.yaml."""
    with _SESSIONS[request.param](tmp_path_factory.mktemp("chaos")) as session:
        yield session


def _assert_nothing_lost(reckoning: Reckoning) -> None:
    assert reckoning.lost == 0, reckoning
    assert reckoning.accepted == reckoning.posted, reckoning
    assert reckoning.recorded == reckoning.posted, reckoning
    assert reckoning.faults == 0, reckoning


def test_each_event_is_delivered_once_when_nothing_goes_wrong(running: tuple[Rig, list[Fault]]) -> None:
    """Also where two webs record and two workers deliver."""
    rig, _ = running

    reckoning = run_trial(rig, [], Pace(rate=200, settle_seconds=1))

    _assert_nothing_lost(reckoning)
    assert reckoning.needless == 0
    assert reckoning.answers == {"202": reckoning.posted}


def test_every_accepted_event_is_delivered_whatever_dies(running: tuple[Rig, list[Fault]]) -> None:
    """And a request that was repeated because nobody answered it is one event, not two."""
    rig, faults = running

    reckoning = run_trial(rig, faults, Pace(rate=200, settle_seconds=1))

    _assert_nothing_lost(reckoning)
    # A lane may be taken over, and its unrecorded posts repeated, when the next blow has fallen already.
    is_explained = False
    for blow in reckoning.blows:
        is_explained |= bool(blow.repeats_because)
        assert blow.needless == 0 or is_explained, blow
