"""From what the server tells to what is observed: rows are looked at whole, and again where they came cut or early.

Whatever gives nothing is counted by its reason, and told in the log once for each reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
import structlog

from bridge.bluebubbles.content import URL_BALLOON, words_of
from bridge.bluebubbles.event_names import KNOWN_AND_PASSED
from bridge.bluebubbles.knowledge import Knowledge
from bridge.bluebubbles.reactions import target_of
from bridge.bluebubbles.reading import Read, View, read_failure, read_message, read_typing
from bridge.bluebubbles.settings import BlueBubblesSettings
from bridge.bluebubbles.shapes import JSON, mapping, mappings, number, text
from bridge.bluebubbles.wire import Server, segment
from hub.flow.bridge_kinds import Surroundings
from hub.flow.calling import CallFailed
from hub.model.observation import Observation
from hub.model.refused import Form, Origin, RefusalCode, Refused
from hub.rules.chatkeys import normalize_chat_key

log = structlog.get_logger("bridges")

#: All that a Message can hold. The names with hyphens are the ones that both endpoints know (routers/messageRouter.ts).
WHOLE: Final = (
    "chats",
    "chats.participants",
    "attachment",
    "attributed-body",
    "message-summary-info",
)
#: Two rows of one link are written within this time.
_TWIN_MS: Final = 2_000
#: A row that is not finished, or whose send has not been answered, is looked at again after this.
_AGAIN_SECONDS: Final = 1.0
_HANDLES_PAGE: Final = 1_000
_MOST_HANDLE_PAGES: Final = 20


#: Why something gives nothing → the code under which it is kept; what is not here lacks something.
_CODES: Final = {
    "no line": RefusalCode.OTHER_LINE,
    "no list of changes": RefusalCode.UNUSED,
    "not storable": RefusalCode.UNSOUND,
    "preview of a link": RefusalCode.UNUSED,
    "unknown association": RefusalCode.UNKNOWN_TYPE,
    "unknown event": RefusalCode.UNKNOWN_TYPE,
    "unknown item": RefusalCode.UNKNOWN_TYPE,
    "unreadable address": RefusalCode.UNREADABLE,
    "unreadable row": RefusalCode.UNREADABLE,
}


class Told(NamedTuple):
    """What the server told, as its webhook would have it: so it can be read again."""

    event: str
    data: Any

    def bytes(self) -> bytes:
        return msgspec.json.encode({"type": self.event, "data": self.data})


class Looking:
    """Reads rows for one bridge."""

    def __init__(
        self,
        server: Server,
        knowledge: Knowledge,
        *,
        settings: BlueBubblesSettings,
        surroundings: Surroundings,
    ) -> None:
        self._server = server
        self._knowledge = knowledge
        self._settings = settings
        self._surroundings = surroundings
        #: Why rows and events gave nothing, and how often.
        self.passed_over: Counter[str] = Counter()

    def view(self) -> View:
        return View(
            lines=self._surroundings.lines(),
            now_ms=self._surroundings.clock.now_ms(),
            default_line=self._settings.default_line,
            handles=self._knowledge.handles,
            quotes=self._knowledge.quotes,
            given=self._knowledge.given,
        )

    def pass_over(
        self, reason: str, told: Told | None = None, *, origin: Origin = Origin.FEED
    ) -> tuple[Observation, ...]:
        """Count what gives nothing, and have it kept."""
        self.passed_over[reason] += 1
        guid = None if told is None else text(mapping(told.data), "guid", most=512)
        if self.passed_over[reason] == 1:
            log.info("bluebubbles.passed_over", reason=reason, guid=guid)
        self._surroundings.refuse(
            Refused(
                code=_CODES.get(reason, RefusalCode.INCOMPLETE),
                reason=reason,
                origin=origin,
                raw=b"" if told is None else told.bytes(),
                form=Form.OTHER if told is None else Form.REQUEST,
                event=None if told is None else told.event,
                same_as=reason if told is None or reason == "no line" else None,
            )
        )
        return ()

    def pass_over_event(self, name: str, data: Any) -> None:
        """Count an event that is about no row: a known one is of no use, another one may be of a newer server."""
        if name in KNOWN_AND_PASSED:
            self._surroundings.refuse(
                Refused(code=RefusalCode.UNUSED, reason="an event of no use", origin=Origin.FEED)
            )
        else:
            self.pass_over("unknown event", Told(name, data))

    async def whole(self, guid: str) -> JSON | None:
        """Ask for a row; None if there is none.

        Raises:
            CallFailed: The server cannot be asked.
        """
        answer = await self._server.get(f"/message/{segment(guid)}", {"with": ",".join(WHOLE)})
        if answer.is_ok and answer.message:
            return answer.message
        if answer.is_envelope and answer.status == 404:
            return None
        raise CallFailed("unknown", answer.words or f"the server answered {answer.status}")

    async def of_event(self, name: str, data: Any) -> tuple[Observation, ...]:
        """Observe what an event is about: the row as it is now, not as the event had it.

        Raises:
            CallFailed: It cannot be asked for; what the event itself said is not told then.
        """
        said = mapping(data)
        guid = text(said, "guid", most=512)
        if guid is None:
            return self.pass_over("no guid", Told(name, data))
        self._knowledge.learn(said)
        if name == "message-send-error":
            # The row may not have its error yet; the event has.
            failed = await self.whole(guid) or said
            return self._count(
                read_failure({**failed, "error": number(said, "error") or 4}, self.view()), Told(name, failed)
            )
        found = said if is_whole(said) else await self.whole(guid)
        if found is None:
            return self.pass_over("no such message", Told(name, data))
        return await self.of_row(found, is_live=True)

    def of_typing(self, data: Any) -> tuple[Observation, ...]:
        """Observe who types."""
        return self._count(read_typing(mapping(data), self.view()), Told("typing-indicator", data))

    async def of_row(self, row: JSON, *, is_live: bool = False) -> tuple[Observation, ...]:
        """Observe a whole row.

        Raises:
            CallFailed: More is needed, and cannot be asked for.
        """
        self._knowledge.learn(row)
        guid = text(row, "guid", most=512)
        if is_live and guid is not None and self._may_be_ours(row, guid):
            await self._surroundings.sleep(_AGAIN_SECONDS)  # for the answer that says so
        read = read_message(row, self.view())
        if read.passed_over == "unknown member":
            await self._learn_handles()
            read = read_message(row, self.view())
        elif read.passed_over == "no author" and is_live and guid is not None:
            await self._surroundings.sleep(_AGAIN_SECONDS)
            again = await self.whole(guid)
            read = read_message(again, self.view()) if again is not None else read
        if read.observations and row.get("balloonBundleId") == URL_BALLOON and await self._is_twin(row, guid):
            return self.pass_over("preview of a link")
        return self._count(read, Told("updated-message", row), Origin.FEED if is_live else Origin.BACKFILL)

    def _count(self, read: Read, told: Told, origin: Origin = Origin.FEED) -> tuple[Observation, ...]:
        if read.passed_over is not None:
            return self.pass_over(read.passed_over, told, origin=origin)
        return read.observations

    def _may_be_ours(self, row: JSON, guid: str) -> bool:
        """Whether it is told before the answer to the send that made it, and is not known by its tempGuid.

        Rows can show before `is_from_me` is written, so who wrote it does not count.
        """
        if guid in self._knowledge.quotes or not self._knowledge.under_way:
            return False
        chats = mappings(row.get("chats"))
        chat = text(chats[0], "guid", most=512) if chats else None
        return chat is not None and normalize_chat_key(chat) in self._knowledge.under_way

    async def _is_twin(self, row: JSON, guid: str | None) -> bool:
        """Whether a link's row is the preview of another row that has its words."""
        chats, at, words = mappings(row.get("chats")), number(row, "dateCreated"), words_of(row)
        chat = text(chats[0], "guid", most=512) if chats else None
        if chat is None or at is None or not words or target_of(row) is not None:
            return False
        body = {
            "chatGuid": chat,
            "with": list(WHOLE),
            "after": max(0, at - _TWIN_MS),
            "before": at + _TWIN_MS,
            "sort": "ASC",
            "limit": 50,
        }
        answer = await self._server.query("/message/query", body)
        return answer.is_ok and any(_is_words_of(each, row, guid, words) for each in mappings(answer.data))

    async def _learn_handles(self) -> None:
        """Ask who is behind the numbers of group events."""
        for page in range(_MOST_HANDLE_PAGES):
            answer = await self._server.query(
                "/handle/query", {"limit": _HANDLES_PAGE, "offset": page * _HANDLES_PAGE}
            )
            people = mappings(answer.data) if answer.is_ok else []
            for each in people:
                self._knowledge.learn_handle(each)
            if len(people) < _HANDLES_PAGE:
                return


def is_whole(row: JSON) -> bool:
    """Whether an event brought all of a row: not the form for notifications, and with its chat."""
    if not mappings(row.get("chats")) or "isAudioMessage" not in row:
        return False
    is_changed = number(row, "dateEdited") is not None
    has_files = bool(mappings(row.get("attachments")))
    return not (is_changed and not row.get("messageSummaryInfo")) and not (
        has_files and not row.get("attributedBody")
    )


def _is_words_of(other: JSON, row: JSON, guid: str | None, words: str) -> bool:
    """Whether another row has the words of which this one is the preview."""
    if other.get("guid") == guid or other.get("balloonBundleId") == URL_BALLOON:
        return False
    same_author = other.get("isFromMe") == row.get("isFromMe") and mapping(other.get("handle")).get(
        "address"
    ) == mapping(row.get("handle")).get("address")
    return same_author and words in words_of(other)


def sorted_rows(rows: Sequence[JSON]) -> list[JSON]:
    """In the order in which they were written."""
    return sorted(rows, key=lambda row: (number(row, "dateCreated") or 0, number(row, "originalROWID") or 0))
