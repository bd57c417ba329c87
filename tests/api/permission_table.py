"""Who may do what: a row for each endpoint, written by hand, so that no right changes by accident.

`lines` says what a key meets that may do everything, but on another line than the one that the thing belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final


class Lines(Enum):
    """What a key gets that is restricted to another line."""

    #: 403 line_not_accessible.
    REFUSED = "refused"
    #: 404: it is not told that there is such a thing.
    HIDDEN = "hidden"
    #: A list without it.
    LEFT_OUT = "left out"
    #: It belongs to no line, or to the sandbox, which is open to every key.
    OPEN = "open"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One endpoint, and a request that could succeed; `{names}` are those of tests.support.permission_stage."""

    method: str
    #: As in the endpoint's table.
    path: str
    #: None where no key is needed.
    scope: str | None
    lines: Lines
    #: What stands for the path's `{id}`, and a query.
    asked: str = ""
    body: Any = None


REFUSED, HIDDEN, LEFT_OUT, OPEN = Lines.REFUSED, Lines.HIDDEN, Lines.LEFT_OUT, Lines.OPEN
#: A line that the restricted key may not use, and two who write with it.
LINE, WHO, SPARE = "+15550100010", "+15550100001", "+15550100003"
OPENED: Final = {"from": LINE, "to": WHO}
#: Who writes with the sandbox line alone.
STRANGER: Final = "+15550100099"
TEAM: Final = {"contact": STRANGER, "group": "team"}
CONSENT: Final = {"handle": SPARE, "state": "opted_out", "reason": "Asked us"}
SAID: Final = {"handle": SPARE, "state": "opted_out", "said_at": 1_780_315_200_000}

MEMBERS: Final = {"contact_ids": [WHO]}
LOVE: Final = {**OPENED, "message_id": "{inbound}", "type": "love"}
QUESTION: Final = {"contact": STRANGER, "title": "?", "options": ["1", "2"]}
AGAIN: Final = {"from": "start", "revision": "same"}
ROUTE: Final = {"route": {"trigger": "message.received", "steps": [{"set": {"a": 1}}]}}
HOOK: Final = {"from": LINE, "url": "https://a.example/", "events": ["*"]}


def row(  # noqa: PLR0917 - a table reads best without the names of its columns
    method: str, path: str, scope: str | None, lines: Lines, asked: str = "", body: Any = None
) -> Row:
    """Give a row, short to write."""
    return Row(method=method, path=path, scope=scope, lines=lines, asked=asked, body=body)


# fmt: off
#: In an order in which nothing is missing when it is asked for.
TABLE: Final[tuple[Row, ...]] = (
    row("GET", "/healthz", None, OPEN),
    row("GET", "/metrics", None, OPEN),
    row("GET", "/openapi.json", None, OPEN),
    row("GET", "/readyz", None, OPEN),
    row("POST", "/v1/audio-messages", "messages:write", REFUSED, body={**OPENED, "audio_message": "{file}"}),
    row("GET", "/v1/availability", "contacts:read", REFUSED, f"?handle={WHO}&from={LINE}"),
    row("POST", "/v1/availability", "contacts:read", REFUSED, body={"from": LINE, "handles": [WHO]}),
    row("POST", "/v1/bridge/ack", None, OPEN),
    row("POST", "/v1/bridge/claim", None, OPEN),
    row("GET", "/v1/bridge/connect", None, OPEN),
    row("POST", "/v1/bridge/content", None, OPEN),
    row("POST", "/v1/bridge/dispatched", None, OPEN),
    row("POST", "/v1/bridge/enrol", None, OPEN),
    row("POST", "/v1/bridge/events", None, OPEN),
    row("POST", "/v1/bridge/extend", None, OPEN),
    row("POST", "/v1/bridge/files", None, OPEN),
    row("POST", "/v1/bridge/hello", None, OPEN),
    row("POST", "/v1/bridge/refused", None, OPEN),
    row("GET", "/v1/bridge/hooks/{id}/{token}", None, OPEN),
    row("POST", "/v1/bridge/hooks/{id}/{token}", None, OPEN),
    row("GET", "/v1/bridge-kinds", "admin", REFUSED),
    row("GET", "/v1/bridges", "admin", REFUSED),
    row("POST", "/v1/bridges", "admin", REFUSED, body={"name": "another"}),
    row("GET", "/v1/bridges/{id}", "admin", REFUSED, "{bridge}"),
    row("PATCH", "/v1/bridges/{id}", "admin", REFUSED, "{bridge}", {"is_enabled": True}),
    row("POST", "/v1/bridges/{id}/examine", "admin", REFUSED, "{bridge}"),
    row("GET", "/v1/bridges/{id}/refused", "admin", REFUSED, "{bridge}"),
    row("GET", "/v1/bridges/{id}/refused/{payload_id}", "admin", REFUSED, "{bridge}"),
    row("POST", "/v1/bridges/{id}/refused/{payload_id}/retry", "admin", REFUSED, "{bridge}"),
    row("POST", "/v1/bridges/{id}/rotate-secret", "admin", REFUSED, "{bridge}", {"overlap_hours": 24}),
    row("GET", "/v1/bulk", "messages:read", LEFT_OUT),
    row("POST", "/v1/bulk", "messages:write", REFUSED, body={"from": LINE, "text": "Hi", "recipients": [{"to": WHO}]}),
    row("POST", "/v1/bulk/table", "messages:write", REFUSED, f"?from={LINE}&text=Hi", b"to\n+15550100001\n"),
    row("GET", "/v1/bulk/{id}", "messages:read", REFUSED, "{bulk}"),
    row("POST", "/v1/bulk/{id}/pause", "messages:write", REFUSED, "{bulk}"),
    row("POST", "/v1/bulk/{id}/resume", "messages:write", REFUSED, "{bulk}"),
    row("GET", "/v1/bulk/{id}/results", "messages:read", REFUSED, "{bulk}"),
    row("GET", "/v1/bulk/{id}/results.csv", "messages:read", REFUSED, "{bulk}"),
    row("POST", "/v1/bulk/{id}/cancel", "messages:write", REFUSED, "{bulk}"),
    row("GET", "/v1/chats", "chats:read", LEFT_OUT),
    row("POST", "/v1/chats", "chats:write", REFUSED, body={"from": LINE, "participants": [WHO, SPARE], "text": "Hi"}),
    row("GET", "/v1/chats/{id}", "chats:read", REFUSED, "{chat}"),
    row("PATCH", "/v1/chats/{id}", "chats:write", REFUSED, "{group}", {"name": "Trip"}),
    row("PUT", "/v1/chats/{id}/assignee", "chats:write", REFUSED, "{chat}", {"team": "support"}),
    row("DELETE", "/v1/chats/{id}/assignee", "chats:write", REFUSED, "{chat}"),
    row("GET", "/v1/chats/{id}/background", "chats:read", REFUSED, "{chat}"),
    row("PUT", "/v1/chats/{id}/background", "chats:write", REFUSED, "{chat}", {"file_id": "{file}"}),
    row("DELETE", "/v1/chats/{id}/background", "chats:write", REFUSED, "{chat}"),
    row("POST", "/v1/chats/{id}/contact-card", "chats:write", REFUSED, "{chat}"),
    row("PUT", "/v1/chats/{id}/icon", "chats:write", REFUSED, "{group}", {"file_id": "{file}"}),
    row("DELETE", "/v1/chats/{id}/icon", "chats:write", REFUSED, "{group}"),
    row("GET", "/v1/chats/{id}/participants", "chats:read", REFUSED, "{group}"),
    row("POST", "/v1/chats/{id}/participants", "chats:write", REFUSED, "{group}", {"handle": "+15550100004"}),
    row("DELETE", "/v1/chats/{id}/participants/{handle}", "chats:write", REFUSED, "{group}"),
    row("POST", "/v1/chats/{id}/read", "receipts:write", REFUSED, "{chat}"),
    row("POST", "/v1/chats/{id}/typing", "typing:write", REFUSED, "{chat}", {"state": "on"}),
    row("POST", "/v1/chats/{id}/unread", "receipts:write", REFUSED, "{chat}"),
    row("POST", "/v1/chats/{id}/leave", "chats:write", REFUSED, "{group}"),
    row("GET", "/v1/connections", "routes:read", REFUSED),
    row("GET", "/v1/consents", "consents:read", LEFT_OUT),
    row("POST", "/v1/consents", "consents:write", REFUSED, body={"from": LINE, **CONSENT}),
    row("GET", "/v1/consents/export", "consents:read", REFUSED, f"?from={LINE}"),
    row("POST", "/v1/consents/import", "consents:write", REFUSED, body={"from": "*", "rows": [SAID]}),
    row("GET", "/v1/consents/{handle}", "consents:read", REFUSED, f"?from={LINE}"),
    row("GET", "/v1/contact-groups", "contacts:read", REFUSED),
    row("POST", "/v1/contact-groups", "contacts:write", REFUSED, body={"name": "another"}),
    row("GET", "/v1/contact-groups/{id}", "contacts:read", REFUSED, "{contact_group}"),
    row("PATCH", "/v1/contact-groups/{id}", "contacts:write", REFUSED, "{contact_group}", {"name": "Friends"}),
    row("GET", "/v1/contact-groups/{id}/members", "contacts:read", REFUSED, "{contact_group}"),
    row("POST", "/v1/contact-groups/{id}/members", "contacts:write", REFUSED, "{contact_group}", MEMBERS),
    row("DELETE", "/v1/contact-groups/{id}/members/{contact}", "contacts:write", REFUSED, "{contact_group}"),
    row("DELETE", "/v1/contact-groups/{id}", "contacts:write", REFUSED, "{spare_contact_group}"),
    row("GET", "/v1/contact-tags", "contacts:read", REFUSED),
    row("GET", "/v1/contacts", "contacts:read", LEFT_OUT),
    row("POST", "/v1/contacts", "contacts:write", REFUSED, body={"name": "Bob", "handles": ["+15550100005"]}),
    row("GET", "/v1/contacts/export", "contacts:read", LEFT_OUT),
    row("POST", "/v1/contacts/import", "contacts:write", REFUSED, "?format=csv", b"name,phone\nCy,+15550100006\n"),
    row("GET", "/v1/contacts/{id}", "contacts:read", HIDDEN, "{contact}"),
    row("PATCH", "/v1/contacts/{id}", "contacts:write", REFUSED, "{contact}", {"notes": "x"}),
    row("GET", "/v1/contacts/{id}/capabilities", "contacts:read", HIDDEN, f"{{contact}}?from={LINE}"),
    row("GET", "/v1/contacts/{id}/tags", "contacts:read", HIDDEN, "{contact}"),
    row("POST", "/v1/contacts/{id}/tags", "contacts:write", REFUSED, "{contact}", {"tags": ["vip"]}),
    row("DELETE", "/v1/contacts/{id}/tags/{tag}", "contacts:write", REFUSED, "{contact}"),
    row("DELETE", "/v1/contacts/{id}", "contacts:write", REFUSED, "{spare_contact}"),
    row("GET", "/v1/dead-letters", "deliveries:read", REFUSED, "?webhook_id={webhook}"),
    row("POST", "/v1/dead-letters/purge", "deliveries:write", REFUSED, body={"webhook_id": "{webhook}"}),
    row("POST", "/v1/dead-letters/requeue", "deliveries:write", REFUSED, body={"webhook_id": "{webhook}"}),
    row("GET", "/v1/deep-links", "lines:read", REFUSED, f"?from={LINE}"),
    row("GET", "/v1/deliveries", "deliveries:read", REFUSED, "?webhook_id={webhook}"),
    row("GET", "/v1/deliveries/{id}", "deliveries:read", HIDDEN, "{delivery}"),
    row("POST", "/v1/deliveries/{id}/retry", "deliveries:write", HIDDEN, "{delivery}"),
    row("GET", "/v1/enrolments", "admin", REFUSED),
    row("POST", "/v1/enrolments", "admin", REFUSED, body={"name": "yet-another"}),
    row("GET", "/v1/enrolments/{id}", "admin", REFUSED, "{enrolment}"),
    row("DELETE", "/v1/enrolments/{id}", "admin", REFUSED, "{enrolment}"),
    row("GET", "/v1/events", "events:read", LEFT_OUT),
    row("GET", "/v1/events/stream", "events:read", REFUSED, f"?from={LINE}"),
    row("POST", "/v1/events/stream-token", "events:read", REFUSED, body={"from": LINE}),
    row("GET", "/v1/events/{id}", "events:read", HIDDEN, "{event}"),
    row("GET", "/v1/events/{id}/deliveries", "deliveries:read", HIDDEN, "{event}"),
    row("GET", "/v1/events/{id}/routes", "routes:read", REFUSED, "{event}"),
    row("GET", "/v1/events/{id}/explain", "deliveries:read", HIDDEN, "{event}"),
    row("POST", "/v1/facetime", "facetime:write", REFUSED, body=OPENED),
    row("GET", "/v1/files", "files:read", REFUSED, "?id={file}"),
    row("POST", "/v1/files", "files:write", OPEN, body=b"bytes"),
    row("POST", "/v1/files/fetch", "files:write", OPEN, body={"url": "https://10.0.0.1/cat.png"}),
    row("POST", "/v1/files/presign", "files:write", OPEN, body={"filename": "a.png", "content_type": "image/png"}),
    row("GET", "/v1/files/{id}", "files:read", REFUSED, "{file}"),
    row("DELETE", "/v1/files/{id}", "files:write", REFUSED, "{file}"),
    row("GET", "/v1/files/{id}/content", None, OPEN, "{file}"),
    row("PUT", "/v1/files/{id}/content", None, OPEN, "{file}"),
    row("POST", "/v1/generate", "drafts:write", REFUSED, body={**OPENED, "use_history": 5}),
    row("GET", "/v1/jobs", "deliveries:read", LEFT_OUT),
    row("GET", "/v1/jobs/{id}", "deliveries:read", HIDDEN, "{job}"),
    row("POST", "/v1/jobs/{id}/cancel", "deliveries:write", HIDDEN, "{job}"),
    row("GET", "/v1/keys", "admin", REFUSED),
    row("POST", "/v1/keys", "admin", REFUSED, body={"name": "another", "scopes": ["lines:read"]}),
    row("GET", "/v1/keys/{id}", "admin", REFUSED, "{key}"),
    row("POST", "/v1/keys/{id}/rotate", "admin", REFUSED, "{key}", {"overlap_hours": 1}),
    row("DELETE", "/v1/keys/{id}", "admin", REFUSED, "{key}"),
    row("GET", "/v1/lines", "lines:read", LEFT_OUT),
    row("POST", "/v1/lines", "lines:write", REFUSED, body={"bridge_id": "{bridge}", "handle": "+15550100012"}),
    row("GET", "/v1/lines/{id}", "lines:read", REFUSED, "{line}"),
    row("PATCH", "/v1/lines/{id}", "lines:write", REFUSED, "{line}", {"label": "x"}),
    row("GET", "/v1/lines/{id}/contact-card", "lines:read", REFUSED, "{line}"),
    row("PUT", "/v1/lines/{id}/contact-card", "lines:write", REFUSED, "{line}", {"first_name": "Ada"}),
    row("POST", "/v1/lines/{id}/contact-card/refresh", "lines:write", REFUSED, "{line}"),
    row("GET", "/v1/lines/{id}/health", "lines:read", REFUSED, "{line}"),
    row("GET", "/v1/locations", "locations:read", REFUSED, f"?from={LINE}"),
    row("POST", "/v1/locations/refresh", "locations:write", REFUSED, body={"from": LINE}),
    row("GET", "/v1/locations/{handle}", "locations:read", REFUSED, f"?from={LINE}"),
    row("GET", "/v1/messages", "messages:read", LEFT_OUT),
    row("POST", "/v1/messages", "messages:write", REFUSED, body={**OPENED, "text": "Hi"}),
    row("GET", "/v1/messages/{id}", "messages:read", REFUSED, "{message}"),
    row("POST", "/v1/messages/{id}/edit", "messages:write", REFUSED, "{message}", {"text": "Hi"}),
    row("POST", "/v1/messages/{id}/retry", "messages:write", REFUSED, "{message}"),
    row("GET", "/v1/messages/{id}/timeline", "messages:read", REFUSED, "{message}"),
    row("POST", "/v1/messages/{id}/unsend", "messages:write", REFUSED, "{message}"),
    row("POST", "/v1/messages/{id}/cancel", "messages:write", REFUSED, "{message}", {}),
    row("GET", "/v1/openapi.json", None, OPEN),
    row("GET", "/v1/outbox", "outbox:read", HIDDEN, "?id={outbox}"),
    row("GET", "/v1/phone-numbers", "contacts:read", OPEN, "?number=+15550100097"),
    row("POST", "/v1/phone-numbers", "contacts:read", OPEN, body={"numbers": ["+15550100097"]}),
    row("POST", "/v1/polls", "polls:write", REFUSED, body={**OPENED, "title": "Lunch?", "options": ["Soup", "Salad"]}),
    row("GET", "/v1/polls/{id}", "polls:read", REFUSED, "{poll}"),
    row("GET", "/v1/queue", "deliveries:read", REFUSED, f"?from={LINE}"),
    row("GET", "/v1/reactions", "reactions:read", REFUSED, "?message_id={message}"),
    row("POST", "/v1/reactions", "reactions:write", REFUSED, body=LOVE),
    row("GET", "/v1/receipts", "receipts:read", REFUSED, f"?from={LINE}&to={WHO}"),
    row("POST", "/v1/receipts", "receipts:write", REFUSED, body=OPENED),
    row("POST", "/v1/replays", "deliveries:write", REFUSED, body={"webhook_id": "{webhook}", "since": 0}),
    row("GET", "/v1/routes", "routes:read", REFUSED),
    row("POST", "/v1/routes", "routes:write", REFUSED, body=ROUTE),
    row("PUT", "/v1/routes/{id}", "routes:write", REFUSED, "{made_route}", ROUTE),
    row("DELETE", "/v1/routes/{id}", "routes:write", REFUSED, "{spare_route}"),
    row("POST", "/v1/routes/{id}/try", "routes:read", REFUSED, "{route}", {"event": {}}),
    row("GET", "/v1/routes/{id}", "routes:read", REFUSED, "{route}"),
    row("POST", "/v1/routes/{id}/run", "routes:write", REFUSED, "{route}", {"event": {}}),
    row("GET", "/v1/runs", "routes:read", REFUSED, "?route_id={route}"),
    row("POST", "/v1/runs/replay", "routes:write", REFUSED, body={"route_id": "{route}", **AGAIN}),
    row("GET", "/v1/runs/{id}", "routes:read", REFUSED, "{run}"),
    row("POST", "/v1/runs/{id}/cancel", "routes:write", REFUSED, "{run}"),
    row("POST", "/v1/runs/{id}/replay", "routes:write", REFUSED, "{run}", AGAIN),
    row("GET", "/v1/sandbox", "lines:read", OPEN),
    row("POST", "/v1/sandbox", "lines:read", OPEN),
    row("POST", "/v1/sandbox/group", "sandbox:write", OPEN, body={**TEAM, "participants": ["+15550100098"]}),
    row("POST", "/v1/sandbox/add", "sandbox:write", OPEN, body={**TEAM, "member": "+15550100004"}),
    row("POST", "/v1/sandbox/ask", "sandbox:write", OPEN, body=QUESTION),
    row("POST", "/v1/sandbox/attach", "sandbox:write", OPEN, body={"contact": STRANGER, "attachment": "photo"}),
    row("POST", "/v1/sandbox/edit", "sandbox:write", OPEN, body={"message_id": "{said}", "text": "Hi"}),
    row("POST", "/v1/sandbox/icon", "sandbox:write", OPEN, body=TEAM),
    row("POST", "/v1/sandbox/leave", "sandbox:write", OPEN, body=TEAM),
    row("POST", "/v1/sandbox/react", "sandbox:write", OPEN, body={"message_id": "{said}", "type": "love"}),
    row("POST", "/v1/sandbox/read", "sandbox:write", OPEN, body={"message_id": "{asked}"}),
    row("POST", "/v1/sandbox/remove", "sandbox:write", OPEN, body={**TEAM, "member": "+15550100098"}),
    row("POST", "/v1/sandbox/rename", "sandbox:write", OPEN, body={**TEAM, "name": "Trip"}),
    row("POST", "/v1/sandbox/say", "sandbox:write", OPEN, body={"contact": STRANGER, "text": "Hi"}),
    row("POST", "/v1/sandbox/typing", "sandbox:write", OPEN, body={"contact": STRANGER, "state": "on"}),
    row("POST", "/v1/sandbox/unsend", "sandbox:write", OPEN, body={"message_id": "{said}"}),
    row("POST", "/v1/sandbox/vote", "sandbox:write", OPEN, body={"poll_id": "{sandbox_poll}", "options": ["1"]}),
    row("GET", "/v1/sources", "admin", REFUSED),
    row("GET", "/v1/sources/{name}/rejected", "admin", REFUSED),
    row("GET", "/hooks/{name}", None, OPEN),
    row("POST", "/hooks/{name}", None, OPEN),
    row("GET", "/v1/typing", "typing:read", REFUSED, f"?from={LINE}&to={WHO}"),
    row("POST", "/v1/typing", "typing:write", REFUSED, body={**OPENED, "state": "on"}),
    row("GET", "/v1/usage", "lines:read", REFUSED, f"?from={LINE}"),
    row("GET", "/v1/webhooks", "webhooks:read", LEFT_OUT, "?from=*"),
    row("POST", "/v1/webhooks", "webhooks:write", REFUSED, body=HOOK),
    row("GET", "/v1/webhooks/{id}", "webhooks:read", REFUSED, "{webhook}"),
    row("PATCH", "/v1/webhooks/{id}", "webhooks:write", REFUSED, "{webhook}", {"description": "x"}),
    row("GET", "/v1/webhooks/{id}/deliveries", "deliveries:read", REFUSED, "{webhook}"),
    row("POST", "/v1/webhooks/{id}/rotate-secret", "webhooks:write", REFUSED, "{webhook}", {"overlap_hours": 1}),
    row("POST", "/v1/webhooks/{id}/test", "webhooks:write", REFUSED, "{webhook}"),
    row("POST", "/v1/webhooks/{id}/disable", "webhooks:write", REFUSED, "{webhook}"),
    row("POST", "/v1/webhooks/{id}/enable", "webhooks:write", REFUSED, "{webhook}"),
    row("DELETE", "/v1/webhooks", "webhooks:write", REFUSED, body={"id": "{webhook}"}),
    row("DELETE", "/v1/webhooks/{id}", "webhooks:write", REFUSED, "{spare_webhook}"),
    row("DELETE", "/v1/bridges/{id}", "admin", REFUSED, "{spare_bridge}"),
)
# fmt: on
