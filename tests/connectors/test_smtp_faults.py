"""What goes wrong with e-mail: refusals have a class, what may have happened is not repeated, what did not is."""

from __future__ import annotations

import pytest

from hub.flow.calling import Call, CallFailed
from hub.flow.repositories import Store
from hub.outbound.client import OutboundClient
from hub.outbound.mail import Mailer
from hub.outbound.mail_calling import MailCaller
from hub.rules.egress import read_allow_list
from tests.connectors.golden import clock_at
from tests.connectors.mail_server import LOST, SILENT, Post, posting
from tests.connectors.mailing import failed, sending, sent
from tests.outbound.certificates import Authority

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
