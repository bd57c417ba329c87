"""POST /v1/bridge/events: where bridges tell what they saw. A bare ASGI endpoint, because it is the hot one.

The body is `{"events": [observation, …]}` in the normal form (hub.model.observation), signed by Standard Webhooks
1.0.0 with the bridge's secret; `X-Bridge-Id` names the bridge. The answer, after the commit:
202 `{"results": [{"status": "recorded" | "duplicate" | "refused", "event_ids": [...]}, …], "request_id"}`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from hub.api.bridge_signatures import BridgeSignatures
from hub.flow.directory import DirectoryHolder
from hub.flow.heartbeats import Heartbeats
from hub.flow.ingest import BridgeRequest, Ingest, ObservationResult
from hub.flow.ports import Clock
from hub.flow.refused import RefusedBook, of_another_line, origin_of_push
from hub.flow.refused_pushes import of_push
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text
from hub.model.observation import Observation
from hub.observe.metrics import Metrics
from hub.rules.jsonguard import check_json
from hub.rules.refusals import validate

Receive = Callable[[], Any]
Send = Callable[[Any], Any]


class BridgeEvents(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a bridge's request."""

    events: tuple[Observation, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class BridgeLimits:
    """What one request may hold."""

    max_body_bytes: int
    max_events: int
    json_depth: int
    tolerance_seconds: int
    #: WebSockets of agents in this process.
    most_sockets: int = 1000


_decoder = msgspec.json.Decoder(BridgeEvents)
_encoder = msgspec.json.Encoder()


class BridgeEventsEndpoint:
    """Verifies, parses and ingests what a bridge sends."""

    def __init__(
        self,
        *,
        directory: DirectoryHolder,
        ingest: Ingest,
        clock: Clock,
        limits: BridgeLimits,
        metrics: Metrics,
        heartbeats: Heartbeats,
        refused: RefusedBook,
    ) -> None:
        self._refused = refused
        self._heartbeats = heartbeats
        self._signatures = BridgeSignatures(directory, clock, tolerance_seconds=limits.tolerance_seconds)
        self._ingest = ingest
        self._clock = clock
        self._limits = limits
        self._count = {
            status: metrics.observations.labels(status).inc for status in ("recorded", "duplicate", "refused")
        }

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            raise InvalidRequest("method_not_allowed", "Use POST.")
        headers = dict(scope["headers"])
        body = await self._read(receive)
        bridge, request_id = await self._signatures.verified(headers, body)
        try:
            observations = self._parse(body)
        except InvalidRequest as error:
            self._count["refused"]()
            self._refused.note(bridge.id, of_push(body, error, origin_of_push(bridge)))
            await self._refused.flush(bridge.id)
            raise
        results = await self._ingest(BridgeRequest(bridge.id, request_id, body, observations))
        await self._heartbeats.heard(bridge.id)
        for index, result in enumerate(results):
            self._count[result.status]()
            if result.status == "refused":
                self._refused.note(bridge.id, of_another_line(observations[index], origin_of_push(bridge)))
        await self._refused.flush(bridge.id)
        answer = _encoder.encode(
            {
                "results": [_shown(result) for result in results],
                "request_id": scope["state"]["request_id"],
            }
        )
        await send({"type": "http.response.start", "status": 202, "headers": _answer_headers(answer)})
        await send({"type": "http.response.body", "body": answer})

    async def _read(self, receive: Receive) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise InvalidRequest("invalid_json", "The connection closed before the whole body arrived.")
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self._limits.max_body_bytes:
                raise InvalidRequest(
                    "payload_too_large",
                    f"A request may hold {self._limits.max_body_bytes} bytes; send smaller batches.",
                )
            if not message.get("more_body", False):
                return b"".join([*chunks, chunk]) if chunks else chunk
            chunks.append(chunk)

    def _parse(self, body: bytes) -> tuple[Observation, ...]:
        problem = check_json(body, max_depth=self._limits.json_depth)
        if problem is not None:
            raise InvalidRequest("invalid_json", str(problem))
        try:
            observations = _decoder.decode(body).events
        except msgspec.ValidationError as error:
            what, _, path = str(error).partition(" - at `$")
            raise InvalidRequest(
                "invalid_parameter_value", f"{what}.", param=path.rstrip("`").lstrip(".") or None
            ) from None
        except (msgspec.DecodeError, RecursionError) as error:
            raise InvalidRequest("invalid_json", f"The body is not valid JSON: {error}.") from None
        if not 1 <= len(observations) <= self._limits.max_events:
            raise InvalidRequest(
                "invalid_parameter_value",
                f"Send 1 to {self._limits.max_events} events in a request, not {len(observations)}.",
                param="events",
            )
        now_ms = self._clock.now_ms()
        for index, observation in enumerate(observations):
            wrong = validate(observation, now_ms=now_ms)
            if wrong is not None:
                path = f"events[{index}].{wrong.path}"
                raise InvalidRequest("invalid_parameter_value", wrong.why, param=path)
        return observations


def _shown(result: ObservationResult) -> dict[str, object]:
    shown: dict[str, object] = {
        "status": result.status,
        "event_ids": [id_text(Prefix.EVENT, event_id) for event_id in result.event_ids],
    }
    if result.code is not None:
        shown["error"] = {"code": result.code, "message": result.message}
    return shown


def _answer_headers(answer: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
