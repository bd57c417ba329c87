"""The adapter of a vendor's account: sends, looks up what became of them, asks for what webhooks did not bring."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Final

import msgspec
import structlog

from bridge.checkups import Checkup, State
from bridge.http_api import accepted, put_off, rejected, unknown
from bridge.outgoing_files import NotSent
from bridge.sent_words import sent_words
from bridge.vendors.account import Account, Listed, VendorRefused
from bridge.vendors.seen import not_after
from bridge.vendors.verdicts import HARMLESS, lost
from hub.flow.bridge_kinds import Surroundings
from hub.flow.calling import CallFailed
from hub.model.errors import AttachmentGone
from hub.model.observation import Observation
from hub.model.outbox import Disposition, Operation, OperationKind, OperationOutcome
from hub.rules.capabilities import missing_of, needs_of

log = structlog.get_logger("bridge.vendors")

#: What came so long before the newest that is known is asked for again: statuses follow, and lists are late.
OVERLAP_MS: Final = 15 * 60_000
#: How far a vendor's clock may be behind ours when a send is looked for.
SLACK_MS: Final = 10_000
#: After so long without a trace a send may be made again, where the vendor itself drops repeats.
QUIET_MS: Final = 60_000
MOST_REMEMBERED: Final = 10_000
#: Between rounds, where several in a row brought no answer.
MOST_WAIT_SECONDS: Final = 900.0
#: What a vendor may ask for.
MOST_ASKED_SECONDS: Final = 3_600.0
_IDLE_SECONDS: Final = 3_600.0
_encode: Final = msgspec.json.Encoder().encode


class VendorBridge:
    """Adapter to one account."""

    def __init__(self, kind: str, account: Account, surroundings: Surroundings, *, poll_seconds: int) -> None:
        self.kind = kind
        self._account = account
        self._around = surroundings
        self._poll_seconds = poll_seconds
        self._checkup = Checkup(self._asked_state, surroundings.clock)
        #: Message → attempt, of what was answered here: two sends of the same words are told apart by it.
        self._attempts: OrderedDict[str, str] = OrderedDict()
        #: Message → what was told of it from here, digested.
        self._told: OrderedDict[str, str] = OrderedDict()
        #: Rounds in a row that brought no answer, and how long the vendor asked to be left alone in the last one.
        self._unanswered, self._asked_wait_ms = 0, 0

    async def capabilities(self) -> frozenset[str]:
        return self._account.able | ({"history"} if self._poll_seconds else set())

    async def health(self) -> State:
        return await self._checkup.state()

    async def events(self, cursor: str | None) -> AsyncIterator[Observation]:
        now_ms = self._around.clock.now_ms()
        since = (
            int(cursor) if cursor and cursor.isascii() and cursor.isdigit() and len(cursor) < 15 else now_ms
        )
        while True:
            if not self._poll_seconds:
                await self._around.sleep(_IDLE_SECONDS)
                continue
            listed, now_ms = await self._listed(max(0, since - OVERLAP_MS)), self._around.clock.now_ms()
            for message in listed:
                # A date that is ahead of our time is no reason to pass over what comes until then.
                since = max(since, *(min(each.at, now_ms) for each in message))
                for seen in self._news(tuple(not_after(each, now_ms) for each in message)):
                    yield msgspec.structs.replace(seen, cursor=str(since))
            await self._around.sleep(self._wait_seconds())

    async def perform(self, operation: Operation) -> OperationOutcome:
        able = await self.capabilities()
        missing = missing_of(needs_of(operation.kind, operation.payload), able)
        act = self._account.acts.get(operation.kind)
        if missing or act is None:
            return rejected("unsupported", f"{self._account.title} cannot do: {', '.join(missing)}")
        try:
            outcome = await act(operation)
        except CallFailed as error:
            return lost(error, may_repeat=self._may_repeat(operation))
        except VendorRefused as error:
            return put_off("network_error", str(error), wait_ms=error.answer.retry_after_ms)
        except NotSent as error:
            return error.outcome
        if operation.kind is OperationKind.SEND and outcome.disposition is Disposition.ACCEPTED:
            _remember(self._attempts, outcome.provider_id or "", operation.attempt_id)
        return outcome

    async def lookup(self, operation: Operation) -> OperationOutcome:
        if operation.kind is not OperationKind.SEND:
            detail = "Only sends can be looked up."
            is_repeated = self._may_repeat(operation)
            return put_off("not_found", detail, wait_ms=None) if is_repeated else unknown("not_found", detail)
        try:
            found = await self._account.known(operation)
            if found is None:
                found = self._found(operation, await self._account.sent_to(operation))
        except (CallFailed, VendorRefused) as error:
            return unknown("lookup_failed", str(error))
        if found.disposition is Disposition.ACCEPTED:
            _remember(self._attempts, found.provider_id or "", operation.attempt_id)
            return found
        is_quiet = self._around.clock.now_ms() - operation.dispatched_at >= QUIET_MS
        if is_quiet and found.code == "not_found" and "idempotent_send" in self._account.able:
            return put_off("not_found", found.detail or "", wait_ms=None)
        return found

    async def open_attachment(self, ref: str) -> AsyncIterator[bytes]:
        """Vendors give addresses, which the hub fetches by itself: there is nothing behind a name."""
        for piece in _nothing(ref):
            yield piece

    async def aclose(self) -> None:
        """Nothing is held open."""

    def _may_repeat(self, operation: Operation) -> bool:
        """Whether the same request does no harm. Groups are made under a key where sends are; sends are looked up."""
        is_kept_apart = (
            operation.kind is OperationKind.GROUP_CREATE and "idempotent_send" in self._account.able
        )
        return is_kept_apart or operation.kind in HARMLESS

    async def _asked_state(self) -> State:
        try:
            return await self._account.state()
        except CallFailed as error:
            return "offline", f"{self._account.title} cannot be reached: {error.detail}"

    async def _listed(self, since_ms: int) -> Sequence[tuple[Observation, ...]]:
        try:
            found = await self._account.news(since_ms)
        except (CallFailed, VendorRefused) as error:
            self._unanswered += 1
            self._asked_wait_ms = (
                (error.answer.retry_after_ms or 0) if isinstance(error, VendorRefused) else 0
            )
            log.warning("vendor.unread", kind=self.kind, error=str(error), reason="the next round reads on")
            return ()
        self._unanswered, self._asked_wait_ms = 0, 0
        return found

    def _wait_seconds(self) -> float:
        """How long until the next round: longer each time that there was no answer, and as long as the vendor asks."""
        usual = float(self._poll_seconds)
        if not self._unanswered:
            return usual
        longer = min(usual * (1 << min(self._unanswered, 10)), max(usual, MOST_WAIT_SECONDS))
        return max(longer, min(self._asked_wait_ms / 1000, MOST_ASKED_SECONDS))

    def _news(self, message: tuple[Observation, ...]) -> tuple[Observation, ...]:
        """What a listed message says that was not told from here, with the attempt that it is of."""
        first = message[0].message
        key = first.provider_id if first is not None else str(message[0].target)
        attempt_id = self._attempts.get(key)
        told = tuple(_of_attempt(each, attempt_id) for each in message)
        mark = hashlib.blake2b(_encode(told), digest_size=8).hexdigest()
        if self._told.get(key) == mark:
            return ()
        _remember(self._told, key, mark)
        return told

    def _found(self, operation: Operation, listed: Sequence[Listed]) -> OperationOutcome:
        """Say which of these messages is the send: the same words, at the time, and no other send's."""
        said = sent_words(operation.payload)
        text = (said.text or "").strip()
        fitting = [
            each
            for each in listed
            if each.provider_id not in operation.taken
            and self._attempts.get(each.provider_id, operation.attempt_id) == operation.attempt_id
            and each.made_at >= operation.dispatched_at - SLACK_MS
            and (each.text or "").strip() == text
            and each.files in (None, len(said.files))
        ]
        if len(fitting) == 1:
            return accepted(fitting[0].provider_id)
        if fitting:
            return unknown("several_found", f"{len(fitting)} messages look like this one.")
        return unknown("not_found", f"{self._account.title} shows no such message, and may be late with it.")


def _nothing(ref: str) -> Iterator[bytes]:
    raise AttachmentGone(f"No file has the name {ref[:40]}")


def _of_attempt(observation: Observation, attempt_id: str | None) -> Observation:
    message = observation.message
    if attempt_id is None or message is None:
        return observation
    return msgspec.structs.replace(
        observation, message=msgspec.structs.replace(message, attempt_id=attempt_id)
    )


def _remember(known: OrderedDict[str, str], key: str, value: str) -> None:
    known[key] = value
    known.move_to_end(key)
    while len(known) > MOST_REMEMBERED:
        known.popitem(last=False)
