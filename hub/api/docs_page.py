"""/docs: all endpoints to read and to try, in a browser, without any other host.

The page is static and small; it reads `openapi.json` and builds itself. Nothing is inline, so the policy forbids it.
"""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Final

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply
from hub.model.errors import InvalidRequest

#: Its files, and their types.
ASSETS: Final = {
    "document.js": b"text/javascript; charset=utf-8",
    "dom.js": b"text/javascript; charset=utf-8",
    "icon.svg": b"image/svg+xml",
    "page.css": b"text/css; charset=utf-8",
    "page.js": b"text/javascript; charset=utf-8",
    "shapes.js": b"text/javascript; charset=utf-8",
    "trial.js": b"text/javascript; charset=utf-8",
}
POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = (
    (b"content-security-policy", POLICY),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-cache"),
)


async def _page(call: Call[NoQuery, NoBody]) -> Reply:
    return _static("index.html", b"text/html; charset=utf-8")


async def _front(call: Call[NoQuery, NoBody]) -> Reply:
    return Reply(content=b"", status=HTTPStatus.FOUND, content_type=b"", headers=((b"location", b"/docs"),))


async def _asset(call: Call[NoQuery, NoBody]) -> Reply:
    name = call.path["name"]
    kind = ASSETS.get(name)
    if kind is None:
        raise InvalidRequest("route_not_found", "The page has no such file; see /docs.")
    return _static(name, kind)


def _static(name: str, kind: bytes) -> Reply:
    return Reply(content=_read(name), content_type=kind, is_constant=True, headers=_HEADERS)


@cache
def _read(name: str) -> bytes:
    return (files("hub.api") / "docs_assets" / name).read_bytes()


#: Not in the OpenAPI document: it is for people.
ENDPOINTS: Final[tuple[AnyEndpoint, ...]] = (
    Endpoint(
        method="GET",
        path="/",
        name="front",
        summary="Lead whoever comes with a browser to the page.",
        tag="operation",
        scope=None,
        query=NoQuery,
        body=NoBody,
        reply=bytes,
        status=302,
        handle=_front,
    ),
    Endpoint(
        method="GET",
        path="/docs",
        name="docs",
        summary="Read and try all endpoints in a browser.",
        tag="operation",
        scope=None,
        query=NoQuery,
        body=NoBody,
        reply=bytes,
        handle=_page,
    ),
    Endpoint(
        method="GET",
        path="/docs/{name}",
        name="docs_asset",
        summary="A file of the page.",
        tag="operation",
        scope=None,
        query=NoQuery,
        body=NoBody,
        reply=bytes,
        handle=_asset,
    ),
)
