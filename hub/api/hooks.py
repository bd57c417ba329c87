"""/hooks/{name}: where other services tell what happened. A bare ASGI endpoint: what is signed is raw bytes.

Read, judge (hub.rules.sources.intake), record, answer after the commit in the form that the service likes. A request
that is not believed is answered with 401 and nothing of itself; why, is kept for the operator.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import structlog

from hub.api.calls import AnyDescribed, Described, NoBody, NoQuery
from hub.api.parts import ApiParts, Receive, Send
from hub.api.ratelimit import RateLimiter
from hub.api.reading import read_body, require_clean_path
from hub.flow.record import Recorder
from hub.flow.source_intake import SourceIntake
from hub.model.errors import InvalidRequest
from hub.observe.metrics import Metrics
from hub.rules.sources.bodies import read_any, read_query
from hub.rules.sources.hooks import HOOK_SOURCE
from hub.rules.sources.intake import Accepted, Introduced, judge, memory_key
from hub.rules.sources.model import Answer, Reason, Refused, Source, SourceRequest

log = structlog.get_logger("sources")

HOOKS_PATH: Final = "/hooks/"
_MINUTE_MS: Final = 60_000
_MOST_DEPTH: Final = 64
#: By reason: the code and the words of the answer; none of them tells what was wrong with a signature.
_UNSIGNED: Final = ("invalid_signature", "The request is not signed as this address demands.")
_ANSWERS: Final[Mapping[Reason, tuple[str, str]]] = {
    Reason.MISSING_SIGNATURE: _UNSIGNED,
    Reason.BAD_SIGNATURE: _UNSIGNED,
    Reason.BAD_TIMESTAMP: _UNSIGNED,
    Reason.TOO_OLD: _UNSIGNED,
    Reason.TOO_NEW: _UNSIGNED,
    Reason.BAD_TOKEN: _UNSIGNED,
    Reason.NO_SECRET: _UNSIGNED,
    Reason.OFFERS_SECRET: _UNSIGNED,
    Reason.UNREADABLE: ("invalid_json", "The body cannot be read."),
    Reason.TOO_LARGE: ("payload_too_large", "The body is too large."),
    Reason.TOO_MANY_EVENTS: ("payload_too_large", "The body holds too many events."),
    Reason.TOO_OFTEN: ("rate_limit_exceeded", "Too many requests in this minute."),
    Reason.METHOD: ("method_not_allowed", "Use POST."),
}


def _described(method: str, name: str, summary: str) -> AnyDescribed:
    return Described(
        method=method,
        path="/hooks/{name}",
        name=name,
        summary=summary,
        description="Open to whoever can sign as the source demands; docs/inbound-sources.md.",
        tag="sources",
        scope=None,
        query=NoQuery,
        body=NoBody,
        reply=None,
        errors=(
            "invalid_json",
            "invalid_signature",
            "payload_too_large",
            "source_not_found",
        ),
    )


#: For the document.
HOOKS: Final[tuple[AnyDescribed, ...]] = (
    _described("GET", "source_handshake", "Prove that an address is the operator's, as WhatsApp asks."),
    _described("POST", "source_events", "Tell what happened, as a service that is set up as a source."),
)


def hooks_endpoint(parts: ApiParts) -> HooksEndpoint:
    """Wire the endpoint."""
    recorder = Recorder(
        store=parts.store.hot,
        directory=parts.directory,
        take_ids=parts.new_id.take,
        wake_ups=parts.wake_ups,
        clock=parts.clock,
    )
    intake = SourceIntake(
        recorder=recorder,
        rejections=parts.store.rejections,
        clock=parts.clock,
        new_id=parts.new_id,
        keep=parts.sources.rejected_kept,
    )
    return HooksEndpoint(parts, intake, rate_limiter=parts.rate_limiter, metrics=parts.live.metrics)


class HooksEndpoint:
    """Serves every path below /hooks/."""

    def __init__(
        self, parts: ApiParts, intake: SourceIntake, *, rate_limiter: RateLimiter, metrics: Metrics
    ) -> None:
        self._sources = parts.sources
        self._public_url = parts.settings.public_url
        self._clock = parts.clock
        self._intake = intake
        self._rate_limiter = rate_limiter
        self._metrics = metrics

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        state = scope["state"]
        state["route"], state["is_probe"] = "/hooks/{name}", False
        require_clean_path(scope.get("raw_path") or b"")
        name = scope["path"].removeprefix(HOOKS_PATH)
        source = self._sources.book.find(name)
        if source is not None:
            await _answer(await self._serve(source, scope, receive), send)
        elif self._sources.is_hook(name):
            await _answer(await self._serve_hook(name, scope, receive), send)
        elif not self._sources.book.is_ready:
            message = (
                "connections.yaml cannot be used yet; `hub sources list` says why. Nothing was recorded."
            )
            raise InvalidRequest("service_unavailable", message, retry_after=60)
        else:
            raise InvalidRequest("source_not_found", "No source is set up at this address.")

    async def _serve(self, source: Source, scope: Any, receive: Receive) -> Answer:
        request, refused = await self._read(scope, receive)
        judged = refused or judge(source, request, now_ms=self._clock.now_ms(), most_depth=_MOST_DEPTH)
        if isinstance(judged, Accepted):
            refused = await self._too_often(source.name)
            if refused is None:
                return await self._taken_in(source, judged, scope)
            judged = refused
        if isinstance(judged, Introduced):
            if judged.notice is not None:
                await self._intake.reject(source.name, request, judged.notice)
            self._count(source.name, "handshake", scope)
            return judged.answer
        await self._intake.reject(source.name, request, judged)
        self._count(source.name, judged.reason.value, scope, detail=judged.detail)
        raise self._refusal(judged, scope)

    async def _serve_hook(self, path: str, scope: Any, receive: Receive) -> Answer:
        """Take in what was sent to the path of a route: whoever knows the path is believed."""
        request, refused = await self._read(scope, receive)
        if refused is None and request.method != "POST":
            refused = Refused(Reason.METHOD, "Use POST.")
        refused = refused or await self._too_often(f"{HOOK_SOURCE}:{path}")
        payload = (
            None
            if refused
            else read_any(request.body, request.headers.get("content-type", ""), most_depth=_MOST_DEPTH)
        )
        if isinstance(payload, Refused):
            refused = payload
        if refused is not None:
            self._count(HOOK_SOURCE, refused.reason.value, scope)
            raise self._refusal(refused, scope)
        named = request.headers.get("webhook-id") or request.headers.get("idempotency-key")
        taken = await self._intake.take_in_hook(
            path, payload=payload, delivery_id=(named or scope["state"]["request_id"])[:200]
        )
        self._count(HOOK_SOURCE, "accepted", scope, recorded=taken.recorded, duplicates=taken.duplicates)
        return Answer(status=202)

    async def _taken_in(self, source: Source, accepted: Accepted, scope: Any) -> Answer:
        taken = await self._intake.take_in(source, accepted)
        self._metrics.source_events.labels(source.name, "recorded").inc(taken.recorded)
        self._metrics.source_events.labels(source.name, "duplicate").inc(taken.duplicates)
        self._count(source.name, "accepted", scope, recorded=taken.recorded, duplicates=taken.duplicates)
        return accepted.answer

    async def _read(self, scope: Any, receive: Receive) -> tuple[SourceRequest, Refused | None]:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        body, refused = b"", None
        try:
            body = await read_body(receive, dict(scope["headers"]), most_bytes=self._sources.max_body_bytes)
        except InvalidRequest:
            most = self._sources.max_body_bytes
            refused = Refused(
                Reason.TOO_LARGE, f"The body is larger than {most} bytes (sources.max_body_bytes)."
            )
        request = SourceRequest(
            method=scope["method"],
            url=f"{self._public_url}{path}{'?' if query else ''}{query}",
            query=read_query(query),
            headers=headers,
            body=body,
        )
        return request, refused

    async def _too_often(self, name: str) -> Refused | None:
        """Count a believed request: what anybody can send must not use up what the service may."""
        limit = self._sources.requests_per_minute
        if not limit:
            return None
        # Below zero, where no key of the surface is.
        number = -1 - int.from_bytes(memory_key(name, "rate", "")[:6])
        decision = await self._rate_limiter.take(number, limit, self._clock.now_ms(), window_ms=_MINUTE_MS)
        if decision.is_allowed:
            return None
        return Refused(Reason.TOO_OFTEN, f"More than {limit} in a minute (sources.requests_per_minute).")

    def _refusal(self, refused: Refused, scope: Any) -> InvalidRequest:
        code, message = _ANSWERS[refused.reason]
        if refused.reason is Reason.METHOD:
            scope["state"]["answer_headers"].append((b"allow", b"POST"))
        return InvalidRequest(code, message, retry_after=60 if refused.reason is Reason.TOO_OFTEN else None)

    def _count(self, source: str, outcome: str, scope: Any, **more: object) -> None:
        self._metrics.source_requests.labels(source, outcome).inc()
        scope["state"]["is_told"] = True
        log.info(
            "source.answered", request_id=scope["state"]["request_id"], source=source, outcome=outcome, **more
        )


async def _answer(answer: Answer, send: Send) -> None:
    headers = [(b"content-length", b"%d" % len(answer.body)), (b"x-content-type-options", b"nosniff")]
    if answer.content_type:
        headers.append((b"content-type", answer.content_type.encode("latin-1")))
    if answer.status == 204:
        headers = headers[1:]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
