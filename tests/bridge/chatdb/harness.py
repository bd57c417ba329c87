"""A Mac without a Mac: a chat.db in WAL mode, an osascript of ours that writes into it, and the bridge that watches."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from bridge.chatdb.applescript import SCRIPT
from bridge.chatdb.bridge import ChatDbBridge, Programs
from bridge.chatdb.database import ChatDatabase
from bridge.chatdb.settings import ChatDbSettings
from bridge.chatdb.telling import Telling
from bridge.macos.placing import Placing
from bridge.macos.sends import SentMemory
from bridge.macos.tallies import Tallies
from hub.model.ids import IdFactory
from hub.model.observation import Observation
from hub.model.outbox import Operation, OperationKind
from tests.bridge.chatdb.builder import Builder
from tests.bridge.conformance import BridgeHarness
from tests.bridge.macos.fast_time import FastTime
from tests.bridge.macos.listening import Listening
from tests.bridge.macos.surroundings import CONTACT, LINE, MemoryFiles, surroundings

FAKE: Final = Path(__file__).parent / "fake_osascript.py"


class ChatDbHarness(BridgeHarness):
    """The bridge behind the conformance suite, and more for its own tests."""

    def __init__(
        self, folder: Path, *, generation: int = 26, lines: tuple[str, ...] = (LINE,), **settings: Any
    ) -> None:
        self.folder = folder
        self.attachments = folder / "Attachments"
        self.attachments.mkdir(exist_ok=True)
        self.time = FastTime(folder)
        self.builder = Builder(folder / "chat.db", generation=generation)
        self.files = MemoryFiles()
        self.lines = list(lines)
        self.switch({})
        (folder / "script").write_text(SCRIPT)
        self.settings = ChatDbSettings(
            database=str(folder / "chat.db"), attachments=str(self.attachments), **settings
        )
        self._new_id = IdFactory(0, self.time.now_ms)
        self._bridge = self.restarted()

    @property
    def adapter(self) -> ChatDbBridge:
        return self._bridge

    @property
    def shown_as(self) -> str:
        return f"chatdb {self.builder.generation}"

    @property
    def programs(self) -> Programs:
        return Programs(osascript=(sys.executable, str(FAKE), str(self.folder)), pgrep=("true",))

    def restarted(self) -> ChatDbBridge:
        """Give a new bridge on the same Mac, as after a crash."""
        around = surroundings(self.time, lines=self.lines, files=self.files)
        self._bridge = ChatDbBridge(self.settings, around, programs=self.programs)
        return self._bridge

    def switch(self, faults: dict[str, str]) -> None:
        """Let sends fail: words, or a file's name → fault."""
        (self.folder / "switches.json").write_text(json.dumps(faults))

    def calls(self) -> list[list[str]]:
        """Give what the script was asked to send: route, target, service, kind, content."""
        path = self.folder / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def read(self, path: str) -> bytes:
        return Path(path).read_bytes()

    def operation(self, kind: OperationKind, **payload: object) -> Operation:
        return Operation(
            outbox_id=self._new_id(),
            line_handle=LINE,
            kind=kind,
            payload={"from": LINE, "to": CONTACT, **payload},
            dispatched_at=self.time.now_ms(),
        )

    def send(self, text: str = "hello", **payload: object) -> Operation:
        return self.operation(OperationKind.SEND, text=text, **payload)

    def timing_out(self) -> tuple[Operation, ...]:
        self.switch({"hangs and is sent": "hangs_sent", "hangs and is lost": "hangs_unsent"})
        return (self.send("hangs and is sent"), self.send("hangs and is lost"))

    def arrived(self, operation: Operation) -> int:
        if operation.kind is not OperationKind.SEND:
            return 0
        words = operation.payload.get("text")
        return sum(call[4] == words for call in self.calls() if call[4] != "hangs and is lost")

    async def hear(self) -> list[Observation]:
        """As it comes: words, and a tapback to them."""
        async with self.listening() as heard:
            await heard.until_quiet()
            chat, at_ms = self.builder.chat(CONTACT), self.time.now_ms()
            words = self.builder.message(chat, "hi", sender=CONTACT, at_ms=at_ms)
            self.builder.tapback(chat, words, 2000, sender=CONTACT, at_ms=at_ms + 1_000)
            await heard.until_quiet(at_least=2)
            return heard.all

    async def seen(self) -> list[Observation]:
        return await self.told()

    def told_at_once(self) -> list[Observation]:
        """Give what all rows lead to, without watching."""
        telling = Telling(
            placing=Placing(lambda: self.lines),
            sent=SentMemory(),
            tallies=Tallies("chatdb"),
            now_ms=self.time.now_ms,
        )
        database = ChatDatabase(self.settings.database)
        try:
            rows = database.messages_between(0, database.last_rowid(), limit=1_000)
            return telling.tell(database, rows, since_ms=0).observations
        finally:
            database.close()

    async def told(self, cursor: str | None = None) -> list[Observation]:
        """Give all that is told from the cursor on, until there is no more."""
        async with self.listening(cursor) as heard:
            return await heard.until_quiet(at_least=1)

    @contextlib.asynccontextmanager
    async def listening(self, cursor: str | None = None) -> AsyncIterator[Listening]:
        listening = Listening(self._bridge.events(cursor))
        try:
            yield listening
        finally:
            await listening.stop()
