"""Plan, cancel, retry, edit and take back: the real processes, with the sandbox as network."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.e2e.rest import LINE, Rest

pytestmark = pytest.mark.slow

UNREACHABLE = "+15550100404"


def message(rest: Rest, message_id: str, *statuses: str) -> dict[str, Any]:
    """Wait until the message has one of these statuses."""
    return rest.until(f"/v1/messages/{message_id}", lambda found: found["status"] in statuses)


def send(rest: Rest, **fields: Any) -> dict[str, Any]:
    reply: dict[str, Any] = rest.post("/v1/messages", {"from": LINE, "to": "+15550100061", **fields})
    return reply


def test_what_is_planned_is_sent_at_its_time_and_not_before(rest: Rest) -> None:
    at = int(time.time() * 1000) + 1_500
    planned = send(rest, text="later", send_at=at)
    soon = send(rest, text="now")
    message(rest, soon["message_id"], "sent", "delivered", "read")
    shown = message(rest, planned["message_id"], "sent", "delivered", "read")

    assert shown["send_at"] == at
    assert shown["accepted_at"] >= at


def test_a_whole_set_that_was_planned_is_cancelled(rest: Rest) -> None:
    reply = send(rest, texts=["one", "two"], send_at=int(time.time() * 1000) + 3_600_000)
    ids = [item["message_id"] for item in reply["items"]]
    cancelled = rest.post(f"/v1/messages/{ids[1]}/cancel", {"whole_set": True})
    too_late = rest.ask("POST", f"/v1/messages/{ids[0]}/cancel")

    assert cancelled["cancelled"] == ids
    assert (too_late.status, too_late.document["error"]["code"]) == (409, "message_state_conflict")
    assert {message(rest, each, "cancelled")["status"] for each in ids} == {"cancelled"}


def test_a_failed_message_is_tried_again_as_itself(rest: Rest) -> None:
    reply = send(rest, to=UNREACHABLE, text="Hi")
    message(rest, reply["message_id"], "failed")
    again = rest.post(f"/v1/messages/{reply['message_id']}/retry")
    item = rest.until(f"/v1/outbox?id={again['id']}", lambda found: found["status"] == "failed")

    assert again["message_id"] == reply["message_id"]
    assert item["error"].startswith("not_reachable")
    assert message(rest, reply["message_id"], "failed")["outbox_id"] == again["id"]


def test_a_message_is_edited_and_taken_back(rest: Rest) -> None:
    reply = send(rest, text="Helo")
    message(rest, reply["message_id"], "read")
    rest.post(f"/v1/messages/{reply['message_id']}/edit", {"text": "Hello"})
    edited = rest.until(f"/v1/messages/{reply['message_id']}", lambda found: found["text"] == "Hello")
    rest.post(f"/v1/messages/{reply['message_id']}/unsend")

    assert edited["edited_at"] is not None
    assert message(rest, reply["message_id"], "unsent")["unsent_at"] is not None
