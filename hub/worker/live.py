"""What is only live, over Redis: the ring that says that events were recorded, who types, signs of life.

Disposable, like wake-ups: callers never wait, what cannot be sent is lost, and whoever follows looks into SQL by itself
(hub.flow.feed). Nothing is rung while nobody follows: each process that follows says so under a key that runs out,
and each process that records asks for that key once a second, so an event that nobody follows costs one question in
memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Final

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from hub.flow.feed import Feed
from hub.flow.ports import Clock
from hub.model.live import LiveEvent, Typist

log = structlog.get_logger("feed")

CHANNEL: Final = "hub:feed"
FOLLOWED: Final = "hub:feed:followed"
TYPING: Final = "hub:typing"
#: A sign of typing counts for so long; networks repeat it while it goes on.
TYPING_MS: Final = 60_000
FOLLOWED_SECONDS: Final = 6
ASK_SECONDS: Final = 1.0
LISTEN_SECONDS: Final = 2.0
#: After trouble; doubles up to the longest.
SHORTEST_WAIT_SECONDS: Final = 0.1
LONGEST_WAIT_SECONDS: Final = 2.0
#: Signs that wait to be sent while Redis is slow; more are lost.
MOST_WAITING: Final = 1000
#: People shown as typing in one chat at the most.
MOST_TYPISTS: Final = 100

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(tuple[str, LiveEvent | None]).decode


class RedisLive:
    """Tells and hears what is only live (hub.flow.ports.LiveSigns and LiveTyping).

    Args:
        redis: May be away at any time.
        clock: Tells when a sign of typing was seen.
        process: Names this process, which does not listen to itself.
    """

    def __init__(self, redis: Redis, clock: Clock, *, process: str) -> None:
        self._redis = redis
        self._clock = clock
        self._process = process
        self._feed: Feed | None = None
        self._is_followed_elsewhere = False
        self._is_rung = False
        self._typing: dict[tuple[int, str], int | None] = {}
        self._signs: list[LiveEvent] = []
        self._task: asyncio.Task[None] | None = None

    # ---- hub.flow.ports.LiveSigns

    @property
    def is_followed(self) -> bool:
        return self._is_followed_elsewhere or (self._feed is not None and self._feed.follower_count > 0)

    def recorded(self) -> None:
        if self._feed is not None:
            self._feed.ring()
        if self._is_followed_elsewhere:
            self._is_rung = True
            self._start()

    def typing(self, typist: Typist, *, is_typing: bool) -> None:
        if len(self._typing) < MOST_WAITING:
            self._typing[typist.chat_id, typist.handle] = self._clock.now_ms() if is_typing else None
            self._start()

    def tell(self, event: LiveEvent) -> None:
        if self._feed is not None:
            self._feed.tell(event)
        # Typing makes a round trip anyway, so it is told even if somebody came within the last second.
        is_told = self._is_followed_elsewhere or event.type.startswith("typing.")
        if is_told and len(self._signs) < MOST_WAITING:
            self._signs.append(event)
            self._start()

    # ---- hub.flow.ports.LiveTyping

    async def typists(self, chat_id: int) -> list[Typist]:
        oldest = self._clock.now_ms() - TYPING_MS
        try:
            asking: Awaitable[dict[bytes, bytes]] = self._redis.hgetall(f"{TYPING}:{chat_id}")  # type: ignore[assignment] # redis-py types both kinds of client at once
            found = await asking
        except (RedisError, OSError) as error:
            log.debug("typing.unknown", error=str(error))
            return []
        seen = [Typist(chat_id, handle.decode(), int(at)) for handle, at in found.items() if int(at) > oldest]
        return sorted(seen, key=lambda each: each.handle)[:MOST_TYPISTS]

    # ---- telling

    async def flush(self) -> None:
        """Wait until what was told so far is sent or lost."""
        if self._task is not None:
            await self._task

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._send())

    async def _send(self) -> None:
        while self._is_rung or self._typing or self._signs:
            is_rung, self._is_rung = self._is_rung, False
            typing, self._typing = self._typing, {}
            signs, self._signs = self._signs, []
            try:
                await self._send_once(typing, signs, is_rung=is_rung)
            except (RedisError, OSError) as error:
                log.debug("feed.unrung", error=str(error))
                await asyncio.sleep(SHORTEST_WAIT_SECONDS)

    async def _send_once(
        self, typing: dict[tuple[int, str], int | None], signs: list[LiveEvent], *, is_rung: bool
    ) -> None:
        """Everything in one round trip."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            for (chat_id, handle), at in typing.items():
                key = f"{TYPING}:{chat_id}"
                if at is None:
                    pipeline.hdel(key, handle)
                else:
                    pipeline.hset(key, handle, str(at))
                    pipeline.pexpire(key, TYPING_MS)
            told: list[LiveEvent | None] = [*signs, *([None] if is_rung else [])]
            for event in told:
                pipeline.publish(CHANNEL, _encode((self._process, event)))
            await pipeline.execute()

    async def ask_for_ever(self) -> None:
        """Know whether anybody follows in another process; while that cannot be asked, nobody is told."""
        while True:
            try:
                self._is_followed_elsewhere = bool(await self._redis.exists(FOLLOWED))
            except (RedisError, OSError):
                self._is_followed_elsewhere = False
            await asyncio.sleep(ASK_SECONDS)

    # ---- hearing

    def attach(self, feed: Feed) -> None:
        """Ring this feed at once for what this process records."""
        self._feed = feed

    async def listen_for_ever(self, feed: Feed) -> None:
        """Hear what other processes tell, while somebody follows here; reconnect for ever."""
        is_followed = asyncio.Event()

        def changed(now: bool) -> None:
            (is_followed.set if now else is_followed.clear)()

        feed.on_followed = changed
        delay = SHORTEST_WAIT_SECONDS
        while True:
            await is_followed.wait()
            try:
                await self._listen(feed, is_followed)
                delay = SHORTEST_WAIT_SECONDS
            except (RedisError, OSError) as error:
                log.warning("feed.unheard", error=str(error), reason="events are looked for in the database")
                await asyncio.sleep(delay)
                delay = min(delay * 2, LONGEST_WAIT_SECONDS)

    async def _listen(self, feed: Feed, is_followed: asyncio.Event) -> None:
        async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(CHANNEL)
            while is_followed.is_set():
                await self._redis.set(FOLLOWED, self._process, ex=FOLLOWED_SECONDS)
                feed.ring()  # for what was recorded before anybody rang
                await self._hear(feed, pubsub, is_followed)

    async def _hear(self, feed: Feed, pubsub: Any, is_followed: asyncio.Event) -> None:
        """Pass on what comes, until it is time to say again that somebody follows."""
        loop = asyncio.get_running_loop()
        until = loop.time() + LISTEN_SECONDS
        while is_followed.is_set() and (left := until - loop.time()) > 0:
            message = await pubsub.get_message(timeout=left)
            if message is not None:
                self._pass_on(feed, message["data"])

    def _pass_on(self, feed: Feed, data: bytes) -> None:
        try:
            process, event = _decode(data)
        except msgspec.MsgspecError as error:
            log.warning("feed.unreadable", error=str(error))
            return
        if process == self._process:
            return
        if event is None:
            feed.ring()
        else:
            feed.tell(event)
