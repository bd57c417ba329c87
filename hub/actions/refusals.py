"""What a refusal of the hub's own use cases means for the run that meets it: one class for each code.

What a passing state causes (the network does not know a message yet, the database is busy) is retryable; what wants a
person to change something is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub.model.actions import ActionFailed, ErrorClass
from hub.model.errors import InvalidRequest, StoreError, StoreUnavailable

#: Code (hub.api.errors) → class. A code that is not here is `invalid`: the inputs do not fit.
CLASSES: Final[Mapping[str, ErrorClass]] = {
    "advanced_features_required": "permission",
    "ai_limit_reached": "budget",
    "ai_misconfigured": "permission",
    "ai_not_configured": "permission",
    "ai_unavailable": "retryable",
    "chat_not_found": "not_found",
    "contact_exists": "conflict",
    "contact_has_not_messaged": "suppressed",
    "contact_not_found": "not_found",
    "contact_opted_out": "suppressed",
    "file_not_found": "not_found",
    "file_not_ready": "retryable",
    "file_unavailable": "not_found",
    "idempotency_key_conflict": "conflict",
    "line_inactive": "permission",
    "line_not_accessible": "permission",
    "line_not_found": "not_found",
    "message_limit_reached": "budget",
    "message_not_found": "not_found",
    "message_not_sent": "retryable",
    "new_conversation_limit_reached": "budget",
    "storage_quota_exceeded": "budget",
    "url_refused": "permission",
}
#: Refusals of something under one key are told as what they are for a route, which sends no header.
_SAID_ANEW: Final[Mapping[str, str]] = {
    "idempotency_key_conflict": (
        "Something else was sent under this idempotency_key before; give each message a key of its own."
    ),
}


def as_failure(error: InvalidRequest | StoreError) -> ActionFailed:
    """Give the failure of the action."""
    if isinstance(error, InvalidRequest):
        return _refused(error)
    if isinstance(error, StoreUnavailable):
        return ActionFailed("retryable", "The database is not available just now; nothing was done.")
    return ActionFailed("server", "The database could not do it; nothing was done. The hub's log tells why.")


def _refused(refusal: InvalidRequest) -> ActionFailed:
    details: dict[str, object] = {"code": refusal.code}
    if refusal.param is not None:
        details["input"] = refusal.param
    if refusal.existing_id is not None:
        details["existing_id"] = refusal.existing_id
    return ActionFailed(
        CLASSES.get(refusal.code, "invalid"),
        _SAID_ANEW.get(refusal.code, refusal.message),
        after_ms=None if refusal.retry_after is None else refusal.retry_after * 1000,
        details=details,
    )
