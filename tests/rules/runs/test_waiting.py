"""What a run waits for: told by its steps, by what it knows, and by those to whom it wrote."""

from __future__ import annotations

import pytest

from tests.rules.runs.rehearsals import EVENT, NOW_MS, played, route_of

MINUTE = 60_000


WAIT = """
- id: answer
  wait_for:
    trigger: message.received
    when: { text: "yes" }
    timeout: 1h
    on_timeout:
      - use: do.safe
        with: { text: too late }
- if: "steps.answer.status == 'completed'"
  use: do.safe
  with: { text: "{{ steps.answer.output.event.text }}" }
"""


def test_what_is_waited_for_comes() -> None:
    run = played(route_of(WAIT))
    seen = run.rehearsal.go(until_ms=NOW_MS)
    assert [wait.until_ms for wait in seen.waits] == [NOW_MS + 60 * MINUTE]

    assert not run.rehearsal.tell("message.received", {**EVENT, "text": "no"})
    assert not run.rehearsal.tell("message.sent", {**EVENT, "text": "yes"})
    assert run.rehearsal.tell("message.received", {**EVENT, "text": "yes"})
    run.rehearsal.go(until_ms=NOW_MS)
    assert run.calls == [("1", {"text": "yes"})]


def test_what_is_waited_for_may_depend_on_what_the_run_knows() -> None:
    run = played(
        route_of("""
- id: paid
  wait_for:
    trigger: { source: shop, event: order.paid }
    when: { number: "{{ vars.number }}", amount: { gte: "{{ vars.amount }}" }, currency: [EUR, "{{ vars.currency }}"] }
    timeout: 1h
""", more='vars: { number: "A2", amount: 5, currency: USD }')
    )  # fmt: skip
    run.rehearsal.go(until_ms=NOW_MS)
    told = {"source": "shop", "event": "order.paid", "amount": 5, "currency": "USD"}

    assert not run.rehearsal.tell("source.received", {**told, "number": "A1"})
    assert not run.rehearsal.tell("source.received", {**told, "number": "A2", "amount": 4})
    assert run.rehearsal.tell("source.received", {**told, "number": "A2"})


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ("{{ event.number }}", "gives a map"),
        ("{{ event.missing }}", "event.missing is not there"),
        ("{{ event.list }}", "any_of cannot take []"),
        ("{{ event.number | default(omit) }}", "gives a map"),
        ("{{ event.nothing | default(omit) }}", "`when` is no map"),
    ],
)
def test_what_is_waited_for_is_never_more_than_was_meant(asked: str, reason: str) -> None:
    event = {**EVENT, "number": {"exists": True}, "list": [], "nothing": None}
    steps = f"""
- wait_for: {{ trigger: message.received, when: {{ number: "{asked}" }}, timeout: 1h }}
"""
    end = played(route_of(steps), event=event).rehearsal.go(until_ms=NOW_MS).end

    assert end is not None
    assert (end.outcome, end.error and end.error.error_class) == ("failed", "bug")
    assert reason in (end.reason or "")


ASK_BOTH = """
- foreach: event.tags
  parallel: 3
  steps:
    - use: message.send
      with: { to: "{{ item }}" }
    - id: answer
      wait_for: { trigger: message.received, timeout: 1h }
    - use: do.safe
      with: { who: "{{ item }}", text: "{{ get(steps, 'answer.output.event.text', 'none') }}" }
"""


def test_a_run_without_a_conversation_waits_for_those_to_whom_it_wrote() -> None:
    event = {"type": "manual", "id": "manual_1", "tags": ["+1 (415) 555-0123", "ann@example.com"]}
    run = played(route_of(ASK_BOTH), event=event)
    run.rehearsal.go(until_ms=NOW_MS)
    told = {"type": "message.received", "conversation_id": "cht_1", "text": "yes"}
    group = {"conversation": {"is_group": True}, "contact": {"handle": "+14155550123", "handles": []}}

    assert not run.rehearsal.tell("message.received", {**told, "contact": {"handle": "+4930123456"}})
    assert not run.rehearsal.tell("message.received", {**told, **group})
    assert run.rehearsal.tell(
        "message.received",
        {**told, "contact": {"handle": "+49301", "handles": ["+49301", "Ann@example.com"]}},
    )
    run.rehearsal.go(until_ms=NOW_MS + 61 * MINUTE)
    assert [inputs for path, inputs in run.calls if path.endswith("/2")] == [
        {"who": "ann@example.com", "text": "yes"},
        {"who": "+1 (415) 555-0123", "text": "none"},
    ]


def test_what_happens_in_no_conversation_is_waited_for_wherever_it_happens() -> None:
    run = played(
        route_of("- wait_for: { trigger: connection.resumed, timeout: 1h }"),
        event={**EVENT, "conversation_id": "cht_1"},
    )
    run.rehearsal.go(until_ms=NOW_MS)

    assert run.rehearsal.tell("connection.resumed", {"type": "connection.resumed", "id": "evt_2"})


def test_what_is_waited_for_does_not_come() -> None:
    run = played(route_of(WAIT))
    run.rehearsal.go(until_ms=NOW_MS)
    run.rehearsal.go(until_ms=NOW_MS + 60 * MINUTE)

    assert run.calls == [("0/timeout/0", {"text": "too late"})]
    assert (run.status("0"), run.status("1")) == ("timed_out", "skipped")
