"""Guard a line's sends: contact-first, consent, quiet hours and budgets, in the transaction that acts on the verdict.

Asked twice. When a send is accepted: who may not be written to is refused, and an immediate send takes its part of
the budget, or is refused with the figures. When it is about to be handed over: a STOP that came meanwhile ends it, and
what was put off (planned, bulk) takes its part now, or waits. Waiting never drops anything.
Not here: what may be said to whom by the rules themselves (hub.rules.consent, budget, quiet_hours).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from hub.flow.consent_rows import consent_from
from hub.flow.line_policies import LinePolicies
from hub.flow.ports import HotTransaction
from hub.flow.safety_rows import ConversationRow, CountKey, OpeningRow
from hub.model.consent import EVERY_LINE, Consent
from hub.model.errors import InvalidRequest, LimitFigures
from hub.model.line import Line
from hub.model.outbox import OperationKind
from hub.rules.budget import OPENINGS, Budget, Exhausted, budgets, first_exhausted
from hub.rules.chatkeys import direct_chat_key, handle_of
from hub.rules.consent import REACHES_CONTACT, asks_everybody, is_silenced, may_confirm
from hub.rules.line_policy import zone_of
from hub.rules.quiet_hours import quiet_until
from hub.rules.reach import Reach, reach_of

#: What the outbox shows as the reason of waiting.
HELD_QUIET: Final = "quiet_hours"
HELD_BUDGET: Final = {True: "new_conversation_limit_reached", False: "message_limit_reached"}
HELD_REASONS: Final = frozenset({HELD_QUIET, *HELD_BUDGET.values()})
#: Fields of a payload that only the hub's own actions set. The opt-out that a message confirms, by its entry's id: of
#: who has opted out, it alone may still be written, once and at once.
CONFIRMS: Final = "confirms_consent"
#: True: goes out in quiet hours, too.
RESTLESS: Final = "in_quiet_hours"
#: The field in which a request says whom it is for; others say it in their path.
_NAMED_IN: Final = {
    OperationKind.FACETIME: "to",
    OperationKind.GROUP_ADD: "handle",
    OperationKind.GROUP_CREATE: "participants",
    OperationKind.POLL: "to",
    OperationKind.REACT: "to",
    OperationKind.SEND: "to",
    OperationKind.TYPING: "to",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """One operation that a line is to do."""

    outbox_id: int
    line: Line
    kind: OperationKind
    payload: Mapping[str, object]
    #: Whether it is counted now: at acceptance, unless it is put off; at the hand-over, if it was.
    is_counted: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Postponed:
    """It may not go out yet."""

    until_ms: int
    reason: str


#: None: go ahead.
Verdict = InvalidRequest | Postponed | None


@dataclass(slots=True)
class _Known:
    """What the store knows that bears on a batch of wishes."""

    conversations: dict[tuple[int, str], ConversationRow]
    consents: dict[tuple[int, str], list[Consent]]
    #: What was opened by an earlier wish of this batch.
    opened: set[tuple[int, str]] = field(default_factory=set)

    def conversation(self, line: Line, chat_key: str | None) -> ConversationRow | None:
        return None if chat_key is None else self.conversations.get((line.id, chat_key))

    def has_written(self, line: Line, chat_key: str) -> bool:
        row = self.conversations.get((line.id, chat_key))
        return row is not None and bool(row.has_inbound)

    def is_new(self, line: Line, reach: Reach) -> bool:
        if reach.chat_key is None:
            return True
        row = self.conversation(line, reach.chat_key)
        is_begun = row is not None and bool(row.has_inbound or row.is_begun)
        return not is_begun and (line.id, reach.chat_key) not in self.opened

    def opens(self, wish: Wish, reach: Reach) -> bool:
        """Tell whether this send opens its conversation, also if it was counted when it was accepted."""
        row = self.conversation(wish.line, reach.chat_key)
        is_ours = row is not None and not row.has_inbound and row.opened_by == wish.outbox_id
        return is_ours or self.is_new(wish.line, reach)

    def members(self, line: Line, reach: Reach) -> tuple[str, ...]:
        """Everybody whom the operation reaches."""
        row = self.conversation(line, reach.chat_key)
        if not reach.is_group or row is None:
            return reach.handles
        return tuple(dict.fromkeys([*reach.handles, *_handles(row)]))


class LineGuard:
    """Says what may go out, and counts it."""

    def __init__(self, policies: LinePolicies) -> None:
        self._policies = policies

    async def admit(
        self, tx: HotTransaction, wishes: Sequence[Wish], now_ms: int
    ) -> list[InvalidRequest | None]:
        """Judge sends that are asked for, in turn, and count those that may go out at once.

        Only what was not asked for before belongs here: a repeat under an idempotency key is neither judged nor
        counted again.
        """
        concerned = [wish for wish in wishes if _reaches(wish)]
        if not concerned:
            return [None] * len(wishes)
        known = await _know(tx, concerned)
        counts = await self._lock(tx, concerned, known, now_ms)
        verdicts: list[InvalidRequest | None] = []
        openings: list[OpeningRow] = []
        for wish in wishes:
            refusal: InvalidRequest | Exhausted | None = None
            if _reaches(wish):
                refusal = self._refusal(wish, known, now_ms) or self._take(
                    wish, known, counts, openings, now_ms
                )
            verdicts.append(_too_many(refusal, now_ms) if isinstance(refusal, Exhausted) else refusal)
        await tx.safety.insert_openings(openings)
        await tx.safety.set_counts(counts)
        return verdicts

    async def release(self, tx: HotTransaction, wish: Wish, now_ms: int) -> Verdict:
        """Judge a send that is due. What is counted here is counted only if the answer is to go ahead."""
        if not _reaches(wish):
            return None
        known = await _know(tx, [wish])
        refusal = self._refusal(wish, known, now_ms)
        if refusal is not None:
            return refusal
        policy, reach = self._policies.of(wish.line), reach_of(wish.kind, wish.payload)
        is_new = wish.kind in OPENINGS and known.opens(wish, reach)
        until_ms = quiet_until(policy.quiet_hours, zone_of(policy), now_ms, is_new=is_new)
        if until_ms is not None and not wish.payload.get(RESTLESS):
            return Postponed(until_ms=until_ms, reason=HELD_QUIET)
        counts = await self._lock(tx, [wish], known, now_ms)
        openings: list[OpeningRow] = []
        spent = self._take(wish, known, counts, openings, now_ms)
        if spent is not None:
            until_ms = spent.budget.window.end_ms
            return Postponed(until_ms=until_ms, reason=HELD_BUDGET[spent.is_about_conversations])
        await tx.safety.insert_openings(openings)
        await tx.safety.set_counts(counts)
        return None

    def _refusal(self, wish: Wish, known: _Known, now_ms: int) -> InvalidRequest | None:
        line, reach = wish.line, reach_of(wish.kind, wish.payload)
        if line.is_contact_first and wish.kind in OPENINGS and not _has_written(line, reach, known):
            return InvalidRequest(
                "contact_has_not_messaged",
                "This contact has not written to the line yet; the line may only answer.",
                param=_NAMED_IN.get(wish.kind),
            )
        if not asks_everybody(wish.kind, is_group=reach.is_group, policy=self._policies.of(line)):
            return None
        silenced = [
            handle for handle in known.members(line, reach) if _is_silenced(line, handle, known.consents)
        ]
        if not silenced or _confirms(wish, known.consents, now_ms):
            return None
        who = "This contact has" if not reach.is_group else f"{len(silenced)} of this group's members have"
        return InvalidRequest(
            "contact_opted_out",
            f"{who} opted out of this line; nothing is sent. They can write START to hear from it again.",
            param=_NAMED_IN.get(wish.kind),
        )

    async def _lock(
        self, tx: HotTransaction, wishes: Iterable[Wish], known: _Known, now_ms: int
    ) -> dict[CountKey, int]:
        """Lock the counters that the wishes may change; then nobody opens a conversation of these lines but us."""
        keys = {
            _key(wish.line, budget)
            for wish in wishes
            if wish.is_counted
            for budget in self._budgets(wish, known, now_ms)
        }
        counts = dict(await tx.safety.lock_counts(sorted(keys)))
        if keys:  # what was opened while we waited for the lock
            chats = {chat for wish in wishes if (chat := _chat(wish)) is not None}
            fresh = await tx.safety.conversations(sorted(chats))
            known.conversations.update({(row.line_id, row.chat_key): row for row in fresh})
        return counts

    def _take(
        self, wish: Wish, known: _Known, counts: dict[CountKey, int], openings: list[OpeningRow], now_ms: int
    ) -> Exhausted | None:
        """Take the wish's part of the budget; give the limit that forbids it."""
        if not wish.is_counted:
            return None
        wanted = self._budgets(wish, known, now_ms)
        used = {
            (budget.counter, budget.window.start_ms): counts[_key(wish.line, budget)] for budget in wanted
        }
        spent = first_exhausted(wanted, used)
        if spent is not None:
            return spent
        for budget in wanted:
            counts[_key(wish.line, budget)] += 1
        reach = reach_of(wish.kind, wish.payload)
        if wish.kind in OPENINGS and reach.chat_key is not None and known.is_new(wish.line, reach):
            known.opened.add((wish.line.id, reach.chat_key))
            openings.append(OpeningRow(wish.line.id, reach.chat_key, wish.outbox_id, now_ms))
        return None

    def _budgets(self, wish: Wish, known: _Known, now_ms: int) -> tuple[Budget, ...]:
        policy, line = self._policies.of(wish.line), wish.line
        since_ms = line.created_at if policy.in_service_since is None else policy.in_service_since
        is_new = known.is_new(line, reach_of(wish.kind, wish.payload))
        return budgets(policy, wish.kind, since_ms=since_ms, now_ms=now_ms, is_new=is_new)


async def _know(tx: HotTransaction, wishes: Sequence[Wish]) -> _Known:
    reaches = [(wish.line, reach_of(wish.kind, wish.payload)) for wish in wishes]
    chats = {(line.id, reach.chat_key) for line, reach in reaches if reach.chat_key is not None}
    chats |= {(line.id, direct_chat_key(handle)) for line, reach in reaches for handle in reach.handles}
    rows = {(row.line_id, row.chat_key): row for row in await tx.safety.conversations(sorted(chats))}
    known = _Known(conversations=rows, consents={})
    people = {
        (scope, handle)
        for line, reach in reaches
        for handle in known.members(line, reach)
        for scope in (line.id, EVERY_LINE)
    }
    for found in await tx.safety.consents_of(sorted(people)):
        known.consents.setdefault((found.scope_line_id, found.handle), []).append(consent_from(found))
    return known


def _reaches(wish: Wish) -> bool:
    return REACHES_CONTACT[wish.kind] and not reach_of(wish.kind, wish.payload).is_nobody


def _chat(wish: Wish) -> tuple[int, str] | None:
    chat_key = reach_of(wish.kind, wish.payload).chat_key
    return None if chat_key is None else (wish.line.id, chat_key)


def _has_written(line: Line, reach: Reach, known: _Known) -> bool:
    """Tell whether somebody has written there; a group that is yet to be made wants a word of every member."""
    if reach.chat_key is not None and not reach.handles:
        return known.has_written(line, reach.chat_key)
    return all(known.has_written(line, direct_chat_key(handle)) for handle in reach.handles)


def _is_silenced(line: Line, handle: str, consents: Mapping[tuple[int, str], list[Consent]]) -> bool:
    return is_silenced(_said(line, handle, consents))


def _confirms(wish: Wish, consents: Mapping[tuple[int, str], list[Consent]], now_ms: int) -> bool:
    """Tell whether it is the message that confirms an opt-out."""
    entry_id, chat_key = wish.payload.get(CONFIRMS), wish.payload.get("chat_key")
    handle = handle_of(chat_key) if isinstance(chat_key, str) else None
    if entry_id is None or handle is None or wish.kind is not OperationKind.SEND:
        return False
    return may_confirm(_said(wish.line, handle, consents), entry_id=entry_id, now_ms=now_ms)


def _said(line: Line, handle: str, consents: Mapping[tuple[int, str], list[Consent]]) -> list[Consent]:
    """What was said to the line, and what was said to all."""
    return [each for scope in (line.id, EVERY_LINE) for each in consents.get((scope, handle), ())]


def _handles(row: ConversationRow) -> list[str]:
    return msgspec.json.decode(row.participants, type=list[str])


def _key(line: Line, budget: Budget) -> CountKey:
    return CountKey(line.id, budget.counter.value, budget.window.start_ms)


def _too_many(spent: Exhausted, now_ms: int) -> InvalidRequest:
    budget = spent.budget
    what = "new conversations" if spent.is_about_conversations else "messages"
    wait = max(1, -(-(budget.window.end_ms - now_ms) // 1000))
    return InvalidRequest(
        HELD_BUDGET[spent.is_about_conversations],
        f"This line has used {spent.used} of its {budget.limit} {what} of this {spent.period}. "
        + ("Chats that exist are not affected." if spent.is_about_conversations else "")
        + f" Try again in {wait} seconds.",
        param="from",
        retry_after=wait,
        limit=LimitFigures(
            limit=budget.limit, used=spent.used, period=spent.period, resets_at=budget.window.end_ms
        ),
    )
