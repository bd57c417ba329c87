"""E-mail goes only where it may: TLS is demanded, certificates and addresses are judged, no proxy is gone around."""

from __future__ import annotations

import pytest

from hub.config.connectors import shipped_manifests
from hub.flow.repositories import Store
from hub.model.actions import ActionCall, ActionFailed
from tests.connectors.golden import KEY, NAME, connection_of, engine
from tests.connectors.mail_server import Post, posting
from tests.connectors.mailing import NoWeb, failed, sending
from tests.outbound.certificates import Authority


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
        await engine(store, NoWeb(), [connection]).actions.run(call)

    assert told.value.error_class == "invalid"
