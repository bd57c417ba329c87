"""Files in a hub of real processes: big ones cost no memory, attachments come in and go out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.receiver import Receiver
from tests.e2e.rest import Rest
from tests.e2e.running import RunningHub
from tests.load.big_files import MIB, Mover, hub_on, measure

BIG = 40 * MIB
#: Buffers, and what Python's allocator keeps; far below the file. A bucket takes three parts of 8 MiB at a time.
MOST_RISE = {"folder": 8 * MIB, "s3": 36 * MIB}


@pytest.mark.slow
@pytest.mark.parametrize("storage", ["folder", "s3"])
def test_the_size_of_a_file_costs_no_memory(storage: str, tmp_path: Path) -> None:
    with hub_on(storage, tmp_path) as hub:
        ways = measure(hub, BIG)

    assert {way.name: way.risen for way in ways if way.risen > MOST_RISE[storage]} == {}


@pytest.mark.slow
def test_an_attachment_reaches_a_receiver_as_an_address_that_works(
    hub: RunningHub, rest: Rest, receiver: Receiver
) -> None:
    webhook = rest.register(receiver.url("/attachments"), "message.received")
    rest.post("/v1/sandbox/attach", {"contact": "+15550100001", "attachment": "photo", "text": "Look"})

    event = receiver.wait("/attachments")[0].event["data"]
    (attachment,) = event["attachments"]
    size, _ = Mover(hub).download(attachment["url"])

    assert size == attachment["size"]
    assert rest.get(f"/v1/files/{attachment['file_id']}")["state"] == "stored"
    rest.ask("DELETE", "/v1/webhooks", {"id": webhook["id"]})


@pytest.mark.slow
def test_a_file_goes_out_and_stays(hub: RunningHub, rest: Rest) -> None:
    url = Mover(hub).upload(MIB)
    file_id = url.partition("/v1/files/")[2].partition("/")[0]
    body = {"from": "+15550100000", "to": "+15550100001", "text": "Here", "attachments": [file_id]}

    sent = rest.post("/v1/messages", body)
    rest.until(f"/v1/outbox?id={sent['id']}", lambda item: item["status"] == "sent")

    refused: Any = rest.ask("DELETE", f"/v1/files/{file_id}")
    assert (refused.status, refused.document["error"]["code"]) == (409, "file_in_use")
