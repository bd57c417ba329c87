"""Messages on a Mac as a bridge like any other: chat.db is watched, AppleScript sends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from bridge.chatdb.applescript import OSASCRIPT
from bridge.chatdb.database import Unreadable
from bridge.chatdb.messages_app import PGREP, is_messages_running
from bridge.chatdb.reading import Reading
from bridge.chatdb.sending import Sending
from bridge.chatdb.settings import ChatDbSettings
from bridge.chatdb.telling import Telling
from bridge.chatdb.watcher import Pace, Watcher
from bridge.macos.file_folder import FileFolder
from bridge.macos.outcomes import rejected, unknown
from bridge.macos.placing import Placing
from bridge.macos.sends import SentMemory
from bridge.macos.tallies import Tallies
from hub.flow.bridge_kinds import Surroundings
from hub.model.errors import AttachmentGone, BridgeError
from hub.model.observation import Observation
from hub.model.outbox import Operation, OperationKind, OperationOutcome
from hub.rules.capabilities import missing_of, needs_of

LISTENS: Final = frozenset({"delivered", "history", "read_in"})
SENDS: Final = frozenset({"attachments", "text"})
#: How long a file may be on its way before it is given up.
_FILE_DAYS_MS: Final = 7 * 24 * 60 * 60 * 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Programs:
    """The Mac's own programs that are run."""

    osascript: Sequence[str] = (OSASCRIPT,)
    pgrep: Sequence[str] = (PGREP,)


MAC: Final = Programs()


class ChatDbBridge:
    """The adapter."""

    kind: str = "chatdb"

    def __init__(
        self, settings: ChatDbSettings, surroundings: Surroundings, *, programs: Programs = MAC
    ) -> None:
        self._settings = settings
        self._surroundings = surroundings
        self._programs = programs
        self._reading = Reading(settings.database)
        self._folder = FileFolder(settings.attachments)
        self._sent = SentMemory()
        self._tallies = Tallies(self.kind, surroundings.refuse)
        self._sending = Sending(
            self._reading,
            self._folder,
            sent=self._sent,
            files=surroundings.files,
            clock=surroundings.clock,
            sleep=surroundings.sleep,
            osascript=programs.osascript,
            most_bytes=settings.most_file_mb * 1024 * 1024,
            has_sms=settings.sms_fallback,
        )

    @property
    def passed_over(self) -> dict[str, int]:
        """What was not told, by reason."""
        return self._tallies.counts()

    async def capabilities(self) -> frozenset[str]:
        if not self._settings.sends:
            return LISTENS
        return LISTENS | SENDS | ({"sms_fallback"} if self._settings.sms_fallback else frozenset())

    async def health(self) -> tuple[str, str | None]:
        try:
            schema = await self._reading.run(lambda database: database.schema)
        except Unreadable as error:
            return "offline", str(error)
        if await is_messages_running(self._programs.pgrep, self._surroundings.sleep) is False:
            return "degraded", "Messages is not running on this Mac: nothing comes in and nothing goes out"
        if schema.missed:
            return "degraded", f"this chat.db does not tell: {', '.join(schema.missed)}"
        return "online", None

    def events(self, cursor: str | None) -> AsyncIterator[tuple[Observation, ...]]:
        settings, around = self._settings, self._surroundings
        telling = Telling(
            placing=Placing(around.lines), sent=self._sent, tallies=self._tallies, now_ms=around.clock.now_ms
        )
        watcher = Watcher(
            self._reading,
            telling,
            sent=self._sent,
            tallies=self._tallies,
            clock=around.clock,
            sleep=around.sleep,
            pace=Pace(
                poll_seconds=settings.poll_ms / 1000,
                settle_ms=settings.settle_ms,
                history_hours=settings.history_hours,
                watched_messages=settings.watched_messages,
            ),
        )
        return watcher.observations(cursor)

    async def perform(self, operation: Operation) -> OperationOutcome:
        missing = missing_of(needs_of(operation.kind, operation.payload), await self.capabilities())
        if missing or operation.kind is not OperationKind.SEND:
            return rejected("unsupported", f"AppleScript cannot do: {', '.join(missing) or operation.kind}")
        return await self._sending.send(operation)

    async def lookup(self, operation: Operation) -> OperationOutcome:
        if operation.kind is not OperationKind.SEND:
            return unknown("not_found", "only sends can be looked for")
        return await self._sending.lookup(operation)

    async def open_attachment(self, ref: str) -> AsyncIterator[bytes]:
        """Give the bytes of an attachment, by its guid.

        Raises:
            AttachmentGone: Messages knows no such file, or has given it up, or it lies outside its folder.
            BridgeError: It is not there yet, or chat.db cannot be read now.
        """
        try:
            attachment = await self._reading.run(lambda database: database.attachment(ref))
        except Unreadable as error:
            raise BridgeError(str(error)) from error
        if attachment is None or attachment.filename is None:
            raise AttachmentGone("Messages has no such attachment")
        is_young = attachment.age_ms(self._surroundings.clock.now_ms()) < _FILE_DAYS_MS
        if is_young and not attachment.is_complete and self._folder.find(attachment.filename) is None:
            raise BridgeError("the file has not arrived on the Mac yet")
        async for piece in self._folder.read(attachment.filename):
            yield piece

    async def aclose(self) -> None:
        self._reading.close()
