"""hub try: what is shown of a route and an event; nothing is sent, and no secret is read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.actions.registry import BUILT_INS
from hub.config.connectors import shipped_manifests
from hub.connectors.catalogue import catalogue
from hub.rules.routes.literals import input_schema_of
from tests.cli.conftest import Command

ROUTES = """\
version: 1
routes:
  - id: lead
    trigger: message.received
    when: { direction: inbound, contact.tags: { none_of: [customer] } }
    if: "event.text | length > 3"
    vars: { who: "{{ event.contact.first_name | default('somebody') }}" }
    steps:
      - id: contact
        use: hubspot.upsert_contact
        with: { phone: "{{ event.from }}" }
      - switch:
          - if: "vars.who == 'Ada'"
            steps:
              - use: message.reply
                with: { text: "Hello {{ vars.who }}" }
      - delay: 20s
      - use: log
        with: { message: "{{ steps.contact.output.id }}" }
  - id: waits
    trigger: { manual: true }
    steps:
      - wait_for: { trigger: message.received, timeout: 1h }
"""
LEAD = """\
route lead
  trigger  ok  message.received
  when     ok  direction: "inbound"   it is "inbound"
  when     ok  contact.tags: none_of ["customer"]   it is []
  if       ok  event.text | length > 3   event.text is "Do you ship to Oregon?"
  it starts
  vars     who: "Ada"
  0  hubspot.upsert_contact (contact)  completed
      phone: "+14155550123"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "routes.yaml"
    path.write_text(ROUTES)
    return path


def test_conditions_steps_and_requests_are_shown(file: Path, hub: Command) -> None:
    ended = hub("try", str(file), "--route", "lead")

    assert ended.code == 0
    assert ended.out.startswith(LEAD)
    rows = ended.out.splitlines()
    assert any(row.startswith("      would: POST https://api.hubapi.com/crm/") for row in rows)
    assert '      would: message.reply to +14155550123: "Hello Ada"' in rows
    assert "  1  switch  case 1" in rows
    assert "  2  delay  completed until 2026-08-04 15:00:20 UTC" in rows
    assert rows[-2] == "  the run is completed"


def test_a_route_that_would_not_start_says_why_and_is_shown_anyway(file: Path, hub: Command) -> None:
    arguments = ("try", str(file), "--route", "lead", "--set", 'contact.tags=["customer"]')

    short, whole = hub(*arguments).out, hub(*arguments, "--anyway").out

    assert '  when     no  contact.tags: none_of ["customer"]   it is ["customer"]\n' in short
    assert "  if       --  event.text" in short
    assert "it does not start: contact.tags is" in short
    assert "hubspot" not in short
    assert whole.startswith(short.rstrip())
    assert "the run is completed" in whole


def test_an_event_comes_from_a_file_as_the_hub_tells_it(file: Path, hub: Command, tmp_path: Path) -> None:
    from hub.rules.fixtures.events import DATA

    event = tmp_path / "event.json"
    for written in (
        {"id": "evt_7", "type": "message.received", "data": {**DATA["message.received"], "text": "Good day"}},
        {"fixture": "message.received", "text": "Good day"},
        {
            "type": "message.received",
            "direction": "inbound",
            "text": "Good day",
            "contact": {"tags": []},
            "from": "+1",
        },
    ):
        event.write_text(json.dumps(written))
        ended = hub("try", str(file), "--route", "lead", "--event", str(event))
        assert 'event.text is "Good day"' in ended.out
        assert "  it starts" in ended.out


def test_all_routes_are_tried_on_what_starts_them(file: Path, hub: Command) -> None:
    ended = hub("try", str(file))

    assert "route lead\n  trigger  ok  message.received" in ended.out
    assert "route waits\n  trigger  ok  manual" in ended.out
    assert "  0  wait_for  waiting until 2026-08-04 16:00:00 UTC\n  the run waits here" in ended.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--route", "leed"], "has no route leed; it has lead, waits."),
        (
            ["--event", "message.recieved"],
            "there is no fixture 'message.recieved', and no file of that name.",
        ),
        (
            ["--set", "txt=a", "--event", "message.received"],
            "message.received has no txt. Did you mean text.",
        ),
        (["--set", "text"], "--set takes PATH=VALUE"),
        (["--now", "tomorrow"], "does not match the format"),
    ],
)
def test_a_slip_is_told(arguments: list[str], told: str, file: Path, hub: Command) -> None:
    ended = hub("try", str(file), *arguments)

    assert told in ended.err
    assert ended.code in {1, 2}


@pytest.mark.parametrize("text", ["nonsense", "[1]", "{}"])
def test_a_file_that_holds_no_event_is_told(text: str, file: Path, hub: Command, tmp_path: Path) -> None:
    (tmp_path / "e.json").write_text(text)

    ended = hub("try", str(file), "--event", str(tmp_path / "e.json"))

    assert str(tmp_path / "e.json") in ended.err
    assert ended.code == 1


def test_a_file_with_problems_is_not_tried(hub: Command, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("version: 1\nroutes:\n  - id: a\n")

    ended = hub("try", str(tmp_path / "a.yaml"))

    assert "a route needs `trigger`" in ended.err
    assert ended.code == 1


def test_secrets_are_not_read_and_not_shown(file: Path, hub: Command, tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(
        "version: 1\nconnections:\n  crm: { connector: hubspot, auth: { private_app: { token: { env: CRM } } } }\n"
    )

    ended = hub(
        "try", str(file), HUB_CONNECTIONS_FILE=str(tmp_path / "connections.yaml"), CRM="pat-na1-hidden"
    )

    assert "would: POST https://api.hubapi.com" in ended.out
    assert "pat-na1" not in ended.out


def test_the_inputs_of_every_action_can_be_checked_before_it_runs() -> None:
    """What `hub check` says of values as they are written."""
    specs = [*(each.spec() for each in BUILT_INS), *catalogue(shipped_manifests(), {}).specs.values()]

    assert [spec.name for spec in specs if input_schema_of(spec) is None] == []


def test_a_route_that_is_called_or_started_by_hand_is_handed_its_vars(hub: Command, tmp_path: Path) -> None:
    file = tmp_path / "greet.yaml"
    file.write_text(
        "version: 1\nroutes:\n  - id: greet\n    trigger: { manual: true }\n    steps:\n"
        '      - use: log\n        with: { message: "Hello {{ vars.name }}" }\n'
    )
    ended = hub("try", str(file), "--vars", '{"name": "Ann"}')

    assert ended.code == 0
    assert 'message: "Hello Ann"' in ended.out
    refused = hub("try", str(file), "--vars", "[1]")
    assert refused.code == 2
    assert "JSON object" in refused.err
