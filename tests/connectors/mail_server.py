"""A mail server on the loopback: it speaks SMTP (RFC 5321), keeps what it is handed, and fails where it is told to."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

#: In the place of a reply: the connection is lost, or nothing is ever said.
LOST = ""
SILENT = "…"


@dataclass(frozen=True, kw_only=True)
class Handed:
    """A letter as it arrived."""

    sender: str
    recipients: list[str]
    content: bytes
    user: str | None
    is_secret: bool


@dataclass(kw_only=True)
class Post:
    """What a server does, and what it was told."""

    port: int = 0
    #: Verb (or `.` for the end of a letter) → what is said in the place of the usual.
    replies: Mapping[str, str] = field(default_factory=dict)
    #: Offered by STARTTLS.
    tls: ssl.SSLContext | None = None
    passwords: Mapping[str, str] = field(default_factory=lambda: {"hub@acme.example": "test-smtp-password"})
    #: Said to EHLO beside STARTTLS.
    offers: tuple[str, ...] = ("AUTH PLAIN LOGIN XOAUTH2", "SIZE 1000000")
    verbs: list[str] = field(default_factory=list)
    mechanisms: list[str] = field(default_factory=list)
    letters: list[Handed] = field(default_factory=list)


class _Talk:
    def __init__(self, post: Post, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._post, self._reader, self._writer = post, reader, writer
        self._sender, self._recipients = "", list[str]()
        self._user: str | None = None

    @property
    def _is_secret(self) -> bool:
        return self._writer.get_extra_info("ssl_object") is not None

    async def hold(self) -> None:
        await self._say(self._post.replies.get("", "220 mail.acme.example ready"))
        while line := (await self._reader.readline()).decode().rstrip("\r\n"):
            verb, _, rest = line.partition(" ")
            verb = verb.upper()
            self._post.verbs.append(verb)
            reply = self._post.replies.get(verb)
            if reply is None:
                reply = await self._usual(verb, rest)
            if reply == LOST:
                return
            if reply == SILENT:
                await self._reader.read()
                return
            await self._say(reply)
            if verb == "STARTTLS" and reply.startswith("220") and self._post.tls is not None:
                await self._writer.start_tls(self._post.tls)
            if verb == "QUIT":
                return

    async def _usual(self, verb: str, rest: str) -> str:
        match verb:
            case "EHLO":
                offers = ["mail.acme.example"]
                offers += ["STARTTLS"] if self._post.tls is not None and not self._is_secret else []
                offers += self._post.offers if self._post.passwords else []
                return "\r\n".join([*(f"250-{each}" for each in offers), "250 8BITMIME"])
            case "STARTTLS":
                return "220 go ahead" if self._post.tls is not None else "502 not here"
            case "AUTH":
                return await self._logged_in(*rest.split(" ", 1))
            case "MAIL":
                self._sender = rest.partition("<")[2].partition(">")[0]
            case "RCPT":
                self._recipients.append(rest.partition("<")[2].partition(">")[0])
            case "DATA":
                return await self._taken()
            case "QUIT":
                return "221 bye"
        return "250 2.0.0 Ok"

    async def _logged_in(self, mechanism: str, first: str) -> str:
        match mechanism:
            case "PLAIN":
                _, user, password = b64decode(first).decode().split("\0")
            case "LOGIN":
                await self._say("334 UGFzc3dvcmQ6")
                second = (await self._reader.readline()).decode()
                user, password = b64decode(first).decode(), b64decode(second).decode()
            case "XOAUTH2":
                user, token, *_ = b64decode(first).decode().split("\1")
                user, password = user.removeprefix("user="), token.removeprefix("auth=Bearer ")
            case _:
                return "504 not so"
        self._post.mechanisms.append(mechanism)
        if self._post.passwords.get(user) != password:
            # Some servers say too much.
            return f"535 5.7.8 {password} of {first} is not the password"
        self._user = user
        return "235 welcome"

    async def _taken(self) -> str:
        await self._say("354 go on")
        content = await self._reader.readuntil(b"\r\n.\r\n")
        reply = self._post.replies.get(".", "250 2.0.0 Ok: queued as 4XyZ")
        if reply.startswith("250") or reply in (LOST, SILENT):
            letter = Handed(
                sender=self._sender,
                recipients=self._recipients,
                content=content.removesuffix(b".\r\n"),
                user=self._user,
                is_secret=self._is_secret,
            )
            self._post.letters.append(letter)
        return reply

    async def _say(self, reply: str) -> None:
        self._writer.write(reply.encode() + b"\r\n")
        await self._writer.drain()


@asynccontextmanager
async def posting(post: Post, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Post]:
    """Run a server; with `tls` it speaks TLS from the start."""

    async def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _Talk(post, reader, writer).hold()
        except (OSError, EOFError):
            return
        finally:
            writer.transport.abort()

    async with await asyncio.start_server(visited, "127.0.0.1", 0, ssl=tls) as server:
        post.port = server.sockets[0].getsockname()[1]
        yield post
