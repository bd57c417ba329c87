"""What becomes of our sends, as bridges answer it and networks show it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hub.model.observation import Observation
from hub.model.outbox import Disposition, OperationOutcome, attempt_id
from tests.support.sightings import AT, a_message, seen

ACCEPTED = OperationOutcome(disposition=Disposition.ACCEPTED)
REFUSED = OperationOutcome(disposition=Disposition.REJECTED, code="22", detail="no such address")


def named(outcome: OperationOutcome, guid: str) -> OperationOutcome:
    return replace(outcome, provider_id=guid)


def shown(kind: Any, guid: str, outbox_id: int | None, **fields: Any) -> Observation:
    """What a network shows of our message; it quotes the attempt if an item is given."""
    attempt = None if outbox_id is None else attempt_id(outbox_id)
    message = a_message(guid, is_from_me=True, attempt_id=attempt, **fields)
    return seen(kind, message=message, at=fields.get("sent_at", AT))


def bare(kind: Any, guid: str) -> Observation:
    """A receipt that names nothing but the message."""
    return seen(kind, target=guid, chat=None, at=AT + 9)
