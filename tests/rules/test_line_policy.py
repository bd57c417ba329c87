"""What holds for a line: its own settings over those of the hub; and which settings contradict themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.model.line_safety import LineSafety, QuietWindow
from hub.rules.line_policy import find_problem, resolve, sandbox_defaults, zone_of
from tests.rules.policies import POLICY


def test_a_line_without_settings_takes_those_of_the_hub() -> None:
    """Null is not a value."""
    assert resolve(POLICY, LineSafety()) == POLICY


def test_a_lines_own_settings_win_and_its_words_are_added() -> None:
    """A number in France needs ARRET beside STOP, never instead of it."""
    own = LineSafety(
        stop_words=("ARRET",), new_conversations_per_day=0, warm_up_per_day=(), time_zone="Europe/Paris"
    )
    found = resolve(replace(POLICY, new_conversations_per_day=50, warm_up_per_day=(5,)), own)

    assert found.stop_words == (*POLICY.stop_words, "ARRET")
    assert (found.new_conversations_per_day, found.warm_up_per_day) == (0, ())
    assert zone_of(found).key == "Europe/Paris"


def test_the_sandbox_is_a_playground() -> None:
    """Nothing can be blocked there; what its contacts say stays there."""
    found = sandbox_defaults(replace(POLICY, consent_scope="hub", messages_per_day=9))

    assert (found.consent_scope, found.messages_per_day, found.unanswered_warning) == ("line", 0, 0)
    assert found.stop_words == POLICY.stop_words


@pytest.mark.parametrize(
    ("own", "pointer"),
    [
        (LineSafety(), None),
        (LineSafety(time_zone="Europe/Atlantis"), "time_zone"),
        (LineSafety(start_words=("stop",)), "start_words"),
        (LineSafety(help_words=("START.",)), "help_words"),
        (LineSafety(stop_words=("!!!",)), "stop_words"),
        (LineSafety(start_words=("YES", "Yes!")), None),
        (LineSafety(help_reply="Help!"), "help_reply"),
        (LineSafety(help_reply="Write STOP and we are quiet."), None),
        (LineSafety(quiet_hours=(QuietWindow(from_="08:00", to="08:00"),)), "quiet_hours[0].to"),
        (
            LineSafety(
                quiet_hours=(QuietWindow(from_="08:00", to="20:00"), QuietWindow(from_="20:00", to="08:00"))
            ),
            "quiet_hours",
        ),
    ],
)
def test_contradictions_are_named_by_their_field(own: LineSafety, pointer: str | None) -> None:
    """A person reads where, why and what to write."""
    problem = find_problem(resolve(POLICY, own))

    assert (problem.pointer if problem else None) == pointer
