"""Hear what contacts and programs say about consent, and keep it: log, standing and event in one transaction.

A message's word is recorded in the transaction that records the message: no crash loses an opt-out. The same word
of the same message counts once, however often a bridge shows it.
Not here: what is withheld from whom (hub.flow.safety).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Final, NamedTuple

from hub.flow.consent_rows import consent_from, consent_row, log_row
from hub.flow.directory import Directory, DirectoryHolder, StaleDirectory
from hub.flow.line_policies import LinePolicies
from hub.flow.ports import Clock, HotTransaction, WakeUps
from hub.flow.record import TakeIds, record_events, require_current
from hub.flow.repositories import Store
from hub.flow.rows import DeliveryRow, EventRow
from hub.flow.safety_payloads import consent_data
from hub.model.consent import EVERY_LINE, Consent, ConsentAction, ConsentEntry, ConsentSource
from hub.model.delivery import DeliveryState
from hub.model.errors import InvalidRequest
from hub.model.line import Line
from hub.model.observation import Observation
from hub.rules.chatkeys import handle_of, normalize_chat_key, normalize_handle
from hub.rules.consent import LONGEST_SAID, keyword_in, supersedes
from hub.rules.facts import is_own, text_of

#: Kinds of observation that show what a contact wrote.
_SPEAKING: Final = frozenset({"message.edited", "message.observed", "message.received"})
#: Kinds that tell what a contact said to the network itself.
_TOLD: Final = {
    "contact.opted_in": ConsentAction.OPTED_IN,
    "contact.opted_out": ConsentAction.OPTED_OUT,
}
_EVENTS: Final = {
    ConsentAction.HELP: "contact.help_requested",
    ConsentAction.OPTED_IN: "contact.opted_in",
    ConsentAction.OPTED_OUT: "contact.opted_out",
}
_HANDLE: Final = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}|[^@\s]{1,64}@[^@\s]{1,255}", re.ASCII)
#: Entries recorded in one transaction at the most.
MOST_WORDS: Final = 100


class Word(NamedTuple):
    """Something said about consent, on its way into the log."""

    entry: ConsentEntry
    dedupe_key: bytes
    line: Line | None
    chat_id: int | None = None
    is_reply_owed: bool = False


class Listening:
    """Hears the keywords among messages that come in."""

    def __init__(self, policies: LinePolicies, take_ids: TakeIds) -> None:
        self._policies = policies
        self._take_ids = take_ids

    def hear(
        self, seen: Observation, line: Line, *, message_id: int | None, chat_id: int | None, now_ms: int
    ) -> Word | None:
        """Give what an observation says about consent; None for every ordinary one.

        In a group STOP is said to everybody in it, so it says nothing about us.
        """
        message, chat = seen.message, seen.chat
        if seen.kind in _TOLD:
            return self._told(seen, line, chat_id=chat_id, now_ms=now_ms)
        if message is None or chat is None or chat.is_group or seen.kind not in _SPEAKING:
            return None
        parts = message.parts
        if not parts or len(parts[0].text or "") > LONGEST_SAID or is_own(seen) is not False:
            return None
        found = keyword_in(text_of(parts), self._policies.keywords_of(line))
        if found is None or (handle := handle_of(normalize_chat_key(chat.key))) is None:
            return None
        action, keyword = found
        said_at = message.edited_at or message.sent_at or seen.at
        mark = message.edited_at or ""
        entry = ConsentEntry(
            id=self._take_ids(1)[0],
            scope_line_id=self._policies.scope_of(line),
            line_id=line.id,
            handle=handle,
            action=action,
            source=ConsentSource.KEYWORD,
            said_at=min(said_at, now_ms),
            recorded_at=now_ms,
            message_id=message_id,
            keyword=keyword,
        )
        return Word(
            entry,
            _digest(f"{line.id}:{message.provider_id}:{action}:{mark}"),
            line,
            chat_id,
            is_reply_owed=action is ConsentAction.HELP and self._policies.of(line).help_reply is not None,
        )

    def _told(self, seen: Observation, line: Line, *, chat_id: int | None, now_ms: int) -> Word | None:
        """Give what a network says that a contact told it; `target` or the date tells a repetition."""
        chat, action = seen.chat, _TOLD[seen.kind]
        handle = None if chat is None else handle_of(normalize_chat_key(chat.key, is_group=chat.is_group))
        if handle is None:
            return None
        entry = ConsentEntry(
            id=self._take_ids(1)[0],
            scope_line_id=self._policies.scope_of(line),
            line_id=line.id,
            handle=handle,
            action=action,
            source=ConsentSource.NETWORK,
            said_at=min(seen.at, now_ms),
            recorded_at=now_ms,
            reason=None if seen.error is None else seen.error.raw or seen.error.code,
        )
        mark = f"network:{line.id}:{handle}:{action}:{seen.target or seen.at}"
        return Word(entry, _digest(mark), line, chat_id)


async def record_words(
    tx: HotTransaction, directory: Directory, words: Sequence[Word], *, take_ids: TakeIds, now_ms: int
) -> tuple[list[DeliveryRow], list[Consent]]:
    """Record words in turn, each with the event of what it changed.

    Returns:
        The deliveries that follow, and what was changed.
    """
    events: list[EventRow] = []
    changed: list[Consent] = []
    for word in words:
        entry = word.entry
        found = await tx.safety.consents_of([(entry.scope_line_id, entry.handle)])
        standing = consent_from(found[0]) if found else None
        counts = entry.action is ConsentAction.HELP or supersedes(
            standing, action=entry.action, said_at=entry.said_at
        )
        is_news = standing is None or standing.action is not entry.action
        kept = replace(entry, is_applied=counts and (is_news or entry.action is ConsentAction.HELP))
        row = log_row(kept, dedupe_key=word.dedupe_key, is_reply_owed=word.is_reply_owed)
        if entry.id not in await tx.safety.insert_consent_log([row]):
            continue
        if counts and entry.action is not ConsentAction.HELP:
            counts = await tx.safety.merge_consent(consent_row(kept))
            changed += [consent_from(consent_row(kept))] if counts else []
        if counts and kept.is_applied:
            events.append(_event(word, kept, take_ids(1)[0]))
    _, deliveries = await record_events(tx, directory, events, take_ids=take_ids, now_ms=now_ms)
    return deliveries, changed


def _event(word: Word, entry: ConsentEntry, event_id: int) -> EventRow:
    return EventRow(
        event_id,
        _EVENTS[entry.action],
        entry.line_id,
        word.chat_id,
        _digest(f"consent:{entry.id}"),
        entry.said_at,
        None,
        consent_data(entry, line=word.line, chat_id=word.chat_id),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentWish:
    """What a program or a person says about a handle's consent."""

    #: None: for every line of the hub.
    line: Line | None
    handle: str
    action: ConsentAction
    source: ConsentSource
    reason: str | None = None
    #: None: now.
    said_at: int | None = None
    api_key_id: int | None = None
    #: What tells it from others, so that a repetition adds nothing; None: nothing does.
    once_as: str | None = None


class ConsentBook:
    """Records what programs and people say."""

    def __init__(
        self,
        *,
        store: Store,
        directory: DirectoryHolder,
        take_ids: TakeIds,
        wake_ups: WakeUps,
        clock: Clock,
    ) -> None:
        self._store = store
        self._directory = directory
        self._take_ids = take_ids
        self._wake_ups = wake_ups
        self._clock = clock

    async def record(self, wishes: Sequence[ConsentWish]) -> int:
        """Record wishes durably, and tell how many of them changed anything.

        A wish that was imported before (same handle, line, word and time) adds nothing.
        """
        changed = 0
        for start in range(0, len(wishes), MOST_WORDS):
            changed += await self._record([self._word(wish) for wish in wishes[start : start + MOST_WORDS]])
        return changed

    async def standing(self, line: Line | None, handle: str) -> list[Consent]:
        """What was said to a line, and what was said to all."""
        scopes = [EVERY_LINE] if line is None else [EVERY_LINE, line.id]
        return await self._store.consents.of(scopes, handle)

    def _word(self, wish: ConsentWish) -> Word:
        now_ms = self._clock.now_ms()
        said_at = now_ms if wish.said_at is None else min(wish.said_at, now_ms)
        scope = EVERY_LINE if wish.line is None else wish.line.id
        entry = ConsentEntry(
            id=self._take_ids(1)[0],
            scope_line_id=scope,
            line_id=None if wish.line is None else wish.line.id,
            handle=wish.handle,
            action=wish.action,
            source=wish.source,
            said_at=said_at,
            recorded_at=now_ms,
            reason=wish.reason,
            api_key_id=wish.api_key_id,
        )
        is_import = wish.source is ConsentSource.IMPORT
        mark = f"import:{scope}:{wish.handle}:{wish.action}:{said_at}" if is_import else f"asked:{entry.id}"
        mark = mark if wish.once_as is None else f"once:{scope}:{wish.handle}:{wish.once_as}"
        return Word(entry, _digest(mark), wish.line)

    async def _record(self, words: Sequence[Word]) -> int:
        while True:
            directory = await self._directory.refresh()
            try:
                deliveries, changed = await self._store.hot.write(
                    lambda tx: self._record_in(tx, directory, words)  # noqa: B023 - used within the turn
                )
            except StaleDirectory:
                continue
            pending = [row.id for row in deliveries if row.state == DeliveryState.PENDING]
            if pending:
                self._wake_ups.deliveries_recorded(pending[0], pending[-1])
            return len(changed)

    async def _record_in(
        self, tx: HotTransaction, directory: Directory, words: Sequence[Word]
    ) -> tuple[list[DeliveryRow], list[Consent]]:
        await require_current(tx, directory)
        now_ms = self._clock.now_ms()
        return await record_words(tx, directory, words, take_ids=self._take_ids, now_ms=now_ms)


def read_handle(text: str, *, param: str = "handle") -> str:
    """Read a handle.

    Raises:
        InvalidRequest: invalid_parameter_value.
    """
    handle = normalize_handle(text)
    if not _HANDLE.fullmatch(handle):
        raise InvalidRequest(
            "invalid_parameter_value",
            f"'{param}' must be a phone number in E.164 form (+15550100001), an Apple ID (a mail address) or a "
            "short code.",
            param=param,
        )
    return handle


def _digest(mark: str) -> bytes:
    return blake2b(mark.encode(), digest_size=16).digest()
