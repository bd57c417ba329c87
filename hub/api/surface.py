"""The native REST surface: all endpoints behind one ASGI application. Nothing is decided here."""

from __future__ import annotations

from typing import Any, Final

from starlette.routing import Route, Router

from hub.api import docs_page, openapi
from hub.api.calls import AnyEndpoint
from hub.api.cors import Cors
from hub.api.endpoints import NOUNS
from hub.api.envelope import Envelope
from hub.api.parts import ApiParts, Application, Receive, Send
from hub.api.serving import PathApp
from hub.api.usecases import use_cases
from hub.model.errors import InvalidRequest

#: Every endpoint but the bare one of the bridges.
ENDPOINTS: Final[tuple[AnyEndpoint, ...]] = (*NOUNS, *docs_page.ENDPOINTS, *openapi.ENDPOINTS)


def build(parts: ApiParts) -> Application:
    """Build the surface."""
    uses = use_cases(parts)
    paths: dict[str, list[AnyEndpoint]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, []).append(endpoint)
    routes = [Route(path, PathApp(endpoints, parts=parts, uses=uses)) for path, endpoints in paths.items()]
    router = Router(routes, redirect_slashes=False, default=_no_route)
    return Envelope(
        _HotFirst(router, parts.bridge_events),
        new_id=parts.new_id,
        monotonic=parts.monotonic,
        cors=Cors(parts.settings.cors_origins),
        on_answer=parts.on_answer,
    )


class _HotFirst:
    """Sends the hot path to its endpoint before any routing."""

    def __init__(self, router: Application, bridge_events: Application) -> None:
        self._router = router
        self._bridge_events = bridge_events

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        inside = self._bridge_events if scope["path"] == openapi.BRIDGE_EVENTS.path else self._router
        await inside(scope, receive, send)


async def _no_route(scope: Any, receive: Receive, send: Send) -> None:
    raise InvalidRequest("route_not_found", "No endpoint has this path; GET /v1/openapi.json lists all.")
