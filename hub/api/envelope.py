"""The outermost layer: a request id for everyone, errors as envelopes, CORS, HEAD, and one log line a request.

Nothing passes it but answers: an exception that is not ours is logged under its request id and becomes a 500
whose body says nothing of our insides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec
import structlog

from hub.api.cors import Cors
from hub.api.dialect import ErrorAnswer
from hub.api.error_replies import error_reply
from hub.api.errors import BY_CODE
from hub.api.parts import Application, Receive, Send
from hub.api.reading import Disconnected
from hub.model.errors import InvalidRequest, StoreError
from hub.model.ids import id_text

log = structlog.get_logger("api")

#: An answer that began before its handler failed can only be cut off.
_CUT_OFF: Final = 0
_INTERNAL: Final = InvalidRequest("internal_error", "A mistake of ours; it is logged under this request id.")
_AWAY: Final = InvalidRequest(
    "service_unavailable",
    "The database or the store of files could not do it now; nothing was recorded. Try again.",
    retry_after=1,
)
_encode: Final = msgspec.json.Encoder().encode


class SocketDoor(Protocol):
    """Serves one WebSocket; what is asked over it goes to the application."""

    async def __call__(self, scope: Any, receive: Receive, send: Send, application: Application) -> None: ...


class Envelope:
    """Wraps the whole surface."""

    def __init__(
        self,
        inside: Application,
        *,
        new_id: Callable[[], int],
        monotonic: Callable[[], float],
        cors: Cors,
        on_answer: Callable[[int], None],
        sockets: SocketDoor,
    ) -> None:
        self._inside = inside
        self._sockets = sockets
        self._new_id = new_id
        self._monotonic = monotonic
        self._cors = cors
        self._on_answer = on_answer

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._sockets(scope, receive, send, self)
            return
        if scope["type"] != "http":
            await _live_on(receive, send)
            return
        begun = self._monotonic()
        request_id = id_text("req", self._new_id())
        extra = [(b"x-request-id", request_id.encode()), *self._cors.headers(scope)]
        state: dict[str, Any] = {
            "request_id": request_id,
            "answer_headers": extra,
            "errors": native_error,
        }
        scope["state"] = state
        answer = _Answer(send, state, is_head=scope["method"] == "HEAD")
        code = None
        try:
            await self._inside(scope, receive, answer.send)
        except Disconnected:
            code = "disconnected"
        except InvalidRequest as error:
            code = error.code
            await answer.fail(error)
        except StoreError as error:
            code = "service_unavailable"
            log.error("request.unserved", request_id=request_id, error=str(error))
            await answer.fail(_AWAY)
        except Exception:
            code = "internal_error"
            log.exception("request.failed", request_id=request_id, route=state.get("route"))
            await answer.fail(_INTERNAL)
        self._report(scope, state, answer.status, code, begun)

    def _report(self, scope: Any, state: dict[str, Any], status: int, code: str | None, begun: float) -> None:
        self._on_answer(status)
        is_told = state.get("is_told", False)  # in a line of the endpoint's own
        if not is_told and ("route" in state or code is not None):  # the hot endpoint says itself what it did
            is_quiet = state.get("is_probe", False) and status < 400
            (log.debug if is_quiet else log.info)(
                "request.answered",
                request_id=state["request_id"],
                method=scope["method"],
                route=state.get("route"),
                status=status,
                code=code,
                key=state.get("key"),
                duration_ms=round((self._monotonic() - begun) * 1000, 2),
            )


class _Answer:
    """Sends one answer: adds the headers that every answer has, and drops the body of a HEAD."""

    def __init__(self, send: Send, state: dict[str, Any], *, is_head: bool) -> None:
        self._send = send
        self._state = state
        self._is_head = is_head
        self.status = _CUT_OFF

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message.get("headers", ()), *self._state["answer_headers"]]}
        elif self._is_head:
            message = {**message, "body": b""}
        await self._send(message)

    async def fail(self, error: InvalidRequest) -> None:
        """Answer with the error in the words of the dialect that is spoken, unless an answer has begun."""
        if self.status != _CUT_OFF:
            return
        told: ErrorAnswer = self._state["errors"](error, self._state["request_id"])
        body = _encode(told.body)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        if error.retry_after is not None:
            headers.append((b"retry-after", b"%d" % error.retry_after))
        if told.status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        headers += told.headers
        await self.send({"type": "http.response.start", "status": told.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})


def native_error(error: InvalidRequest, request_id: str) -> ErrorAnswer:
    """Put an error into the native envelope; its code must be in the table."""
    return ErrorAnswer(status=BY_CODE[error.code].status, body=error_reply(error, request_id))


async def _live_on(receive: Receive, send: Send) -> None:
    """Nothing of ours hangs on the server's lifespan."""
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})
