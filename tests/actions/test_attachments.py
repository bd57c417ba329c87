"""Attachments of sends that are named by an address: fetched by the guarded client, stored, and sent once."""

from __future__ import annotations

import pytest

from tests.actions.bench import Bench
from tests.outbound.receivers import answering, listening
from tests.support.hub_world import CONTACT, SANDBOX_LINE
from tests.support.uploading import PNG

SEND = {"from": SANDBOX_LINE, "to": CONTACT, "text": "Look"}
OK = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(PNG) + PNG


async def test_what_is_at_the_address_goes_along(bench: Bench) -> None:
    async with listening(answering(OK)) as receiver:
        await bench.run("message.send", {**SEND, "attachments": [receiver.url("/cats/my%20cat.png?x=1")]})

    (message,) = await bench.messages()
    (attachment,) = message["attachments"]
    assert (attachment["filename"], attachment["mime_type"], attachment["size"]) == (
        "my cat.png",
        "image/png",
        len(PNG),
    )


async def test_a_repeated_step_sends_nothing_more(bench: Bench) -> None:
    """Though it fetches anew; what is not used goes with other unused files."""
    async with listening(answering(OK)) as receiver:
        inputs = {**SEND, "attachments": [receiver.url("/a.png"), receiver.url("/b.png")]}
        first = await bench.run("message.send", inputs, key="step")
        again = await bench.run("message.send", inputs, key="step")

    assert again == first
    (message,) = await bench.messages()
    assert [each["filename"] for each in message["attachments"]] == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("answer", "error_class", "says"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "retryable", "status 404"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "retryable", "status 503"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "invalid", "empty"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n", "invalid", "9999999 bytes"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/x\r\nContent-Length: 0\r\n\r\n", "permission", "address"),
    ],
    ids=["not there", "busy", "empty", "too large", "leads inside"],
)  # fmt: skip
async def test_an_address_without_a_file_is_told(
    bench: Bench, answer: bytes, error_class: str, says: str
) -> None:
    """What is not there yet may be later: the hub fetches attachments of bridges by the same judgement."""
    async with listening(answering(answer)) as receiver:
        failed = await bench.refused("message.send", {**SEND, "attachments": [receiver.url()]})

    assert failed.error_class == error_class, failed.message
    assert says in failed.message
    assert await bench.owed() == []
