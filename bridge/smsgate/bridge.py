"""A phone with SMS Gateway for Android as a bridge.

The phone keeps the id under which a send was asked for and refuses it a second time (409): a send may be repeated
until there is an answer. Webhooks set themselves up when the hub begins to listen.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

import structlog

from bridge.checkups import Checkup, State
from bridge.http_api import USUAL_WAIT_MS, Answer, accepted, put_off, rejected, unanswered, unknown
from bridge.list_reading import Lists
from bridge.sent_words import sent_words
from bridge.smsgate.api import PhoneApi, PhoneRefused
from bridge.smsgate.ids import message_id
from bridge.smsgate.reading import EVENTS, Sims, read_listed
from bridge.smsgate.settings import SmsGateSettings
from bridge.taming import date_in, id_in, mapping_in, tame
from hub.flow.bridge_kinds import Surroundings
from hub.flow.calling import CallFailed
from hub.model.observation import Observation
from hub.model.outbox import Disposition, Operation, OperationKind, OperationOutcome
from hub.rules.capabilities import missing_of, needs_of

log = structlog.get_logger("bridge.smsgate")

#: How far back a round looks for statuses.
LOOK_BACK_MS: Final = 24 * 3_600_000
MOST_PAGES: Final = 20
MOST_REMEMBERED: Final = 10_000
#: An app that was installed anew has lost its webhooks: how often they are looked at.
CHECKED_MS: Final = 3_600_000
#: A phone that sleeps still asks its cloud now and then (from memory: some four times an hour).
SILENT_MS: Final = 2 * 3_600_000
_IDLE_SECONDS: Final = 3_600.0
_CAPABILITIES: Final = frozenset({"delivered", "idempotent_send", "text"})
_ADDRESS: Final = "`url` is http://PHONE:8080, or https://api.sms-gate.app/3rdparty/v1 for the app's cloud."
_BRIDGE: Final = re.compile(r"/hooks/([^/?]+)/")


class SmsGateBridge:
    """Adapter to one phone."""

    kind: str = "smsgate"

    def __init__(self, settings: SmsGateSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._around = surroundings
        self._api = PhoneApi(settings, surroundings.caller)
        self._lists = Lists(surroundings.refuse)
        self._checkup = Checkup(self._asked_state, surroundings.clock)
        self._told: OrderedDict[str, str] = OrderedDict()
        #: Message → line, of what was sent from here.
        self._lines: OrderedDict[str, str] = OrderedDict()

    async def capabilities(self) -> frozenset[str]:
        return _CAPABILITIES | ({"history"} if self._settings.catch_up_hours else set())

    async def health(self) -> State:
        return await self._checkup.state()

    async def events(self, cursor: str | None) -> AsyncIterator[Observation]:
        is_set_up = is_told_again = False
        set_up_at = 0
        while True:
            now_ms = self._around.clock.now_ms()
            if not is_set_up or now_ms - set_up_at >= CHECKED_MS:
                is_set_up, set_up_at = await self._set_up(is_first=not is_told_again), now_ms
                is_told_again = is_told_again or is_set_up
            for seen in await self._news() if self._settings.poll_seconds else ():
                yield seen
            idle = _IDLE_SECONDS if is_set_up else 60.0
            await self._around.sleep(self._settings.poll_seconds or idle)

    async def perform(self, operation: Operation) -> OperationOutcome:
        missing = missing_of(needs_of(operation.kind, operation.payload), await self.capabilities())
        if missing or operation.kind is not OperationKind.SEND:
            return rejected("unsupported", f"the phone cannot do: {', '.join(missing)}")
        said = sent_words(operation.payload)
        if said.handle is None or said.text is None:
            return rejected("groups_unsupported", "SMS knows no groups: send to each member.")
        sim = self._sims().sim_of(operation.line_handle)
        if sim is None and len(self._around.lines()) > 1:
            return rejected("line_not_at_network", "`sims` does not say which SIM carries this line.")
        message: dict[str, object] = {
            "id": message_id(operation.attempt_id),
            "textMessage": {"text": said.text},
            "phoneNumbers": [said.handle],
            "withDeliveryReport": True,
        }
        _remember(self._lines, message_id(operation.attempt_id), operation.line_handle)
        message |= {} if sim is None else {"simNumber": sim}
        ttl = self._settings.ttl_seconds
        message |= {} if ttl is None else {"ttl": ttl}
        try:
            answer = await self._api.create(message, now_ms=self._around.clock.now_ms())
        except CallFailed as error:
            return unanswered(error)
        return verdict_of(answer, operation)

    async def lookup(self, operation: Operation) -> OperationOutcome:
        own_id = message_id(operation.attempt_id)
        try:
            answer = await self._api.message(own_id)
        except CallFailed as error:
            return unknown("lookup_failed", error.detail)
        if answer.is_good:
            return accepted(own_id)
        if answer.status == 404:
            return OperationOutcome(
                disposition=Disposition.NOT_STARTED,
                code="not_found",
                detail="The phone knows no such message.",
                is_retry_safe=True,
            )
        return unknown("lookup_failed", f"The phone answered with status {answer.status}.")

    def open_attachment(self, ref: str) -> AsyncIterator[bytes]:
        return self._api.file(ref)

    async def aclose(self) -> None:
        """Nothing is held open."""

    async def _asked_state(self) -> State:
        try:
            answer = await self._api.webhooks()
            state = phone_state(answer)
            if state[0] == "online":
                state = fleet_state(
                    (await self._api.devices()).items, self._settings, self._around.clock.now_ms()
                )
        except CallFailed as error:
            return "offline", f"The phone cannot be reached: {error.detail}"
        return state

    def _sims(self) -> Sims:
        return Sims(lines=self._around.lines(), numbers=self._settings.sims)

    async def _set_up(self, *, is_first: bool) -> bool:
        """Let the phone tell us, and at first tell again what we may have missed; False if that must be tried again."""
        hook_url = self._around.hook_url
        if hook_url is None:
            return True
        try:
            known = {id_in(each.get("id")): each for each in map(mapping_in, (await self._good()).items)}
            for event in EVENTS:
                name = webhook_name(hook_url, event)
                if known.get(name, {}).get("url") != hook_url:
                    await self._api.set_webhook(name=name, url=hook_url, event=event)
            if is_first and self._settings.catch_up_hours:
                now_ms = self._around.clock.now_ms()
                await self._api.tell_again(now_ms - self._settings.catch_up_hours * 3_600_000, now_ms)
        except (CallFailed, PhoneRefused) as error:
            log.warning("smsgate.not_set_up", error=str(error), reason="it is tried again")
            return False
        return True

    async def _good(self) -> Answer:
        answer = await self._api.webhooks()
        if not answer.is_good or not answer.is_read:
            raise PhoneRefused(answer)
        return answer

    async def _news(self) -> list[Observation]:
        """What the phone's list says that was not told from here; nothing while it cannot be asked."""
        now_ms, sims = self._around.clock.now_ms(), self._sims()
        try:
            listed = await self._api.sent(now_ms - LOOK_BACK_MS, now_ms, most_pages=MOST_PAGES)
        except (CallFailed, PhoneRefused) as error:
            log.warning("smsgate.unread", error=str(error), reason="webhooks tell it, or the next round")
            return []
        news: list[Observation] = []
        for message in self._lists.entries(listed):
            own_id, state = id_in(message.get("id")), str(message.get("state"))
            if own_id is not None and self._told.get(own_id) == state:
                continue
            seen = read_listed(message, sims, now_ms=now_ms, sent_by=self._lines.get(own_id or ""))
            if isinstance(seen, str):
                self._lists.pass_over(message, seen, named=own_id)
                continue
            news += seen
            _remember(self._told, own_id or "", state)
        return news


def verdict_of(answer: Answer, operation: Operation) -> OperationOutcome:
    """Read the answer to a send."""
    words = tame(answer.body.get("message"), 500) or "no reason was given"
    if answer.is_good or answer.status == 409:
        return accepted(message_id(operation.attempt_id))
    if answer.status == 429:
        wait_ms = USUAL_WAIT_MS if answer.retry_after_ms is None else answer.retry_after_ms
        return put_off("rate_limited", "The phone, or its cloud, asks to go slower.", wait_ms=wait_ms)
    if answer.status in (401, 403):
        return rejected("bad_credentials", "The phone does not know user and password; set them anew.")
    if answer.status == 400:
        return rejected("refused", f"The phone refused it: {words}.")
    if 400 <= answer.status < 500:
        return rejected("unexpected_answer", f"Status {answer.status}: is `url` the app's address?")
    return unknown("network_error", f"The phone answered with status {answer.status}.")


def phone_state(answer: Answer) -> State:
    """Say how the phone is, from how it answers."""
    if answer.is_good and answer.is_read:
        return "online", None
    if answer.status in (401, 403):
        return "offline", "The phone does not know user and password; set the bridge's settings anew."
    if 200 <= answer.status < 400 or answer.status in (404, 405):
        return "degraded", f"What answers (status {answer.status}) is not the app: {_ADDRESS}"
    return "degraded", f"The phone answered with status {answer.status}."


def fleet_state(items: Sequence[object], settings: SmsGateSettings, now_ms: int) -> State:
    """Say how the phones behind the address are; an app without this list shows none, and is well."""
    phones = phones_in(items, settings)
    if items and not phones:
        return (
            "offline",
            "There is no phone with this `device_id`: `hub bridges doctor` shows those that are.",
        )
    seen_at = max((date_in(phone.get("lastSeen")) or now_ms for phone in phones), default=now_ms)
    minutes = (now_ms - seen_at) // 60_000
    if minutes * 60_000 >= SILENT_MS:
        return (
            "degraded",
            f"The app's cloud has not heard of the phone for {minutes} min: is it on, and online?",
        )
    return "online", None


def phones_in(items: Sequence[object], settings: SmsGateSettings) -> list[Mapping[str, Any]]:
    """Give the phones that are meant."""
    phones = [each for each in map(mapping_in, items) if each.get("id") and not each.get("deletedAt")]
    return [each for each in phones if settings.device_id in (None, each.get("id"))]


def _remember(known: OrderedDict[str, str], key: str, value: str) -> None:
    known[key] = value
    known.move_to_end(key)
    while len(known) > MOST_REMEMBERED:
        known.popitem(last=False)


def webhook_name(hook_url: str, event: str) -> str:
    """Name a webhook: the same for the same bridge, so that a new address takes the place of the old one."""
    bridge = _BRIDGE.search(hook_url)
    return f"hub-{bridge[1] if bridge else 'bridge'}-{event.replace(':', '-')}"
