"""Every error that Hub itself raises, as one tree.

HubError
├── InvalidRequest      the caller's fault: 4xx with code, message and field
├── BlobMissing         the bytes of a file are not where they should be
├── StoreError          the database could not do it
│   └── StoreUnavailable    it could not just now, whatever was asked
├── ActionFailed        an action of a route did not do what it is for (hub.model.actions)
├── ExpressionError     an expression has no value for these data (hub.rules.expressions)
├── BridgeError         a bridge could not do it
│   └── AttachmentGone      it does not have these bytes, and will not
└── OutboundError       a receiver could not be reached (hub.outbound)

One place (hub.api.errors) turns them into HTTP; internals never leave.
"""

from __future__ import annotations

from dataclasses import dataclass


class HubError(Exception):
    """Something that Hub knows how to explain."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitFigures:
    """A limit that is used up."""

    limit: int
    used: int
    #: `hour` or `day`.
    period: str
    #: Unix ms.
    resets_at: int


class InvalidRequest(HubError):
    """The caller asked for something that cannot be done, and can mend it.

    Args:
        code: A code of the native envelope (hub.api.errors lists them with their HTTP status).
        message: One sentence: what is wrong and what to do.
        param: The field concerned, as the caller named it.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        param: str | None = None,
        retry_after: int | None = None,
        existing_id: str | None = None,
        limit: LimitFigures | None = None,
    ):
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param
        #: Seconds, for 429 and 503.
        self.retry_after = retry_after
        #: The id of what stands in the way, for 409.
        self.existing_id = existing_id
        #: The figures of what is used up, for 429.
        self.limit = limit


class StoreError(HubError):
    """The database could not do it; nothing was recorded."""


class StoreUnavailable(StoreError):
    """The database is locked, full, broken or gone: whatever is asked now fails, and may succeed later."""


class BlobMissing(HubError):
    """The bytes of a file are not where they should be."""


class BridgeError(HubError):
    """A bridge could not do it."""


class AttachmentGone(BridgeError):
    """A bridge does not have the bytes of an attachment, and will not have them later."""
