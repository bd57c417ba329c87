"""Routes as tests write them."""

from __future__ import annotations

HOUR = 3_600_000


def written(*routes: str) -> str:
    indented = ["\n".join(f"    {line}" for line in route.strip().split("\n")) for route in routes]
    return "version: 1\nroutes:\n" + "\n".join(f"  -{each[3:]}" for each in indented) + "\n"


ECHO = """
id: echo
trigger: message.received
steps:
  - use: do.safe
    with: { text: "{{ event.text }}", from: "{{ event.from }}" }
"""
