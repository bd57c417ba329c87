"""Routes of every kind, which tests of `hub test` are written for; the test stands below them."""

from __future__ import annotations

ROUTES = """\
version: 1
routes:
  - id: lead
    trigger: message.received
    when: { direction: inbound, contact.tags: { none_of: [customer] } }
    if: "event.text != 'skip'"
    steps:
      - id: contact
        use: hubspot.upsert_contact
        with: { phone: "{{ event.from }}", properties: { firstname: "{{ event.contact.first_name }}" } }
      - use: slack.post_message
        on_error: continue
        with: { channel: "#leads", text: "New: {{ event.text }} {{ steps.contact.output.id }}" }
  - id: night
    trigger: message.received
    throttle: { limit: 1, per: 12h, key: "{{ event.from }}" }
    steps:
      - delay: 20s
      - use: message.reply
        with: { text: Tomorrow }
  - id: bubbles
    trigger: message.received
    debounce: { key: "{{ event.from }}", wait: 6s, max: 30s }
    steps:
      - id: said
        use: log
        with: { message: "{{ events | map_attr('text') | join(' ') }}" }
  - id: asks
    trigger: { manual: true }
    steps:
      - id: asked
        use: message.send
        with: { to: "{{ vars.to }}", text: "Coming?" }
      - id: answer
        wait_for:
          trigger: message.received
          when: { text: { any_of: [yes], normalize: keyword } }
          timeout: 1h
          on_timeout:
            - stop: nobody answered
      - use: log
        with: { message: "{{ steps.answer.output.event.from }} comes" }
  - id: beside
    trigger: { manual: true }
    steps:
      - parallel:
          - wait_for: { trigger: message.received, timeout: 1h }
          - delay: 30m
          - foreach: "[1, 2]"
            steps:
              - delay: 10m
              - use: log
                with: { message: "{{ item | string }}" }
  - id: paid
    trigger: { source: stripe, event: checkout.session.completed }
    steps:
      - switch:
          - if: "event.data.object.amount_total > 100000"
            steps:
              - use: log
                id: large
                with: { message: large }
          - else: true
            steps:
              - use: log
                with: { message: "{{ event.data.object.amount_total }}" }
  - id: daily
    trigger: { schedule: "0 9 * * 1-5", timezone: America/New_York }
    steps:
      - use: log
        with: { message: "{{ now() | date('%H:%M', 'America/New_York') }}" }
  - id: posted
    trigger: { webhook: a-long-odd-word }
    steps:
      - use: log
        with: { message: "{{ event.order }}" }
tests:
"""
#: Where the test stands.
LINE = ROUTES.count("\n") + 1
