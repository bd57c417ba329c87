"""Sends to the sandbox: what each number does ends as docs/sandbox.md says, and GET /v1/outbox tells it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.e2e.receiver import Receiver, Request
from tests.e2e.rest import LINE, Rest
from tests.e2e.running import ROOT, wait_for

pytestmark = pytest.mark.slow

#: Number → how its outbox item ends: wire status, and the code with which its error begins.
ENDS = {
    "+15550100001": ("sent", None),
    "+15550100004": ("sent", None),
    "+15550100022": ("failed", "22"),
    "+15550100200": ("sent", None),
    "+15550100202": ("sent", None),
    "+15550100204": ("sent", None),
    "+15550100206": ("sent", None),
    "+15550100302": ("failed", "sms_only"),
    "+15550100404": ("failed", "not_reachable"),
    "+15550100408": ("sent", None),
    "+15550100410": ("sent", None),
    "+15550100503": ("sent", None),
    "+15550100504": ("failed", "delivery_unknown"),
}


@pytest.fixture(scope="module")
def items(rest: Rest) -> dict[str, dict[str, Any]]:
    """Send to every number at once, and give each item at its end."""
    ids = {
        number: rest.post("/v1/messages", {"from": LINE, "to": number, "text": f"to {number}"})["id"]
        for number in ENDS
    }
    return {
        number: rest.until(f"/v1/outbox?id={item_id}", lambda item: item["status"] in {"sent", "failed"})
        for number, item_id in ids.items()
    }


def test_every_documented_number_is_tried() -> None:
    text = (ROOT / "docs" / "sandbox.md").read_text("utf-8").partition("## What else")[0]
    documented = re.findall(r"^\| `(\+\d+)`", text, re.MULTILINE)

    assert set(documented) == set(ENDS) - {"+15550100001"}


@pytest.mark.parametrize("number", ENDS)
def test_a_send_ends_as_documented(number: str, items: dict[str, dict[str, Any]]) -> None:
    status, code = ENDS[number]
    item = items[number]

    assert item["status"] == status
    assert (item["error"] or "").startswith(code or "")
    assert (item["error"] is None) == (code is None)


def test_a_send_is_queued_sent_delivered_and_read_with_an_event_each(rest: Rest, receiver: Receiver) -> None:
    rest.register(receiver.url("/evidence"), "message.*")
    sent = rest.post("/v1/messages", {"from": LINE, "to": "+15550100099", "text": "Are you there?"})

    def told() -> list[Request] | None:
        mine = [
            each for each in receiver.requests("/evidence") if each.event["data"]["outbox_id"] == sent["id"]
        ]
        return mine if len(mine) >= 4 else None

    requests = wait_for(told)
    assert sent["status"] == "pending"
    assert [each.type for each in sorted(requests, key=lambda one: one.headers["webhook-id"])] == [
        "message.queued",
        "message.sent",
        "message.delivered",
        "message.read",
    ]


def test_a_repeated_request_under_its_idempotency_key_is_sent_once(rest: Rest) -> None:
    body = {"from": LINE, "to": "+15550100077", "text": "Hello"}
    first = rest.ask("POST", "/v1/messages", body, **{"Idempotency-Key": "order-1"})
    second = rest.ask("POST", "/v1/messages", body, **{"Idempotency-Key": "order-1"})
    other = rest.ask("POST", "/v1/messages", {**body, "text": "Bye"}, **{"Idempotency-Key": "order-1"})

    assert first.status == second.status == 201
    assert first.document["id"] == second.document["id"]
    assert other.status == 409
