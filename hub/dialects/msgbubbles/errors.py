"""Errors in the vendor's flat envelope: `{"error": code, "message", "request_id"}` (contracts: msgbubbles §1, §6)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from hub.api.dialect import ErrorAnswer
from hub.api.errors import BY_CODE
from hub.model.errors import InvalidRequest

#: The vendor's codes, `*_failed` aside, and our choice where it has none for a status.
STATUS: Final[Mapping[str, int]] = {
    "invalid_request": 400,
    "invalid_handle": 400,
    "invalid_from_handle": 400,
    "invalid_attachments": 400,
    "invalid_url": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "not_a_group": 409,
    "rate_limited": 429,
    "internal_error": 500,
    "device_offline": 503,
    "unavailable": 503,
}
#: `edit_failed` and the like: the network refused what it was asked while the caller waited.
_FAILED: Final = "_failed"
_FAILED_STATUS: Final = 502
#: Native codes that are told otherwise than their status would have it.
EXCEPTIONS: Final[Mapping[str, str]] = {
    "advanced_features_required": "conflict",
    "contact_has_not_messaged": "conflict",
    "contact_opted_out": "conflict",
    "line_inactive": "forbidden",
    "line_not_accessible": "not_found",
    "line_not_found": "invalid_from_handle",
    "not_a_group": "not_a_group",
    "url_refused": "invalid_url",
}
#: Status of a native code → the vendor's code.
BY_STATUS: Final[Mapping[int, str]] = {
    400: "invalid_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "invalid_request",
    408: "invalid_request",
    409: "conflict",
    412: "conflict",
    413: "invalid_request",
    415: "invalid_request",
    416: "invalid_request",
    422: "invalid_request",
    429: "rate_limited",
    500: "internal_error",
    502: "unavailable",
    503: "unavailable",
}
#: Statuses that are kept, because HTTP has them for this and the vendor names none.
_KEPT: Final = frozenset({405, 412, 413, 415})
#: Native fields in messages → the vendor's.
_FIELDS: Final[Mapping[str, str]] = {
    "active": "enabled",
    "attachments": "attachment_ids",
    "from": "from_handle",
    "name": "title",
    "participants": "addresses",
    "type": "reaction",
}
_QUOTED: Final = re.compile(rf"'({'|'.join(_FIELDS)})(?=['\[])")


class Refused(InvalidRequest):
    """A refusal under a code of the vendor's own."""


@contextmanager
def told_as(**codes: str) -> Iterator[None]:
    """Give native codes another of the vendor's codes than they usually have.

    Args:
        codes: Native code → the vendor's.
    """
    try:
        yield
    except InvalidRequest as error:
        if isinstance(error, Refused) or error.code not in codes:
            raise
        raise Refused(codes[error.code], error.message, retry_after=error.retry_after) from None


def error_answer(error: InvalidRequest, request_id: str) -> ErrorAnswer:
    """Tell an error as the vendor does."""
    status, code = _told(error)
    message = _QUOTED.sub(lambda found: f"'{_FIELDS[found[1]]}", error.message)
    return ErrorAnswer(status=status, body={"error": code, "message": message, "request_id": request_id})


def _told(error: InvalidRequest) -> tuple[int, str]:
    if isinstance(error, Refused):
        return _FAILED_STATUS if error.code.endswith(_FAILED) else STATUS[error.code], error.code
    native = BY_CODE[error.code].status
    code = EXCEPTIONS.get(error.code) or BY_STATUS[native]
    return native if native in _KEPT else STATUS[code], code
