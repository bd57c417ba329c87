"""GET /v1/bridge/connect: an agent's requests over one WebSocket (decision 38), each as if it had come by HTTP.

A message is a request with its own signature, an answer has its number: who may ask, what is refused and what is
counted is decided where it is for HTTP, and nowhere else. Not here: what the requests mean (hub.api.agents).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import msgspec
import structlog
from msgspec import Meta

from hub.api import agents
from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply
from hub.api.dialect import ErrorAnswer
from hub.api.parts import ApiParts, Application, Receive, Send
from hub.api.usecases import UseCases
from hub.model.errors import InvalidRequest, StoreError

log = structlog.get_logger("agents")

PATH: Final = "/v1/bridge/connect"
#: What can be asked: all but what is answered with bytes.
WORDS: Final = frozenset(
    {"events", *(each.path.rpartition("/")[2] for each in agents.ENDPOINTS if each.reply is not bytes)}
)
#: Requests of one socket under way; beyond, nothing more is read.
MOST_AT_ONCE: Final = 32
#: Of one bridge: one that died unseen beside a new one, or a doctor's beside the agent's. The oldest is closed.
MOST_OF_ONE: Final = 2
#: Agents say hello every 20 s: who says nothing for so long is gone.
SILENT_SECONDS: Final = 90.0
#: A message beyond its body: number, word and signature.
MOST_HEAD_BYTES: Final = 4096
_TRY_AGAIN: Final = 1013
_POLICY: Final = 1008
_SIGNED: Final = (b"webhook-id", b"webhook-timestamp", b"webhook-signature")
_UNAVAILABLE: Final = InvalidRequest(
    "service_unavailable", "The database could not be asked. Try again.", retry_after=1
)

#: Puts a refusal into words.
Refusal = Callable[[InvalidRequest], ErrorAnswer]
Header = Annotated[str, Meta(max_length=2000)]


class Asked(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """One message of an agent."""

    #: Comes back with the answer.
    id: Annotated[int, Meta(ge=0, le=2**53)]
    #: `claim`, `ack`, …: the path below /v1/bridge/.
    word: Annotated[str, Meta(max_length=32)]
    webhook_id: Header
    webhook_timestamp: Header
    #: Of the body's bytes as they stand in the message.
    webhook_signature: Header
    body: msgspec.Raw


_asked: Final = msgspec.json.Decoder(Asked).decode


class AgentSockets:
    """The WebSockets of agents in this process.

    Args:
        parts: Of the surface.
        uses: Of the surface.
        told: Puts a refusal into words.
        silent_seconds: After which silence a socket is closed.
    """

    def __init__(
        self, parts: ApiParts, uses: UseCases, *, told: Refusal, silent_seconds: float = SILENT_SECONDS
    ) -> None:
        self._parts = parts
        self._uses = uses
        self._told = told
        self._silent_seconds = silent_seconds
        self._open: dict[int, list[_Conversation]] = {}

    async def __call__(self, scope: Any, receive: Receive, send: Send, application: Application) -> None:
        """Serve one socket to its end; `application` answers what is asked over it."""
        await receive()  # websocket.connect
        try:
            bridge_id = await self._admitted(scope)
        except InvalidRequest as error:
            await _refuse(self._told(error), send)
            return
        conversation = _Conversation(scope, receive, send, application, self._silent_seconds)
        await self._make_room(bridge_id)
        self._open.setdefault(bridge_id, []).append(conversation)
        gauge = self._parts.live.metrics.agent_sockets
        gauge.inc()
        try:
            await conversation.run(bridge_id, self._parts.monotonic)
        finally:
            gauge.dec()
            self._open[bridge_id].remove(conversation)
            if not self._open[bridge_id]:
                del self._open[bridge_id]

    async def _admitted(self, scope: Any) -> int:
        if scope["path"] != PATH:
            raise InvalidRequest("route_not_found", f"No WebSocket is opened here; {PATH} is for agents.")
        try:
            bridge, _ = await self._uses.bridge_signatures.verified(dict(scope["headers"]), b"")
        except StoreError:
            raise _UNAVAILABLE from None
        most = self._parts.bridge_limits.most_sockets
        is_known = bridge.id in self._open
        if not most or (sum(map(len, self._open.values())) >= most and not is_known):
            raise _too_many(most)
        return bridge.id

    async def _make_room(self, bridge_id: int) -> None:
        known = self._open.get(bridge_id, [])
        for older in known[: max(0, len(known) - MOST_OF_ONE + 1)]:
            await older.close(_TRY_AGAIN, "the bridge has newer WebSockets")


def _too_many(most: int) -> InvalidRequest:
    what = f"This process keeps {most} WebSockets of agents" if most else "This hub keeps no WebSockets"
    return InvalidRequest(
        "too_many_streams",
        f"{what} (bridge.agent_sockets). Ask by POST: it does all the same.",
        retry_after=60,
    )


class _Conversation:
    """One open socket."""

    def __init__(
        self, scope: Any, receive: Receive, send: Send, application: Application, silent_seconds: float
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._application = application
        self._silent_seconds = silent_seconds
        self._bridge = dict(scope["headers"]).get(b"x-bridge-id", b"")
        self._is_over = False
        self._gone = asyncio.Event()
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._why = "the agent left"

    async def run(self, bridge_id: int, monotonic: Callable[[], float]) -> None:
        """Answer until one side leaves."""
        begun, count = monotonic(), 0
        await self._send({"type": "websocket.accept"})
        log.info("agent.connected", bridge_id=bridge_id)
        try:
            while (asked := await self._next()) is not None:
                count += 1
                task = asyncio.get_running_loop().create_task(self._answer(asked))
                self._tasks[task] = asked.word
                task.add_done_callback(self._tasks.pop)
        finally:
            self._is_over = True
            await self._end()
            seconds = round(monotonic() - begun, 1)
            log.info(
                "agent.disconnected", bridge_id=bridge_id, reason=self._why, requests=count, seconds=seconds
            )

    async def close(self, code: int, why: str) -> None:
        """Say goodbye; whoever receives then learns that it is over."""
        if not self._is_over:
            self._is_over, self._why = True, why
            with contextlib.suppress(OSError, RuntimeError):  # it may just have ended by itself
                await self._send({"type": "websocket.close", "code": code, "reason": why})

    async def _next(self) -> Asked | None:
        """Give the next message; None when there will be none."""
        if len(self._tasks) >= MOST_AT_ONCE:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        try:
            async with asyncio.timeout(self._silent_seconds):
                message = await self._receive()
        except TimeoutError:
            await self.close(_TRY_AGAIN, "nothing was heard for too long")
            return None
        if message["type"] != "websocket.receive":
            return None
        try:
            asked = _asked(message.get("bytes") or message.get("text") or b"")
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            await self.close(_POLICY, "a message was none: see docs/agent.md")
            return None
        if asked.word not in WORDS:
            await self.close(_POLICY, "a message asked for what cannot be asked here")
            return None
        return asked

    async def _answer(self, asked: Asked) -> None:
        answer = _Collected()
        await self._application(self._request(asked), self._body(asked), answer.take)
        if self._is_over:
            return
        told = b'{"id":%d,"status":%d,"body":%b}' % (asked.id, answer.status, bytes(answer.body) or b"null")
        with contextlib.suppress(OSError, RuntimeError):  # as above: the agent asks again by another way
            await self._send({"type": "websocket.send", "bytes": told})
        if answer.status == 401:
            await self.close(_POLICY, "the bridge's secret was turned, or the bridge is switched off")

    def _request(self, asked: Asked) -> dict[str, Any]:
        path = f"/v1/bridge/{asked.word}"
        signed = (asked.webhook_id, asked.webhook_timestamp, asked.webhook_signature)
        told: Mapping[bytes, bytes] = {
            b"content-type": b"application/json",
            b"x-bridge-id": self._bridge,
            **{name: value.encode("utf-8", "replace") for name, value in zip(_SIGNED, signed, strict=True)},
        }
        kept = {
            name: self._scope.get(name) for name in ("asgi", "http_version", "scheme", "client", "server")
        }
        return {
            **kept,
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": list(told.items()),
            "extensions": {},
        }

    def _body(self, asked: Asked) -> Receive:
        waiting = [bytes(asked.body)]

        async def receive() -> dict[str, Any]:
            if waiting:
                return {"type": "http.request", "body": waiting.pop(), "more_body": False}
            await self._gone.wait()
            return {"type": "http.disconnect"}

        return receive

    async def _end(self) -> None:
        """Let what was begun end; nobody waits for work any more."""
        self._gone.set()
        tasks = dict(self._tasks)
        for task, word in tasks.items():
            if word == "claim":
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Collected:
    """Takes an answer."""

    def __init__(self) -> None:
        self.status = 500
        self.body = bytearray()

    async def take(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.body += message.get("body", b"")


async def _refuse(told: ErrorAnswer, send: Send) -> None:
    """Answer by HTTP instead of opening a socket."""
    headers = [(b"content-type", b"application/json"), *told.headers]
    await send({"type": "websocket.http.response.start", "status": told.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": msgspec.json.encode(told.body)})


async def _connect(call: Call[NoQuery, NoBody]) -> Reply:
    """Refuse whoever asks for it without opening a WebSocket."""
    await call.uses.bridge_signatures.verified(call.headers, b"")
    raise InvalidRequest(
        "invalid_parameter_value",
        "This opens a WebSocket: send `Connection: Upgrade` and `Upgrade: websocket`. If you did, something on the way "
        "took them off: ask by POST, which does all the same.",
        param="Upgrade",
    )


ENDPOINTS: Final[tuple[AnyEndpoint, ...]] = (
    Endpoint(
        method="GET",
        path=PATH,
        name="agent_connect",
        summary="Open a WebSocket for an agent's requests.",
        description=(
            "Signed as `POST /v1/bridge/events` is, over an empty body. Each message is a request of its own, with its "
            "own signature; docs/agent.md tells its form."
        ),
        tag="bridges",
        scope=None,
        query=NoQuery,
        body=NoBody,
        reply=None,
        status=101,
        errors=(
            "invalid_parameter_value", "invalid_signature", "timestamp_out_of_tolerance", "too_many_streams",
        ),
        headers=("X-Bridge-Id", "webhook-id", "webhook-timestamp", "webhook-signature"),
        handle=_connect,
    ),
)  # fmt: skip
