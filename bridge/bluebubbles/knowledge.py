"""What the bridge has learned and may forget: names of chats and people, and which message was which attempt.

Losing it costs requests, never events: all of it can be asked for again.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import Final, Generic, TypeVar

from bridge.bluebubbles.chats import handle_in, read_chat
from bridge.bluebubbles.shapes import JSON, mapping, mappings, number, text
from bridge.bluebubbles.wishes import quote_named
from bridge.quotes import Quote

K = TypeVar("K")
V = TypeVar("V")

_MOST: Final = 20_000


class Recent(OrderedDict[K, V], Generic[K, V]):
    """A mapping of the latest so many."""

    def __init__(self, most: int = _MOST) -> None:
        super().__init__()
        self._most = most

    def note(self, key: K, value: V) -> None:
        self[key] = value
        self.move_to_end(key)
        if len(self) > self._most:
            self.popitem(last=False)


class Knowledge:
    """Of one bridge."""

    def __init__(self) -> None:
        #: Chat key → guid on the Mac, as it was shown last.
        self.chat_guids: Recent[str, str] = Recent()
        #: ROWID of a Handle → address.
        self.handles: Recent[int, str] = Recent()
        #: Guid of a message → what it is of our sends.
        self.quotes: Recent[str, Quote] = Recent()
        #: The tempGuid that we gave one of a send's messages → what it is.
        self.given: Recent[str, Quote] = Recent()
        #: Keys of chats to which something is being sent now: an own message there may be one of those.
        self.under_way: Counter[str] = Counter()

    def learn(self, row: JSON) -> None:
        """Take in what a Message says of chats and people."""
        chats = mappings(row.get("chats"))
        for each in chats:
            chat = read_chat(each)
            if chat is not None and chat.provider_id is not None:
                self.chat_guids.note(chat.key, chat.provider_id)
            for person in mappings(each.get("participants")):
                self.learn_handle(person)
        self.learn_handle(mapping(row.get("handle")))
        guid, name = text(row, "guid", most=512), text(row, "tempGuid", most=64)
        quote = quote_named(name, self.given)
        if guid is not None and quote is not None:
            self.quotes.note(guid, quote)

    def learn_handle(self, of: JSON) -> None:
        """Take in a Handle."""
        row_id, handle = number(of, "originalROWID"), handle_in(of)
        if row_id is not None and handle is not None:
            self.handles.note(row_id, handle)
