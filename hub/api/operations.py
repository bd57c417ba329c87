"""/healthz, /readyz, /metrics: for the machines that watch over the hub. No API key."""

from __future__ import annotations

import asyncio
from hmac import compare_digest
from typing import Final

import msgspec

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply
from hub.api.parts import ReadyCheck
from hub.model.errors import InvalidRequest

CHECK_SECONDS: Final = 2.0
METRICS_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"


class HealthReply(msgspec.Struct, frozen=True, kw_only=True):
    """The process answers."""

    status: str
    request_id: str


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that must work."""

    name: str
    is_ok: bool
    #: Why it does not work.
    reason: str | None


class ReadyReply(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that this process needs works."""

    status: str
    checks: list[Checked]
    request_id: str


async def _healthy(call: Call[NoQuery, NoBody]) -> Reply:
    return Reply(content=HealthReply(status="ok", request_id=call.request_id))


async def _ready(call: Call[NoQuery, NoBody]) -> Reply:
    checks = await asyncio.gather(*map(_checked, call.uses.parts.ready_checks))
    missing = [f"{each.name} ({each.reason})" for each in checks if not each.is_ok]
    if missing:
        raise InvalidRequest("service_unavailable", f"Not ready: {', '.join(missing)}.", retry_after=1)
    return Reply(content=ReadyReply(status="ready", checks=checks, request_id=call.request_id))


async def _checked(ready: ReadyCheck) -> Checked:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            reason = await ready.check()
    except TimeoutError:
        reason = f"no answer within {CHECK_SECONDS:g} s"
    except Exception as error:
        reason = type(error).__name__
    return Checked(name=ready.name, is_ok=reason is None, reason=reason)


async def _metrics(call: Call[NoQuery, NoBody]) -> Reply:
    render, token = call.uses.parts.render_metrics, call.uses.settings.metrics_token
    if render is None:
        raise InvalidRequest("route_not_found", "Metrics are switched off (metrics.enabled in hub.yaml).")
    shown = call.headers.get(b"authorization", b"")
    if token and not compare_digest(shown, f"Bearer {token}".encode()):
        raise InvalidRequest(
            "invalid_api_key", "Send 'Authorization: Bearer' and the token of metrics.token."
        )
    return Reply(content=await render(), content_type=METRICS_TYPE)


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/healthz",
        name="healthz",
        summary="Tell whether the process answers.",
        tag="operation",
        scope=None,
        query=NoQuery,
        body=NoBody,
        reply=HealthReply,
        handle=_healthy,
    ),
    Endpoint(
        method="GET",
        path="/metrics",
        name="metrics",
        summary="Prometheus metrics of all processes.",
        description="Open, unless metrics.token is set: then send it as a bearer token.",
        tag="operation",
        scope=None,
        query=NoQuery,
        body=NoBody,
        reply=bytes,
        errors=("invalid_api_key", "route_not_found"),
        handle=_metrics,
    ),
    Endpoint(
        method="GET",
        path="/readyz",
        name="readyz",
        summary="Tell whether the process can serve: 503 names what is missing.",
        tag="operation",
        scope=None,
        query=NoQuery,
        body=NoBody,
        reply=ReadyReply,
        errors=("service_unavailable",),
        handle=_ready,
    ),
)
