"""Writes e-mails as RFC 5322 has them: a letter in, the bytes that a mail server is handed out.

What people wrote never becomes a line of the head: line breaks and controls in it are refused, not folded away. The
Message-ID is made of the key of the step, so that who gets a letter twice sees that it is the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

import msgspec

MOST_RECIPIENTS: Final = 50
MOST_HEADERS: Final = 20
#: RFC 5322 §2.1.1; longer ones are folded, but what is longer than this is no subject.
LONGEST_VALUE: Final = 998
#: Only ASCII goes over the wire, because not every server on the way takes more (RFC 6531 is an extension).
_POLICY: Final = SMTP.clone(cte_type="7bit")
#: An atom with dots (RFC 5322 §3.2.3); quoted local parts are allowed by the standard and by hardly any provider.
_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII)
_DOMAIN: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", re.ASCII)
_NAMED: Final = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]+)>\s*")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
#: Of texts: line ends and tabs are what they are made of.
_NO_TEXT: Final = re.compile(r"[\x00\ud800-\udfff]")
_HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}", re.ASCII)
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
#: Written by the hub, by the servers on the way, or with a meaning of their own for who sends.
_RESERVED: Final = frozenset(
    {"bcc", "cc", "date", "dkim-signature", "from", "message-id", "mime-version", "received", "reply-to"}
    | {"return-path", "sender", "subject", "to"}
)
_RESERVED_PREFIXES: Final = ("arc-", "content-", "resent-")


class Unwritable(Exception):
    """The inputs make no letter; the message says which and why, in a phrase."""


class Letter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An e-mail as it is wanted."""

    #: An address, or `Acme <hi@acme.example>`.
    sender: str
    to: tuple[str, ...]
    subject: str
    #: The same for each attempt at the same letter.
    key: str
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    text: str | None = None
    html: str | None = None
    headers: dict[str, str | int | float] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenLetter:
    """An e-mail as servers hand it on."""

    #: Of the envelope: who is told what cannot be delivered.
    sender: str
    #: All of them, those of `bcc` included, each once.
    recipients: tuple[str, ...]
    message_id: str
    #: ASCII, lines ended by CRLF.
    content: bytes


def write_letter(letter: Letter, *, now_ms: int) -> WrittenLetter:
    """Write a letter.

    Args:
        letter: What is wanted.
        now_ms: Unix ms, for its date.

    Raises:
        Unwritable: It cannot be.
    """
    sender = read_address(letter.sender, "from")
    to, cc, bcc = (
        _addresses(each, name) for each, name in ((letter.to, "to"), (letter.cc, "cc"), (letter.bcc, "bcc"))
    )
    recipients = tuple(dict.fromkeys(each.addr_spec for each in (*to, *cc, *bcc)))
    if not to:
        raise Unwritable("`to` names nobody")
    if len(recipients) > MOST_RECIPIENTS:
        raise Unwritable(
            f"it has {len(recipients)} recipients, and {MOST_RECIPIENTS} are the most; send several letters"
        )
    if _KEY.fullmatch(letter.key) is None:
        raise Unwritable("its key cannot stand in a Message-ID")
    message_id = f"<{letter.key}@{sender.domain}>"
    lines: dict[str, str | tuple[Address, ...] | datetime] = {
        "Date": datetime.fromtimestamp(now_ms // 1000, UTC),
        "From": (sender,),
        "To": to,
        "Cc": cc,
        "Reply-To": _addresses(letter.reply_to, "reply_to"),
        "Subject": _line(letter.subject, "subject"),
        "Message-ID": message_id,
        **_headers(letter.headers),
    }
    content = _content(letter, lines)
    return WrittenLetter(
        sender=sender.addr_spec, recipients=recipients, message_id=message_id, content=content
    )


def read_address(text: str, name: str) -> Address:
    """Read an address, with or without a name before it; names of domains are spelled in ASCII.

    Args:
        text: What was written.
        name: Of the input, for messages.

    Raises:
        Unwritable: It is none that mail can be sent to.
    """
    text = _line(text, name).strip()
    named = _NAMED.fullmatch(text)
    shown, plain = (named["name"].strip(), named["address"].strip()) if named else ("", text)
    if len(shown) > 1 and shown[0] == shown[-1] == '"':
        shown = shown[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    local, at_sign, domain = plain.rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        at_sign = ""
    is_short = len(local) <= 64 and len(plain) <= 254
    if not (at_sign and is_short and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain)):
        told = "" if plain.isascii() else "; before the @, only ASCII can be written to"
        raise Unwritable(f"`{name}` is {plain[:80]!r}, which is no address such as ann@example.com{told}")
    return Address(display_name=shown, username=local, domain=domain)


def _addresses(written: Iterable[str], name: str) -> tuple[Address, ...]:
    return tuple(read_address(each, name) for each in written)


def _line(text: str, name: str) -> str:
    found = _CONTROL.search(text)
    if found is not None:
        what = "a line break" if found[0] in "\r\n\u2028\u2029" else "a control character"
        raise Unwritable(
            f"`{name}` has {what}, which could add lines to the head of the e-mail; "
            "make one line of it, such as {{ … | split | join(' ') }}"
        )
    if len(text) > LONGEST_VALUE:
        raise Unwritable(f"`{name}` has {len(text)} characters, and {LONGEST_VALUE} are the most")
    return text


def _headers(written: Mapping[str, str | int | float]) -> dict[str, str]:
    if len(written) > MOST_HEADERS:
        raise Unwritable(f"it has {len(written)} headers, and {MOST_HEADERS} are the most")
    for name in written:
        if _HEADER.fullmatch(name) is None:
            raise Unwritable(f"{name[:60]!r} is no name of a header, such as X-Lead or List-Unsubscribe")
        if name.lower() in _RESERVED or name.lower().startswith(_RESERVED_PREFIXES):
            raise Unwritable(f"the header {name} is the hub's or the servers' to write; use the inputs")
    if len({name.lower() for name in written}) < len(written):
        raise Unwritable("a header is there twice, in other letters")
    return {name: _line(str(value), f"headers.{name}") for name, value in written.items()}


def _content(letter: Letter, lines: Mapping[str, str | tuple[Address, ...] | datetime]) -> bytes:
    for name, text in (("text", letter.text), ("html", letter.html)):
        if text is not None and _NO_TEXT.search(text):
            raise Unwritable(f"`{name}` has a character that no e-mail can carry")
    message = EmailMessage(policy=_POLICY)
    try:
        for name, value in lines.items():
            if value != ():
                message[name] = value
        if letter.text is not None:
            message.set_content(letter.text)
            if letter.html is not None:
                message.add_alternative(letter.html, subtype="html")
        elif letter.html is not None:
            message.set_content(letter.html, subtype="html")
        else:
            raise Unwritable("it has neither `text` nor `html`")
        if message.is_multipart():
            # Of the key rather than random, so that a repetition is the same to the last byte.
            message.set_boundary(f"hub-{letter.key[:48]}")
        return message.as_bytes()
    except (MessageError, ValueError, LookupError) as error:
        raise Unwritable(f"it cannot be written: {error}") from None
