"""/v1/openapi.json: the document of this surface, generated from its tables."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from hub import __version__
from hub.api.bridge_events import BridgeEvents
from hub.api.bridge_hooks import BRIDGE_HOOKS
from hub.api.calls import AnyDescribed, AnyEndpoint, Call, Described, Endpoint, NoBody, NoQuery, Reply
from hub.api.endpoints import NOUNS
from hub.api.hooks import HOOKS
from hub.api.openapi_document import build_document


class BridgeRefusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why one observation was not taken in."""

    code: str
    message: str


class BridgeResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one observation."""

    status: Literal["recorded", "duplicate", "refused"]
    event_ids: tuple[str, ...]
    error: BridgeRefusal | msgspec.UnsetType = msgspec.UNSET


class BridgeEventsReply(msgspec.Struct, frozen=True, kw_only=True):
    """One result an observation, in order; durable."""

    results: Annotated[tuple[BridgeResult, ...], Meta(min_length=1)]
    request_id: str


#: Served bare, by hub.api.bridge_events.
BRIDGE_EVENTS: Final[AnyDescribed] = Described(
    method="POST",
    path="/v1/bridge/events",
    name="bridge_events",
    summary="Tell what a bridge saw; answered after the commit.",
    description=(
        "Signed as Standard Webhooks 1.0.0 with the bridge's secret; a repeat under the same `webhook-id` adds "
        "nothing. docs/bridges.md tells the normal form."
    ),
    tag="bridges",
    scope=None,
    query=NoQuery,
    body=BridgeEvents,
    reply=BridgeEventsReply,
    status=202,
    errors=("invalid_signature", "timestamp_out_of_tolerance"),
    headers=("X-Bridge-Id", "webhook-id", "webhook-timestamp", "webhook-signature"),
    example={
        "events": [
            {
                "v": 1,
                "line": "+15550100010",
                "kind": "message.received",
                "at": 1_780_000_000_000,
                "chat": {"key": "dm:+15550100001"},
                "actor": "+15550100001",
                "message": {"provider_id": "A1B2", "parts": [{"type": "text", "text": "Hello"}]},
            }
        ]
    },
)


class OpenApiReply(msgspec.Struct, frozen=True, kw_only=True):
    """An OpenAPI 3.1 document."""

    openapi: str


async def _show(call: Call[NoQuery, NoBody]) -> Reply:
    return Reply(content=document_json(), is_constant=True)


def described() -> tuple[AnyDescribed, ...]:
    """Every endpoint, the bare ones included."""
    return (*NOUNS, *ENDPOINTS, BRIDGE_EVENTS, *BRIDGE_HOOKS, *HOOKS)


@cache
def document_json() -> bytes:
    """The document as it is served and kept in docs/reference/openapi.json."""
    document = build_document(described(), version=__version__)
    return msgspec.json.format(msgspec.json.encode(document), indent=2)


def _document_at(path: str, name: str) -> AnyEndpoint:
    return Endpoint(
        method="GET",
        path=path,
        name=name,
        summary="This document.",
        tag="operation",
        scope=None,
        query=NoQuery,
        body=NoBody,
        reply=OpenApiReply,
        handle=_show,
    )


ENDPOINTS: Final[tuple[AnyEndpoint, ...]] = (
    _document_at("/openapi.json", "openapi_at_root"),
    _document_at("/v1/openapi.json", "openapi"),
)
