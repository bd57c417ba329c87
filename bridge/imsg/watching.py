"""Listen to imsg: a subscription for what is new, pages for what came before, questions for receipts.

Its cursor is a ROWID of one database (bridge.chatdb.cursor). A subscription that overflows, ends or hangs is made again
from there; what is told twice the hub knows by its guid.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec
import structlog

from bridge.chatdb.cursor import Cursor, read_cursor, write_cursor
from bridge.imsg.lane import Lane
from bridge.imsg.reading import Unusable, chat_of, observation_of, status_of
from bridge.imsg.receipts import Receipts
from bridge.imsg.rpc import Notification, Refused, RpcChild, RpcFailed, Sleep
from bridge.imsg.status import read_status
from bridge.imsg.typing import ASK_EVERY_MS, Ears, hear
from bridge.macos.placing import Placing
from bridge.macos.sends import SentMemory
from bridge.macos.tallies import Tallies
from hub.flow.ports import Clock
from hub.model.observation import Observation

log = structlog.get_logger("bridge")

PAGE: Final = 200
#: Chats that are asked for the newest message.
_TAIL_CHATS: Final = 5
_RETRY_SECONDS: Final = 5.0
_TICK_SECONDS: Final = 1.0
_MOST_ROWID: Final = 2**63 - 1
_RECEIPTS: Final = "message.send_status"


class _Over(Exception):
    """The subscription has ended, and is made again from the cursor."""


class Watching:
    """One listening to imsg."""

    def __init__(
        self,
        lane: Lane,
        *,
        placing: Placing,
        sent: SentMemory,
        tallies: Tallies,
        clock: Clock,
        sleep: Sleep,
        history_messages: int,
    ) -> None:
        self._lane = lane
        self._placing = placing
        self._sent = sent
        self._tallies = tallies
        self._clock = clock
        self._sleep = sleep
        self._history_messages = history_messages
        self._receipts = Receipts()
        self._has_receipts = False
        self._cursor = Cursor(rowid=0)
        self._ears = Ears(lane, placing=placing, clock=clock)
        self._looked_at = 0
        self._subscription: object = None

    async def observations(self, cursor: str | None) -> AsyncIterator[tuple[Observation, ...]]:
        """Tell what there is from the cursor on, for ever; whatever ends is begun again."""
        kept = read_cursor(cursor)
        if cursor is not None and kept is None:
            self._tallies.note("cursor_unreadable")
        while True:
            while not self._placing.has_lines:
                await self._sleep(_RETRY_SECONDS)
            try:
                async for told in self._follow(kept):
                    kept = self._cursor
                    yield told
            except (RpcFailed, _Over) as error:
                log.warning("bridge.interrupted", kind="imsg", error=str(error))
            await self._sleep(_RETRY_SECONDS if not isinstance(kept, Cursor) else _TICK_SECONDS)

    async def _follow(self, kept: Cursor | None) -> AsyncIterator[tuple[Observation, ...]]:
        self._ears.end()
        await self._look()
        self._cursor = await self._resume(kept)
        child = await self._subscribe()
        while True:
            # A page of the past after each thing that is new: neither waits for the other.
            heard = await hear(child, self._sleep, waits=self._cursor.gap is None)
            if heard is None:
                raise _Over("imsg has ended")
            if told := self._take(heard):
                yield told
            if self._cursor.gap is not None and (page := await self._page()):
                yield page
            if told := await self._ask_receipts():
                yield told
            if not 0 <= self._clock.now_ms() - self._looked_at < ASK_EVERY_MS:
                await self._look()

    async def _look(self) -> None:
        """Ask how imsg is: whether it still answers at all, and what works now."""
        self._looked_at = self._clock.now_ms()
        methods = read_status(await self._lane.request("status")).methods
        self._has_receipts = _RECEIPTS in methods
        await self._ears.begin(methods)

    async def _resume(self, kept: Cursor | None) -> Cursor:
        tail, guid = await self._tail()
        if kept is None or await self._is_replaced(kept, tail):
            start = max(0, tail - self._history_messages)
            return Cursor(rowid=tail, anchor=guid, gap=(start, tail) if start < tail else None)
        start = kept.rowid if kept.gap is None else kept.gap[0]
        last = max(tail, kept.rowid)
        return Cursor(
            rowid=last, anchor=guid if last == tail else None, gap=(start, last) if start < last else None
        )

    async def _tail(self) -> tuple[int, str | None]:
        """Give the newest message: of the chat that was used last, and shows one (its tapbacks are not listed)."""
        for chat in _listed((await self._lane.request("chats.list", {"limit": _TAIL_CHATS})).get("chats")):
            asked = {"chat_id": chat.get("id"), "limit": 1}
            if not isinstance(asked["chat_id"], int):
                continue
            newest = _listed((await self._lane.request("messages.history", asked)).get("messages"))
            rowid = _rowid(newest[0].get("id")) if newest else None
            if rowid:
                guid = newest[0].get("guid")
                return rowid, guid if isinstance(guid, str) else None
        return 0, None

    async def _is_replaced(self, kept: Cursor, tail: int) -> bool:
        """Tell whether the cursor is of another database: its row is another message now, or lies ahead of all."""
        if kept.rowid == 0:
            return False
        asked = {"since_rowid": kept.rowid - 1, "limit": 1, "include_reactions": True}
        found = _listed((await self._lane.request("messages.after", asked)).get("messages"))
        if not found:
            return tail < kept.rowid
        is_same_row = _rowid(found[0].get("id")) == kept.rowid
        return is_same_row and kept.anchor is not None and found[0].get("guid") != kept.anchor

    async def _subscribe(self) -> RpcChild:
        child = await self._lane.child()
        asked = {
            # 0 would mean "from now on"; the beginning is spelt -1.
            "since_rowid": self._cursor.rowid or -1,
            "attachments": True,
            "include_reactions": True,
            "buffer_limit": 4096,
        }
        self._subscription = (await self._lane.request("watch.subscribe", asked)).get("subscription")
        return child

    def _take(self, heard: list[Notification]) -> tuple[Observation, ...]:
        told: list[Observation] = []
        for each in heard:
            params = each.params
            if (typing := self._ears.take(each)) is not None:
                told += typing
            elif params.get("subscription") != self._subscription:
                self._tallies.note("notification_unknown", {"method": each.method, "params": params})
            elif each.method == "message" and isinstance(params.get("message"), dict):
                told += self._tell(params["message"])
                self._advance(params["message"].get("cursor", params["message"].get("id")), params["message"])
            elif each.method == "message.cursor":
                self._advance(params.get("cursor"), {})
            elif each.method == "watch.overflow":
                self._go_back(params.get("resume_after_rowid"))
                return self._marked(told)
            elif each.method == "error":
                raise _Over("the subscription has failed")
        return self._marked(told)

    def _advance(self, to: object, message: dict[str, Any]) -> None:
        rowid = _rowid(to)
        if rowid is None or rowid <= self._cursor.rowid:
            return
        guid = message.get("guid") if rowid == message.get("id") else None
        anchor = guid if isinstance(guid, str) else None
        self._cursor = msgspec.structs.replace(self._cursor, rowid=rowid, anchor=anchor)

    def _go_back(self, to: object) -> None:
        """The subscription was too slow: it ended, and what it dropped lies behind this ROWID."""
        rowid = _rowid(to)
        self._tallies.note("overflow")
        if rowid is not None and rowid < self._cursor.rowid:
            self._cursor = msgspec.structs.replace(self._cursor, rowid=rowid, anchor=None)
        raise _Over("the subscription overflowed")

    async def _page(self) -> tuple[Observation, ...]:
        gap = self._cursor.gap
        if gap is None:
            return ()
        asked = {"since_rowid": gap[0], "limit": PAGE, "attachments": True, "include_reactions": True}
        page = await self._lane.request("messages.after", asked)
        # What lies behind the gap comes by the subscription.
        listed = [each for each in _listed(page.get("messages")) if (_rowid(each.get("id")) or 0) <= gap[1]]
        told = [each for message in listed for each in self._tell(message)]
        reached, has_more = _rowid(page.get("next_rowid")), page.get("has_more") is True
        # A page that does not go on would be asked for for ever.
        is_over = not has_more or reached is None or reached <= gap[0] or reached >= gap[1]
        rest = None if is_over or reached is None else (reached, gap[1])
        self._cursor = msgspec.structs.replace(self._cursor, gap=rest)
        return self._marked(told)

    async def _ask_receipts(self) -> tuple[Observation, ...]:
        told: list[Observation] = []
        now_ms = self._clock.now_ms()
        for each in self._receipts.due(now_ms) if self._has_receipts else ():
            try:
                answer = await self._lane.request(_RECEIPTS, {"guid": each.guid})
            except Refused:
                self._receipts.done(each.guid)
                continue
            shown, is_over = status_of(
                answer, guid=each.guid, chat_key=each.chat_key, line=each.line, now_ms=now_ms
            )
            told += shown
            if is_over:
                self._receipts.done(each.guid)
        return tuple(told)

    def _tell(self, message: dict[str, Any]) -> list[Observation]:
        line = self._placing.line_of(_text(message.get("destination_caller_id")))
        now_ms = self._clock.now_ms()
        if line is None:
            self._tallies.note("lineless", message)
            return []
        try:
            quote = self._sent.quote_of(str(message.get("guid")))
            told = observation_of(message, line=line, now_ms=now_ms, quote=quote)
        except Unusable as reason:
            self._tallies.note(str(reason), message, rowid=_rowid(message.get("id")))
            return []
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            self._tallies.note(
                "unreadable", message, rowid=_rowid(message.get("id")), error=type(error).__name__
            )
            return []
        chat = chat_of(message)
        if told.kind == "message.sent" and told.message and chat is not None and not chat.is_group:
            self._receipts.follow(told.message.provider_id, chat_key=chat.key, line=line, now_ms=now_ms)
        return [told]

    def _marked(self, told: list[Observation]) -> tuple[Observation, ...]:
        """Let the last of a piece carry the cursor: before it is recorded, all of the piece is told again."""
        if not told:
            return ()
        last = msgspec.structs.replace(told[-1], cursor=write_cursor(self._cursor))
        return (*told[:-1], last)


def _listed(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _rowid(value: object) -> int | None:
    is_rowid = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_ROWID
    return value if is_rowid and isinstance(value, int) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
