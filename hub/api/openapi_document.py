"""Turn the tables of endpoints into an OpenAPI 3.1 document. Pure: the same tables give the same document."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

import msgspec

from hub.api.calls import AnyDescribed, NoBody, NoQuery, StreamBody
from hub.api.conditional import IF_MATCH, IF_NONE_MATCH, is_tagged, takes_if_match
from hub.api.error_replies import ErrorReply
from hub.api.errors import BY_CODE
from hub.api.field_docs import described
from hub.api.idempotency import ERRORS as REPEAT_ERRORS
from hub.api.idempotency import HEADER, is_wrapped

Json = dict[str, Any]

_REF: Final = "#/components/schemas/{name}"
#: What any endpoint can answer, because any path and query can be malformed.
ANY_ERRORS: Final = ("invalid_parameter_value", "internal_error", "service_unavailable")
KEY_ERRORS: Final = ("missing_api_key", "invalid_api_key", "insufficient_scope", "rate_limit_exceeded")
BODY_ERRORS: Final = (
    "invalid_json",
    "missing_required_parameter",
    "payload_too_large",
    "unsupported_media_type",
)

#: Of path parameters that are no ids.
_LONGEST: Final = {"handle": 320}
_PATH_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_TAGS: Final = {
    "bridges": "What carries lines to their networks, here or on other machines.",
    "bulk": "One text to many recipients, each exactly once.",
    "chats": "Conversations of a line.",
    "consents": "Who may be written to, and who said so.",
    "contacts": "People we know, and how they can be reached.",
    "deliveries": "Events on their way to webhooks, and dead letters.",
    "facetime": "Calls.",
    "files": "Uploads, and attachments of messages.",
    "events": "What was recorded: read it, wait for it, follow it.",
    "generate": "Drafts by a language model.",
    "groups": "Chats of several people: members, names, pictures.",
    "jobs": "Long work: replays, requeues, purges.",
    "keys": "API keys.",
    "lines": "The identities that the hub speaks as.",
    "locations": "Where contacts are who share it.",
    "messages": "What people say.",
    "operation": "For the machines that watch over the hub.",
    "outbox": "What became of sends.",
    "polls": "Votes in chats.",
    "reactions": "Tapbacks.",
    "receipts": "Read marks.",
    "routes": "What is done when something happens, and each time that it was done.",
    "sandbox": "Simulated contacts.",
    "sources": "Webhooks of other services, such as Stripe, as events.",
    "typing": "Typing indicators.",
    "webhooks": "Receivers of events.",
}
#: Where the name with a capital is not how people write it.
_TITLES: Final = {"facetime": "FaceTime"}
_HEADERS: Final[dict[str, Json]] = {
    "Idempotency-Key": {
        "description": "1 to 255 visible ASCII characters; the same request under the same key is done once.",
        "required": False,
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    },
    "Prefer": {
        "description": (
            "`wait=N` answers when the outbox item is finished, or after N seconds (0 to 30). Where it was done, "
            "`Preference-Applied` says so (RFC 7240)."
        ),
        "required": False,
        "schema": {"type": "string", "examples": ["wait=10"]},
    },
    "If-Match": {
        "description": "Tags of GET: the change is made only if one of them is what is there; else 412.",
        "required": False,
        "schema": {"type": "string", "examples": ['"5d1c0f7ab2c3d4e5f6a7b8c9"']},
    },
    "If-None-Match": {
        "description": "Tags that you have: 304 without a body if one of them is what is there.",
        "required": False,
        "schema": {"type": "string"},
    },
    "If-Range": {"description": "An entity tag.", "required": False, "schema": {"type": "string"}},
    "Range": {"description": "`bytes=first-last`.", "required": False, "schema": {"type": "string"}},
    "Last-Event-ID": {
        "description": "The last `id:` that was read; a browser sends it by itself. Wins over `after`.",
        "required": False,
        "schema": {"type": "string", "maxLength": 64},
    },
    "X-Bridge-Id": {"description": "The bridge's `brg_` id.", "required": True, "schema": {"type": "string"}},
    "X-Filename": {
        "description": "The name of a raw upload: Latin-1, UTF-8, percent-encoded UTF-8, or as RFC 5987 has it.",
        "required": False,
        "schema": {"type": "string", "maxLength": 4096},
    },
    "webhook-id": {
        "description": "Names the request; the same on its retries.",
        "required": True,
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    },
    "webhook-signature": {
        "description": "`v1,` and the base64 HMAC-SHA256 of `{webhook-id}.{webhook-timestamp}.{body}`.",
        "required": True,
        "schema": {"type": "string"},
    },
    "webhook-timestamp": {
        "description": "Unix seconds of this attempt.",
        "required": True,
        "schema": {"type": "string"},
    },
}
_TAG: Final[Json] = {
    "description": "Differs whenever the answer does; its `request_id` does not count.",
    "schema": {"type": "string"},
}
_ANSWER_HEADERS: Final[dict[str, Json]] = {
    "X-Request-Id": {"description": "The body's `request_id`.", "schema": {"type": "string"}},
    "X-RateLimit-Limit": {"description": "Requests per hour of this key.", "schema": {"type": "integer"}},
    "X-RateLimit-Remaining": {"description": "Requests left in this hour.", "schema": {"type": "integer"}},
    "X-RateLimit-Reset": {
        "description": "Unix seconds at which the hour ends.",
        "schema": {"type": "integer"},
    },
}


def build_document(endpoints: Sequence[AnyDescribed], *, version: str) -> Json:
    """Build the whole document."""
    shapes = sorted({shape for each in endpoints for shape in _shapes(each)} | {ErrorReply}, key=str)
    schemas, components = msgspec.json.schema_components(shapes, ref_template=_REF)
    by_shape = dict(zip(shapes, schemas, strict=True))
    components = described(components, shapes)
    paths: dict[str, Json] = {}
    for each in sorted(endpoints, key=lambda one: (one.path, one.method)):
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, by_shape, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hub",
            "version": version,
            "description": "The native surface of Hub. All instants are Unix milliseconds, UTC.",
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": name, "description": text, "x-displayName": _TITLES.get(name, name.capitalize())}
            for name, text in sorted(_TAGS.items())
        ],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": _error_responses(by_shape[ErrorReply]),
            "headers": {**_ANSWER_HEADERS, "ETag": _TAG},
            "securitySchemes": {
                "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key, `sk_live_…`."},
                "streamToken": {
                    "type": "apiKey",
                    "in": "query",
                    "name": "token",
                    "description": "Of POST /v1/events/stream-token, `st_…`.",
                },
            },
        },
    }


def error_codes(endpoint: AnyDescribed) -> tuple[str, ...]:
    """List every code that an endpoint can answer, without repetition."""
    codes = [*ANY_ERRORS, *endpoint.errors]
    if endpoint.scope is not None:
        codes += KEY_ERRORS
    if endpoint.body is not NoBody:
        codes += BODY_ERRORS
    if any(field.required for field in msgspec.structs.fields(endpoint.query)):
        codes.append("missing_required_parameter")
    if is_wrapped(endpoint):
        codes += REPEAT_ERRORS
    if takes_if_match(endpoint):
        codes.append("precondition_failed")
    return tuple(dict.fromkeys(codes))


def request_headers(endpoint: AnyDescribed) -> tuple[str, ...]:
    """List the headers that an endpoint reads beside `Authorization`."""
    general = ((HEADER, is_wrapped), (IF_MATCH, takes_if_match), (IF_NONE_MATCH, is_tagged))
    names = [name for name, is_read in general if is_read(endpoint)]
    return tuple(dict.fromkeys((*names, *endpoint.headers)))


def _shapes(endpoint: AnyDescribed) -> list[Any]:
    shapes = (endpoint.query, endpoint.body, *reply_shapes(endpoint))
    return [shape for shape in shapes if shape not in (bytes, None, StreamBody)]


def reply_shapes(endpoint: AnyDescribed) -> tuple[Any, ...]:
    """The shapes that an answer can have: mostly one."""
    is_union = get_origin(endpoint.reply) in {Union, UnionType}
    return get_args(endpoint.reply) if is_union else (endpoint.reply,)


def _reply_schema(endpoint: AnyDescribed, by_shape: Mapping[Any, Json]) -> Json:
    schemas = [by_shape[shape] for shape in reply_shapes(endpoint)]
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _operation(endpoint: AnyDescribed, by_shape: Mapping[Any, Json], components: Mapping[str, Json]) -> Json:
    operation: Json = {
        "operationId": endpoint.name,
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "security": _security(endpoint),
        "responses": _responses(endpoint, by_shape),
        "x-error-codes": sorted(error_codes(endpoint)),
    }
    description = endpoint.description
    if endpoint.scope is not None:
        description = f"{description}\n\nScope: `{endpoint.scope}`.".strip()
    if description:
        operation["description"] = description
    parameters = _parameters(endpoint, by_shape, components)
    if parameters:
        operation["parameters"] = parameters
    if endpoint.body is not NoBody:
        content: Json = {
            "application/json": {"schema": by_shape.get(endpoint.body), "example": dict(endpoint.example)}
        }
        operation["requestBody"] = {
            "required": not endpoint.is_body_optional,
            "content": dict(endpoint.request_content) or content,
        }
    return operation


def _security(endpoint: AnyDescribed) -> list[Json]:
    if endpoint.scope is None:
        return []
    return [{"apiKey": []}, *([{"streamToken": []}] if endpoint.is_token_enough else [])]


def _parameters(
    endpoint: AnyDescribed, by_shape: Mapping[Any, Json], components: Mapping[str, Json]
) -> list[Json]:
    parameters: list[Json] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "maxLength": _LONGEST.get(name, 64)},
        }
        for name in _PATH_PARAMETER.findall(endpoint.path)
    ]
    if endpoint.query is not NoQuery:
        shape = _resolved(by_shape[endpoint.query], components)
        required = shape.get("required", ())
        parameters += [
            _query_parameter(name, schema, is_required=name in required)
            for name, schema in shape["properties"].items()
        ]
    parameters += [{"name": name, "in": "header", **_HEADERS[name]} for name in request_headers(endpoint)]
    return parameters


def _query_parameter(name: str, schema: Json, *, is_required: bool) -> Json:
    plain = _without_null(schema)
    text = plain.pop("description", None)
    described = {} if text is None else {"description": text}
    return {"name": name, "in": "query", **described, "required": is_required, "schema": plain}


def _resolved(schema: Json, components: Mapping[str, Json]) -> Json:
    return components[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _without_null(schema: Json) -> Json:
    """A query parameter is there or not; it is never null."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    if not options:
        return dict(schema)
    rest = {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}
    return {**rest, **options[0]} if len(options) == 1 else {**rest, "anyOf": options}


def _error_responses(schema: Json) -> Json:
    """One shared response a status; which of its codes an operation can answer stands in `x-error-codes`."""
    by_status: dict[int, list[str]] = {}
    for each in BY_CODE.values():
        by_status.setdefault(each.status, []).append(f"`{each.code}`: {each.meaning}")
    headers = {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}
    return {
        f"Error{status}": {
            "description": "\n\n".join(codes),
            "headers": headers,
            "content": {"application/json": {"schema": schema}},
        }
        for status, codes in sorted(by_status.items())
    }


def _responses(endpoint: AnyDescribed, by_shape: Mapping[Any, Json]) -> Json:
    headers = {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}
    if endpoint.scope is not None:
        headers |= {name: {"$ref": f"#/components/headers/{name}"} for name in _ANSWER_HEADERS}
    content: Json = dict(endpoint.reply_content) or {"text/plain": {"schema": {"type": "string"}}}
    if endpoint.reply not in (bytes, None):
        content = {
            "application/json": {"schema": _reply_schema(endpoint, by_shape)},
            **endpoint.reply_content,
        }
    if is_tagged(endpoint):
        headers |= {"ETag": {"$ref": "#/components/headers/ETag"}}
    phrase = HTTPStatus(endpoint.status).phrase
    response: Json = {"description": phrase, "headers": headers}
    responses: Json = {
        str(endpoint.status): response if endpoint.reply is None else {**response, "content": content}
    }
    if is_tagged(endpoint):
        responses["304"] = {"description": "You have it already.", "headers": headers}
    for status, meaning in endpoint.other_statuses.items():
        responses[str(status)] = {"description": meaning, "headers": headers}
    for status in sorted({BY_CODE[code].status for code in error_codes(endpoint)}):
        responses[str(status)] = {"$ref": f"#/components/responses/Error{status}"}
    return responses
