"""What a run does next, verb by verb: rehearsed with actions that answer as told, by a clock that jumps."""

from __future__ import annotations

import pytest

from hub.model.actions import ActionFailed
from tests.rules.runs.rehearsals import EVENT, NOW_MS, played, route_of

MINUTE = 60_000


def test_steps_follow_one_another_and_know_what_was_before() -> None:
    run = played(
        route_of("""
- id: first
  use: do.safe
  with: { to: "{{ event.from }}" }
- use: do.unsafe
  with: { text: "{{ steps.first.output.got.to }} {{ steps.first.status }}" }
""")
    )
    seen = run.rehearsal.go()

    assert seen.end is not None
    assert seen.end.outcome == "completed"
    assert run.calls == [("0", {"to": "+14155550123"}), ("1", {"text": "+14155550123 completed"})]


def test_a_step_whose_if_does_not_hold_is_skipped_and_has_no_output() -> None:
    run = played(
        route_of("""
- id: first
  if: "event.text == 'Bye'"
  use: do.safe
- use: do.safe
  with: { status: "{{ steps.first.status }}" }
- use: do.safe
  with: { id: "{{ steps.first.output }}" }
""")
    )
    end = run.rehearsal.go().end

    assert run.calls == [("1", {"status": "skipped"})]
    assert end is not None
    assert (end.outcome, end.error.error_class if end.error else None) == ("failed", "bug")


def test_vars_are_worked_out_once_and_set_changes_them() -> None:
    run = played(
        route_of(
            """
- use: do.safe
  with: { who: "{{ vars.who }}", all: "{{ vars.all }}" }
- set: { who: you }
- use: do.safe
  with: { who: "{{ vars.who }}" }
""",
            more='vars: { who: me, all: "{{ vars.who }} and others" }',
        )
    )
    run.rehearsal.go()

    assert [inputs for _, inputs in run.calls] == [{"who": "me", "all": "me and others"}, {"who": "you"}]


def test_a_delay_holds_nothing_and_ends_at_its_time() -> None:
    run = played(route_of("- delay: 10m\n- use: do.safe"))
    waiting = run.rehearsal.go(until_ms=NOW_MS + 9 * MINUTE)
    assert (waiting.wake_at, run.calls) == (NOW_MS + 10 * MINUTE, [])

    run.rehearsal.go(until_ms=NOW_MS + 10 * MINUTE)
    assert len(run.calls) == 1


@pytest.mark.parametrize(
    ("until", "minutes"),
    [
        ("{{ now() + 60000 }}", 1),
        ("2026-08-04T22:15:00Z", 5),
        ("2026-08-05T00:12:00", 2),  # by the route's own clock
        ("2026-08-04T20:00:00Z", 0),  # has passed
    ],
)
def test_a_delay_until_an_instant(until: str, minutes: int) -> None:
    run = played(route_of(f'- delay: {{ until: "{until}" }}\n- use: do.safe', more="timezone: Europe/Berlin"))
    run.rehearsal.go()

    assert run.rehearsal.now_ms == NOW_MS + minutes * MINUTE
    assert len(run.calls) == 1


def test_a_delay_until_what_is_no_instant_fails_and_says_so() -> None:
    end = played(route_of('- delay: { until: "tomorrow" }')).rehearsal.go().end

    assert end is not None
    assert "'tomorrow' is no instant" in (end.reason or "")


def test_the_first_case_that_holds() -> None:
    run = played(
        route_of("""
- switch:
    - if: "event.text == 'Bye'"
      steps: [{ use: do.safe, with: { n: 1 } }]
    - if: "event.text == 'Hello'"
      steps: [{ use: do.safe, with: { n: 2 } }]
    - else: true
      steps: [{ use: do.safe, with: { n: 3 } }]
""")
    )
    run.rehearsal.go()

    assert run.calls == [("0/case.1/0", {"n": 2})]


def test_each_item_has_names_of_its_own() -> None:
    run = played(
        route_of("""
- foreach: event.tags
  as: tag
  steps:
    - set: { last: "{{ tag }}" }
    - id: told
      use: do.safe
      with: { tag: "{{ tag }}", last: "{{ vars.last }}", place: "{{ index }}" }
- use: do.safe
  with: { known: "{{ get(steps, 'told', 'no') }}", last: "{{ get(vars, 'last', 'no') }}" }
""")
    )
    run.rehearsal.go()

    assert run.calls == [
        *[(f"0/item.{n}/1", {"tag": tag, "last": tag, "place": n}) for n, tag in enumerate("abc")],
        ("1", {"known": "no", "last": "no"}),
    ]


def test_a_list_that_is_too_long_is_cut_off_with_a_reason() -> None:
    end = (
        played(route_of("- foreach: event.tags\n  limit: 2\n  steps: [{ use: do.safe }]")).rehearsal.go().end
    )

    assert end is not None
    assert end.error is not None
    assert (end.error.error_class, "`limit` is 2" in end.error.message) == ("budget", True)


def test_so_many_items_at_once() -> None:
    run = played(route_of("- foreach: event.tags\n  parallel: 2\n  steps: [{ delay: 1m }, { use: do.safe }]"))
    run.rehearsal.go(until_ms=NOW_MS)
    assert {path for path in run.rehearsal.results if path.endswith("/0")} == {"0/item.0/0", "0/item.1/0"}

    run.rehearsal.go(until_ms=NOW_MS + MINUTE)
    assert [path for path, _ in run.calls] == ["0/item.0/1", "0/item.1/1"]
    run.rehearsal.go(until_ms=NOW_MS + 2 * MINUTE)
    assert [path for path, _ in run.calls] == ["0/item.0/1", "0/item.1/1", "0/item.2/1"]


def test_an_item_that_fails_ends_those_that_follow() -> None:
    run = played(
        route_of("- foreach: event.tags\n  steps: [{ use: do.safe }]"),
        answers={"0/item.1/0": [ActionFailed("invalid", "No such tag")]},
    )
    end = run.rehearsal.go().end

    assert [path for path, _ in run.calls] == ["0/item.0/0", "0/item.1/0"]
    assert end is not None
    assert (end.reason, end.failed_path) == ("No such tag", "0/item.1/0")


def test_parallel_steps_do_not_wait_for_one_another() -> None:
    run = played(route_of("- parallel:\n    - delay: 1m\n    - use: do.safe\n- use: do.safe"))
    run.rehearsal.go(until_ms=NOW_MS)
    assert [path for path, _ in run.calls] == ["0/1"]

    run.rehearsal.go(until_ms=NOW_MS + MINUTE)
    assert [path for path, _ in run.calls] == ["0/1", "1"]


def test_when_one_of_parallel_steps_fails_the_others_are_let_end() -> None:
    run = played(
        route_of("- parallel:\n    - use: do.safe\n    - delay: 1m\n- use: do.safe"),
        answers={"0/0": [ActionFailed("invalid", "No")]},
    )
    assert run.rehearsal.go(until_ms=NOW_MS).end is None
    end = run.rehearsal.go(until_ms=NOW_MS + MINUTE).end

    assert end is not None
    assert (end.outcome, run.status("0/1")) == ("failed", "completed")


CALLING = (
    route_of("- id: called\n  call: { route: other, with: { who: you } }\n- use: do.safe\n"
             '  with: { got: "{{ steps.called.output.vars.greeting }}" }')
    + """  - id: other
    trigger: { manual: true }
    vars: { greeting: "Hello {{ vars.who }}" }
    steps:
      - use: do.safe
        with: { text: "{{ vars.greeting }}", by: "{{ route.id }}" }
"""
)  # fmt: skip


def test_a_route_calls_another_with_values_and_gets_its_own_back() -> None:
    run = played(CALLING)
    run.rehearsal.go()

    assert run.calls == [("0/call/0", {"text": "Hello you", "by": "other"}), ("1", {"got": "Hello you"})]


def test_what_fails_in_a_route_that_was_called_fails_the_caller() -> None:
    end = played(CALLING, answers={"0/call/0": [ActionFailed("invalid", "No")]}).rehearsal.go().end

    assert end is not None
    assert (end.outcome, end.failed_path) == ("failed", "0/call/0")


def test_routes_that_call_themselves_are_cut_off() -> None:
    run = played(route_of("- call: { route: main }"))
    end = run.rehearsal.go().end

    assert end is not None
    assert end.reason == "routes call one another more than 5 deep"


def test_a_route_that_is_not_there_cannot_be_called() -> None:
    end = played(route_of("- call: { route: nobody }")).rehearsal.go().end

    assert end is not None
    assert end.reason == "no route nobody runs here: write one, or enable it"


@pytest.mark.parametrize(
    ("stop", "outcome", "reason"),
    [
        ("- stop: enough", "completed", "enough"),
        ('- stop: { as: failed, reason: "not {{ event.text }}" }', "failed", "not Hello"),
    ],
)
def test_a_stop_ends_the_run(stop: str, outcome: str, reason: str) -> None:
    run = played(route_of(f"{stop}\n- use: do.safe"))
    end = run.rehearsal.go().end

    assert end is not None
    assert (end.outcome, end.reason, run.calls) == (outcome, reason, [])


# ---- people


QUIET = 'quiet_hours: {{ from: "21:00", to: "08:00", timezone: {zone}, then: {then} }}'


@pytest.mark.parametrize(
    ("zone", "contact", "hours"),
    [
        ("Europe/Berlin", None, 8),  # 00:10 there: until 08:00, ten minutes less
        ("America/New_York", None, 0),  # 18:10
        ("contact", "Europe/Berlin", 8),
        ("contact", "Asia/Tokyo", 1),  # 07:10
        ("contact", None, 10),  # nobody knows: by the route's clock, UTC
    ],
)
def test_people_are_left_alone_in_quiet_hours_and_other_systems_are_not(
    zone: str, contact: str | None, hours: int
) -> None:
    run = played(
        route_of("- use: do.safe\n- use: do.tell", more=QUIET.format(zone=zone, then="wait")),
        contact_timezone=contact,
    )
    run.rehearsal.go(until_ms=NOW_MS)
    assert len(run.calls) == (1 if hours else 2)

    run.rehearsal.go()
    assert run.rehearsal.now_ms - NOW_MS == (hours * 60 - (10 if hours else 0)) * MINUTE
    assert len(run.calls) == 2


@pytest.mark.parametrize(
    ("to", "hours"),
    [
        ("+819012345678", 1),  # 07:10 in Tokyo, whatever the clock of the event's contact says
        ("+14155550123", 8),  # the event's contact
        ("ann@example.com", 8),  # tells no zone
        ("cht_1", 8),
    ],
)
def test_the_contacts_clock_is_that_of_whom_is_written_to(to: str, hours: int) -> None:
    event = {**EVENT, "contact": {"handle": "+14155550123", "handles": []}}
    run = played(
        route_of(f'- use: do.tell\n  with: {{ to: "{to}" }}', more=QUIET.format(zone="contact", then="wait")),
        event=event,
        contact_timezone="Europe/Berlin",
    )
    run.rehearsal.go()

    assert run.rehearsal.now_ms - NOW_MS == (hours * 60 - 10) * MINUTE


def test_quiet_hours_can_skip_and_can_be_ignored() -> None:
    run = played(
        route_of(
            "- use: do.tell\n- use: do.tell\n  ignore: [quiet_hours]",
            more=QUIET.format(zone="Europe/Berlin", then="skip"),
        )
    )
    run.rehearsal.go()

    assert [path for path, _ in run.calls] == ["1"]


def test_a_shadow_renders_everything_and_does_nothing() -> None:
    run = played(route_of('- use: do.unsafe\n  with: { to: "{{ event.from }}" }'), is_shadow=True)
    end = run.rehearsal.go().end

    assert run.calls == []
    assert run.rehearsal.results["0"].inputs == {"to": "+14155550123"}
    assert run.rehearsal.results["0"].output == {"id": "sample"}
    assert end is not None
    assert end.outcome == "completed"
