"""hub check: what is allowed in a route and probably not meant is told, with its place; the rest is told nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.rules.routes.advice import RULES
from tests.cli.conftest import Command
from tests.cli.warned_routes import HEAD, UNBRACED, WARNED


def test_every_rule_has_a_case() -> None:
    assert WARNED.keys() == RULES.keys()


@pytest.mark.parametrize("rule", sorted(WARNED))
def test_a_warning_names_its_rule_and_place(rule: str, hub: Command, tmp_path: Path) -> None:
    written, place, what = WARNED[rule]
    file = tmp_path / "a.yaml"
    file.write_text(HEAD + written)

    ended = hub("check", str(file))

    assert f"{file}:{place}: warning [{rule}]" in ended.out
    assert what in ended.out
    assert "sk_live" not in ended.out
    assert ended.out.endswith("1 route in 1 file: 0 errors, 1 warning.\n")
    assert ended.code == 0
    assert hub("check", "--strict", str(file)).code == 1


#: The same, mended: nothing is said.
QUIET = """\
  - id: answers
    trigger: message.received
    when: { direction: inbound }
    throttle: { limit: 1, per: 12h, key: "{{ event.from }}" }
    steps:
      - use: message.reply
        with: { text: Hello }
  - id: narrow
    trigger: message.received
    when: { contact.tags: vip }
    steps:
      - use: message.reply
        with: { text: Hello }
  - id: asks
    trigger: message.received
    steps:
      - use: message.reply
        if: event.text == 'Hi'
        with: { text: "{{ event.contact.metadata.greeting | default('Hello') }}" }
  - id: fallback
    trigger: message.failed
    if: event.channel == 'imessage'
    steps:
      - id: sms
        use: message.send
        with: { to: "{{ event.to }}", text: Hello, channel: sms }
      - use: log
        with: { message: "{{ steps.sms.status }}" }
  - id: shop
    trigger: { source: shopify, event: orders/create }
    when: { customer.phone: { exists: true } }
    steps:
      - use: log
        with: { message: "{{ event.order_number }}" }
"""


def test_sound_routes_are_told_nothing(hub: Command, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(HEAD + QUIET)
    connections = tmp_path / "connections" / "connections.yaml"
    connections.parent.mkdir()
    connections.write_text(
        "version: 1\nsources:\n  shopify: { verify: shopify, secret: { env: NOT_SET_HERE } }\n"
    )

    ended = hub("check", "--strict", str(tmp_path / "a.yaml"), HUB_CONNECTIONS_FILE=str(connections))

    assert ended.out == "5 routes in 1 file: 0 errors, 0 warnings.\n"
    assert ended.code == 0


def test_a_source_that_is_not_there_is_heard_of_nowhere(hub: Command, tmp_path: Path) -> None:
    routes, connections = tmp_path / "a.yaml", tmp_path / "connections.yaml"
    connections.write_text(
        "version: 1\nsources:\n  stripe: { verify: stripe, secret: { env: NOT_SET_HERE } }\n"
    )
    routes.write_text(
        HEAD
        + """\
  - id: pays
    trigger: [{ source: strip, event: invoice.paid }, { source: stripe }]
    steps:
      - wait_for:
          trigger: { source: calendly }
          timeout: 1h
          on_timeout:
            - use: log
              with: { message: Nobody booked }
"""
    )

    ended = hub("check", str(routes), HUB_CONNECTIONS_FILE=str(connections))

    assert f"{routes}:4:25: warning [unknown-source]" in ended.out
    assert "there is no source strip" in ended.out
    assert "Did you mean stripe" in ended.out
    assert f"{routes}:7:30: warning [unknown-source]" in ended.out
    assert "Add calendly to its `sources`" in ended.out
    assert ended.out.endswith("1 route in 1 file: 0 errors, 2 warnings.\n")
    assert "unknown-source" not in hub("check", "--no-connections", str(routes)).out


@pytest.mark.parametrize("case", sorted(UNBRACED))
def test_a_value_without_its_braces_is_told_wherever_it_stands(
    case: str, hub: Command, tmp_path: Path
) -> None:
    written, place, what = UNBRACED[case]
    file = tmp_path / "a.yaml"
    file.write_text(HEAD + written)

    ended = hub("check", str(file))

    assert f"{file}:{place}: warning [no-braces]" in ended.out
    assert what in ended.out
