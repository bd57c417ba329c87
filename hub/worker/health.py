"""A worker's own little page: is it alive, is it ready, its metrics. Only where `worker.listen` is set."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from hmac import compare_digest

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class HealthServer(uvicorn.Server):
    """uvicorn without signal handlers of its own: the process decides when to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def health_server(
    listen: str,
    *,
    is_ready: Callable[[], str | None],
    render_metrics: Callable[[], Awaitable[bytes]] | None,
    metrics_token: str = "",
) -> HealthServer:
    """Build the server.

    Args:
        listen: `host:port`.
        is_ready: Why not, or None when the worker has a place among the workers.
        render_metrics: The page of /metrics; None where metrics are switched off.
        metrics_token: What a reader of /metrics must show; empty: nothing.
    """

    async def healthz(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(request: Request) -> Response:
        reason = is_ready()
        return JSONResponse({"status": reason or "ok"}, status_code=503 if reason else 200)

    async def metrics(request: Request) -> Response:
        if render_metrics is None:
            return PlainTextResponse("Metrics are switched off (metrics.enabled in hub.yaml).\n", 404)
        shown = request.headers.get("authorization", "").encode("latin-1")
        if metrics_token and not compare_digest(shown, f"Bearer {metrics_token}".encode()):
            return PlainTextResponse(
                "Send 'Authorization: Bearer' and the token of metrics.token.\n",
                401,
                {"www-authenticate": "Bearer"},
            )
        return Response(await render_metrics(), media_type=METRICS_TYPE)

    routes = [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
    return HealthServer(_config(listen, Starlette(routes=routes)))


def _config(listen: str, page: Starlette) -> uvicorn.Config:
    host, _, port = listen.rpartition(":")
    return uvicorn.Config(
        page,
        host=host.strip("[]") or "127.0.0.1",
        port=int(port),
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )
