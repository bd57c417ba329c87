"""Connectors as the hub wires them: its settings, its guard, its client; a webhook that its receiver can verify."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from hub.app.connectors import connection_lister, open_connectors
from hub.app.outgoing import outbound_client
from hub.app.world import SystemClock
from hub.config.settings import load_settings
from hub.connectors.actions import ConnectorActions
from hub.flow.repositories import Store
from hub.model.actions import ActionCall, ActionFailed
from hub.observe.metrics import Metrics
from tests.connectors.mail_server import Post, posting
from tests.outbound.receivers import answering, listening

SECRETS = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")


@asynccontextmanager
async def wired(
    store: Store,
    folder: Path,
    connections: str = "",
    *,
    allow: tuple[str, ...] = ("127.0.0.0/8",),
    metrics: Metrics | None = None,
) -> AsyncIterator[ConnectorActions]:
    base = load_settings(None, {})
    settings = replace(
        base,
        connections_file=folder / "connections.yaml",
        connectors_folder=folder / "connectors",
        outbound=replace(base.outbound, allow=allow, proxy="", connect_timeout_seconds=2.0),
    )
    settings.connections_file.write_text(connections, "utf-8")
    client = outbound_client(settings)
    try:
        yield open_connectors(
            settings, store=store, clock=SystemClock(), client=client, redis=None, metrics=metrics
        )
    finally:
        await client.aclose()


def call(name: str, **inputs: object) -> ActionCall:
    return ActionCall(
        name=name, connection=None, inputs=inputs, key="5f0c6b1a9d", attempt=1, timeout_ms=5_000
    )


@pytest.mark.parametrize("secret", SECRETS)
async def test_a_webhook_is_verified_by_the_library_of_the_standard(
    store: Store, tmp_path: Path, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, text in enumerate(SECRETS):
        monkeypatch.setenv(f"SIGNING_{number}", text)
    async with listening(answering(b"HTTP/1.1 204 No Content\r\n\r\n")) as receiver:
        endpoint = (
            f"{{ url: '{receiver.url('/hooks')}', secret: [{{ env: SIGNING_0 }}, {{ env: SIGNING_1 }}] }}"
        )
        async with wired(store, tmp_path, f"endpoints:\n  warehouse: {endpoint}\n") as actions:
            done = await actions.run(call("webhook.send", endpoint="warehouse", body={"text": "Hällo"}))

    head, _, body = receiver.requests[0].partition(b"\r\n\r\n")
    lines = [line.partition(b": ") for line in head.split(b"\r\n")[1:]]
    headers = {name.decode(): value.decode() for name, _, value in lines}
    assert Webhook(secret).verify(body, headers) == json.loads(body) == {"text": "Hällo"}
    assert headers["webhook-id"] == "5f0c6b1a9d"
    assert done.output == {"status": 204, "id": "5f0c6b1a9d"}


#: Where to → class, what the message says.
UNREACHED = [
    ("http://127.0.0.1:{port}/", (), "invalid", "outbound.allow"),
    ("https://169.254.169.254/latest/meta-data", ("127.0.0.0/8",), "invalid", "outbound.allow"),
    ("ftp://example.com/", ("127.0.0.0/8",), "invalid", "begins with https"),
    ("http://127.0.0.1:1/", ("127.0.0.0/8",), "retryable", "cannot be reached, and nothing was sent"),
    ("https://127.0.0.1:{port}/", ("127.0.0.0/8",), "retryable", "cannot be reached, and nothing was sent"),
    ("http://127.0.0.1:{port}/", ("127.0.0.0/8",), "server", "gave an answer that is no HTTP"),
]


@pytest.mark.parametrize("row", UNREACHED, ids=lambda row: f"{row[0]} {row[2]}")
async def test_what_cannot_be_reached_has_a_class_and_says_why(
    store: Store, tmp_path: Path, row: tuple[str, tuple[str, ...], str, str]
) -> None:
    url, allow, error_class, words = row
    async with (
        listening(answering(b"SMTP 220 hello\r\n\r\n", is_closing=True)) as receiver,
        wired(store, tmp_path, allow=allow) as actions,
    ):
        with pytest.raises(ActionFailed) as failed:
            await actions.run(call("http.request", url=url.format(port=receiver.port), json={}))

    assert failed.value.error_class == error_class, failed.value.message
    assert words in failed.value.message


async def test_attempts_are_counted_by_what_became_of_them(store: Store, tmp_path: Path) -> None:
    metrics = Metrics()
    answers = answering(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    async with listening(answers) as receiver, wired(store, tmp_path, metrics=metrics) as actions:
        for url in (receiver.url(), "http://127.0.0.1:1/"):
            with pytest.raises(ActionFailed):
                await actions.run(call("http.get", url=url))

    def count(outcome: str) -> float | None:
        labels = {"connector": "http", "outcome": outcome}
        return metrics.registry.get_sample_value("hub_connector_calls_total", labels)

    assert (count("not_found"), count("retryable"), count("done")) == (1, 1, None)


MAIL = """connections:
  mail:
    connector: smtp
    auth: {{ relay: {{ host: 127.0.0.1, port: {port}, security: none }} }}
    vars: {{ from: Acme <hub@acme.example> }}
"""


async def test_a_letter_goes_the_guarded_way(store: Store, tmp_path: Path) -> None:
    letter = {"to": "ann@example.com", "subject": "Hi", "text": "Hello"}
    async with posting(Post(passwords={})) as post:
        written = MAIL.format(port=post.port)
        async with wired(store, tmp_path, written) as actions:
            done = await actions.run(call("smtp.send_email", **letter))
        async with wired(store, tmp_path, written, allow=()) as actions:
            with pytest.raises(ActionFailed, match=r"outbound\.allow"):
                await actions.run(call("smtp.send_email", **letter))

    assert done.output["message_id"] == "<5f0c6b1a9d@acme.example>"
    assert [each.recipients for each in post.letters] == [["ann@example.com"]]


async def test_a_process_without_routes_lists_the_connections_that_stand_in_the_file(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is read before somebody asks; secrets stay where they are."""
    monkeypatch.setenv("CHAT", "test-token-1")
    settings = replace(
        load_settings(None, {}),
        connections_file=tmp_path / "connections.yaml",
        connectors_folder=tmp_path / "connectors",
    )
    listed = connection_lister(settings, store=store, clock=SystemClock())
    settings.connections_file.write_text(
        "connections: { chat: { connector: slack, auth: { bot: { token: { env: CHAT } } } } }", "utf-8"
    )
    found = {each.name: each for each in await listed()}

    assert (found["chat"].connector, found["chat"].auth, found["chat"].state) == ("slack", "bot", "ok")
    assert "test-token-1" not in str(found)
