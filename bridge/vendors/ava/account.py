"""An account at AVA: four endpoints, and polling for all that comes in (contracts: ava)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from bridge.checkups import State
from bridge.http_api import accepted, rejected, unknown
from bridge.list_reading import Lists, is_since
from bridge.sent_words import sent_words
from bridge.taming import date_in, handle_in, id_in, iso_text, tame
from bridge.vendors.account import MOST_PAGES, Act, Listed, tell_cut, trouble_of
from bridge.vendors.ava.settings import AvaSettings
from bridge.vendors.examining import account_finding
from bridge.vendors.operations import in_path, is_group, place_of
from bridge.vendors.seen import Place, Seen, Stage, words
from bridge.vendors.vendor_api import VendorApi
from bridge.vendors.verdicts import BY_STATUS, Faults
from hub.flow.bridge_kinds import Finding, Surroundings
from hub.model.observation import Observation
from hub.model.outbox import Operation, OperationKind, OperationOutcome
from hub.model.refused import Origin

TITLE: Final = "AVA"
FAULTS: Final = Faults(title=TITLE, known={}, by_status=BY_STATUS)
STAGES: Final[dict[str, Stage]] = {
    "delivered": "delivered",
    "failed": "failed",
    "queued": "waiting",
    "read": "read",
    "sent": "sent",
}
#: Nothing of the kind that is told follows these.
_ENDS: Final = frozenset({"delivered", "failed", "read"})
_PAGE: Final = 100
#: How long after a send its contact's history is looked at for statuses.
WATCHED_MS: Final = 900_000
_MOST_WATCHED: Final = 100
_ONE_LINE: Final = "An AVA account has one number: give the bridge exactly one line."


class _Watched(NamedTuple):
    """Of a contact to whom something was sent: when, and which message, once AVA has named it."""

    at: int
    message_id: str | None


class AvaAccount:
    """bridge.vendors.account.Account."""

    title = TITLE
    able = frozenset({"delivered", "text"})

    def __init__(self, settings: AvaSettings, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._lists = Lists(surroundings.refuse)
        self._api = VendorApi(TITLE, surroundings, url=settings.api_url, api_key=settings.api_key)
        #: Contact → what was last sent there.
        self._watched: OrderedDict[str, _Watched] = OrderedDict()

    @property
    def acts(self) -> Mapping[OperationKind, Act]:
        return {OperationKind.SEND: self._send}

    async def _send(self, operation: Operation) -> OperationOutcome:
        text = sent_words(operation.payload).text
        if is_group(operation):
            return rejected("groups_unsupported", "AVA knows no groups: send to each member.")
        phone = place_of(operation)
        self._watch(phone, None)
        answer = await self._api.do("POST", "/api/send", {"phone": phone, "message": text or ""})
        if not answer.is_good:
            return FAULTS.verdict(answer, may_repeat=False)
        message_id = id_in(answer.body.get("message_id"))
        if message_id is None:
            return unknown("unreadable_answer", "AVA took it and named no message.")
        self._watch(phone, message_id)
        return accepted(message_id)

    def _watch(self, phone: str, message_id: str | None) -> None:
        self._watched[phone] = _Watched(self._around.clock.now_ms(), message_id)
        self._watched.move_to_end(phone)
        while len(self._watched) > _MOST_WATCHED:
            self._watched.popitem(last=False)

    async def state(self) -> State:
        if len(self._around.lines()) != 1:
            return "offline", _ONE_LINE
        answer = await self._api.ask("/api/messages/poll", since=iso_text(self._around.clock.now_ms()))
        return trouble_of(TITLE, answer) or ("online", None)

    async def news(self, since_ms: int) -> Sequence[tuple[Observation, ...]]:
        lines = self._around.lines()
        if len(lines) != 1:
            return ()
        messages = await self._came_in(since_ms)
        for phone, watched in list(self._watched.items()):
            history = await self._history(phone)
            messages += history
            if self._is_over(watched, history) and self._watched.get(phone) is watched:
                del self._watched[phone]
        fresh = [each for each in messages if is_since(date_in(each.get("timestamp")), since_ms - 1000)]
        told = [seen for each in fresh if (seen := self._listed(each, lines[0])) is not None]
        return [(each,) for each in sorted(told, key=lambda seen: seen.at)]

    def _listed(self, message: Mapping[str, Any], line: str) -> Observation | None:
        seen = read_message(message, line)
        if seen is None:
            self._lists.pass_over(
                message, "it names no message, no phone or no time", named=id_in(message.get("id"))
            )
        return seen

    def _is_over(self, watched: _Watched, history: Sequence[Mapping[str, Any]]) -> bool:
        """Whether the last message has come to its end, or nothing more is to be expected of it."""
        status = next((each.get("status") for each in history if each.get("id") == watched.message_id), None)
        return STAGES.get(str(status)) in _ENDS or self._around.clock.now_ms() - watched.at > WATCHED_MS

    async def _came_in(self, since_ms: int) -> list[Mapping[str, Any]]:
        """List what came in since then. `since` counts whole seconds: pages overlap by one, lest one is lost."""
        found: dict[str, Mapping[str, Any]] = {}
        since = since_ms - 1000
        for _ in range(MOST_PAGES):
            page = await self._api.show("/api/messages/poll", since=iso_text(max(0, since)))
            messages = self._lists.entries(page.get("messages"))
            # What has no id is no message, and must not hide another one.
            found |= {id_in(each.get("id")) or repr(each): each for each in messages}
            newest = max((date_in(each.get("timestamp")) or 0 for each in messages), default=0)
            if page.get("has_more") is not True or newest <= since:
                break  # a page that brings nothing newer would come again for ever
            since = newest - 1000 if newest - 1000 > since else newest
        else:
            tell_cut(TITLE)
        return list(found.values())

    async def _history(self, phone: str, *, origin: Origin = Origin.FEED) -> list[Mapping[str, Any]]:
        """List the latest messages with a contact; the history begins with the oldest."""
        path = f"/api/messages/{in_path(phone)}"
        total = (await self._api.find(path, limit=1) or {}).get("total")
        count = total if isinstance(total, int) and not isinstance(total, bool) else 0
        page = await self._api.find(path, limit=_PAGE, offset=max(0, count - _PAGE)) if count else None
        messages = self._lists.entries((page or {}).get("messages"), origin=origin)
        return [each for each in messages if each.get("direction") == "outbound"]

    async def known(self, operation: Operation) -> OperationOutcome | None:
        """AVA names the message at once: there is nothing between."""
        return None

    async def sent_to(self, operation: Operation) -> Sequence[Listed]:
        history = await self._history(place_of(operation), origin=Origin.BACKFILL)
        return self._lists.search(history, listed, named="id")

    async def examine(self) -> Sequence[Finding]:
        return (account_finding(await self.state()),)


def listed(message: Mapping[str, Any]) -> Listed | None:
    """Read a message of ours, to find a send by."""
    message_id, made_at = id_in(message.get("id")), date_in(message.get("timestamp"))
    if message_id is None or made_at is None:
        return None
    return Listed(provider_id=message_id, text=tame(message.get("message")), files=None, made_at=made_at)


def read_message(message: Mapping[str, Any], line: str) -> Observation | None:
    """Read a message of a poll or a history; None where it cannot be read."""
    message_id, phone = id_in(message.get("id")), handle_in(message.get("phone"))
    at, is_from_me = date_in(message.get("timestamp")), message.get("direction") == "outbound"
    if message_id is None or phone is None or at is None:
        return None
    return Seen(
        id=message_id,
        place=Place(line=line, other=phone),
        at=at,
        is_from_me=is_from_me,
        sender=None if is_from_me else phone,
        parts=words(message.get("message")),
        stage=STAGES.get(str(message.get("status")), "sent") if is_from_me else "sent",
        sent_at=at,
    ).observation
