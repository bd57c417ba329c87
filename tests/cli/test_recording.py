"""hub record: what happened becomes a test that passes and says nothing of anybody."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Command

pytestmark = pytest.mark.slow

ROUTE = """\
version: 1
routes:
  - id: shout
    trigger: [message.received, { manual: true }]
    vars:
      name: "{{ get(event, 'contact.name', 'nobody') }}"
    steps:
      - id: said
        use: log
        with: { message: "{{ event.text | upper }} by {{ vars.name }}", fields: { is: "{{ event.text == 'Hello' }}" } }
      - switch:
          - if: "event.text == 'Hello'"
            steps:
              - use: log
                with: { message: greeted }
          - else: true
            steps:
              - stop: no greeting
"""


@pytest.fixture
def begun(stopped_hub: Command, tmp_path: Path) -> Command:
    folder = tmp_path / "routes"
    folder.mkdir()
    (folder / "shout.yaml").write_text(ROUTE)
    stopped_hub("routes", "apply", HUB_ROUTES__FOLDER=str(folder))
    return stopped_hub


def test_what_waits_is_recorded_as_waiting_or_told(begun: Command) -> None:
    event = '{"type": "manual", "text": "My secret is Ada@example.org"}'
    run_id = re.search(r"run_\w+", begun("routes", "run", "shout", "--with", event).out)
    assert run_id is not None
    found = begun("record", run_id[0])

    assert found.code == 0
    assert "Ada" not in found.out + found.err
    assert "secret" not in found.out + found.err
    assert "it comes otherwise" in found.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["record", "run_0f2m4h8x0g001"], "there is no such run"),
        (["record", "nonsense"], "is no such id"),
        (["record", "run_0f2m4h8x0g001", "-o", "a.yaml"], "its name ends with .test.yaml"),
    ],
)
def test_mistakes_are_told_in_a_sentence(begun: Command, arguments: list[str], told: str) -> None:
    found = begun(*arguments)

    assert found.code != 0
    assert told in found.err
