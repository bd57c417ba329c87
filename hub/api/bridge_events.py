"""POST /v1/bridge/events: where bridges tell what they saw. A bare ASGI endpoint, because it is the hot one.

The body is `{"events": [observation, …]}` in the normal form (hub.model.observation), signed by Standard Webhooks
1.0.0 with the bridge's secret; `X-Bridge-Id` names the bridge. The answer, after the commit:
202 `{"results": [{"status": "recorded" | "duplicate" | "refused", "event_ids": [...]}, …], "request_id"}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from hub.flow.directory import DirectoryHolder
from hub.flow.heartbeats import Heartbeats
from hub.flow.ingest import BridgeRequest, Ingest, ObservationResult
from hub.flow.ports import Clock
from hub.model.errors import InvalidRequest
from hub.model.ids import InvalidId, Prefix, id_text, parse_id
from hub.model.line import Bridge
from hub.model.observation import Observation
from hub.observe.metrics import Metrics
from hub.rules.jsonguard import check_json
from hub.rules.refusals import validate
from hub.rules.signing import Secret, Verification, verify_standard

Receive = Callable[[], Any]
Send = Callable[[Any], Any]

_REQUEST_ID = re.compile(rb"[!-\-/-~]{1,255}")


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


_decoder = msgspec.json.Decoder(BridgeEvents)
_encoder = msgspec.json.Encoder()

_REFUSALS: Mapping[Verification, tuple[str, str]] = {
    Verification.MISSING_HEADER: (
        "invalid_signature",
        "Sign the request: headers webhook-id, webhook-timestamp and webhook-signature are required.",
    ),
    Verification.BAD_TIMESTAMP: (
        "invalid_signature",
        "webhook-timestamp must be the time of this attempt in whole Unix seconds.",
    ),
    Verification.TOO_OLD: (
        "timestamp_out_of_tolerance",
        "webhook-timestamp is too old; check the bridge's clock and sign each attempt anew.",
    ),
    Verification.TOO_NEW: (
        "timestamp_out_of_tolerance",
        "webhook-timestamp lies in the future; check the bridge's clock.",
    ),
    Verification.BAD_SIGNATURE: (
        "invalid_signature",
        "No signature matches: sign `{webhook-id}.{webhook-timestamp}.{raw body}` with this bridge's secret.",
    ),
    Verification.MALFORMED: (
        "invalid_signature",
        "webhook-signature must hold entries of the form v1,<base64>, separated by spaces.",
    ),
}


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
    ) -> None:
        self._heartbeats = heartbeats
        self._directory = directory
        self._ingest = ingest
        self._clock = clock
        self._limits = limits
        self._count = {
            status: metrics.observations.labels(status).inc for status in ("recorded", "duplicate", "refused")
        }
        self._secrets: dict[int, tuple[int, int | None, list[Secret]]] = {}

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            raise InvalidRequest("method_not_allowed", "Use POST.")
        headers = dict(scope["headers"])
        body = await self._read(receive)
        bridge, request_id = await self._authenticate(headers, body)
        observations = self._parse(body)
        results = await self._ingest(BridgeRequest(bridge.id, request_id, body, observations))
        await self._heartbeats.heard(bridge.id)
        for result in results:
            self._count[result.status]()
        answer = _encoder.encode(
            {
                "results": [_shown(result) for result in results],
                "request_id": scope["state"]["request_id"],
            }
        )
        await send({"type": "http.response.start", "status": 202, "headers": _answer_headers(answer)})
        await send({"type": "http.response.body", "body": answer})

    async def _authenticate(self, headers: Mapping[bytes, bytes], body: bytes) -> tuple[Bridge, str]:
        """Find the bridge and check its signature; before refusing, look whether it was changed elsewhere.

        Another process may have added the bridge or turned its secret a moment ago.
        """
        revision = self._directory.current.revision
        try:
            bridge = self._bridge(headers)
            return bridge, self._verify(bridge, headers, body)
        except InvalidRequest:
            if (await self._directory.refresh()).revision == revision:
                raise
        bridge = self._bridge(headers)
        return bridge, self._verify(bridge, headers, body)

    def _bridge(self, headers: Mapping[bytes, bytes]) -> Bridge:
        text = headers.get(b"x-bridge-id", b"").decode("latin-1")
        if not text:
            raise InvalidRequest(
                "invalid_signature", "Say which bridge signs: send X-Bridge-Id: brg_….", param="X-Bridge-Id"
            )
        try:
            bridge = self._directory.current.bridges_by_id.get(parse_id(Prefix.BRIDGE, text))
        except InvalidId:
            bridge = None
        if bridge is None or not bridge.is_enabled:
            raise InvalidRequest(
                "invalid_signature",
                "No such bridge is enabled; `hub bridges` lists them, POST /v1/bridges adds one.",
                param="X-Bridge-Id",
            )
        return bridge

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

    def _verify(self, bridge: Bridge, headers: Mapping[bytes, bytes], body: bytes) -> str:
        webhook_id = headers.get(b"webhook-id")
        if webhook_id is not None and not _REQUEST_ID.fullmatch(webhook_id):
            raise InvalidRequest(
                "invalid_signature",
                "webhook-id must be 1 to 255 visible ASCII characters without a dot.",
                param="webhook-id",
            )
        timestamp, signature = headers.get(b"webhook-timestamp"), headers.get(b"webhook-signature")
        now_ms = self._clock.now_ms()
        verdict = verify_standard(
            self._live_secrets(bridge, now_ms),
            webhook_id=_text(webhook_id),
            timestamp_text=_text(timestamp),
            signature_header=_text(signature),
            body=body,
            now_seconds=now_ms // 1000,
            tolerance_seconds=self._limits.tolerance_seconds,
        )
        if verdict is not Verification.OK:
            code, message = _REFUSALS[verdict]
            raise InvalidRequest(code, message)
        assert webhook_id is not None, "a verified request has an id"
        return webhook_id.decode("ascii")

    def _live_secrets(self, bridge: Bridge, now_ms: int) -> list[Secret]:
        """Secrets that sign today; compiled once a revision, less those whose overlap is over."""
        revision = self._directory.current.revision
        known = self._secrets.get(bridge.id)
        if known is not None and known[0] == revision and (known[1] is None or known[1] > now_ms):
            return known[2]
        live = [
            secret for secret in bridge.secrets if secret.expires_at is None or secret.expires_at > now_ms
        ]
        stale_at = min((secret.expires_at for secret in live if secret.expires_at), default=None)
        secrets = [Secret(secret.text) for secret in live]
        self._secrets[bridge.id] = (revision, stale_at, secrets)
        return secrets

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


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


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
