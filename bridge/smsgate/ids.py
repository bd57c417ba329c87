"""Our attempt ids as the phone's message ids, and back.

The phone keeps the id under which a message was asked for, and refuses it a second time: that is what makes sends
repeatable. It is written without dashes, because a message whose network id *is* its attempt id would count as one
that no network has named yet (hub.flow.adoption).
"""

from __future__ import annotations

import re
import uuid
from typing import Final

from hub.model.outbox import outbox_id_of

_HEX: Final = re.compile("[0-9a-f]{32}", re.ASCII)


def message_id(attempt_id: str) -> str:
    """Write an attempt id as the phone gets it."""
    return uuid.UUID(attempt_id).hex


def attempt_id_in(text: str) -> str | None:
    """Read it back; None for a message that this hub did not ask for."""
    if not _HEX.fullmatch(text):
        return None
    attempt = str(uuid.UUID(hex=text))
    return attempt if outbox_id_of(attempt) is not None else None
