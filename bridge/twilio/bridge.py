"""Twilio as a bridge: sends by its API; what its webhooks did not bring is asked for from time to time.

Twilio knows no idempotency key. A send without an answer is looked for in Twilio's list, and its first status, which
names the attempt, proves it in any case; it is never made a second time.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import msgspec
import structlog

from bridge.checkups import NO_API, Checkup, State
from bridge.http_api import Answer, rejected, unanswered, unknown
from bridge.list_reading import Lists
from bridge.taming import date_in, handle_in, id_in, iso_text
from bridge.twilio.api import TwilioApi, TwilioRefused
from bridge.twilio.reading import STATUSES, read_message
from bridge.twilio.sending import form_of, found_in, looked_for, verdict_of, why_not_comparable
from bridge.twilio.settings import TwilioSettings
from hub.flow.bridge_kinds import Surroundings
from hub.flow.calling import CallFailed
from hub.model.observation import Observation
from hub.model.outbox import Disposition, Operation, OperationKind, OperationOutcome
from hub.model.refused import Origin
from hub.rules.capabilities import missing_of, needs_of
from hub.rules.chatkeys import normalize_handle

log = structlog.get_logger("bridge.twilio")

#: What came so long before the newest that is known is asked for again: statuses follow, and lists are late.
OVERLAP_MS: Final = 15 * 60_000
#: A phone may be off for hours: how far back own messages are looked at for statuses whose webhooks were lost, and
#: in which round. Twilio tries for ten hours at the most (ValidityPeriod, from memory).
LATE_MS: Final = 11 * 3_600_000
LATE_ROUND: Final = 10
#: Of 1000 messages each, in one round.
MOST_PAGES: Final = 50
#: Sends and tellings that are remembered.
MOST_REMEMBERED: Final = 10_000
_IDLE_SECONDS: Final = 3_600.0


class TwilioBridge:
    """Adapter to one account."""

    kind: str = "twilio"

    def __init__(self, settings: TwilioSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._around = surroundings
        self._lists = Lists(surroundings.refuse)
        self._api = TwilioApi(settings, surroundings.caller)
        self._checkup = Checkup(self._asked_state, surroundings.clock)
        #: Message → attempt, of what was answered here: two sends of the same words are told apart by it.
        self._attempts: OrderedDict[str, str] = OrderedDict()
        #: What was told of each message that is listed again and again.
        self._told: OrderedDict[str, str] = OrderedDict()

    async def capabilities(self) -> frozenset[str]:
        able = {"delivered", "text"}
        able |= {"attachments"} if self._settings.can_send_files else set()
        able |= {"history"} if self._settings.poll_seconds else set()
        return frozenset(able)

    async def health(self) -> State:
        return await self._checkup.state()

    async def events(self, cursor: str | None) -> AsyncIterator[Observation]:
        since = date_in(cursor) or self._around.clock.now_ms()
        for rounds in itertools.count(1):
            if not self._settings.poll_seconds:
                await self._around.sleep(_IDLE_SECONDS)
                continue
            newest = since
            for message in await self._round(since, is_late=rounds % LATE_ROUND == 0):
                newest = max(newest, date_in(message.get("date_sent")) or 0)
                for seen in await self._news(message):
                    yield msgspec.structs.replace(seen, cursor=iso_text(newest))
            since = newest
            await self._around.sleep(self._settings.poll_seconds)

    async def perform(self, operation: Operation) -> OperationOutcome:
        missing = missing_of(needs_of(operation.kind, operation.payload), await self.capabilities())
        if missing or operation.kind is not OperationKind.SEND:
            return rejected("unsupported", f"Twilio cannot do: {', '.join(missing)}")
        form = form_of(
            operation,
            self._settings,
            hook_url=self._around.hook_url,
            address_of=self._around.links.address,
        )
        if isinstance(form, OperationOutcome):
            return form
        try:
            answer = await self._api.create(form, now_ms=self._around.clock.now_ms())
        except CallFailed as error:
            return unanswered(error)
        outcome = verdict_of(answer)
        if outcome.disposition is Disposition.ACCEPTED and outcome.provider_id is not None:
            _remember(self._attempts, outcome.provider_id, operation.attempt_id)
        return outcome

    async def lookup(self, operation: Operation) -> OperationOutcome:
        if operation.kind is not OperationKind.SEND:
            return unknown("not_found", "Only sends can be looked up.")
        try:
            shown = await self._api.page(looked_for(operation))
        except (CallFailed, TwilioRefused) as error:
            return unknown("lookup_failed", str(error))
        messages = self._lists.entries(shown, origin=Origin.BACKFILL)
        for each in messages:
            why, named = why_not_comparable(each), id_in(each.get("sid"))
            if why is not None:
                self._lists.pass_over(each, why, named=named, origin=Origin.BACKFILL)
        return found_in(messages, operation, attempts=self._attempts)

    def open_attachment(self, ref: str) -> AsyncIterator[bytes]:
        return self._api.file(ref)

    async def aclose(self) -> None:
        """Nothing is held open."""

    async def _asked_state(self) -> State:
        try:
            answer = await self._api.account()
        except CallFailed as error:
            return "offline", f"Twilio cannot be reached: {error.detail}"
        return account_state(answer)

    async def _round(self, since_ms: int, *, is_late: bool) -> list[Mapping[str, Any]]:
        """What one round looks at, oldest first: what is new; in a late one also what was told to be on its way."""
        begin = since_ms - OVERLAP_MS
        if not is_late:
            return await self._listed(begin)
        listed = await self._listed(min(begin, self._around.clock.now_ms() - LATE_MS))
        return [
            each
            for each in listed
            if (date_in(each.get("date_sent")) or 0) >= begin or id_in(each.get("sid")) in self._told
        ]

    async def _listed(self, since_ms: int) -> list[Mapping[str, Any]]:
        """What Twilio lists since then, oldest first; nothing while it cannot be asked: the next round asks again."""
        try:
            messages, is_all = await self._api.since(since_ms, most_pages=MOST_PAGES)
        except (CallFailed, TwilioRefused) as error:
            log.warning("twilio.unread", error=str(error), reason="the next round reads on")
            return []
        if not is_all:
            log.warning(
                "twilio.too_many", messages=len(messages), reason="older ones of this round are left out"
            )
        return self._lists.entries(messages[::-1])

    async def _news(self, message: Mapping[str, Any]) -> tuple[Observation, ...]:
        """What a listed message says that was not told from here."""
        sid, mark = id_in(message.get("sid")), f"{message.get('status')}:{message.get('error_code')}"
        if sid is None:
            self._lists.pass_over(message, "it names no message")
            return ()
        if self._told.get(sid) == mark or not self._is_of_a_line(message):
            return ()
        media: list[Mapping[str, Any]] = []
        if message.get("direction") == "inbound" and str(message.get("num_media") or "0") != "0":
            try:
                media = await self._api.media(sid)
            except (CallFailed, TwilioRefused) as error:
                log.warning("twilio.media_unread", error=str(error), reason="the next round reads it")
                return ()
        _remember(self._told, sid, mark)
        seen = read_message(message, media)
        if isinstance(seen, str):
            self._lists.pass_over(message, seen, named=sid)
            return ()
        return seen

    def _is_of_a_line(self, message: Mapping[str, Any]) -> bool:
        """The list holds the messages of all numbers of the account, whether they are lines or not."""
        ours = handle_in(message.get("to" if message.get("direction") == "inbound" else "from"))
        if ours is not None:
            return normalize_handle(ours) in self._around.lines()
        # A messaging service chooses the number only when it sends.
        if STATUSES.get(str(message.get("status"))) != "message.observed":
            self._lists.pass_over(message, "it does not name our side", named=id_in(message.get("sid")))
        return False


def account_state(answer: Answer) -> State:
    """Say how an account is, from what Twilio shows of it."""
    status = answer.status
    if status in (401, 403):
        return (
            "offline",
            "Twilio refuses account_sid with this auth_token (or API key); `hub bridges set` changes them.",
        )
    if not 200 <= status < 300:
        return "degraded", f"Twilio answered with status {status}."
    if not answer.is_read:
        return "offline", NO_API.format(status=status, title="Twilio")
    word = str(answer.body.get("status") or "active")
    return ("online", None) if word == "active" else ("offline", f"The Twilio account is {word[:40]}.")


def _remember(known: OrderedDict[str, str], key: str, value: str) -> None:
    known[key] = value
    known.move_to_end(key)
    while len(known) > MOST_REMEMBERED:
        known.popitem(last=False)
