"""Note that a network refused a send because its contact has opted out there: the hub will not try again either.

Some networks hear STOP themselves (Twilio answers error 21610) and the hub may never have seen it. The opposite needs
no way of its own: a contact who opts in again does so with a message, or the bridge tells `contact.opted_in`.
"""

from __future__ import annotations

from typing import Final

from hub.flow.consent import ConsentBook, ConsentWish
from hub.flow.line_policies import LinePolicies
from hub.model.consent import EVERY_LINE, ConsentAction, ConsentSource
from hub.model.line import Line
from hub.model.outbox import Operation
from hub.rules.chatkeys import direct_chat_key, handle_of

#: The code with which a bridge says so; the hub's own refusals of such sends carry it, too.
OPTED_OUT: Final = "contact_opted_out"


class OptOuts:
    """Records what networks say of consent while something is sent."""

    def __init__(self, book: ConsentBook, policies: LinePolicies) -> None:
        self._book = book
        self._policies = policies

    async def told(self, operation: Operation, line: Line, reason: str | None) -> None:
        """Record that the contact of an operation has opted out; once, however often it is performed."""
        payload = operation.payload
        key = payload.get("chat_key") or direct_chat_key(
            str(payload.get("to") or payload.get("handle") or "")
        )
        handle = handle_of(str(key))
        if not handle:
            return
        wish = ConsentWish(
            line=None if self._policies.scope_of(line) == EVERY_LINE else line,
            handle=handle,
            action=ConsentAction.OPTED_OUT,
            source=ConsentSource.NETWORK,
            reason=reason,
            said_at=operation.dispatched_at,
            once_as=f"outbox:{operation.outbox_id}",
        )
        await self._book.record([wish])
