"""Errors in the vendor's envelope, the superset of its ages (contracts: blooio §1, §5).

`{error, message, status, code?, details?, …}`: `error` a word for the status, `code` the vendor's where it has one and
the native one elsewhere, `details.field` the field under the vendor's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from hub.api.dialect import ErrorAnswer
from hub.model.errors import InvalidRequest

#: Each native code → the status that it has here.
STATUS: Final[Mapping[str, int]] = {
    code: status
    for status, codes in {
        400: (
            "advanced_features_required", "ai_not_configured", "empty_file", "fetch_failed", "header_refused",
            "invalid_json", "invalid_multipart", "invalid_parameter_value", "missing_required_parameter",
            "payload_too_large", "range_not_satisfiable", "sandbox_contact_mismatch", "unsupported_media_type",
            "upload_timeout", "url_refused",
        ),
        401: (
            "enrolment_refused", "invalid_api_key", "invalid_signature", "missing_api_key",
            "timestamp_out_of_tolerance",
        ),
        403: (
            "contact_has_not_messaged", "contact_opted_out", "insufficient_scope", "line_not_accessible",
            "link_refused",
        ),
        404: (
            "bridge_not_found", "bulk_not_found", "call_not_found", "chat_not_found", "contact_group_not_found",
            "contact_not_found", "delivery_not_found", "enrolment_not_found", "event_not_found", "file_not_found",
            "file_unavailable",
            "job_not_found", "key_not_found", "line_not_found", "location_not_found", "message_not_found",
            "outbox_item_not_found", "payload_not_found", "poll_not_found", "route_id_not_found", "route_not_found",
            "run_not_found", "source_not_found",
            "webhook_not_found",
        ),
        405: ("method_not_allowed",),
        409: (
            "bridge_in_use", "bridge_superseded", "bulk_state_conflict", "chat_left", "contact_exists",
            "file_already_uploaded",
            "file_in_use", "file_not_ready", "idempotency_answer_lost", "idempotency_in_progress",
            "idempotency_key_conflict", "job_finished", "message_not_sent", "message_state_conflict",
            "name_taken", "not_a_group", "payload_not_readable", "route_in_file", "route_limit_reached",
            "route_not_startable", "run_state_conflict", "storage_quota_exceeded", "webhook_disabled",
        ),
        412: ("precondition_failed",),
        422: ("ai_refused",),
        429: (
            "ai_limit_reached", "message_limit_reached", "new_conversation_limit_reached", "rate_limit_exceeded",
            "too_many_streams",
        ),
        500: ("internal_error",),
        502: ("ai_misconfigured",),
        503: ("ai_unavailable", "line_inactive", "service_unavailable"),
    }.items()
    for code in codes
}  # fmt: skip
#: Native codes that the vendor has another word for, or none.
CODES: Final[Mapping[str, str | None]] = {
    "contact_has_not_messaged": "inbound_only_no_prior_inbound",
    "message_limit_reached": "outbound_limit_reached",
    "rate_limit_exceeded": None,
}
#: What `error` says.
WORDS: Final[Mapping[int, str]] = {
    400: "invalid_request",
    401: "unauthorized",
    402: "payment_required",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    412: "conflict",
    422: "invalid_request",
    429: "rate_limited",
    500: "internal_error",
    501: "Coming soon",
    502: "device_error",
    503: "service_unavailable",
}
#: Native names of fields → the vendor's, wherever they come up; an endpoint's own are given to `naming`.
FIELDS: Final[Mapping[str, str]] = {
    "from": "from_number",
    "participants": "chatId",
    "texts": "text",
    "to": "chatId",
}
#: `parts[0].text`: the field itself, and where in it.
_PLACE: Final = re.compile(r"([^.\[]*)(.*)", re.DOTALL)
#: The vendor's client repeats every 409 unless it is told not to; these get another answer later.
_WORTH_A_REPEAT: Final = frozenset({"idempotency_in_progress", "message_not_sent", "file_not_ready"})
#: Longer than this the vendor's client does not wait as it is told, but repeats at once.
_LONGEST_WAIT_SECONDS: Final = 60
#: What the vendor's client obeys.
RETRY_HEADER: Final = "X-Should-Retry"
_NO_REPEAT: Final = ((RETRY_HEADER.lower().encode(), b"false"),)


class Refusal(InvalidRequest):
    """A refusal that only this vendor knows.

    Args:
        status: A key of `WORDS`.
        message: One sentence: what is wrong and what to do.
        code: The vendor's code, where it has one.
        field: The field concerned, under the vendor's name.
        more: What stands beside it in the envelope (`allocation_id`, `external_id`, …).
        is_worth_a_repeat: Whether a 409, 501 or 502 gets another answer later.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        field: str | None = None,
        more: Mapping[str, Any] | None = None,
        retry_after: int | None = None,
        is_worth_a_repeat: bool = False,
    ):
        super().__init__(code or WORDS[status], message, param=field, retry_after=retry_after)
        self.status = status
        self.vendor_code = code
        self.more = more or {}
        self.is_worth_a_repeat = is_worth_a_repeat


def told(error: InvalidRequest, request_id: str) -> ErrorAnswer:
    """Put an error into the vendor's envelope."""
    if isinstance(error, Refusal):
        status, code, more = error.status, error.vendor_code, error.more
    else:
        status, code, more = STATUS[error.code], CODES.get(error.code, error.code), figures(error)
    body: dict[str, Any] = {"error": WORDS[status], "message": _message(error, status), "status": status}
    if code is not None:
        body["code"] = code
    if error.param is not None:
        body["details"] = {"field": _renamed(error.param, FIELDS)}
    body |= {**more, "request_id": request_id}
    return ErrorAnswer(status=status, body=body, headers=_NO_REPEAT if _is_final(error, status) else ())


@contextmanager
def naming(**fields: str) -> Iterator[None]:
    """Call fields as the vendor's endpoint does: `with naming(type="reaction"): await ask(…)`."""
    try:
        yield
    except Refusal:
        raise
    except InvalidRequest as error:
        name = _renamed(error.param or "", fields)
        error.message = error.message.replace(f"'{error.param}'", f"'{name}'")
        error.param = name or None
        raise


def _renamed(param: str, names: Mapping[str, str]) -> str:
    """Give a field, or a place in one, the name that it has in a table; others keep theirs."""
    found = _PLACE.fullmatch(param)
    assert found is not None
    return f"{names.get(found[1], found[1])}{found[2]}"


def _message(error: InvalidRequest, status: int) -> str:
    if status == 401:
        return "Invalid or missing API key."
    return error.message.replace(f"'{error.param}'", f"'{_renamed(error.param or '', FIELDS)}'")


def figures(error: InvalidRequest) -> dict[str, Any]:
    """Give a limit that is used up in the vendor's words."""
    if error.limit is None:
        return {}
    if error.code == "new_conversation_limit_reached":
        return {"plan_id": "dedicated", "cap": error.limit.limit, "current": error.limit.used}
    return {"limit": error.limit.limit, "current": error.limit.used, "mode": "per_number"}


def _is_final(error: InvalidRequest, status: int) -> bool:
    """Tell whether the vendor's client, which would, must not repeat it."""
    if isinstance(error, Refusal) and status in (409, 501, 502):
        return not error.is_worth_a_repeat
    if status == 409:
        return error.code not in _WORTH_A_REPEAT
    return status == 429 and (error.retry_after or 0) > _LONGEST_WAIT_SECONDS
