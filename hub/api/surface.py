"""The REST surface: the native endpoints and those of the dialects behind one ASGI application.

Nothing is decided here but whose endpoints a request is for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from hub.api import docs_page, openapi
from hub.api.agent_sockets import AgentSockets
from hub.api.authentication import Authenticator
from hub.api.bridge_counts import BridgeCounts
from hub.api.bridge_hooks import BridgeHooksEndpoint
from hub.api.calls import AnyEndpoint
from hub.api.cors import Cors
from hub.api.dialect import Dialect, RateLimit
from hub.api.endpoints import NOUNS
from hub.api.envelope import Envelope, native_error
from hub.api.hooks import HOOKS_PATH, hooks_endpoint
from hub.api.parts import ApiParts, Application, Receive, Send
from hub.api.paths import Paths
from hub.api.serving import PathApp
from hub.api.usecases import UseCases, use_cases
from hub.model.errors import InvalidRequest
from hub.model.ids import id_text
from hub.rules.bridge_hooks import HOOKS_PATH as BRIDGE_HOOKS_PATH
from hub.rules.problems import suggestion

#: Every native endpoint but the bare one of the bridges.
ENDPOINTS: Final[tuple[AnyEndpoint, ...]] = (*NOUNS, *docs_page.ENDPOINTS, *openapi.ENDPOINTS)


def build(parts: ApiParts, dialects: Sequence[Dialect] = ()) -> Application:
    """Build the surface, for the clients of these dialects beside the native ones."""
    uses = use_cases(parts)
    native = _Paths(ENDPOINTS, parts, uses)
    return Envelope(
        BridgeCounts(
            _HotFirst(
                _ByDialect(native, dialects, parts, uses),
                {
                    openapi.BRIDGE_EVENTS.path: parts.bridge_events,
                    BRIDGE_HOOKS_PATH: BridgeHooksEndpoint(parts),
                    HOOKS_PATH: hooks_endpoint(parts),
                },
            ),
            parts.live.metrics,
        ),
        new_id=parts.new_id,
        monotonic=parts.monotonic,
        cors=_cors(parts.settings.cors_origins, dialects),
        on_answer=parts.on_answer,
        sockets=AgentSockets(
            parts, uses, told=lambda error: native_error(error, id_text("req", parts.new_id()))
        ),
    )


def _cors(origins: Sequence[str], dialects: Sequence[Dialect]) -> Cors:
    """Let pages of the operator's choice send what endpoints read, and what clients of dialects send anyway."""
    own = [header for each in dialects for endpoint in each.endpoints for header in endpoint.headers]
    return Cors(
        origins,
        asked=[*own, *(header for each in dialects for header in each.client_headers)],
        told=[header for each in dialects for header in each.answer_headers],
    )


class _Paths:
    """Sends a request to what is at its path."""

    def __init__(
        self,
        endpoints: Sequence[AnyEndpoint],
        parts: ApiParts,
        uses: UseCases,
        *,
        rate_limit: RateLimit | None = None,
    ) -> None:
        by_path: dict[str, list[AnyEndpoint]] = {}
        for endpoint in endpoints:
            by_path.setdefault(endpoint.path, []).append(endpoint)
        self._apps = Paths(
            {
                path: PathApp(of_path, parts=parts, uses=uses, rate_limit=rate_limit)
                for path, of_path in by_path.items()
            }
        )

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        found = self._apps.find(scope["path"])
        if found is None:
            raise self._refusal(scope["path"])
        app, scope["path_params"] = found
        await app(scope, receive, send)

    def _refusal(self, path: str) -> InvalidRequest:
        near = suggestion(path.rstrip("/"), self._apps.templates)
        meant = f" Did you mean {near}?" if near else ""
        return InvalidRequest("route_not_found", f"No endpoint has this path.{meant} /docs shows them all.")

    def knows(self, path: str) -> bool:
        """Tell whether a request to this path is for one of these."""
        return self._apps.find(path) is not None


class _HotFirst:
    """Sends the hot path, and what has another envelope, to its endpoint before any routing.

    Args:
        router: Everything else.
        bare: Path → its endpoint; one that ends with a slash stands for all below it.
    """

    def __init__(self, router: Application, bare: Mapping[str, Application]) -> None:
        self._router = router
        self._exact = {path: app for path, app in bare.items() if not path.endswith("/")}
        self._below = tuple((path, app) for path, app in bare.items() if path.endswith("/"))

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        path = scope["path"]
        inside = self._exact.get(path)
        if inside is None:
            inside = next((app for start, app in self._below if path.startswith(start)), self._router)
        await inside(scope, receive, send)


class _Sharer(NamedTuple):
    """A dialect on the paths of the native surface."""

    dialect: Dialect
    paths: _Paths


class _ByDialect:
    """Finds out which dialect a request speaks: by its path, or where that is shared by its key.

    A path that only one of those who share has is that one's, whatever the key; so a caller without a valid key is
    refused in its words. One that nobody has is told so in the words of the key.
    """

    def __init__(self, native: _Paths, dialects: Sequence[Dialect], parts: ApiParts, uses: UseCases) -> None:
        self._native = native
        self._authenticator: Authenticator = uses.authenticator
        self._clock = parts.clock
        routers = [
            (each, _Paths(each.endpoints, parts, uses, rate_limit=each.rate_limit)) for each in dialects
        ]
        self._owners = [(each, router) for each, router in routers if each.paths]
        self._sharers = [_Sharer(each, router) for each, router in routers if not each.paths]

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        for dialect, router in self._owners:
            if dialect.owns(scope["path"]):
                scope["state"]["errors"] = dialect.errors
                await router(scope, receive, send)
                return
        found = await self._sharer(scope) if self._sharers else None
        if found is None:
            await self._native(scope, receive, send)
            return
        scope["state"]["errors"] = found.dialect.errors
        await found.paths(scope, receive, send)

    async def _sharer(self, scope: Any) -> _Sharer | None:
        """Give the one of those who share that is to answer; None for the native surface."""
        path = scope["path"]
        key = await self._authenticator.look_up(dict(scope["headers"]), self._clock.now_ms())
        spoken = None if key is None else key.dialect
        of_key = next((each for each in self._sharers if each.dialect.name == spoken), None)
        if self._native.knows(path):
            return of_key if of_key is not None and of_key.paths.knows(path) else None
        return of_key or next((each for each in self._sharers if each.paths.knows(path)), None)
