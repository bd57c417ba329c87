"""The engine before a mail server of the tests: a connection, a letter, and what became of it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from hub.config.connectors import shipped_manifests
from hub.flow.calling import Call, Caller, Reply
from hub.flow.repositories import Store
from hub.model.actions import ActionCall, ActionDone, ActionFailed
from hub.outbound.client import OutboundClient
from hub.outbound.mail import Mailer
from hub.outbound.mail_calling import CallerByScheme, MailCaller
from hub.outbound.tls import client_context
from hub.rules.egress import read_allow_list
from tests.connectors.golden import KEY, NAME, Engine, clock_at, connection_of, engine
from tests.connectors.mail_server import Post
from tests.outbound.certificates import Authority

LOGIN = {"username": "hub@acme.example", "password": "test-smtp-password"}
LETTER = {"to": "ann@example.com", "subject": "Hi", "text": "Hello"}


class NoWeb:
    async def send(self, call: Call) -> Reply:
        raise AssertionError(f"{call.url} is no e-mail")


@asynccontextmanager
async def sending(
    store: Store,
    authority: Authority,
    post: Post,
    *,
    way: str = "login",
    allow: tuple[str, ...] = ("127.0.0.0/8",),
    proxy: str | None = None,
    web: Caller | None = None,
    sender: str = "Acme <hub@acme.example>",
    **fields: object,
) -> AsyncIterator[Engine]:
    """The engine with a connection to a server; `fields` are those of its credentials."""
    given = {"host": "127.0.0.1", "port": post.port, **(LOGIN if way == "login" else {}), **fields}
    written = {"auth": {way: given}, "vars": {"from": sender}}
    connection = connection_of(shipped_manifests()["smtp"], written)
    context = ssl.create_default_context(cafile=str(authority.file))
    client = OutboundClient(read_allow_list(list(allow)), tls=client_context(), proxy=proxy)
    clock = clock_at()
    mailer = Mailer(client, tls=context, connect_timeout_seconds=2.0)
    try:
        caller = CallerByScheme(web or NoWeb(), MailCaller(mailer, clock))
        yield engine(store, caller, [connection], clock=clock)
    finally:
        await client.aclose()


async def sent(works: Engine, *, timeout_ms: int = 5_000, **inputs: object) -> ActionDone:
    call = ActionCall(
        name="smtp.send_email",
        connection=NAME,
        inputs={**LETTER, **inputs},
        key=KEY,
        attempt=1,
        timeout_ms=timeout_ms,
    )
    return await works.actions.run(call)


async def failed(works: Engine, timeout_ms: int = 5_000, **inputs: object) -> ActionFailed:
    with pytest.raises(ActionFailed) as told:
        await sent(works, timeout_ms=timeout_ms, **inputs)
    assert "test-smtp-password" not in told.value.message
    return told.value
