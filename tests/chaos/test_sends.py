"""kill -9 of each part of a hub, with sends at every step: each is made once, or ends as `delivery_unknown`.

Nobody's answer is believed but the network's own count. `scripts/chaos-sends` goes on for longer, and kills more.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.send_round import TWIN, Fate, Reckoning, Round
from tests.chaos.send_stage import Stage, apart_stage, embedded_stage

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(300)]

SENT, NEVER_SENT = Fate(end="sent", arrived=1), Fate(end="delivery_unknown", arrived=0)
#: The network has it, and did not say so in time: a hub under load may have less patience than it takes.
IN_DOUBT = Fate(end="delivery_unknown", arrived=1)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with embedded_stage(tmp_path_factory.mktemp("sends")) as stage:
        yield stage


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with apart_stage(tmp_path_factory.mktemp("sends")) as stage:
        yield stage


@pytest.mark.parametrize("name", ["agent", "valkey", "web", "worker"])
def test_who_dies_in_a_hub_makes_no_send_twice_and_loses_none(embedded: Stage, name: str) -> None:
    check(Round(stage=embedded, blow=embedded.blows[name]).play(), name)


@pytest.mark.parametrize("name", ["postgres", "lease"])
def test_a_database_that_dies_or_a_lease_that_ends_makes_no_send_twice_and_loses_none(
    apart: Stage, name: str
) -> None:
    """PostgreSQL's first process is killed, and starts again on what is on the disk; a worker stands still, another
    one takes its lines over, and the first goes on.
    """
    check(Round(stage=apart, blow=apart.blows[name]).play(), name)


def check(reckoning: Reckoning, name: str) -> None:
    """Hold a round to what is promised."""
    unlike = {step: fate for step, fate in reckoning.fates.items() if fate not in allowed(step, name)}

    assert unlike == {}
    assert set(reckoning.heard.values()) == {(1, 1)}, reckoning.heard
    assert (reckoning.doubled, reckoning.untold) == ([], [])


def allowed(step: str, name: str) -> set[Fate]:
    """Say what may become of a send that stood at a step when somebody was killed."""
    if step in {"twilio, lost", f"twilio, {TWIN}"}:
        return {NEVER_SENT}
    if step == "agent, lost" and name in {"agent", "power"}:
        return {NEVER_SENT}
    return {SENT, IN_DOUBT} if step in MAY_BE_IN_DOUBT else {SENT}


#: Held by their network beyond the blow: what is looked up meanwhile may be given up.
MAY_BE_IN_DOUBT = {"twilio, late", "agent, lost", "agent, taken", "agent, unrecorded", "agent, cut"}
