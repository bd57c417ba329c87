"""E-mail goes out over real SMTP: TLS is demanded, what may have happened is not repeated, what did not is."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from hub.config.connectors import shipped_manifests
from hub.flow.calling import Call, Caller, CallFailed, Reply
from hub.flow.repositories import Store
from hub.model.actions import ActionCall, ActionDone, ActionFailed
from hub.outbound.client import OutboundClient
from hub.outbound.mail import Mailer
from hub.outbound.mail_calling import CallerByScheme, MailCaller
from hub.outbound.tls import client_context
from hub.rules.egress import read_allow_list
from tests.connectors.golden import KEY, NAME, Engine, clock_at, connection_of, engine
from tests.connectors.mail_server import LOST, SILENT, Post, posting
from tests.outbound.certificates import Authority

LOGIN = {"username": "hub@acme.example", "password": "test-smtp-password"}
LETTER = {"to": "ann@example.com", "subject": "Hi", "text": "Hello"}


class _NoWeb:
    async def send(self, call: Call) -> Reply:
        raise AssertionError(f"{call.url} is no e-mail")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


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
        caller = CallerByScheme(web or _NoWeb(), MailCaller(mailer, clock))
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


# ---- what is not believed


async def test_without_starttls_nothing_is_sent(store: Store, authority: Authority) -> None:
    async with posting(Post()) as post, sending(store, authority, post) as works:
        failure = await failed(works)

    assert failure.error_class == "invalid"
    assert not {"AUTH", "MAIL"} & set(post.verbs)
    assert "offers no STARTTLS" in failure.message


@pytest.mark.parametrize("names", [("other.example",), ("10.0.0.1",)])
async def test_a_certificate_of_somebody_else_is_not_believed(
    store: Store, authority: Authority, names: tuple[str, ...]
) -> None:
    async with posting(Post(tls=authority.server(*names))) as post, sending(store, authority, post) as works:
        failure = await failed(works)

    assert (failure.error_class, post.letters) == ("retryable", [])
    assert "certificate" in failure.message
    assert "AUTH" not in post.verbs


async def test_what_is_said_before_tls_is_not_believed_after_it(store: Store, authority: Authority) -> None:
    injected = "220 go ahead\r\n250-mail.acme.example\r\n250 AUTH PLAIN"
    tls = authority.server("127.0.0.1")
    async with (
        posting(Post(tls=tls, passwords={}, replies={"STARTTLS": injected})) as post,
        sending(store, authority, post) as works,
    ):
        await failed(works, timeout_ms=700)

    assert ("AUTH" in post.verbs, post.letters) == (False, [])


#: Where to, what is allowed, how → what the message says; nothing is dialled.
GUARDED = [
    ("127.0.0.1", (), "starttls", "outbound.allow"),
    ("169.254.169.254", ("127.0.0.0/8",), "starttls", "outbound.allow"),
    ("localhost", (), "tls", "outbound.allow"),
    ("8.8.8.8", ("127.0.0.0/8",), "none", "without TLS only servers of outbound.allow"),
]


@pytest.mark.parametrize("row", GUARDED, ids=lambda row: f"{row[2]} {row[0]}")
async def test_the_guard_says_which_servers_may_be_talked_to(
    store: Store, authority: Authority, row: tuple[str, tuple[str, ...], str, str]
) -> None:
    host, allow, security, words = row
    async with (
        posting(Post()) as post,
        sending(store, authority, post, way="relay", host=host, allow=allow, security=security) as works,
    ):
        failure = await failed(works)

    assert (failure.error_class, post.verbs) == ("invalid", [])
    assert words in failure.message


async def test_e_mail_does_not_go_around_the_proxy(store: Store, authority: Authority) -> None:
    async with (
        posting(Post(tls=authority.server("127.0.0.1"))) as post,
        sending(store, authority, post, proxy="http://127.0.0.1:1") as works,
    ):
        failure = await failed(works)

    assert (failure.error_class, post.verbs) == ("invalid", [])
    assert "outbound.proxy" in failure.message


async def test_a_web_address_is_no_way_to_send_mail(store: Store) -> None:
    connection = connection_of(shipped_manifests()["http"], {"auth": {"none": {}}})
    inputs = {"url": "smtp+none://127.0.0.1:25/", "json": {}}
    call = ActionCall(
        name="http.request", connection=NAME, inputs=inputs, key=KEY, attempt=1, timeout_ms=1_000
    )
    with pytest.raises(ActionFailed) as told:
        await engine(store, _NoWeb(), [connection]).actions.run(call)

    assert told.value.error_class == "invalid"


# ---- what goes wrong

#: What the server says to what → class, status, after ms, the words.
REFUSALS = [
    ("", "554 5.7.1 Go away", "invalid", 554, None, "Go away"),
    ("", "421 4.3.2 Closing", "rate_limited", 421, 60_000, "Closing"),
    ("EHLO", "550 5.7.1 Not you", "invalid", 550, None, "Not you"),
    ("STARTTLS", "454 4.7.0 No TLS now", "rate_limited", 454, 300_000, "No TLS now"),
    ("AUTH", "535 5.7.8 Bad", "auth", 535, None, "Bad"),
    ("AUTH", "454 4.7.0 Later", "rate_limited", 454, 300_000, "Later"),
    ("MAIL", "530 5.7.0 Log in first", "auth", 530, None, "Log in first"),
    ("RCPT", "450 4.7.1 Greylisted", "retryable", 450, 300_000, "ann@example.com: 4.7.1 Greylisted"),
    ("RCPT", "550 5.1.1 Nobody", "invalid", 550, None, "550 ann@example.com: 5.1.1 Nobody"),
    ("DATA", "451 4.3.0 Not now", "retryable", 451, 300_000, "Not now"),
    (".", "452 4.3.1 Full", "retryable", 452, 60_000, "Full"),
    (".", "554 5.6.0 Spam", "invalid", 554, None, "Spam"),
]


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: f"{row[0] or 'greeting'} {row[1]}")
async def test_what_the_server_refuses_has_a_class(
    store: Store, authority: Authority, row: tuple[str, str, str, int, int | None, str]
) -> None:
    verb, reply, error_class, status, after_ms, words = row
    tls = authority.server("127.0.0.1")
    async with (
        posting(Post(tls=tls, replies={verb: reply})) as post,
        sending(store, authority, post) as works,
    ):
        failure = await failed(works)

    assert (failure.error_class, failure.status, failure.after_ms) == (error_class, status, after_ms)
    assert words in failure.message
    assert post.letters == []


#: What is no answer.
BREAKS = [
    pytest.param(LOST, id="lost"),
    pytest.param(SILENT, id="silent", marks=pytest.mark.slow),
    pytest.param("hello", id="no SMTP"),
]


@pytest.mark.parametrize("reply", BREAKS)
@pytest.mark.parametrize(
    "verb", ["", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT"], ids=lambda verb: verb or "greeting"
)
async def test_what_breaks_off_before_the_letter_is_tried_again(
    store: Store, authority: Authority, verb: str, reply: str
) -> None:
    tls = authority.server("127.0.0.1")
    async with (
        posting(Post(tls=tls, replies={verb: reply})) as post,
        sending(store, authority, post) as works,
    ):
        failure = await failed(works, timeout_ms=700)

    assert (failure.error_class, post.letters) == ("retryable", [])
    assert "nothing was sent" in failure.message


@pytest.mark.parametrize("reply", BREAKS)
async def test_what_breaks_off_after_the_letter_may_have_happened(
    store: Store, authority: Authority, reply: str
) -> None:
    tls = authority.server("127.0.0.1")
    async with posting(Post(tls=tls, replies={".": reply})) as post, sending(store, authority, post) as works:
        failure = await failed(works, timeout_ms=700)

    assert failure.error_class == "timeout_unknown"
    assert "may have happened" in failure.message


@pytest.mark.parametrize("reply", [LOST, SILENT, "500 what"], ids=["lost", "silent", "refused"])
async def test_a_goodbye_that_fails_changes_nothing(store: Store, authority: Authority, reply: str) -> None:
    tls = authority.server("127.0.0.1")
    async with (
        posting(Post(tls=tls, replies={"QUIT": reply})) as post,
        sending(store, authority, post) as works,
    ):
        await sent(works)

    assert len(post.letters) == 1


async def test_one_refused_recipient_stops_the_letter(store: Store, authority: Authority) -> None:
    tls = authority.server("127.0.0.1")
    async with (
        posting(Post(tls=tls, replies={"RCPT": "550 5.1.1 Nobody"})) as post,
        sending(store, authority, post) as works,
    ):
        await failed(works, cc="bob@example.com")

    assert (post.letters, "DATA" in post.verbs) == ([], False)


async def test_a_letter_larger_than_the_server_takes_is_not_begun(store: Store, authority: Authority) -> None:
    post = Post(tls=authority.server("127.0.0.1"), offers=("AUTH PLAIN", "SIZE 2000"))
    async with posting(post), sending(store, authority, post) as works:
        failure = await failed(works, text="word " * 1000)

    assert (failure.error_class, "MAIL" in post.verbs) == ("invalid", False)
    assert "takes 2000 at the most" in failure.message


@pytest.mark.parametrize(
    "inputs",
    [
        {"subject": "Hi\r\nBcc: eve@example.com"},
        {"from": "Ann\r\nBcc: eve@example.com <ann@example.com>"},
        {"headers": {"X-A": "b\nBcc: eve@example.com"}},
        {"to": "ann@example.com\r\nRCPT TO:<eve@example.com>"},
        {"to": ["ann@example.com", "eve"]},
        {"to": []},
        {"to": "änn@example.com"},
    ],
    ids=str,
)
async def test_what_makes_no_letter_is_not_sent(
    store: Store, authority: Authority, inputs: dict[str, object]
) -> None:
    async with (
        posting(Post(tls=authority.server("127.0.0.1"))) as post,
        sending(store, authority, post) as works,
    ):
        failure = await failed(works, 5_000, **inputs)

    assert (failure.error_class, post.verbs) == ("invalid", [])


@pytest.mark.parametrize("body", [b'{"to": 7}', b"x", b""])
async def test_a_body_that_is_no_letter_is_refused(body: bytes) -> None:
    mailer = Mailer(OutboundClient(read_allow_list([])))
    call = Call(
        method="POST",
        url="smtp+starttls://mail.acme.example:587",
        headers=(),
        body=body,
        timeout_seconds=1.0,
        max_response_bytes=1,
        is_repeatable=False,
    )

    with pytest.raises(CallFailed, match="this makes no e-mail"):
        await MailCaller(mailer, clock_at()).send(call)


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
