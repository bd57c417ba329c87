"""A letter is written so that what people wrote stays where it belongs, whatever they wrote."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.letters import Letter, Unwritable, read_address, write_letter

NOW_MS = 1_787_306_400_000
LETTER = Letter(sender="hi@acme.example", to=("ann@example.com",), subject="Hi", key="k1", text="Hello")


def written(**changes: object) -> EmailMessage:
    message = message_from_bytes(
        write_letter(msgspec.structs.replace(LETTER, **changes), now_ms=NOW_MS).content, policy=default
    )
    assert isinstance(message, EmailMessage)
    return message


#: Written so → name, address.
ADDRESSES = [
    ("ann@example.com", "", "ann@example.com"),
    (" ann+leads@example.com ", "", "ann+leads@example.com"),
    ("Acme <hi@acme.example>", "Acme", "hi@acme.example"),
    ("<hi@acme.example>", "", "hi@acme.example"),
    ('"Lee, Ann" <hi@acme.example>', "Lee, Ann", "hi@acme.example"),
    ("Grüße 👋 <hi@acme.example>", "Grüße 👋", "hi@acme.example"),
    ("ann@EXÄMPLE.com", "", "ann@xn--exmple-cua.com"),
]


@pytest.mark.parametrize(("text", "name", "address"), ADDRESSES)
def test_an_address_is_read(text: str, name: str, address: str) -> None:
    found = read_address(text, "to")

    assert (found.display_name, found.addr_spec) == (name, address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "ann@",
        "@example.com",
        "ann@localhost",
        "ann@example.com, eve@example.com",
        "ann@example.com eve@example.com",
        "Ann <ann@example.com> <eve@example.com>",
        "<ann@example.com>, eve@example.com",
        "ann>@example.com",
        "a..b@example.com",
        '"a b"@example.com',
        "ann@exa_mple..com",
        "ann@[127.0.0.1]",
        "änn@example.com",
        "ann@example.com\r\nBcc: eve@example.com",
        "ann@example.com\x00",
        f"{'a' * 65}@example.com",
        f"ann@{'a' * 64}.com",
        f"ann@{'a.' * 130}com",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Unwritable, match="`to`"):
        read_address(text, "to")


#: What makes no letter → what is said.
REFUSED: list[tuple[dict[str, object], str]] = [
    ({"to": ()}, "`to` names nobody"),
    ({"to": tuple(f"a{each}@example.com" for each in range(51))}, "50 are the most"),
    ({"subject": "a\nb"}, "`subject` has a line break"),
    ({"subject": "a\rb"}, "`subject` has a line break"),
    ({"subject": "a\x85b"}, "`subject` has a control character"),
    ({"subject": "a\u2028b"}, "`subject` has a line break"),
    ({"subject": "a" * 999}, "998 are the most"),
    ({"subject": "\ud800"}, "`subject` has a control character"),
    ({"text": "\ud800"}, "`text` has a character that no e-mail can carry"),
    ({"html": "a\x00b"}, "`html` has a character that no e-mail can carry"),
    ({"text": None}, "neither `text` nor `html`"),
    ({"key": "a b"}, "Message-ID"),
    ({"headers": {"Bcc": "eve@example.com"}}, "the header Bcc is the hub's"),
    ({"headers": {"CONTENT-type": "text/html"}}, "the header CONTENT-type is the hub's"),
    ({"headers": {"X A": "b"}}, "no name of a header"),
    ({"headers": {"X-A:": "b"}}, "no name of a header"),
    ({"headers": {"X-A": "b\r\nBcc: eve@example.com"}}, "`headers.X-A` has a line break"),
    ({"headers": {"X-A": "b", "x-a": "c"}}, "twice"),
    ({"headers": {f"X-{each}": "b" for each in range(21)}}, "20 are the most"),
    ({"reply_to": ("ann",)}, "`reply_to`"),
]


@pytest.mark.parametrize(("changes", "words"), REFUSED, ids=str)
def test_what_makes_no_letter_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(Unwritable, match=words):
        written(**changes)


def test_hidden_copies_are_in_the_envelope_alone() -> None:
    found = write_letter(
        msgspec.structs.replace(LETTER, cc=("bob@example.com",), bcc=("eve@example.com", "ann@example.com")),
        now_ms=NOW_MS,
    )

    assert found.recipients == ("ann@example.com", "bob@example.com", "eve@example.com")
    assert b"eve" not in found.content


def test_headers_of_the_author_are_written() -> None:
    message = written(headers={"List-Unsubscribe": "<https://acme.example/u/1>", "X-Score": 7})

    assert (message["List-Unsubscribe"], message["X-Score"]) == ("<https://acme.example/u/1>", "7")


def test_html_alone_is_no_alternative() -> None:
    message = written(text=None, html="<b>Hi</b>")

    assert message.get_content_type() == "text/html"


_LINES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=200)
_TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=500)


@given(subject=_LINES, name=_LINES.filter(lambda each: not {"<", ">"} & set(each)), value=_LINES, text=_TEXTS)
def test_what_people_wrote_comes_back_and_adds_nothing(
    subject: str, name: str, value: str, text: str
) -> None:
    content = write_letter(
        msgspec.structs.replace(
            LETTER, sender=f"{name} <hi@acme.example>", subject=subject, text=text, headers={"X-A": value}
        ),
        now_ms=NOW_MS,
    ).content
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)

    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert set(message.keys()) <= {
        "Date", "From", "To", "Subject", "Message-ID", "X-A", "MIME-Version", "Content-Type",
        "Content-Transfer-Encoding",
    }  # fmt: skip
    assert [each.addr_spec for each in message["From"].addresses] == ["hi@acme.example"]
    assert message["Subject"].split() == subject.split()
    assert message.get_content().replace("\r\n", "\n") == (text if text.endswith("\n") else f"{text}\n")
