"""A client of MsgBubbles on a running hub: the commands of the vendor's page with real curl, and real deliveries."""

from __future__ import annotations

import hmac
import json
import subprocess
from typing import Any

import pytest

from hub.dialects.msgbubbles import DIALECT
from tests.e2e.receiver import Receiver
from tests.e2e.rest import LINE, Rest
from tests.e2e.running import RunningHub, wait_for

pytestmark = pytest.mark.slow

#: As printed, host and key aside.
SEND = """curl -X POST https://api.msgbubbles.com/v1/messages \\
-H "Authorization: Bearer sk_live_…" \\
-H "content-type: application/json" \\
-H "Idempotency-Key: order-1042-confirmation" \\
-d '{
"to": "+15555550123",
"from_handle": "+18005551111",
"text": "your order shipped!"
}'"""
AVAILABILITY = """curl https://api.msgbubbles.com/v1/handles/availability?handle=+15555550123 \\
-H "Authorization: Bearer sk_live_…\""""


@pytest.fixture(scope="module")
def key(rest: Rest) -> str:
    made = {"name": "shop", "scopes": sorted(DIALECT.scopes), "dialect": "msgbubbles"}
    text: str = rest.post("/v1/keys", made)["api_key"]
    return text


@pytest.fixture(scope="module")
def bubbles(rest: Rest, key: str) -> Rest:
    return Rest(rest.port, key)


@pytest.fixture(scope="module")
def number(rest: Rest) -> str:
    """Give the number of the vendor's examples; it is a line of the sandbox."""
    bridge = next(each for each in rest.get("/v1/lines")["data"] if each["handle"] == LINE)["bridge_id"]
    line = {"bridge_id": bridge, "handle": "+18005551111", "is_contact_first": False}
    rest.post("/v1/lines", line)
    return "+18005551111"


def pasted(command: str, hub: RunningHub, key: str) -> tuple[int, Any]:
    """Run a command of the page; give status and answer."""
    command = command.replace("https://api.msgbubbles.com", f"http://127.0.0.1:{hub.port}")
    command = command.replace("sk_live_…", key).replace("curl ", "curl -sS -w '\\n%{http_code}' ", 1)
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, timeout=30)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body)


def test_the_send_of_the_page_works_as_printed(hub: RunningHub, key: str, number: str) -> None:
    first, again = pasted(SEND, hub, key), pasted(SEND, hub, key)

    assert (first[0], again[0]) == (202, 200)
    assert (first[1]["data"]["status"], first[1]["data"]["text"]) == ("queued", "your order shipped!")
    assert again[1]["data"]["id"] == first[1]["data"]["id"]


def test_the_availability_of_the_page_works_as_printed(hub: RunningHub, key: str) -> None:
    status, answer = pasted(AVAILABILITY, hub, key)

    assert status == 200, answer
    assert answer["data"] == {"handle": "+15555550123", "imessage": True, "channel": "imessage"}


def test_every_change_of_status_is_delivered_and_signed(bubbles: Rest, receiver: Receiver) -> None:
    made = bubbles.post("/v1/webhooks", {"url": receiver.url("/bubbles")})["data"]
    sent = bubbles.post("/v1/messages", {"to": "+15550100098", "from_handle": LINE, "text": "Hi"})["data"]

    def told() -> list[Any] | None:
        mine = [each for each in receiver.requests("/bubbles") if each.event["data"]["id"] == sent["id"]]
        return mine if len(mine) >= 3 else None

    requests = sorted(wait_for(told), key=lambda each: str(each.event["id"]))
    assert [each.type for each in requests] == ["message.sent", "message.delivered", "message.read"]
    for each in requests:
        signed = each.headers["x-webhook-timestamp"].encode() + b"." + each.body
        expected = hmac.new(made["secret"].encode(), signed, "sha256").hexdigest()
        assert each.headers["x-webhook-signature"] == expected
    assert bubbles.ask("DELETE", f"/v1/webhooks/{made['id']}").status == 200


def test_a_group_with_the_networks_verdict(bubbles: Rest) -> None:
    people = ["+15550100001", "+15550100002"]
    made = bubbles.post(
        "/v1/chats", {"from_handle": LINE, "addresses": people, "message": "Hello", "title": "Trip"}
    )
    path = f"/v1/chats/{made['data']['id']}"
    renamed = bubbles.ask("PATCH", path, {"title": "Holiday"})

    assert (made["data"]["is_group"], made["data"]["title"]) == (True, "Trip")
    assert (renamed.status, renamed.document["data"]["title"]) == (200, "Holiday")
