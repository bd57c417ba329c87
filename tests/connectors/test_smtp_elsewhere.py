"""Letters are taken by a mail server that somebody else wrote, as they are by the one of our other tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from hub.flow.repositories import Store
from tests.connectors.mail_server import Post
from tests.connectors.mailing import LOGIN, failed, sending, sent
from tests.outbound.certificates import Authority


class _Kept:
    """What was handed over."""

    def __init__(self) -> None:
        self.letters: list[Envelope] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.letters.append(envelope)
        return "250 2.0.0 kept"


def _is_known(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    known = LoginPassword(LOGIN["username"].encode(), LOGIN["password"].encode())
    return AuthResult(success=data == known, handled=False)


@asynccontextmanager
async def taking(authority: Authority, **options: Any) -> AsyncIterator[tuple[Post, _Kept]]:
    kept = _Kept()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(
            kept,
            hostname="mail.acme.example",
            tls_context=authority.server("127.0.0.1"),
            require_starttls=True,
            auth_required=True,
            authenticator=_is_known,
            loop=loop,
            **options,
        ),
        "127.0.0.1",
        0,
    )
    async with server:
        yield Post(port=server.sockets[0].getsockname()[1]), kept


@pytest.mark.parametrize("excluded", [[], ["PLAIN"]], ids=["plain", "login"])
async def test_it_takes_a_letter_whole(store: Store, tmp_path: Path, excluded: list[str]) -> None:
    authority = Authority(tmp_path)
    text = ".\n..\n.dots\n" + "long " * 400 + "\nGrüße"
    async with (
        taking(authority, auth_exclude_mechanism=excluded) as (post, kept),
        sending(store, authority, post) as works,
    ):
        await sent(works, to=["ann@example.com", "bob@example.com"], text=text)

    [letter] = kept.letters
    assert (letter.mail_from, letter.rcpt_tos) == ("hub@acme.example", ["ann@example.com", "bob@example.com"])
    assert isinstance(letter.content, bytes)
    body = message_from_bytes(letter.content, policy=default).get_content()
    assert body.replace("\r\n", "\n") == f"{text}\n"


async def test_it_refuses_another_password(store: Store, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with (
        taking(authority) as (post, kept),
        sending(store, authority, post, password="test-other-password") as works,
    ):
        failure = await failed(works)

    assert (failure.error_class, failure.status, kept.letters) == ("auth", 535, [])


async def test_it_refuses_what_is_too_large(store: Store, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with (
        taking(authority, data_size_limit=1_000) as (post, kept),
        sending(store, authority, post) as works,
    ):
        failure = await failed(works, text="word " * 1_000)

    assert (failure.error_class, kept.letters) == ("invalid", [])
