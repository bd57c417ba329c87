"""Routes that hub check warns of: what is written, where, and what is told of it."""

from __future__ import annotations

HEAD = "version: 1\nroutes:\n"
#: Each warning: what is written, and what is told of it.
WARNED = {
    "unthrottled-reply": (
        """\
  - id: a
    trigger: message.received
    when: { direction: inbound }
    steps:
      - use: message.reply
        with: { text: Hello }
""",
        "7:14",
        "every message that comes is answered",
    ),
    "unknown-source": (
        """\
  - id: a
    trigger: { source: stripe }
    steps:
      - use: log
        with: { message: Hello }
""",
        "4:24",
        "there is no source stripe",
    ),
    "self-trigger": (
        """\
  - id: a
    trigger: message.delivered
    steps:
      - use: message.send
        with: { to: "{{ event.to }}", text: Hello }
""",
        "6:14",
        "message.send has message.delivered happen, which starts this route",
    ),
    "no-braces": (
        """\
  - id: a
    trigger: message.received
    steps:
      - use: log
        with: { message: event.text }
""",
        "7:26",
        "event.text has no braces",
    ),
    "unused-id": (
        """\
  - id: a
    trigger: message.received
    steps:
      - use: log
        id: note
        with: { message: Hello }
""",
        "7:13",
        "nothing asks for steps.note",
    ),
    "unreachable": (
        """\
  - id: a
    trigger: message.received
    steps:
      - switch:
          - if: "true"
            steps: [{ use: log, with: { message: a } }]
          - else: true
            steps: [{ use: log, with: { message: b } }]
""",
        "9:13",
        "this case never has its turn",
    ),
    "secret": (
        """\
  - id: a
    trigger: message.received
    steps:
      - use: log
        with: { message: "sk_live_0123456789abcdef" }
""",
        "7:26",
        "this looks like a credential",
    ),
    "unknown-field": (
        """\
  - id: a
    trigger: message.received
    when: { contact.tag: vip }
    steps:
      - use: log
        with: { message: a }
""",
        "5:26",
        "message.received has no contact.tag",
    ),
}


#: Further ways to lack them.
UNBRACED = {
    "within a text": (
        """\
  - id: a
    trigger: message.received
    steps:
      - use: log
        with: { message: "{{ event.text }} of {event.contact.name}" }
""",
        "7:26",
        "{event.contact.name} is no template",
    ),
    "in a key": (
        """\
  - id: a
    trigger: message.received
    debounce: { key: conversation_id, wait: 5s }
    steps:
      - use: log
        with: { message: a }
""",
        "5:22",
        "conversation_id has no braces",
    ),
}
