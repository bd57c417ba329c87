"""The address that networks call is tried from here: a hub, something else, or nothing."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from hub.flow.public_address import tried
from tests.bridge.networks import desk, serving


async def test_what_answers_at_the_public_address_is_told_apart() -> None:
    async def hub(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def other(request: Request) -> Response:
        return PlainTextResponse("Welcome to nginx!")

    app = Starlette(routes=[Route("/hub/healthz", hub), Route("/healthz", other)])
    async with desk() as opened, serving(app) as url:
        told = []
        for base_url in (f"{url}/hub", url, "http://127.0.0.1:9", None):
            opened.hook_url = None if base_url is None else f"{base_url}/v1/bridge/hooks/brg_1/s3cret"
            found = await tried(opened.surroundings)
            told.append(None if found is None else (found.state, found.detail.removeprefix(base_url or "")))

    assert [each and each[0] for each in told] == ["ok", "failed", "warning", None]
    assert told[0] == ("ok", " leads to a hub.")
    assert told[1] is not None
    assert told[1][1].startswith(" is answered by something else than a hub (status 200)")
    assert told[2] is not None
    assert "from another network" in told[2][1]
    assert "s3cret" not in str(told)
