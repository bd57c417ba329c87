"""Errors in the vendor's envelope: `{"error": word, "message": text that names the field, "statusCode": number}`.

Of the words only `validation_error` is documented; the others are our choice (contracts: coop §1).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from hub.api.calls import not_found
from hub.api.dialect import ErrorAnswer
from hub.api.errors import BY_CODE
from hub.dialects.coop.names import KEY_PREFIX
from hub.model.errors import InvalidRequest

#: HTTP status → the word for it.
WORDS: Final[Mapping[int, str]] = {
    400: "validation_error",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    409: "conflict",
    412: "precondition_failed",
    413: "payload_too_large",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
    429: "rate_limited",
    500: "internal_error",
    502: "upstream_error",
    503: "service_unavailable",
}
#: Native codes that have another status here.
STATUS: Final[Mapping[str, int]] = {"ai_refused": 400}
#: How the keys begin that native messages show.
_NATIVE_KEY: Final = "sk_live_"
#: How native messages show the id of a chat, and what it is called here.
_NATIVE_CHAT, _THEIR_CHAT = "(cht_…)", "(conv_…)"
#: Codes whose messages name fields between quotes; elsewhere such words may be others.
_OF_FIELDS: Final = frozenset({"invalid_parameter_value", "missing_required_parameter"})
#: Messages in words of theirs.
MESSAGES: Final[Mapping[str, str]] = {
    "bridge_not_found": "Relay not found.",
    "bulk_not_found": "Bulk job not found.",
    "chat_not_found": "Conversation not found.",
    "route_id_not_found": "Automation not found.",
}


class ErrorReply(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The envelope."""

    error: str
    message: str
    status_code: int


def told(error: InvalidRequest, request_id: str) -> ErrorAnswer:
    """Put an error into the envelope; the request id stands in `X-Request-Id`."""
    del request_id
    status = STATUS.get(error.code, BY_CODE[error.code].status)
    message = MESSAGES.get(error.code, error.message).replace(_NATIVE_KEY, KEY_PREFIX)
    message = message.replace(_NATIVE_CHAT, _THEIR_CHAT)
    if error.param is not None and error.param not in message and error.code not in MESSAGES:
        message = f"{error.param}: {message}"
    return ErrorAnswer(
        status=status, body=ErrorReply(error=WORDS[status], message=message, status_code=status)
    )


def invalid(param: str, message: str) -> InvalidRequest:
    """Refuse a value."""
    return InvalidRequest("invalid_parameter_value", message, param=param)


@contextlib.contextmanager
def in_their_words(
    names: Mapping[str, str], *, invalid_codes: frozenset[str] = frozenset()
) -> Iterator[None]:
    """Let what a native endpoint refuses name the fields as the caller knows them.

    Args:
        names: Native field → theirs; a field within another one (`handles[2]`) goes by its first part.
        invalid_codes: Codes that say here that a field is wrong.
    """
    try:
        yield
    except InvalidRequest as error:
        code = "invalid_parameter_value" if error.code in invalid_codes else error.code
        raise InvalidRequest(
            code,
            _renamed(error.message, names) if error.code in _OF_FIELDS else error.message,
            param=None if error.param is None else _param(error.param, names),
            retry_after=error.retry_after,
            existing_id=error.existing_id,
            limit=error.limit,
        ) from None


@contextlib.contextmanager
def hidden(noun: str) -> Iterator[None]:
    """Say of a thing on a line that the key may not use what is said of one that is not there.

    Args:
        noun: As in `hub.api.calls.not_found`.
    """
    try:
        yield
    except InvalidRequest as error:
        if error.code != "line_not_accessible":
            raise
        raise not_found(noun) from None


def _param(param: str, names: Mapping[str, str]) -> str:
    """Rename each part of the way to a field."""
    return re.sub(r"[A-Za-z_]+", lambda found: names.get(found[0], found[0]), param)


def _renamed(message: str, names: Mapping[str, str]) -> str:
    """Rename fields, which stand between quotes."""
    return re.sub(
        r"'([A-Za-z_]+)((?:\[\d+\])?)'", lambda found: f"'{_param(found[1], names)}{found[2]}'", message
    )
