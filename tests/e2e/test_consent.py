"""STOP from a contact reaches everything that is sent to them: the next send, and the one that already waits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.e2e.receiver import Receiver
from tests.e2e.rest import LINE, Rest

pytestmark = pytest.mark.slow

#: Answers every message with STOP.
CONTACT = "+15550100410"
#: Says STOP while something waits for them.
OTHER = "+15550100411"


@pytest.fixture
def willing(rest: Rest) -> Iterator[None]:
    """The contact hears from us before and after: other tests of the same hub write to them, too."""
    consent = {"from": LINE, "handle": CONTACT, "state": "opted_in", "reason": "For another test"}
    rest.post("/v1/consents", consent)
    yield
    rest.post("/v1/consents", consent)


@pytest.mark.usefixtures("willing")
def test_who_answers_stop_gets_nothing_more(rest: Rest, receiver: Receiver) -> None:
    """From the simulated network's answer to the refusal of the next send."""
    rest.register(receiver.url("/consent"), "contact.opted_out")
    body = {"from": LINE, "to": CONTACT, "text": "Hello"}
    rest.post("/v1/messages", body)

    (told,) = receiver.wait("/consent", 1)
    refused = rest.ask("POST", "/v1/messages", body)
    shown = rest.get(f"/v1/consents/{quote(CONTACT)}?from={quote(LINE)}")

    assert told.type == "contact.opted_out"
    assert (refused.status, refused.document["error"]["code"]) == (403, "contact_opted_out")
    assert (shown["state"], shown["history"][0]["keyword"]) == ("opted_out", "stop")


def test_a_stop_ends_what_already_waits(rest: Rest) -> None:
    """A planned message is accepted, and fails at its time because of what was said in between."""
    planned_at = int(time.time() * 1000) + 4_000
    body = {"from": LINE, "to": OTHER, "text": "Later", "send_at": planned_at}
    waiting = rest.post("/v1/messages", body)
    rest.say("STOP", contact=OTHER)

    ended = rest.until(f"/v1/outbox?id={waiting['id']}", lambda item: item["status"] in {"sent", "failed"})

    assert ended["status"] == "failed"
    assert ended["error"].startswith("contact_opted_out: ")
    assert rest.get(f"/v1/messages/{ended['message_id']}")["status"] == "failed"
