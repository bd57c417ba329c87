"""The answers of bridges on a Mac to what they were asked to do, in few words."""

from __future__ import annotations

from collections.abc import Mapping

from hub.model.outbox import Disposition, OperationOutcome


def accepted(
    provider_id: str | None = None, *, parts_done: int = 0, result: Mapping[str, object] | None = None
) -> OperationOutcome:
    return OperationOutcome(
        disposition=Disposition.ACCEPTED, provider_id=provider_id, parts_done=parts_done, result=result
    )


def rejected(
    code: str, detail: str, *, provider_id: str | None = None, parts_done: int = 0
) -> OperationOutcome:
    return OperationOutcome(
        disposition=Disposition.REJECTED,
        code=code,
        detail=detail,
        provider_id=provider_id,
        parts_done=parts_done,
    )


def not_started(code: str, detail: str, *, parts_done: int = 0) -> OperationOutcome:
    """It certainly did not happen, and may be tried again."""
    return OperationOutcome(
        disposition=Disposition.NOT_STARTED,
        code=code,
        detail=detail,
        is_retry_safe=True,
        parts_done=parts_done,
    )


def unknown(code: str, detail: str, *, parts_done: int = 0) -> OperationOutcome:
    return OperationOutcome(
        disposition=Disposition.MAY_HAVE_COMPLETED, code=code, detail=detail, parts_done=parts_done
    )
