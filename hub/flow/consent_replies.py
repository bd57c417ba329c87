"""Answer HELP where the line has an answer: once within an hour to each contact, so that two machines cannot talk
each other to death.

What is owed stands in the log; the reply is accepted under an idempotency key that names its entry, so a crash in
between sends nothing twice.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

import structlog

from hub.flow.directory import DirectoryHolder
from hub.flow.line_policies import LinePolicies
from hub.flow.outgoing import Outgoing
from hub.flow.ports import Clock
from hub.flow.repeating import Repeatable
from hub.flow.repositories import Store
from hub.flow.safety_repositories import ConsentFilter
from hub.model.consent import ConsentAction, ConsentEntry
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text
from hub.model.line import Line
from hub.model.outbox import OperationKind
from hub.rules.chatkeys import direct_chat_key

log = structlog.get_logger("consents")

#: A contact is answered once in so long; and what could not be answered for so long is not answered any more.
ONCE_WITHIN_MS: Final = 3_600_000
_AT_ONCE: Final = 100


class ConsentReplies:
    """Sends the automatic replies that are owed."""

    def __init__(
        self,
        *,
        store: Store,
        directory: DirectoryHolder,
        policies: LinePolicies,
        outgoing: Outgoing,
        clock: Clock,
    ) -> None:
        self._store = store
        self._directory = directory
        self._policies = policies
        self._outgoing = outgoing
        self._clock = clock

    async def run(self) -> int:
        """Send what is owed; give how many replies went into the outbox."""
        owed = await self._store.consents.owed_replies(limit=_AT_ONCE)
        count = 0
        for entry in owed:
            count += await self._answer(entry)
            await self._store.consents.replied(entry.id)
        return count

    async def _answer(self, entry: ConsentEntry) -> bool:
        line = self._directory.current.lines_by_id.get(entry.line_id or 0)
        text = None if line is None else self._policies.of(line).help_reply
        if line is None or text is None or await self._is_settled(entry, line):
            return False
        payload = {
            "from": line.handle,
            "to": entry.handle,
            "text": text,
            "chat_key": direct_chat_key(entry.handle),
        }
        repeatable = Repeatable(
            scope="consents",
            key=id_text(Prefix.CONSENT, entry.id),
            request_hash=blake2b(str(entry.id).encode(), digest_size=32).digest(),
        )
        try:
            await self._outgoing.accept(
                line, OperationKind.SEND, payload, api_key_id=None, repeatable=repeatable
            )
        except InvalidRequest as refusal:
            log.info("help.unanswered", consent_id=id_text(Prefix.CONSENT, entry.id), code=refusal.code)
            return False
        return True

    async def _is_settled(self, entry: ConsentEntry, line: Line) -> bool:
        """Tell whether it is too late, or the contact was answered a moment ago."""
        if self._clock.now_ms() - entry.recorded_at > ONCE_WITHIN_MS:
            return True
        wanted = ConsentFilter(line_ids=frozenset({line.id}), handle=entry.handle, action=ConsentAction.HELP)
        earlier = await self._store.consents.history(wanted, after=entry.id, limit=1)
        return any(entry.recorded_at - each.recorded_at < ONCE_WITHIN_MS for each in earlier)
