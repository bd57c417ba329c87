"""How the server is, asked at most every few seconds."""

from __future__ import annotations

from typing import Final

from bridge.bluebubbles.answers import Answer
from bridge.bluebubbles.server_info import ServerInfo, capabilities_of, health_of, read_info
from bridge.bluebubbles.settings import BlueBubblesSettings
from bridge.bluebubbles.shapes import mapping
from bridge.bluebubbles.wire import Server
from hub.flow.calling import CallFailed
from hub.flow.ports import Clock

_KEPT_MS: Final = 10_000


class ServerState:
    """The last word of `server/info`."""

    def __init__(self, server: Server, settings: BlueBubblesSettings, clock: Clock) -> None:
        self._server = server
        self._settings = settings
        self._clock = clock
        self._info: ServerInfo | None = None
        self._health: tuple[str, str | None] = ("offline", "it was not asked yet")
        #: Why nothing can be done while it is offline.
        self.fault = "unreachable"
        self._asked_at: int | None = None

    def forget(self) -> None:
        """Ask anew the next time: something has changed."""
        self._asked_at = None

    async def info(self) -> ServerInfo:
        """What is known of the server; of one that never answered, the least."""
        await self._ask()
        return self._info or ServerInfo()

    async def capabilities(self) -> frozenset[str]:
        """What a line can do; while the server is away, what it could."""
        return capabilities_of(await self.info(), self._settings.method)

    async def health(self) -> tuple[str, str | None]:
        await self._ask()
        return self._health

    async def _ask(self) -> None:
        now_ms = self._clock.now_ms()
        if self._asked_at is not None and 0 <= now_ms - self._asked_at < _KEPT_MS:
            return
        try:
            answer = await self._server.get("/server/info", seconds=self._server.patience.probe)
        except CallFailed as failure:
            self._health, self.fault = ("offline", failure.detail), "unreachable"
        else:
            self._take(answer)
        self._asked_at = self._clock.now_ms()

    def _take(self, answer: Answer) -> None:
        if not answer.is_ok or not mapping(answer.data):
            self._health = ("offline", why_not(answer))
            is_refused = answer.is_envelope and answer.status in (401, 403)
            self.fault = "unauthorized" if is_refused else "unreachable"
            return
        self._info = read_info(mapping(answer.data))
        self._health = health_of(self._info, self._settings.method)


def why_not(answer: Answer) -> str:
    """Say what is wrong with an answer that is no success."""
    if answer.is_envelope and answer.status in (401, 403):
        return "the server does not know the password: set the one that its window shows, as `password`"
    if not answer.is_envelope:
        return answer.sender or f"what answers ({answer.status}) is no BlueBubbles server"
    return f"the server answered {answer.status}: {answer.words}"
