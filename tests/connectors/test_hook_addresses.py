"""The address of a hook is its only credential: whatever goes wrong on the way to it, nothing shows where it leads."""

from __future__ import annotations

import logging

import pytest
from structlog.testing import capture_logs

from hub.config.connectors import shipped_manifests
from hub.flow.repositories import Store
from hub.model.actions import ActionCall, ActionFailed
from hub.outbound.calling import GuardedCaller
from hub.outbound.limits import OutboundLimits
from hub.rules.egress import read_allow_list
from tests.connectors.golden import KEY, NAME, connection_of, engine, shown_secrets
from tests.outbound.receivers import Visit, listening
from tests.support.calling import local_client

PATH = "webhook/test-0a1b2c3d-4e5f-6071"


@pytest.mark.parametrize(
    ("address", "allowed", "error_class"),
    [
        # Nobody listens at port 1.
        (f"http://127.0.0.1:1/{PATH}", ["127.0.0.0/8"], "retryable"),
        (f"http://127.0.0.1:1/{PATH}?sig=test-signature-1", [], "invalid"),
        (f"https://127.0.0.1:99999/{PATH}", ["127.0.0.0/8"], "invalid"),
    ],
)
async def test_what_cannot_be_reached_is_not_shown(
    address: str, allowed: list[str], error_class: str, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    shown = await failing(store, address, allowed, caplog, error_class)

    assert "test-0a1b2c3d" not in shown
    assert "test-signature-1" not in shown


@pytest.mark.parametrize(
    "answer",
    [
        b"no HTTP at all\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /webhook/x\r\nContent-Length: 0\r\n\r\n",
        b"",
    ],
)
async def test_what_answers_strangely_is_not_shown(
    answer: bytes, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    async def behave(visit: Visit) -> None:
        await visit.read_request()
        await visit.send(answer)

    async with listening(behave) as receiver:
        address = f"http://127.0.0.1:{receiver.port}/{PATH}"
        shown = await failing(store, address, ["127.0.0.0/8"], caplog, None)

    assert "test-0a1b2c3d" not in shown


async def failing(
    store: Store, address: str, allowed: list[str], caplog: pytest.LogCaptureFixture, error_class: str | None
) -> str:
    """Give everything that a failing call shows: its error, its requests, and all logs."""
    caplog.set_level(logging.DEBUG)
    connection = connection_of(shipped_manifests()["n8n"], {"auth": {"hook": {"url": address}}})
    client = local_client(read_allow_list(allowed), limits=OutboundLimits())
    call = ActionCall(
        name="n8n.send", connection=NAME, inputs={"data": {}}, key=KEY, attempt=1, timeout_ms=3_000
    )
    try:
        with capture_logs() as lines, pytest.raises(ActionFailed) as failed:
            await engine(store, GuardedCaller(client), [connection]).actions.run(call)
    finally:
        await client.aclose()
    if error_class is not None:
        assert failed.value.error_class == error_class, failed.value.message
    return shown_secrets([failed.value.message, failed.value.requests, lines, caplog.text])
