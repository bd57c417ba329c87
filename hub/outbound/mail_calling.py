"""Mail servers, as connectors see them: a request for `smtp+…://` is a letter, what the server says is its answer.

    POST smtp+starttls://mail.example.com:587  {"sender": …, "to": […], …}  →  250 {"message": …, "message_id": …}
    GET  smtp+starttls://mail.example.com:587  {"sender": …}                →  250 {"message": …}; nothing is sent

So what manifests have (credentials, classes, pauses, masks, previews, retries) holds for mail as it does for HTTP.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Final, get_args
from urllib.parse import SplitResult, urlsplit

import msgspec

from hub.flow.calling import Call, Caller, CallFailed, Reply
from hub.flow.ports import Clock
from hub.outbound.mail import Mailer, MailFailed, MailLogin, MailServer, Security
from hub.rules.connectors.building import MAIL_SCHEMES
from hub.rules.letters import Letter, Unwritable, WrittenLetter, read_address, write_letter

_SECURITIES: Final[dict[str, Security]] = dict(zip(MAIL_SCHEMES, get_args(Security), strict=True))
_JSON: Final = ((b"content-type", b"application/json"),)
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Letter).decode


class CallerByScheme:
    """Sends each request by the wire that its address names.

    Args:
        web: For http and https.
        mail: For mail servers.
    """

    def __init__(self, web: Caller, mail: Caller) -> None:
        self._web = web
        self._mail = mail

    async def send(self, call: Call) -> Reply:
        """Send one request and give the answer.

        Raises:
            CallFailed: There is none.
        """
        is_mail = call.url.partition(":")[0].lower() in _SECURITIES
        return await (self._mail if is_mail else self._web).send(call)


class MailCaller:
    """Mail servers, as connectors see them (hub.flow.calling.Caller)."""

    def __init__(self, mailer: Mailer, clock: Clock) -> None:
        self._mailer = mailer
        self._clock = clock

    async def send(self, call: Call) -> Reply:
        """Hand a letter over, and give what the server said; a GET only logs in.

        Raises:
            CallFailed: It said nothing that decides, or the request makes no letter.
        """
        server = _server(urlsplit(call.url), dict(call.headers))
        letter: WrittenLetter | None = None
        if call.method == "GET":
            _check_sender(call)
        else:
            letter = self._letter(call)
        try:
            answer = await self._mailer.hand_over(server, letter, timeout_seconds=call.timeout_seconds)
        except MailFailed as failure:
            raise CallFailed(failure.kind, failure.detail) from None
        told = {"message": answer.words, "message_id": None if letter is None else letter.message_id}
        return Reply(status=answer.code, headers=_JSON, body=_encode(told), is_cut=False)

    def _letter(self, call: Call) -> WrittenLetter:
        try:
            return write_letter(_decode(call.body), now_ms=self._clock.now_ms())
        except (Unwritable, msgspec.ValidationError, msgspec.DecodeError) as error:
            raise CallFailed("refused", f"this makes no e-mail: {error}") from None


class _Sender(msgspec.Struct, forbid_unknown_fields=True):
    """What a test says of the letters to come."""

    sender: str


def _check_sender(call: Call) -> None:
    """Hear of an address that nothing can be sent from before the first letter is."""
    try:
        read_address(msgspec.json.decode(call.body, type=_Sender).sender, "from")
    except (Unwritable, msgspec.ValidationError, msgspec.DecodeError) as error:
        raise CallFailed("refused", str(error)) from None


def _server(parts: SplitResult, headers: dict[bytes, bytes]) -> MailServer:
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    security = _SECURITIES.get(parts.scheme)
    if not host or not port or security is None:
        raise CallFailed("refused", "the address of the mail server has no host, or no port from 1 to 65535")
    login = _login(headers)
    if login is not None and security == "none":
        raise CallFailed("refused", "a password is never sent in the clear; use security: starttls or tls")
    return MailServer(host=host, port=port, security=security, login=login)


def _login(headers: dict[bytes, bytes]) -> MailLogin | None:
    """Read who asks, as manifests apply it: as HTTP's Basic (RFC 7617), with the mechanism beside it."""
    kind, _, encoded = headers.get(b"authorization", b"").partition(b" ")
    if kind != b"Basic":
        return None
    user, _, secret = b64decode(encoded).decode().partition(":")
    is_token = headers.get(b"sasl-mechanism", b"").upper() == b"XOAUTH2"
    return MailLogin(user=user, secret=secret, is_token=is_token)
