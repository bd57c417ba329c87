"""Read a request off the wire: query, body, JSON; each refusal names the field and says what to send.

Not here: what the values mean. Nothing that a caller can send may raise anything but InvalidRequest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, TypeVar
from urllib.parse import unquote_to_bytes

import msgspec

from hub.api.parts import Receive
from hub.model.errors import InvalidRequest
from hub.rules.jsonguard import check_json

Shape = TypeVar("Shape", bound=msgspec.Struct)

MOST_QUERY_BYTES: Final = 8_192
_BAD_PERCENT: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_MISSING: Final = re.compile(r"Object missing required field `([^`]*)`(?: - at `\$\.?(.*)`)?", re.DOTALL)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*?)`(?: - at `\$\.?(.*)`)?", re.DOTALL)
_ELSEWHERE: Final = re.compile(r"(.*?)(?: - at `(?:key in )?\$\.?(.*)`)?", re.DOTALL)
#: What cannot be JSON. A missing type, and curl's default for -d, are read as JSON because they mostly are.
_NO_JSON: Final = re.compile(
    r"(?:multipart|image|audio|video|font|model)/.*"
    r"|application/(?:octet-stream|pdf|zip|xml|x-ndjson|yaml|msgpack|cbor)"
    r"|text/(?:html|xml|csv|yaml)|.*\+(?:xml|yaml|cbor)"
)
_LONGEST_SHOWN: Final = 100


class Disconnected(Exception):
    """The caller went away in the middle of its request; nobody waits for an answer."""


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], *, most_bytes: int) -> bytes:
    """Read the whole body, refusing it as soon as it is too large.

    Raises:
        InvalidRequest: payload_too_large.
        Disconnected: The caller went away.
    """
    announced = headers.get(b"content-length", b"")
    if announced.isdigit() and (len(announced) > 18 or int(announced) > most_bytes):
        raise _too_large(most_bytes)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > most_bytes:
            raise _too_large(most_bytes)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _too_large(most_bytes: int) -> InvalidRequest:
    return InvalidRequest("payload_too_large", f"The body is larger than {most_bytes} bytes.")


def require_json_type(headers: Mapping[bytes, bytes]) -> None:
    """Refuse a body that says it is not JSON in UTF-8.

    Raises:
        InvalidRequest: unsupported_media_type.
    """
    if headers.get(b"content-encoding", b"identity").strip().lower() not in (b"identity", b""):
        raise InvalidRequest(
            "unsupported_media_type", "Send the body uncompressed.", param="Content-Encoding"
        )
    kind, _, rest = headers.get(b"content-type", b"").decode("latin-1").partition(";")
    if _NO_JSON.fullmatch(kind.strip().lower()):
        raise InvalidRequest(
            "unsupported_media_type",
            "Send the body as 'Content-Type: application/json'.",
            param="Content-Type",
        )
    for parameter in rest.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip(' "').lower() not in (
            "utf-8",
            "utf8",
            "us-ascii",
        ):
            raise InvalidRequest("unsupported_media_type", "Send the body in UTF-8.", param="Content-Type")


def read_json(body: bytes, shape: type[Shape], *, most_depth: int) -> Shape:
    """Read a JSON object into a struct.

    Raises:
        InvalidRequest: invalid_json, missing_required_parameter or invalid_parameter_value.
    """
    return read_fields(read_object(body, most_depth=most_depth), shape, kind="field")


def read_object(body: bytes, *, most_depth: int) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        InvalidRequest: invalid_json.
    """
    problem = check_json(body, max_depth=most_depth)
    if problem is not None:
        raise InvalidRequest("invalid_json", _sentence(str(problem)))
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise InvalidRequest("invalid_json", f"The body is not valid JSON: {error}.") from None
    if not isinstance(document, dict):
        raise InvalidRequest("invalid_json", "The body must be a JSON object: {…}.")
    return document


def ignored_fields(document: Mapping[str, Any], shape: type[msgspec.Struct]) -> tuple[str, ...]:
    """Give the fields of an object that its shape does not know: ignored, as the wire demands; often mistyped."""
    return tuple(name for name in document if name not in _known(shape))


def read_query(raw: bytes, shape: type[Shape]) -> Shape:
    """Read the query string into a struct.

    Raises:
        InvalidRequest: missing_required_parameter or invalid_parameter_value.
    """
    if len(raw) > MOST_QUERY_BYTES:
        raise InvalidRequest("invalid_parameter_value", f"The query is longer than {MOST_QUERY_BYTES} bytes.")
    values: dict[str, str] = {}
    for pair in raw.split(b"&"):
        if pair:
            name, _, value = pair.partition(b"=")
            text = _decoded(name, None)
            if text in values:
                message = f"The '{text[:_LONGEST_SHOWN]}' query parameter is given twice."
                raise InvalidRequest("invalid_parameter_value", message, param=text[:_LONGEST_SHOWN])
            values[text] = _decoded(value, text)
    return _convert(values, shape, strict=False, kind="query parameter")


def read_fields(values: Mapping[str, Any], shape: type[Shape], *, kind: str) -> Shape:
    """Read values that are in memory already into a struct.

    Args:
        values: By wire name, as JSON has them.
        shape: What they are to be.
        kind: What a refusal calls one of them: `field`, `query parameter`.

    Raises:
        InvalidRequest: missing_required_parameter or invalid_parameter_value.
    """
    return _convert(values, shape, strict=True, kind=kind)


def require_clean_path(raw_path: bytes) -> None:
    """Refuse a path that is not percent-encoded UTF-8.

    Raises:
        InvalidRequest: invalid_parameter_value.
    """
    _decoded(raw_path, "path", where="path")


def _decoded(raw: bytes, param: str | None, *, where: str = "query") -> str:
    name = None if param is None else param[:_LONGEST_SHOWN]
    if _BAD_PERCENT.search(raw):
        message = f"The {where} has a '%' that is not followed by two hexadecimal digits."
        raise InvalidRequest("invalid_parameter_value", message, param=name)
    plain = raw.replace(b"+", b" ") if where == "query" else raw
    try:
        text = unquote_to_bytes(plain).decode()
    except UnicodeDecodeError:
        message = f"The {where} is not UTF-8 (percent-encoded)."
        raise InvalidRequest("invalid_parameter_value", message, param=name) from None
    if "\0" in text:
        raise InvalidRequest("invalid_parameter_value", f"The {where} holds a NUL character.", param=name)
    return text


def _convert(values: Mapping[str, Any], shape: type[Shape], *, strict: bool, kind: str) -> Shape:
    for name in _required(shape):
        if values.get(name) is None:
            raise missing(name, kind=kind)
    try:
        return msgspec.convert(values, shape, strict=strict)
    except msgspec.ValidationError as error:
        raise _refusal(str(error), kind) from None


@cache
def _required(shape: type[msgspec.Struct]) -> tuple[str, ...]:
    """The names that must be there. Kept: to read them off a shape takes longer than all the rest of a request."""
    return tuple(field.encode_name for field in msgspec.structs.fields(shape) if field.required)


@cache
def _known(shape: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(field.encode_name for field in msgspec.structs.fields(shape))


def missing(name: str, *, kind: str = "field") -> InvalidRequest:
    """Say that a field is not there, in the vendor's words."""
    return InvalidRequest("missing_required_parameter", f"The '{name}' {kind} is required.", param=name)


def _refusal(text: str, kind: str) -> InvalidRequest:
    if (found := _MISSING.fullmatch(text)) is not None:
        return missing(_joined(found[2], found[1]), kind=kind)
    if (found := _UNKNOWN.fullmatch(text)) is not None:
        name = _joined(found[2], found[1])[:_LONGEST_SHOWN]
        return InvalidRequest("invalid_parameter_value", f"There is no {kind} '{name}' here.", param=name)
    found = _ELSEWHERE.fullmatch(text)
    what, path = (found[1], found[2]) if found else (text, None)
    subject = f"The '{path}' {kind} is not valid: " if path else ""
    return InvalidRequest("invalid_parameter_value", _sentence(f"{subject}{what}"), param=path or None)


def _joined(path: str | None, name: str) -> str:
    return f"{path}.{name}" if path else name


def _sentence(text: str) -> str:
    text = text[:500].replace("`", "'")
    return text[:1].upper() + text[1:].rstrip(".") + "."
