"""Conditional requests: entity tags on what is read, 304 where nothing changed, 412 where something did (RFC 9110).

A tag is made of the answer's body without its `request_id`, which is another one each time. A change under `If-Match`
is made in a turn of its own (hub.flow.turns): of two that name the same tag one is done, whichever process they reach.
Not here: files, which have tags of their own (hub.api.file_contents).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import Any, Final

import msgspec

from hub.api.calls import AnyDescribed, AnyEndpoint, Call, NoBody, Reply
from hub.flow.turns import Turns
from hub.model.errors import InvalidRequest

IF_MATCH: Final = "If-Match"
IF_NONE_MATCH: Final = "If-None-Match"
_SINGLE_THING: Final = re.compile(r"/v1/[a-z-]+/\{id\}")
_encode: Final = msgspec.json.Encoder().encode
#: What compression appends: another encoding is another representation, and must have another tag.
GZIP_MARK: Final = b".gz"


def is_tagged(endpoint: AnyDescribed) -> bool:
    """Tell whether an endpoint's answers have a tag: JSON, or what never changes."""
    is_json = endpoint.reply not in (bytes, None) and not endpoint.reply_content
    return endpoint.method == "GET" and is_json and endpoint.tag != "operation"


def takes_if_match(endpoint: AnyDescribed) -> bool:
    """Tell whether a change of a single thing can be bound to a tag of it."""
    is_change = endpoint.method in {"PATCH", "PUT", "DELETE"} and endpoint.scope is not None
    return is_change and _SINGLE_THING.fullmatch(endpoint.path) is not None


def tagged(reply: Reply, call: Call[Any, Any], *, is_weak: bool = False) -> Reply:
    """Give an answer its tag; nothing but the tag if the caller has it already.

    Args:
        reply: The answer.
        call: The request.
        is_weak: No change can be bound to the tag: the answer shows the thing otherwise than its plain address does.
    """
    tag = tag_of(reply, call.request_id)
    headers = (*reply.headers, (b"etag", b"W/" + tag if is_weak else tag))
    if tag in _tags(call.headers, b"if-none-match") or call.headers.get(b"if-none-match") == b"*":
        return Reply(content=b"", content_type=b"", status=304, headers=headers)
    return replace(reply, content=_body(reply), headers=headers)


def is_another_view(endpoint: AnyDescribed, call: Call[Any, Any]) -> bool:
    """Tell whether the query made a single thing be shown otherwise than a change under `If-Match` compares it."""
    return _SINGLE_THING.fullmatch(endpoint.path) is not None and call.query != endpoint.query()


async def change_if_match(
    endpoint: AnyEndpoint, reader: AnyEndpoint, call: Call[Any, Any], turns: Turns
) -> Reply:
    """Make a change, if what is there is what the caller saw.

    Args:
        endpoint: The change.
        reader: What shows the thing.
        call: The request; it has `If-Match`.
        turns: Lets one change after the other.

    Raises:
        InvalidRequest: precondition_failed, or what either of the endpoints says.
    """
    async with turns.of(endpoint.path.format_map(call.path)):
        shown = await reader.handle(replace(call, query=reader.query(), body=NoBody(), raw_body=b""))
        is_any = call.headers.get(b"if-match", b"").strip() == b"*"
        if not is_any and tag_of(shown, call.request_id) not in _tags(
            call.headers, b"if-match", is_strong=True
        ):
            raise InvalidRequest(
                "precondition_failed",
                "It is not any more what If-Match says: read it again, without query parameters, and decide anew.",
                param=IF_MATCH,
            )
        return await endpoint.handle(call)


def tag_of(reply: Reply, request_id: str) -> bytes:
    """Give the tag of an answer to a request."""
    body = _body(reply).replace(request_id.encode(), b"")
    return b'"%s"' % blake2b(body, digest_size=12).hexdigest().encode()


def _body(reply: Reply) -> bytes:
    assert isinstance(reply.content, bytes | msgspec.Struct)
    return reply.content if isinstance(reply.content, bytes) else _encode(reply.content)


def _tags(headers: Mapping[bytes, bytes], name: bytes, *, is_strong: bool = False) -> set[bytes]:
    """Read the tags of a header, whatever the encoding that they were given for; weak ones only where they may be."""
    tags = [tag.strip() for tag in headers.get(name, b"").split(b",")]
    if not is_strong:
        tags = [tag.removeprefix(b"W/") for tag in tags]
    return {tag.replace(GZIP_MARK + b'"', b'"') for tag in tags}
