"""hub listen: checks signatures, prints one line an event, registers itself if asked."""

from __future__ import annotations

import http.client
import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from email.message import Message

import pytest

from hub.cli.listen import make_handler
from hub.cli.received import GOOD, UNCHECKED, Book, line_of, whole_of
from hub.rules.signing import NativeSigner, Secret, StandardSigner

SECRET = Secret.from_bytes(b"k" * 24).text
OTHER = Secret.from_bytes(b"o" * 24).text
BODY = json.dumps(
    {"event": "message.received", "data": {"text": "Hi", "sender": "+15550100001", "parts": []}}
).encode()


def signed(secret: str, *, body: bytes = BODY, at_ms: int | None = None) -> Message:
    at_ms = int(time.time() * 1000) if at_ms is None else at_ms
    headers = Message()
    headers["webhook-id"] = "evt_1"
    headers["webhook-timestamp"] = str(at_ms // 1000)
    headers["webhook-signature"] = (
        StandardSigner([Secret(secret)]).sign(b"evt_1", at_ms // 1000, body).decode()
    )
    headers["X-Webhook-Timestamp"] = str(at_ms)
    headers["X-Webhook-Signature"] = NativeSigner(secret).sign(at_ms, body).decode()
    return headers


def nothing_found() -> Sequence[str]:
    return ()


def without(headers: Message, *names: str) -> Message:
    for name in names:
        del headers[name]
    return headers


def changed(headers: Message, name: str, value: str) -> Message:
    headers.replace_header(name, value)
    return headers


#: Signed when the test runs: signatures grow old.
VERDICTS: dict[str, tuple[Callable[[], Message], str]] = {
    "right": (lambda: signed(SECRET), GOOD),
    "right, standard only": (lambda: without(signed(SECRET), "X-Webhook-Signature"), GOOD),
    "another secret": (lambda: signed(OTHER), "SIGNATURE BAD_SIGNATURE"),
    "another body": (lambda: signed(SECRET, body=b"{}"), "SIGNATURE BAD_SIGNATURE"),
    "old": (lambda: signed(SECRET, at_ms=1_700_000_000_000), "SIGNATURE TOO_OLD"),
    "not signed": (Message, "SIGNATURE MISSING_HEADER"),
    "native wrong": (
        lambda: changed(signed(SECRET), "X-Webhook-Signature", "sha256=" + "0" * 64),
        "NATIVE SIGNATURE",
    ),
    "native undated": (
        lambda: changed(signed(SECRET), "X-Webhook-Timestamp", "soon"),
        "NATIVE SIGNATURE BAD_TIMESTAMP",
    ),
}


@pytest.mark.parametrize("case", VERDICTS.values(), ids=VERDICTS.keys())
def test_both_signatures_are_checked(case: tuple[Callable[[], Message], str]) -> None:
    sign, expected = case

    assert Book([SECRET], look_up=nothing_found).verdict(sign(), BODY).startswith(expected)


def test_without_any_secret_nothing_is_checked() -> None:
    assert Book([], look_up=nothing_found).verdict(signed(SECRET), BODY) == UNCHECKED


def test_the_hub_here_is_asked_for_the_secret_of_a_webhook_registered_meanwhile() -> None:
    found: list[str] = []
    book = Book([], look_up=lambda: tuple(found))
    before = book.verdict(signed(SECRET), BODY)
    found.append(SECRET)

    assert (before, book.verdict(signed(SECRET), BODY)) == (UNCHECKED, GOOD)


LINES = {
    "event": (BODY, 'message.received    sender=+15550100001  text="Hi"'),
    "no json": (b"\xff\x00", "b'\\xff\\x00'"),
    "another shape": (b"[1]", "[1]"),
    "without data": (b'{"event":"x"}', '{"event": "x"}'),
    "line breaks": (b'{"event":"x","data":{"text":"a\\nb"}}', 'text="a\\nb"'),
    "long": (json.dumps({"event": "x", "data": {"text": "y" * 500}}).encode(), "yyy…"),
}


@pytest.mark.parametrize("case", LINES.values(), ids=LINES.keys())
def test_an_event_is_one_line(case: tuple[bytes, str]) -> None:
    body, expected = case
    line = line_of(body, GOOD)

    assert expected in line
    assert "\n" not in line


def test_whole_payloads_are_json_whatever_came() -> None:
    assert json.loads(whole_of(BODY)) == json.loads(BODY)
    assert json.loads(whole_of(b"\xff")) == {"not_json": "�"}


@contextmanager
def listening(status: int) -> Iterator[int]:
    handler = make_handler(Book([SECRET], look_up=nothing_found), status, as_json=False)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("status", [200, 410, 500])
def test_it_answers_what_it_was_told_to(status: int, capsys: pytest.CaptureFixture[str]) -> None:
    with listening(status) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("POST", "/", BODY, dict(signed(SECRET).items()))
        answered = connection.getresponse().status
        connection.close()

    assert answered == status
    assert GOOD in capsys.readouterr().out


def test_what_was_asked_at_the_beginning_is_not_asked_again() -> None:
    asked: list[None] = []

    def look_up() -> Sequence[str]:
        asked.append(None)
        return (SECRET,)

    book = Book([], look_up=look_up)
    book.learn()

    assert book.verdict(signed(SECRET), BODY) == GOOD
    assert len(asked) == 1
