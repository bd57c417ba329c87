"""Messages on a Mac as a bridge like any other, by imsg."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Final

import structlog

from bridge.chatdb.database import Unreadable
from bridge.chatdb.reading import Reading
from bridge.chatdb.settings import ChatDbSettings
from bridge.chatdb.telling import Telling
from bridge.chatdb.watcher import Pace, Watcher
from bridge.imsg.lane import Lane
from bridge.imsg.rpc import RpcFailed
from bridge.imsg.sending import Sending
from bridge.imsg.settings import ImsgSettings, command_of
from bridge.imsg.status import Status, read_status
from bridge.imsg.typing import typing_only
from bridge.imsg.watching import Watching
from bridge.macos.file_folder import FileFolder
from bridge.macos.outcomes import not_started, rejected
from bridge.macos.placing import Placing
from bridge.macos.sends import SentMemory
from bridge.macos.tallies import Tallies
from bridge.macos.together import together
from hub.flow.bridge_kinds import Surroundings
from hub.model.errors import AttachmentGone, BridgeError
from hub.model.observation import Observation
from hub.model.outbox import Operation, OperationOutcome
from hub.rules.capabilities import missing_of, needs_of

log = structlog.get_logger("bridge")

#: How long an answer to `status` is believed.
_STATUS_MS: Final = 15_000
_FILES: Final = frozenset({"attachments", "audio", "group_icon"})


class ImsgBridge:
    """The adapter."""

    kind: str = "imsg"

    def __init__(self, settings: ImsgSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._surroundings = surroundings
        self._tallies = Tallies(self.kind, surroundings.refuse)
        self._sent = SentMemory()
        self._folder = None if settings.ssh_host else FileFolder(settings.attachments)
        self._watch_lane, self._send_lane = self._lane("watch"), self._lane("send")
        self._reading = Reading(settings.database)
        self._sending = Sending(
            self._send_lane,
            self._folder,
            sent=self._sent,
            files=surroundings.files,
            clock=surroundings.clock,
            most_bytes=settings.most_file_mb * 1024 * 1024,
        )
        #: The database could not be read the last time, and was read before.
        self._is_without_database, self._has_read = False, False
        self._status: Status | None = None
        self._asked_at = 0

    @property
    def passed_over(self) -> dict[str, int]:
        """What was not told, by reason, and how often imsg was started again."""
        return self._tallies.counts()

    async def capabilities(self) -> frozenset[str]:
        """Say what works now.

        Raises:
            BridgeError: imsg does not say.
        """
        try:
            able = (await self._ask_status()).capabilities
        except RpcFailed as error:
            raise BridgeError(str(error)) from error
        if await self._can_read():
            able |= {"delivered", "read_in", "history"}
        return able if self._folder is not None else able - _FILES

    async def health(self) -> tuple[str, str | None]:
        try:
            status = await self._ask_status()
        except RpcFailed as error:
            return "offline", str(error)
        if not status.is_database_ready:
            return (
                "offline",
                status.database_error or "imsg cannot read Messages' database (Full Disk Access)",
            )
        if "send" not in status.methods:
            return "degraded", "imsg cannot send here"
        return "online", None

    def events(self, cursor: str | None) -> AsyncIterator[tuple[Observation, ...]]:
        return self._events(cursor)

    async def _events(self, cursor: str | None) -> AsyncIterator[tuple[Observation, ...]]:
        told = await self._beside_database(cursor) or self._by_imsg(cursor)
        async for each in told:
            yield each

    async def _beside_database(self, cursor: str | None) -> AsyncIterator[tuple[Observation, ...]] | None:
        """Read messages from the database, and ask imsg only who types; None where the database cannot be read."""
        if not await self._can_read():
            return None
        around, placing = self._surroundings, Placing(self._surroundings.lines)
        typing = typing_only(self._watch_lane, placing=placing, clock=around.clock, sleep=around.sleep)
        return together(self._database_watcher(placing).observations(cursor), typing)

    def _by_imsg(self, cursor: str | None) -> AsyncIterator[tuple[Observation, ...]]:
        around, placing = self._surroundings, Placing(self._surroundings.lines)
        watching = Watching(
            self._watch_lane,
            placing=placing,
            sent=self._sent,
            tallies=self._tallies,
            clock=around.clock,
            sleep=around.sleep,
            history_messages=self._settings.history_messages,
        )
        return watching.observations(cursor)

    async def perform(self, operation: Operation) -> OperationOutcome:
        try:
            able, methods = await self.capabilities(), (await self._ask_status()).methods
        except (BridgeError, RpcFailed) as error:
            return not_started("imsg_unavailable", str(error))
        missing = missing_of(needs_of(operation.kind, operation.payload), able)
        if missing:
            return rejected("unsupported", f"imsg on this Mac cannot do: {', '.join(missing)}")
        return await self._sending.perform(operation, methods=methods)

    async def lookup(self, operation: Operation) -> OperationOutcome:
        methods = self._status.methods if self._status is not None else frozenset()
        with contextlib.suppress(RpcFailed):  # else as far as was known last
            methods = (await self._ask_status()).methods
        return await self._sending.lookup(operation, methods=methods)

    async def open_attachment(self, ref: str) -> AsyncIterator[bytes]:
        """Give the bytes of an attachment, by its path on the Mac.

        Raises:
            AttachmentGone: It is not in Messages' folder, or on another Mac.
        """
        if self._folder is None:
            raise AttachmentGone("the file is on a Mac that is reached by ssh")
        path = await self._path(ref)
        async for piece in self._folder.read(path):
            yield piece

    async def aclose(self) -> None:
        await self._watch_lane.aclose()
        await self._send_lane.aclose()
        self._reading.close()

    @property
    def _reads_database(self) -> bool:
        return self._settings.reads_database and self._settings.ssh_host is None

    async def _can_read(self) -> bool:
        if not self._reads_database:
            return False
        try:
            await self._reading.run(lambda database: database.schema)
        except Unreadable as error:
            if not self._is_without_database:
                log.warning("imsg.without_database", error=str(error))
            self._is_without_database = True
            return False
        self._is_without_database, self._has_read = False, True
        return True

    async def _path(self, ref: str) -> str:
        """Give the path of an attachment: imsg names it by its path, the database by its guid."""
        if (
            not self._reads_database
            or ref.startswith(("/", "~"))
            or not (await self._can_read() or self._has_read)
        ):
            return ref
        try:
            attachment = await self._reading.run(lambda database: database.attachment(ref))
        except Unreadable as error:
            raise BridgeError(str(error)) from error
        if attachment is None or attachment.filename is None:
            raise AttachmentGone("Messages has no such attachment")
        return attachment.filename

    async def _ask_status(self) -> Status:
        now_ms = self._surroundings.clock.now_ms()
        if self._status is None or not 0 <= now_ms - self._asked_at < _STATUS_MS:
            self._status = read_status(await self._send_lane.request("status"))
            self._asked_at = now_ms
        return self._status

    def _lane(self, name: str) -> Lane:
        around = self._surroundings
        return Lane(
            name, command_of(self._settings), clock=around.clock, sleep=around.sleep, tallies=self._tallies
        )

    def _database_watcher(self, placing: Placing) -> Watcher:
        """Watch chat.db as the bridge `chatdb` does, with its defaults."""
        around, defaults = self._surroundings, ChatDbSettings()
        telling = Telling(placing=placing, sent=self._sent, tallies=self._tallies, now_ms=around.clock.now_ms)
        return Watcher(
            self._reading,
            telling,
            sent=self._sent,
            tallies=self._tallies,
            clock=around.clock,
            sleep=around.sleep,
            pace=Pace(
                poll_seconds=defaults.poll_ms / 1000,
                settle_ms=defaults.settle_ms,
                history_hours=defaults.history_hours,
                history_rows=self._settings.history_messages,
                watched_messages=defaults.watched_messages,
            ),
        )
