"""Hands letters to mail servers by SMTP (RFC 5321), over connections that are vetted as those of HTTP are.

TLS is verified against the server's name, and nothing is said of who asks before it holds. A letter is handed over for
all its recipients or for none. aiosmtplib speaks the protocol; which addresses are dialled is decided by the guard.
docs/decisions/0030-mail-is-another-wire.md says why.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from aiosmtplib import SMTP, SMTPException, SMTPRecipientRefused, SMTPResponseException

from hub.outbound.client import OutboundClient
from hub.outbound.errors import OutboundError
from hub.outbound.tls import explain, mail_context
from hub.rules.letters import WrittenLetter

Security = Literal["starttls", "tls", "none"]
#: `not_sent`: nothing was handed over; `unknown`: it may have been; `refused`: the hub does not talk to it, or not so.
MailFault = Literal["not_sent", "unknown", "refused"]

#: Of one process; each is a connection of its own.
MOST_CONVERSATIONS: Final = 50
#: Of a name with many addresses only so many are tried.
_MOST_ADDRESSES: Final = 4
#: Who does not answer our goodbye is left after this long.
_GOODBYE_SECONDS: Final = 1.0
_LONGEST_WORDS: Final = 2_000


@dataclass(frozen=True, kw_only=True, slots=True)
class MailServer:
    """A server, and who it knows us as."""

    host: str
    port: int
    security: Security
    #: None: it takes mail from us without.
    login: MailLogin | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MailLogin:
    """Who asks."""

    user: str
    #: A password, or a token of OAuth.
    secret: str
    is_token: bool

    def __repr__(self) -> str:
        return f"MailLogin({self.user})"


@dataclass(frozen=True, kw_only=True, slots=True)
class MailAnswer:
    """What a server said that decided."""

    #: 200 to 599 (RFC 5321 §4.2.1).
    code: int
    words: str


class MailFailed(Exception):
    """There is no answer that decides anything."""

    def __init__(self, kind: MailFault, detail: str) -> None:
        super().__init__(detail)
        self.kind: MailFault = kind
        #: Safe to show.
        self.detail = detail


class Mailer:
    """Hands letters over; one per process.

    Args:
        client: Decides who may be dialled.
        tls: A client context; one that trusts the system's authorities by default.
        connect_timeout_seconds: For all addresses of a name together.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        client: OutboundClient,
        *,
        tls: ssl.SSLContext | None = None,
        connect_timeout_seconds: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._tls = tls
        self._connect_timeout_seconds = connect_timeout_seconds
        self._clock = clock
        self._room = asyncio.Semaphore(MOST_CONVERSATIONS)

    async def hand_over(
        self, server: MailServer, letter: WrittenLetter | None, *, timeout_seconds: float
    ) -> MailAnswer:
        """Hand a letter over; without one, log in and ask for nothing.

        Returns:
            Success (2xx), or the first refusal, after which nothing was handed over.

        Raises:
            MailFailed: The server said neither.
        """
        talk, deadline = _Talk(server, self._context()), self._clock() + timeout_seconds
        try:
            async with asyncio.timeout(timeout_seconds) as limit, self._room:
                sock, host = await self._dial(server, deadline)
                answer = await talk.hold(sock, host, letter)
                limit.reschedule(None)  # what was answered stands, however long the goodbye takes
                await talk.say_goodbye()
                return answer
        except TimeoutError:
            raise talk.failed(f"{server.host} did not answer in time") from None
        finally:
            talk.drop()

    def _context(self) -> ssl.SSLContext:
        # Made when the first letter goes out: reading the authorities takes a while, and most hubs send none.
        if self._tls is None:
            self._tls = mail_context()
        return self._tls

    async def _dial(self, server: MailServer, deadline: float) -> tuple[socket.socket, str]:
        seconds = min(self._connect_timeout_seconds, deadline - self._clock())
        until = self._clock() + seconds
        try:
            host, addresses = await self._client.vetted_server(
                server.host, server.port, is_clear=server.security == "none", timeout_seconds=seconds
            )
        except OutboundError as error:
            is_refused = error.code in ("url_refused", "address_refused")
            raise MailFailed("refused" if is_refused else "not_sent", error.detail) from None
        tried = addresses[:_MOST_ADDRESSES]
        for number, address in enumerate(tried):
            share = max((until - self._clock()) / (len(tried) - number), 0.0)
            with contextlib.suppress(OSError):  # which TimeoutError is, too
                return await _connected(address, server.port, share), host
        raise MailFailed("not_sent", f"{server.host} takes no connection on port {server.port}")


async def _connected(address: str, port: int, timeout_seconds: float) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        async with asyncio.timeout(timeout_seconds):
            await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException:
        sock.close()
        raise
    return sock


class _Talk:
    """One conversation with a server."""

    def __init__(self, server: MailServer, tls: ssl.SSLContext) -> None:
        self._server = server
        self._tls = tls
        #: The letter itself was sent, or is just being sent.
        self._has_begun = False
        self._smtp: SMTP | None = None
        #: Kept beyond the goodbye, after which nobody else knows it.
        self._transport: asyncio.BaseTransport | None = None

    async def hold(self, sock: socket.socket, host: str, letter: WrittenLetter | None) -> MailAnswer:
        """Say everything that there is to say.

        Raises:
            MailFailed: The server does not answer, or not as it should.
        """
        smtp = self._smtp = SMTP(
            hostname=host,
            port=None,
            sock=sock,
            local_hostname=_own_name(sock),
            use_tls=self._server.security == "tls",
            start_tls=False,
            tls_context=None if self._server.security == "none" else self._tls,
            timeout=None,
        )
        try:
            await smtp.connect()
            return await self._said(smtp, host, letter)
        except SMTPResponseException as error:
            return self._refusal(error)
        except TimeoutError:
            raise
        except (SMTPException, OSError) as error:
            raise self.failed(self._told(error)) from None
        finally:
            if smtp.transport is None:
                sock.close()

    async def say_goodbye(self) -> None:
        """Leave as is polite; what is said to that changes nothing."""
        if self._smtp is None or not self._smtp.is_connected:
            return
        self._transport = self._smtp.transport
        with contextlib.suppress(SMTPException, OSError, ValueError):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._smtp.quit()

    def drop(self) -> None:
        """End the connection at once."""
        if self._smtp is not None:
            transport = self._transport or self._smtp.transport
            self._smtp.close()
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()

    def failed(self, detail: str) -> MailFailed:
        """Give the failure of a conversation that broke off here."""
        return MailFailed("unknown" if self._has_begun else "not_sent", detail)

    async def _said(self, smtp: SMTP, host: str, letter: WrittenLetter | None) -> MailAnswer:
        await smtp.ehlo()
        if self._server.security == "starttls":
            if not smtp.supports_extension("starttls"):
                raise MailFailed(
                    "refused",
                    f"{self._server.host} offers no STARTTLS on port {self._server.port}, and nothing is sent in the "
                    "clear; where it speaks TLS from the start (port 465), write security: tls",
                )
            await smtp.starttls(server_hostname=host)
            await smtp.ehlo()
        if self._server.login is not None:
            await _log_in(smtp, self._server, self._server.login)
        if letter is None:
            answer = await smtp.noop()
        else:
            await self._addressed(smtp, letter)
            self._has_begun = True
            answer = await smtp.data(letter.content)
        return MailAnswer(code=answer.code, words=_words(answer.message))

    async def _addressed(self, smtp: SMTP, letter: WrittenLetter) -> None:
        most = smtp.esmtp_extensions.get("size", "").strip()
        size = len(letter.content)
        if most.isdecimal() and 0 < int(most[:15]) < size:
            raise MailFailed(
                "refused",
                f"the e-mail has {size} bytes, and {self._server.host} takes {most[:15]} at the most",
            )
        options = [f"SIZE={size}"] if smtp.supports_extension("size") else []
        await smtp.mail(letter.sender, options=options)
        for recipient in letter.recipients:
            await smtp.rcpt(recipient)

    def _refusal(self, error: SMTPResponseException) -> MailAnswer:
        if not 200 <= error.code <= 599 or error.code // 100 == 3:
            told = f"{self._server.host} gave an answer that is no SMTP: {_words(str(error.message))[:200]}"
            raise self.failed(told)
        words = _words(str(error.message))
        if isinstance(error, SMTPRecipientRefused):
            words = f"{error.recipient}: {words}"
        login = self._server.login
        for spelled in () if login is None else _spellings(login):
            words = words.replace(spelled, "***")
        return MailAnswer(code=error.code, words=words)

    def _told(self, error: Exception) -> str:
        if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
            found = error if isinstance(error, ssl.SSLError) else error.__cause__
            assert isinstance(found, ssl.SSLError), "one of them is"
            return f"{self._server.host}: {explain(found)}"
        return f"{self._server.host} closed the connection"


async def _log_in(smtp: SMTP, server: MailServer, login: MailLogin) -> None:
    """Log in once: a server that counts wrong passwords is not asked again in other words."""
    offered = smtp.supported_auth_methods
    if login.is_token:
        await smtp.auth_xoauth2(login.user, login.secret)
    elif "plain" in offered:
        await smtp.auth_plain(login.user, login.secret)
    elif "login" in offered:
        await smtp.auth_login(login.user, login.secret)
    else:
        others = _words(smtp.esmtp_extensions.get("auth", ""))[:100]
        told = f"; it offers {others}" if others else ""
        raise MailFailed(
            "refused",
            f"{server.host} takes no password on port {server.port}{told}. Use the port for submission, 587 or 465, or "
            "`relay` in the place of `login` for a server that asks for none",
        )


def _own_name(sock: socket.socket) -> str:
    """Say who we are by our address (RFC 5321 §4.1.3): a hub has no name that a server could look up."""
    address = ipaddress.ip_address(sock.getsockname()[0].partition("%")[0])
    return f"[{address}]" if address.version == 4 else f"[IPv6:{address}]"


def _spellings(login: MailLogin) -> tuple[str, ...]:
    plain = f"\0{login.user}\0{login.secret}", f"user={login.user}\x01auth=Bearer {login.secret}\x01\x01"
    return (*(b64encode(each.encode()).decode() for each in plain), login.secret)


def _words(text: str) -> str:
    """Give what a server said in one line that can be shown."""
    line = "".join(each if each.isprintable() else " " for each in text[:_LONGEST_WORDS])
    return " ".join(line.split())
