"""A client of Coop on a running hub: a key from the command line, a send, and what its webhook gets on the wire."""

from __future__ import annotations

import hmac
import re

import pytest

from tests.e2e.receiver import Receiver
from tests.e2e.rest import Rest
from tests.e2e.running import RunningHub, wait_for

pytestmark = pytest.mark.slow

CONTACT, SECRET = "+15550100001", "any text: ü"


def test_a_client_of_coop_sends_and_is_told(hub: RunningHub, receiver: Receiver) -> None:
    made = hub.command("keys", "create", "--name", "crm", "--dialect", "coop")
    key = re.search(r"brk_live_[0-9A-Za-z]{32}", made)
    assert key is not None, made
    api = Rest(hub.port, key[0])
    events = ["message.sent", "message.delivered"]
    hook = {"url": receiver.url("/coop"), "events": events, "secret": SECRET}
    signed = api.post("/api/v1/webhooks", hook)
    plain = api.post("/api/v1/webhooks", {"url": receiver.url("/coop-plain"), "events": events})
    sent = api.post("/api/v1/messages", {"to": CONTACT, "body": "Hello from Coop"})
    told = receiver.wait("/coop", 2)
    bare = receiver.wait("/coop-plain", 2)

    def delivered() -> bool:
        return bool(api.get(f"/api/v1/messages/{sent['id']}/status")["status"] == "delivered")

    assert wait_for(delivered)
    assert {each.event["data"]["id"] for each in told} == {sent["id"]}
    assert {each.type for each in told} == set(events)
    for each in told:
        expected = hmac.new(SECRET.encode(), each.body, "sha256").hexdigest()
        assert each.headers["x-webhook-signature"] == expected
    assert all("x-webhook-signature" not in each.headers for each in bare)
    assert api.ask("GET", "/api/v1/messages/nonsense/status").document["error"] == "not_found"
    for each in (signed, plain):
        assert api.ask("DELETE", f"/api/v1/webhooks/{each['id']}").status == 200


def test_an_automation_answers_and_calls(hub: RunningHub, rest: Rest, receiver: Receiver) -> None:
    made = hub.command("keys", "create", "--name", "automations", "--dialect", "coop")
    key = re.search(r"brk_live_[0-9A-Za-z]{32}", made)
    assert key is not None, made
    api = Rest(hub.port, key[0])
    automation = {
        "name": "Refunds",
        "trigger": "message_received",
        "conditions": [{"field": "body", "operator": "contains", "value": "refund"}],
        "actions": [
            {"type": "send_reply", "config": {"body": "We look into it."}},
            {"type": "call_webhook", "config": {"url": receiver.url("/coop-automation")}},
        ],
    }
    path = f"/api/v1/automations/{api.post('/api/v1/automations', automation)['id']}"
    tested = api.post(f"{path}/test", {"message": {"from": CONTACT, "body": "A refund, please"}})
    rest.post("/v1/sandbox/say", {"contact": CONTACT, "text": "Hello"})
    rest.post("/v1/sandbox/say", {"contact": CONTACT, "text": "A refund, please"})
    told = receiver.wait("/coop-automation")

    def done() -> bool:
        ran = api.get(f"{path}/executions")["data"]
        return [each["status"] for each in ran] == ["completed"]

    assert wait_for(done)
    replies = [each["body"] for each in api.get("/api/v1/messages", direction="sent")["data"]]

    assert tested["actionsWouldExecute"] == ["send_reply", "call_webhook"]
    assert [each.event["data"]["body"] for each in told] == ["A refund, please"]
    assert replies.count("We look into it.") == 1
    assert api.ask("DELETE", path).status == 200


def test_a_machine_enrols_with_a_token_of_the_command(hub: RunningHub, rest: Rest) -> None:
    token = re.search(r"enrol_\w+", hub.command("bridges", "enrol", "--name", "office-mac"))
    assert token is not None
    nobody = Rest(hub.port, "")
    first = nobody.ask("POST", "/v1/bridge/enrol", {"token": token[0]})
    second = nobody.ask("POST", "/v1/bridge/enrol", {"token": token[0]})
    bridges = {each["name"]: each for each in rest.get("/v1/bridges")["data"]}

    def sandbox_was_heard() -> bool:
        listed = rest.get("/v1/bridges")["data"]
        return any(each["kind"] == "sandbox" and each["last_heard_at"] for each in listed)

    assert (first.status, second.status) == (201, 401)
    assert bridges["office-mac"]["status"] == "idle"
    assert wait_for(sandbox_was_heard)
    assert rest.ask("DELETE", f"/v1/bridges/{bridges['office-mac']['id']}").status == 200
