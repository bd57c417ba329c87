"""A Mac with imsg, without a Mac: a program of that name, its messages in a file, and the bridge beside it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from bridge.imsg.bridge import ImsgBridge
from bridge.imsg.settings import ImsgSettings
from hub.model.ids import IdFactory
from hub.model.observation import Observation
from hub.model.outbox import Operation, OperationKind
from tests.bridge.conformance import BridgeHarness
from tests.bridge.imsg.network import Network
from tests.bridge.macos.fast_time import FastTime
from tests.bridge.macos.listening import Listening
from tests.bridge.macos.surroundings import CONTACT, LINE, MemoryFiles, surroundings

FAKE: Final = Path(__file__).parent / "fake_imsg.py"
_MUTATING: Final = frozenset({OperationKind.SEND, OperationKind.REACT, OperationKind.POLL})
#: What needs imsg's helper inside Messages.
HELPER: Final = [
    "bridge.events.subscribe", "chats.create", "chats.markUnread", "group.addParticipant", "group.leave",
    "group.removeParticipant", "group.rename", "group.setIcon", "handles.check", "message.edit", "message.unsend",
    "poll.send", "send.attachment", "send.rich", "send.tracked", "tapback",
]  # fmt: skip


class ImsgHarness(BridgeHarness):
    """The bridge behind the conformance suite, and more for its own tests."""

    def __init__(self, folder: Path, *, off: list[str] | None = None, **settings: Any) -> None:
        self.folder = folder
        (folder / "Attachments").mkdir()
        self.time = FastTime(folder)
        self.network = Network(folder)
        self.files = MemoryFiles()
        self.lines = [LINE]
        self._switches: dict[str, Any] = {"words": {}, "off": off or [], "emoji": 2}
        self.switch()
        program = folder / "imsg"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}" "{folder}" "$@"\n')
        program.chmod(0o755)
        given = {
            "program": str(program),
            "attachments": str(folder / "Attachments"),
            "database": str(folder / "no chat.db"),
            **settings,
        }
        self.settings = ImsgSettings(**given)
        self._new_id = IdFactory(0, self.time.now_ms)
        self._bridges: list[ImsgBridge] = []
        self._bridge = self.restarted()

    @property
    def adapter(self) -> ImsgBridge:
        return self._bridge

    @property
    def shown_as(self) -> str:
        return f"imsg without {self._switches['off']}"

    def restarted(self) -> ImsgBridge:
        """Give a new bridge on the same Mac, as after a crash."""
        self._bridge = ImsgBridge(self.settings, surroundings(self.time, lines=self.lines, files=self.files))
        self._bridges.append(self._bridge)
        return self._bridge

    async def aclose(self) -> None:
        for bridge in self._bridges:
            await bridge.aclose()

    def switch(self, words: dict[str, str] | None = None, **more: Any) -> None:
        """Let things fail: words or a method's name → fault; `watch`, `off`, `emoji`, `events`, `no_database`."""
        if words is not None:
            self._switches["words"] = words
        self._switches |= more
        path = self.folder / "switches.json"
        path.with_suffix(".new").write_text(json.dumps(self._switches))
        path.with_suffix(".new").rename(path)

    def calls(self, method: str = "") -> list[dict[str, Any]]:
        """Give the parameters that methods with this beginning were asked with."""
        path = self.folder / "calls.jsonl"
        read = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [params for name, params in read if name.startswith(method)]

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

    async def watched(self) -> None:
        """Wait until imsg is listened to."""
        await self.asked("watch.subscribe")

    async def asked(self, method: str, times: int = 1) -> None:
        """Wait until imsg was asked for something so often."""
        while len(self.calls(method)) < times:  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.01)

    def came(self, text: str = "hi", *, chat: str = CONTACT, **more: Any) -> str:
        """Let a message come in."""
        return self.network.add(at_ms=self.time.now_ms(), chat=chat, own=False, text=text, **more)

    def timing_out(self) -> tuple[Operation, ...]:
        self.switch({"hangs and is sent": "hangs_sent", "hangs and is lost": "hangs_unsent"})
        return (self.send("hangs and is sent"), self.send("hangs and is lost"))

    def arrived(self, operation: Operation) -> int:
        own = [each for each in self.network.all() if each["is_from_me"]]
        if operation.kind is OperationKind.SEND and operation.payload.get("text"):
            return sum(each["text"] == operation.payload["text"] for each in own)
        return 0

    async def hear(self) -> list[Observation]:
        """As it comes."""
        async with self.listening() as heard:
            await self.watched()
            self.came("hi")
            await heard.until_quiet(at_least=1)
            return heard.all

    async def seen(self) -> list[Observation]:
        return await self.told()

    async def told(self, cursor: str | None = None) -> list[Observation]:
        """Give all that is told from the cursor on, until there is no more."""
        async with self.listening(cursor) as heard:
            await heard.until_quiet(at_least=1)
            return heard.all

    @contextlib.asynccontextmanager
    async def listening(self, cursor: str | None = None) -> AsyncIterator[Listening]:
        listening = Listening(self._bridge.events(cursor))
        try:
            yield listening
        finally:
            await listening.stop()
