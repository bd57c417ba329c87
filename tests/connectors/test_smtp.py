"""E-mail goes out over real SMTP: TLS is demanded, what may have happened is not repeated, what did not is."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from hub.flow.calling import Call, Reply
from hub.flow.repositories import Store
from hub.model.actions import ActionCall
from tests.connectors.golden import KEY, NAME
from tests.connectors.mail_server import Post, posting
from tests.connectors.mailing import LETTER, failed, sending, sent
from tests.outbound.certificates import Authority


def parsed(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


async def test_a_letter_goes_out_by_tls_with_an_id_of_the_key(store: Store, authority: Authority) -> None:
    text = "Grüße 👋\n.\n..\nEnd"
    copies: dict[str, Any] = {"cc": "bob@example.com", "bcc": ["bob@example.com", "eve@example.com"]}
    async with (
        posting(Post(tls=authority.server("127.0.0.1"))) as post,
        sending(store, authority, post) as works,
    ):
        done = await sent(works, subject="Ä ☀", text=text, html="<b>ß</b>", **copies)

    [letter] = post.letters
    message = parsed(letter.content)
    assert letter.sender == "hub@acme.example"
    assert letter.recipients == ["ann@example.com", "bob@example.com", "eve@example.com"]
    assert (letter.is_secret, letter.user) == (True, "hub@acme.example")
    assert letter.content.isascii()
    assert (message["From"], message["Subject"]) == ("Acme <hub@acme.example>", "Ä ☀")
    assert (message["To"], message["Cc"], message["Bcc"]) == ("ann@example.com", "bob@example.com", None)
    assert message["Date"] == "Fri, 21 Aug 2026 10:00:00 +0000"
    assert message["Message-ID"] == "<5f0c6b1a9d@acme.example>"
    assert text_of(message, "plain").replace("\r\n", "\n") == f"{text}\n"
    assert text_of(message, "html").strip() == "<b>ß</b>"
    assert done.output == {"message_id": "<5f0c6b1a9d@acme.example>", "answer": "2.0.0 Ok: queued as 4XyZ"}
    assert done.requests == (f"POST smtp+starttls://127.0.0.1:{post.port} 250",)
    assert post.verbs == ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "RCPT", "RCPT", "DATA", "QUIT"]


async def test_a_repetition_is_the_same_letter(store: Store, authority: Authority) -> None:
    async with (
        posting(Post(tls=authority.server("127.0.0.1"))) as post,
        sending(store, authority, post) as works,
    ):
        await sent(works, html="<b>Hello</b>")
        await sent(works, html="<b>Hello</b>")

    first, second = post.letters
    assert first.content == second.content


async def test_tls_from_the_start(store: Store, authority: Authority) -> None:
    tls = authority.server("127.0.0.1")
    async with posting(Post(), tls=tls) as post, sending(store, authority, post, security="tls") as works:
        await sent(works)

    assert [letter.is_secret for letter in post.letters] == [True]


async def test_a_relay_of_the_own_network_may_be_talked_to_in_the_clear(
    store: Store, authority: Authority
) -> None:
    async with (
        posting(Post(passwords={})) as post,
        sending(store, authority, post, way="relay", security="none") as works,
    ):
        await sent(works)

    assert [(letter.is_secret, letter.user) for letter in post.letters] == [(False, None)]


# ---- who asks


@pytest.mark.parametrize(
    ("offers", "mechanism"), [("AUTH LOGIN PLAIN CRAM-MD5", "PLAIN"), ("AUTH LOGIN", "LOGIN")]
)
async def test_a_password_is_said_once(
    store: Store, authority: Authority, offers: str, mechanism: str
) -> None:
    post = Post(tls=authority.server("127.0.0.1"), offers=(offers,), passwords={"hub@acme.example": "other"})
    async with posting(post), sending(store, authority, post) as works:
        failure = await failed(works)

    assert (failure.error_class, post.mechanisms) == ("auth", [mechanism])
    assert "app password" in failure.message


async def test_what_a_server_says_of_a_password_is_covered(store: Store, authority: Authority) -> None:
    post = Post(tls=authority.server("127.0.0.1"), passwords={"hub@acme.example": "other"})
    async with posting(post), sending(store, authority, post) as works:
        failure = await failed(works)
        again = await failed(works)

    assert "5.7.8 *** of *** is not the password" in failure.message
    assert (again.error_class, post.verbs.count("AUTH")) == ("auth", 1)
    assert "is paused since" in again.message


async def test_a_server_that_takes_no_password_says_which_port_does(
    store: Store, authority: Authority
) -> None:
    post = Post(tls=authority.server("127.0.0.1"), offers=())
    async with posting(post), sending(store, authority, post) as works:
        failure = await failed(works)

    assert (failure.error_class, "AUTH" in post.verbs) == ("invalid", False)
    assert "587 or 465" in failure.message


@pytest.mark.parametrize("known", ["first", "second"])
async def test_microsoft_takes_a_token_which_is_renewed_once(
    store: Store, authority: Authority, known: str
) -> None:
    tokens = _Tokens(["first", "second", "third"])
    fields: dict[str, Any] = {"username": "hub@acme.example", "tenant": "acme.example", "client_id": "c1"}
    post = Post(tls=authority.server("127.0.0.1"), passwords={"hub@acme.example": known})
    async with (
        posting(post),
        sending(
            store, authority, post, way="microsoft", web=tokens, client_secret="test-secret-of-app", **fields
        ) as works,
    ):
        await sent(works)

    assert [letter.user for letter in post.letters] == ["hub@acme.example"]
    assert post.mechanisms == ["XOAUTH2"] * len(tokens.asked)
    assert len(tokens.asked) == ["first", "second"].index(known) + 1
    assert tokens.asked[0].url == "https://login.microsoftonline.com/acme.example/oauth2/v2.0/token"
    assert b"scope=https%3A%2F%2Foutlook.office365.com%2F.default" in tokens.asked[0].body


class _Tokens:
    """Microsoft's tokens, one after the other."""

    def __init__(self, tokens: list[str]) -> None:
        self.asked: list[Call] = []
        self._tokens = tokens

    async def send(self, call: Call) -> Reply:
        token = self._tokens[len(self.asked)]
        self.asked.append(call)
        body = f'{{"access_token": "{token}", "expires_in": 3599}}'.encode()
        return Reply(status=200, headers=((b"content-type", b"application/json"),), body=body, is_cut=False)


# ---- testing a connection


async def test_a_connection_is_tested_without_a_letter(store: Store, authority: Authority) -> None:
    tls = authority.server("127.0.0.1")
    async with posting(Post(tls=tls)) as post, sending(store, authority, post) as works:
        tested = await works.actions.test(NAME)

    told = "127.0.0.1 takes e-mail from Acme <hub@acme.example> (2.0.0 Ok)"
    assert (tested.works, tested.detail) == (True, told)
    assert post.verbs == ["EHLO", "STARTTLS", "EHLO", "AUTH", "NOOP", "QUIT"]


async def test_a_test_says_what_is_wrong_with_the_password(store: Store, authority: Authority) -> None:
    post = Post(tls=authority.server("127.0.0.1"), passwords={"hub@acme.example": "other"})
    async with posting(post), sending(store, authority, post) as works:
        tested = await works.actions.test(NAME)

    assert tested.works is False
    assert "set username and password" in tested.detail


async def test_a_test_hears_of_an_address_that_cannot_send(store: Store, authority: Authority) -> None:
    async with posting(Post()) as post, sending(store, authority, post, sender="Acme") as works:
        tested = await works.actions.test(NAME)

    assert (tested.works, post.verbs) == (False, [])
    assert "`from` is 'Acme'" in tested.detail


async def test_a_preview_shows_the_letter_and_no_password(store: Store, authority: Authority) -> None:
    async with posting(Post()) as post, sending(store, authority, post) as works:
        call = ActionCall(
            name="smtp.send_email", connection=NAME, inputs=LETTER, key=KEY, attempt=1, timeout_ms=1_000
        )
        [line] = await works.actions.preview(call)

    assert post.verbs == []
    assert line.startswith(f"POST smtp+starttls://127.0.0.1:{post.port} {{")
    assert '"to":["ann@example.com"]' in line
    assert "test-smtp-password" not in line
