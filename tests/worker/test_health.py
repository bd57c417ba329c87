"""A worker's own page: who asks for the metrics, and whether it is ready."""

from __future__ import annotations

import httpx
import pytest
import uvicorn

from hub.worker.health import health_server


async def rendered() -> bytes:
    return b"hub_lanes 1.0\n"


def page(server: uvicorn.Server) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=server.config.app)  # type: ignore[arg-type]  # uvicorn's type is wider
    return httpx.AsyncClient(transport=transport, base_url="http://worker")


SHOWN = {
    "no token is set": ("", None, 200),
    "nothing is shown": ("s3cret", None, 401),
    "another token": ("s3cret", "Bearer s3cre", 401),
    "letters that no token has": ("s3cret", "Bearer caf\u00e9", 401),
    "the token": ("s3cret", "Bearer s3cret", 200),
}


@pytest.mark.parametrize("case", SHOWN.values(), ids=SHOWN.keys())
async def test_metrics_are_for_who_shows_the_token(case: tuple[str, str | None, int]) -> None:
    """As at the web processes: a worker's page is no way around it."""
    token, shown, status = case
    server = health_server("127.0.0.1:0", is_ready=lambda: None, render_metrics=rendered, metrics_token=token)
    headers = [(b"authorization", shown.encode("latin-1"))] if shown else []
    async with page(server) as client:
        answer = await client.get("/metrics", headers=headers)

    assert answer.status_code == status
    assert ("hub_lanes" in answer.text) == (status == 200)


async def test_metrics_that_are_switched_off_are_not_there() -> None:
    server = health_server("127.0.0.1:0", is_ready=lambda: None, render_metrics=None)
    async with page(server) as client:
        answer = await client.get("/metrics")

    assert answer.status_code == 404


@pytest.mark.parametrize(("reason", "status"), [(None, 200), ("no lease was obtained yet", 503)])
async def test_probes_need_no_token(reason: str | None, status: int) -> None:
    server = health_server(
        "127.0.0.1:0", is_ready=lambda: reason, render_metrics=rendered, metrics_token="s3cret"
    )
    async with page(server) as client:
        alive, ready = await client.get("/healthz"), await client.get("/readyz")

    assert (alive.status_code, ready.status_code) == (200, status)
