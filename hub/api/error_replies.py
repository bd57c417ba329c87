"""The native error envelope, as it goes over the wire; its codes stand in hub.api.errors."""

from __future__ import annotations

from dataclasses import asdict

import msgspec

from hub.api.errors import BY_CODE
from hub.model.errors import InvalidRequest


class LimitDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that is used up."""

    limit: int
    used: int
    #: `hour` or `day`, by the line's clock.
    period: str
    #: Unix ms.
    resets_at: int


class ErrorDetail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong. `param` is left out when it does not apply: a null makes the vendor's client give up."""

    type: str
    code: str
    message: str
    param: str | msgspec.UnsetType = msgspec.UNSET
    #: What stands in the way of something that can be there only once.
    existing_id: str | msgspec.UnsetType = msgspec.UNSET
    #: The figures of a limit that is used up.
    limit: LimitDetail | msgspec.UnsetType = msgspec.UNSET


class ErrorReply(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope of every error."""

    error: ErrorDetail
    request_id: str


def error_reply(error: InvalidRequest, request_id: str) -> ErrorReply:
    """Put an error into the envelope; its code must be in the table."""
    listed = BY_CODE[error.code]
    detail = ErrorDetail(
        type=listed.type,
        code=error.code,
        message=error.message,
        param=msgspec.UNSET if error.param is None else error.param,
        existing_id=msgspec.UNSET if error.existing_id is None else error.existing_id,
        limit=msgspec.UNSET if error.limit is None else LimitDetail(**asdict(error.limit)),
    )
    return ErrorReply(error=detail, request_id=request_id)
