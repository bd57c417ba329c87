"""/v1/bridge/hooks/{id}/{token}: where the networks of bridges call us. A bare endpoint: what is signed is raw bytes.

The token opens the way in (hub.rules.bridge_hooks); what the network signs, the bridge's own hooks verify. What they
make of a request is recorded before it is answered; a repetition adds nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, Final, NamedTuple

import structlog

from hub.api.calls import AnyDescribed, Described, NoBody, NoQuery
from hub.api.parts import ApiParts, Receive, Send
from hub.api.reading import read_body, require_clean_path
from hub.flow.bridge_kinds import BridgeHooks, HookReply, HookRequest
from hub.flow.bridge_settings import read_settings
from hub.flow.heartbeats import Heartbeats
from hub.flow.ingest import BridgeRequest, ObservationResult
from hub.flow.refused import of_another_line, unsound
from hub.flow.refused_hooks import of_broken_reader, of_hook
from hub.flow.soundness import sound
from hub.model.errors import InvalidRequest
from hub.model.ids import InvalidId, Prefix, parse_id
from hub.model.line import Bridge
from hub.model.observation import Observation
from hub.model.refused import Origin
from hub.rules.bridge_hooks import HOOKS_PATH, opens
from hub.rules.refusals import Refusal
from hub.rules.sources.bodies import read_query

log = structlog.get_logger("bridges")

MOST_BYTES: Final = 4_194_304
#: Networks give up after some 10 to 15 s; what was not answered by then they send again.
ANSWER_SECONDS: Final = 30.0


def _described(method: str, name: str, summary: str) -> AnyDescribed:
    return Described(
        method=method,
        path=HOOKS_PATH + "{id}/{token}",
        name=name,
        summary=summary,
        description=(
            "The address is the bridge's `hook_url`. What its network signs is verified, too; the answer comes after "
            "the commit, in the form that the network expects."
        ),
        tag="bridges",
        scope=None,
        query=NoQuery,
        body=NoBody,
        reply=None,
        errors=("bridge_not_found", "payload_too_large", "service_unavailable"),
    )


#: For the document.
BRIDGE_HOOKS: Final[tuple[AnyDescribed, ...]] = (
    _described("GET", "bridge_hook_handshake", "Prove to a bridge's network that the address is ours."),
    _described("POST", "bridge_hook", "Tell what a bridge's network saw, as the network does."),
)


class _Open(NamedTuple):
    """The way in of a bridge, and what it was made from."""

    settings: object
    hooks: BridgeHooks


class BridgeHooksEndpoint:
    """Serves every path below /v1/bridge/hooks/."""

    def __init__(self, parts: ApiParts) -> None:
        self._world = parts.bridges
        self._directory = parts.directory
        self._clock = parts.clock
        self._new_id = parts.new_id
        self._ingest = parts.ingest
        self._public_url = parts.settings.public_url
        self._heartbeats = Heartbeats(parts.store.bridges, parts.clock)
        self._requests = parts.live.metrics.bridge_hooks
        self._refused = parts.live.metrics.observations.labels("refused")
        self._book = parts.refused
        self._open: dict[int, _Open] = {}

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        state = scope["state"]
        # The path holds a secret: it is never told.
        state["route"], state["is_probe"] = HOOKS_PATH + "{id}/{token}", False
        require_clean_path(scope.get("raw_path") or b"")
        bridge = await self._bridge(scope["path"].removeprefix(HOOKS_PATH))
        hooks = self._hooks(bridge)
        request = await self._read(scope, receive)
        reply = await self._receive(bridge, hooks, request)
        recorded = await self._record(bridge, reply, request)
        outcome = "accepted" if reply.status < 400 else "refused"
        self._requests.labels(bridge.kind, outcome).inc()
        state["is_told"] = True
        log.info(
            "bridge.called",
            request_id=state["request_id"],
            bridge_id=bridge.id,
            kind=bridge.kind,
            status=reply.status,
            observed=len(reply.observations),
            recorded=recorded,
            reason=reply.reason,
        )
        await _answer(reply, send)

    async def _bridge(self, place: str) -> Bridge:
        """Find the bridge whose address this is; a changed one may be known to another process only.

        Raises:
            InvalidRequest: bridge_not_found, whatever is wrong with the address.
        """
        bridge = self._known(place)
        if bridge is None:
            await self._directory.refresh()
            bridge = self._known(place)
        if bridge is None:
            raise InvalidRequest("bridge_not_found", "No bridge is called at this address.")
        return bridge

    def _known(self, place: str) -> Bridge | None:
        name, _, token = place.partition("/")
        try:
            bridge = self._directory.current.bridges_by_id.get(parse_id(Prefix.BRIDGE, name))
        except InvalidId:
            return None
        is_open = bridge is not None and opens(token, bridge.secrets, self._clock.now_ms())
        return bridge if is_open and bridge is not None and bridge.is_enabled else None

    def _hooks(self, bridge: Bridge) -> BridgeHooks:
        known = self._open.get(bridge.id)
        if known is not None and known.settings == bridge.settings:
            return known.hooks
        kind = self._world.kind_here(bridge.kind)
        if kind is None or kind.open_hooks is None:
            raise InvalidRequest("bridge_not_found", "No bridge is called at this address.")
        try:
            settings = read_settings(kind, bridge.settings or {}, machine_values=self._world.machine_values)
        except InvalidRequest as error:
            log.error("bridge.unusable", bridge_id=bridge.id, kind=bridge.kind, error=error.message)
            message = "The bridge's settings are not complete. Nothing was recorded; send it again later."
            raise InvalidRequest("service_unavailable", message, retry_after=60) from None
        hooks = kind.open_hooks(settings, self._world.surroundings(bridge.id))
        self._open[bridge.id] = _Open(bridge.settings, hooks)
        return hooks

    async def _read(self, scope: Any, receive: Receive) -> HookRequest:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        if scope["method"] not in {"GET", "POST"}:
            raise InvalidRequest("method_not_allowed", "Use POST.")
        return HookRequest(
            method=scope["method"],
            url=f"{self._public_url}{path}{'?' if query else ''}{query}",
            query=tuple(read_query(query).items()),
            headers=headers,
            body=await read_body(receive, dict(scope["headers"]), most_bytes=MOST_BYTES),
        )

    async def _receive(self, bridge: Bridge, hooks: BridgeHooks, request: HookRequest) -> HookReply:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await hooks.receive(request)
        except Exception as error:
            log.error("bridge.hook_broke", bridge_id=bridge.id, kind=bridge.kind, exc_info=True)
            self._requests.labels(bridge.kind, "broken").inc()
            self._book.note(bridge.id, of_broken_reader(request, type(error).__name__))
            await self._book.flush(bridge.id)
            message = "What was sent could not be taken in. Nothing was recorded; send it again later."
            raise InvalidRequest("service_unavailable", message, retry_after=60) from None

    async def _record(self, bridge: Bridge, reply: HookReply, request: HookRequest) -> int:
        """Record what was seen, and keep what could not be read; give how much was new."""

        def note(observation: Observation, wrong: Refusal) -> None:
            self._refused.inc()
            self._book.note(bridge.id, unsound(observation, wrong, Origin.HOOK))

        kept = sound(reply.observations, bridge_id=bridge.id, now_ms=self._clock.now_ms(), on_refused=note)
        refused = of_hook(request, reply)
        if refused is not None:
            self._book.note(bridge.id, refused)
        if reply.status < 400:
            await self._heartbeats.heard(bridge.id)
        results: tuple[ObservationResult, ...] = ()
        if kept:
            asked = BridgeRequest(bridge.id, f"hook.{self._new_id():x}", request.body, kept)
            results = await self._ingest(asked)
        for each, result in zip(kept, results, strict=True):
            if result.status == "refused":
                self._book.note(bridge.id, of_another_line(each, Origin.HOOK))
        await self._book.flush(bridge.id)
        return sum(result.status == "recorded" for result in results)


async def _answer(reply: HookReply, send: Send) -> None:
    if reply.status >= 400 and not reply.body:
        # The network shows it to who looks for what went wrong (Twilio's debugger, for instance).
        reply = replace(reply, body=(reply.reason or "Refused.").encode())
    headers = [
        (b"content-type", reply.content_type.encode("latin-1")),
        (b"content-length", b"%d" % len(reply.body)),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
