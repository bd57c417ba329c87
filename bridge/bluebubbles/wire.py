"""Requests to the server: the only input and output of this bridge, beside its socket.

The password is part of every URL (the server knows no other way), so none is ever shown: not in logs, errors or reprs.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote, urlencode, urljoin, urlsplit

import msgspec

from bridge.bluebubbles.answers import Answer, read_answer
from bridge.bluebubbles.settings import BlueBubblesSettings
from bridge.bluebubbles.shapes import read_json
from bridge.bluebubbles.stand_ins import stand_in
from bridge.file_forms import Form
from hub.flow.calling import Call, Reply, SocketCall, StreamedReply, UploadCaller

#: Of one answer; a page of 1,000 whole messages has some 6 MB.
MOST_ANSWER_BYTES: Final = 33_554_432
_JSON_HEADERS: Final = ((b"Content-Type", b"application/json"),)
#: Free tunnels show a page of their own without it.
_HEADERS: Final = ((b"ngrok-skip-browser-warning", b"1"), (b"skip_zrok_interstitial", b"1"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long each kind of request may take, in seconds."""

    probe: float = 10.0
    #: After which a socket that was let in, and heard nothing, counts as open: a wrong password is shown out at once.
    greeting: float = 3.0
    read: float = 60.0
    #: The server itself waits up to 120 s for a text and 20 minutes for a file; who gives up earlier knows nothing.
    send: float = 180.0
    file: float = 1260.0


@dataclass(frozen=True, slots=True)
class _Ask:
    """One request, without what all have in common."""

    method: str
    path: str
    seconds: float
    is_repeatable: bool = False
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Server:
    """One BlueBubbles server."""

    def __init__(self, settings: BlueBubblesSettings, caller: UploadCaller, *, patience: Patience) -> None:
        self._caller = caller
        self._password = settings.password
        self._base = _base_of(settings.url)
        self.patience = patience

    def __repr__(self) -> str:
        return f"Server({urlsplit(self._base).hostname})"

    @property
    def is_https(self) -> bool:
        return self._base.lower().startswith("https://")

    def move_to(self, url: str) -> None:
        """Call another address from now on."""
        self._base = _base_of(url)

    async def get(
        self, path: str, query: Mapping[str, str] | None = None, *, seconds: float | None = None
    ) -> Answer:
        """Ask for something; asked twice, it does no harm.

        Raises:
            CallFailed: There is no answer.
        """
        wait = seconds or self.patience.read
        return await self._send(_Ask("GET", path, wait, is_repeatable=True, query=query or {}))

    async def query(self, path: str, body: dict[str, Any], *, seconds: float | None = None) -> Answer:
        """Ask by a POST; asked twice, it does no harm.

        Raises:
            CallFailed: There is no answer.
        """
        content = msgspec.json.encode(body)
        wait = seconds or self.patience.read
        return await self._send(
            _Ask("POST", path, wait, is_repeatable=True, body=content, headers=_JSON_HEADERS)
        )

    async def do(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        """Have something done, once.

        Raises:
            CallFailed: There is no answer.
        """
        content = b"" if body is None else msgspec.json.encode(body)
        headers = () if body is None else _JSON_HEADERS
        return await self._send(_Ask(method, path, self.patience.send, body=content, headers=headers))

    async def upload(self, path: str, form: Form) -> Answer:
        """Send a form with a file that is read meanwhile, once.

        Raises:
            CallFailed: There is no answer.
            Exception: As reading the file raised it.
        """
        headers = ((b"Content-Type", form.content_type.encode("ascii")),)
        call = self._call(_Ask("POST", path, self.patience.file, headers=headers))
        return self._read(await self._caller.upload(call, form.body))

    @contextlib.asynccontextmanager
    async def stream(self, path: str, query: Mapping[str, str]) -> AsyncIterator[StreamedReply]:
        """Read an answer while it comes.

        Raises:
            CallFailed: There is none, or not a whole one.
        """
        call = self._call(_Ask("GET", path, self.patience.file, is_repeatable=True, query=query), most=2**40)
        async with self._caller.stream(call) as reply:
            yield reply

    def socket_call(self) -> SocketCall:
        """The socket of live events."""
        # Its socket decodes the password once more than its REST does (decodeURI in api/http/index.ts).
        password = self._password.replace("%", "%25")
        query = _query({"EIO": "4", "transport": "websocket"}, password)
        url = f"{self._base}/socket.io/?{query}"
        return SocketCall(
            url=url, headers=_HEADERS, timeout_seconds=self.patience.probe * 2, max_message_bytes=16_777_216
        )

    async def _send(self, ask: _Ask) -> Answer:
        return self._read(await self._caller.send(self._call(ask)))

    def _read(self, reply: Reply) -> Answer:
        decoded = None if reply.is_cut else read_json(reply.body)
        answer = read_answer(reply.status, decoded, secret=self._password)
        return answer if answer.is_envelope else replace(answer, sender=self._sender(reply))

    def _sender(self, reply: Reply) -> str:
        """Say who answers in the server's place, and what to do; an address is shown without path and query."""
        location = next((value for name, value in reply.headers if name.lower() == b"location"), b"")
        moved_to = urlsplit(urljoin(self._base, location.decode("latin-1"))) if location else None
        origin = f"{moved_to.scheme}://{moved_to.netloc.rpartition('@')[2]}" if moved_to else None
        return stand_in(reply.status, reply.body[:2_000], moved_to=origin if origin != self._base else None)

    def _call(self, ask: _Ask, *, most: int = MOST_ANSWER_BYTES) -> Call:
        return Call(
            method=ask.method,
            url=f"{self._base}/api/v1{ask.path}?{_query(ask.query, self._password)}",
            headers=(*_HEADERS, *ask.headers),
            body=ask.body,
            timeout_seconds=ask.seconds,
            max_response_bytes=most,
            is_repeatable=ask.is_repeatable,
        )


def _base_of(url: str) -> str:
    """Take away what people copy along with the address."""
    return url.strip().rstrip("/").removesuffix("/api/v1").rstrip("/")


def _query(query: Mapping[str, str], password: str) -> str:
    return urlencode({**query, "guid": password}, quote_via=quote)


def segment(text: str) -> str:
    """Write an id as one segment of a path."""
    return quote(text, safe="")
