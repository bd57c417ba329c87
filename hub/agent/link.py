"""The way to the hub: signed requests (docs/agent.md), and what its answers mean for an agent."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

import msgspec

from hub.agent.socket import HubSocket
from hub.flow.calling import Call, CallFailed, StreamCaller, StreamedReply
from hub.flow.ports import Clock
from hub.model.errors import HubError
from hub.rules.signing import Secret, StandardSigner

Shape = TypeVar("Shape")

MOST_ANSWER_BYTES: Final = 16_777_216
_encode: Final = msgspec.json.Encoder().encode


#: What the owner of the machine can do; the hub's own words are for who writes an agent.
_ADVICE: Final = {
    "bridge_not_found": "The bridge is gone or switched off at the hub (`hub bridges list`).",
    "invalid_signature": (
        "The secret in agent.json is not this bridge's (any more): put in what `hub bridges rotate-secret` shows, "
        "or enrol this machine anew (`hub bridges enrol --replace NAME`, then `hub agent enrol --again`)."
    ),
    "route_not_found": "Is the hub's address right? It has no path of ours in it: https://hub.example.com.",
    "timestamp_out_of_tolerance": "It is this machine's clock, or the hub's.",
}


class HubAway(HubError):
    """The hub does not answer, or cannot now: ask again later."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"The hub does not answer: {detail}.")


class HubRefused(HubError):
    """The hub will not do it, and asking again does not help."""

    def __init__(self, status: int, code: str, message: str) -> None:
        advice = _ADVICE.get(code)
        super().__init__(f"The hub refused it ({code}): {message}{f' {advice}' if advice else ''}")
        self.status = status
        self.code = code


class Superseded(HubRefused):
    """Another agent has taken the bridge over."""


class _Detail(msgspec.Struct, frozen=True):
    code: str = "unknown"
    message: str = "it gave no reason"


class _Refusal(msgspec.Struct, frozen=True):
    error: _Detail = _Detail()


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """As whom an agent speaks to which hub."""

    #: Without a slash at its end.
    hub: str
    #: brg_…
    bridge: str
    secret: str = field(repr=False)


class HubLink:
    """Asks the hub.

    Args:
        identity: As whom.
        caller: The way out.
        clock: Signatures are dated.
        draw_id: Draws the `webhook-id` of a request.
    """

    def __init__(
        self, identity: Identity, caller: StreamCaller, clock: Clock, draw_id: Callable[[], str]
    ) -> None:
        self._caller = caller
        self._clock = clock
        self._draw_id = draw_id
        self._socket: HubSocket | None = None
        self._become(identity)

    @property
    def socket(self) -> HubSocket | None:
        """What it asks over while it is open, if it was given one."""
        return self._socket

    def prefer(self, socket: HubSocket) -> None:
        """Ask over a WebSocket whenever it is open."""
        self._socket = socket

    def take_secret(self, secret: str) -> bool:
        """Sign with another secret from now on; False if it is the one already."""
        if secret == self._identity.secret:
            return False
        self._become(replace(self._identity, secret=secret))
        return True

    def _become(self, identity: Identity) -> None:
        self._identity = identity
        self._signer = StandardSigner([Secret(identity.secret)])

    def signed(self, request_id: str, body: bytes) -> Mapping[str, str]:
        """Give the headers that say who asks."""
        seconds = self._clock.now_ms() // 1000
        return {
            "x-bridge-id": self._identity.bridge,
            "webhook-id": request_id,
            "webhook-timestamp": str(seconds),
            "webhook-signature": self._signer.sign(request_id.encode(), seconds, body).decode(),
        }

    async def ask(self, word: str, body: Any, reply: type[Shape], *, timeout_seconds: float = 20.0) -> Shape:
        """POST /v1/bridge/{word}.

        Raises:
            HubAway: It may be asked again.
            HubRefused: It need not (Superseded: for ever).
        """
        answer = await self.post(word, _encode(body), self._draw_id(), timeout_seconds=timeout_seconds)
        try:
            return msgspec.json.decode(answer, type=reply)
        except msgspec.MsgspecError as error:
            raise HubAway(f"what answered is no hub: {error}") from None

    async def post(self, word: str, body: bytes, request_id: str, *, timeout_seconds: float) -> bytes:
        """POST bytes under an id of the caller's: the same one for a repetition.

        Raises:
            HubAway: It may be asked again.
            HubRefused: It need not (Superseded: for ever).
        """
        told = None
        if self._socket is not None:
            told = await self._socket.ask(word, body, request_id, timeout_seconds=timeout_seconds)
        if told is None:
            try:
                reply = await self._caller.send(self._call(word, body, request_id, timeout_seconds))
            except CallFailed as error:
                raise HubAway(error.detail) from None
            told = reply.status, reply.body
        require_good(*told)
        return told[1]

    @contextlib.asynccontextmanager
    async def stream(
        self, word: str, body: Any, *, timeout_seconds: float, most_bytes: int
    ) -> AsyncIterator[StreamedReply]:
        """POST, and read the answer while it arrives; its pieces raise CallFailed.

        Raises:
            HubAway: It may be asked again.
            HubRefused: It need not.
        """
        call = self._call(word, _encode(body), self._draw_id(), timeout_seconds)
        call = replace(call, max_response_bytes=most_bytes)
        try:
            async with self._caller.stream(call) as reply:
                if reply.status != 200:
                    text = b""
                    async for piece in reply.pieces:
                        text = (text + piece)[:10_000]
                    require_good(reply.status, text)
                yield reply
        except CallFailed as error:
            raise HubAway(error.detail) from None

    def _call(self, word: str, body: bytes, request_id: str, timeout_seconds: float) -> Call:
        signed = self.signed(request_id, body)
        return Call(
            method="POST",
            url=f"{self._identity.hub}/v1/bridge/{word}",
            headers=(
                (b"content-type", b"application/json"),
                *((name.encode(), value.encode()) for name, value in signed.items()),
            ),
            body=body,
            timeout_seconds=timeout_seconds,
            max_response_bytes=MOST_ANSWER_BYTES,
            is_repeatable=True,
        )


def require_good(status: int, body: bytes) -> None:
    """Pass on what was done.

    Raises:
        HubAway: It may be asked again.
        HubRefused: It need not.
    """
    if 200 <= status < 300:
        return
    if status in {408, 429} or status >= 500:
        raise HubAway(f"it answered {status}")
    try:
        refusal = msgspec.json.decode(body, type=_Refusal).error
    except msgspec.MsgspecError:
        raise HubAway(f"what answered {status} is no hub") from None
    kind = Superseded if refusal.code == "bridge_superseded" else HubRefused
    raise kind(status, refusal.code, refusal.message)
