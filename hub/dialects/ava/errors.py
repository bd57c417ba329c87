"""Errors as `{"success": false, "error": text, "message": the same text}`.

The vendor names four statuses and shows no body; the body is our choice (contracts: ava §4).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from hub.api.dialect import ErrorAnswer
from hub.api.errors import BY_CODE
from hub.dialects.ava.names import FIELDS, KEY_PREFIX
from hub.model.errors import InvalidRequest

#: Native status → theirs. What is wrong with the HTTP itself keeps its status.
STATUS: Final[Mapping[int, int]] = {
    400: 400,
    401: 401,
    403: 400,
    404: 400,
    405: 405,
    408: 408,
    409: 400,
    412: 400,
    413: 413,
    415: 415,
    416: 400,
    422: 400,
    429: 429,
    500: 500,
    502: 500,
    503: 500,
}
#: Native codes with another status than the others of theirs.
STATUS_OF_CODE: Final[Mapping[str, int]] = {
    "ai_not_configured": 500,
    "insufficient_scope": 401,
    "route_not_found": 404,
}
#: How the keys begin that native messages show.
_NATIVE_KEY: Final = "sk_live_"
#: Codes whose messages name fields between quotes; elsewhere such words may be others.
_OF_FIELDS: Final = frozenset({"invalid_parameter_value", "missing_required_parameter"})


class ErrorReply(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope."""

    success: bool
    error: str
    message: str


def told(error: InvalidRequest, request_id: str) -> ErrorAnswer:
    """Put an error into the envelope; the request id stands in `X-Request-Id`."""
    del request_id
    status = STATUS_OF_CODE.get(error.code, STATUS[BY_CODE[error.code].status])
    text = error.message.replace(_NATIVE_KEY, KEY_PREFIX)
    if error.code in _OF_FIELDS:
        text = re.sub(r"'(\w+)'", lambda found: f"'{FIELDS.get(found[1], found[1])}'", text)
    param = None if error.param is None else FIELDS.get(error.param, error.param)
    if param is not None and param not in text:
        text = f"{param}: {text}"
    return ErrorAnswer(status=status, body=ErrorReply(success=False, error=text, message=text))
