"""What is wrong with a file of routes is told in the order of the file, at the character that is meant."""

from __future__ import annotations

from hub.config.route_files import read_route_text

WRONG = """\
version: 1
routes:
  - id: a
    trigger: message.received
    if: "{{ event.attempt }} > 2"
    steps:
      - use: message.reply
        with:
          text: >-
            Hi {{ event.contact.first_name }},
            {{ steps.x.output }}
      - use: message.reply
        if: event.text == 'a' and evnt.n > 1
"""


def test_problems_are_told_in_the_order_of_the_file() -> None:
    found = read_route_text(WRONG, source="a.yaml")

    assert found.routes == ()
    assert [(each.line, each.column, each.key, each.what) for each in found.problems] == [
        (5, 9, "routes[0].if", "braces stand around a part of this expression"),
        (11, 16, "routes[0].steps[0].with.text", "there is no step x"),
        (13, 35, "routes[0].steps[1].if", "evnt is not known"),
    ]
