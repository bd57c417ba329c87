"""What is only live, within one process and in memory; passes the same suite as the real one (test_live)."""

from __future__ import annotations

from hub.flow.feed import Feed
from hub.flow.ports import Clock
from hub.model.live import LiveEvent, Typist
from hub.worker.live import TYPING_MS


class LocalLive:
    """hub.flow.ports.LiveSigns and LiveTyping."""

    def __init__(self, feed: Feed, clock: Clock) -> None:
        self._feed = feed
        self._clock = clock
        self._typing: dict[tuple[int, str], int] = {}

    @property
    def is_followed(self) -> bool:
        return self._feed.follower_count > 0

    def recorded(self) -> None:
        self._feed.ring()

    def typing(self, typist: Typist, *, is_typing: bool) -> None:
        self._typing.pop((typist.chat_id, typist.handle), None)
        if is_typing:
            self._typing[typist.chat_id, typist.handle] = self._clock.now_ms()

    def tell(self, event: LiveEvent) -> None:
        self._feed.tell(event)

    async def typists(self, chat_id: int) -> list[Typist]:
        oldest = self._clock.now_ms() - TYPING_MS
        return sorted(
            Typist(chat, handle, at)
            for (chat, handle), at in self._typing.items()
            if chat == chat_id and at > oldest
        )
