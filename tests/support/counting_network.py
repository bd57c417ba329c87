"""A network in a folder, for agents in processes of their own: each send is a line in a file, so nothing is forgotten.

Run as a program it is `hub agent run` for the folder that is named: python -m tests.support.counting_network FOLDER.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from bridge.sandbox.ids import guid_for
from hub.app.agent import run_agent
from hub.flow.bridge_kinds import BridgeKind, Surroundings
from hub.model.errors import AttachmentGone
from hub.model.observation import Observation, ObservedChat, ObservedMessage, Part
from hub.model.outbox import Disposition, Operation, OperationOutcome
from hub.observe.logs import configure_logs

LOOK_SECONDS = 0.02


class CountingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the network is."""

    folder: str


class CountingBridge:
    """Its files: `sent` (attempt ids), `inbox` (a text a line), `hold-before` and `hold-after` (while they are there, a
    send waits before or after the network has it: each, or those whose text is a line there), `cut` (texts whose answer
    is lost), `reached` (texts of sends that wait or waited).
    """

    kind = "counting"

    def __init__(self, settings: CountingSettings, surroundings: Surroundings) -> None:
        self._folder = Path(settings.folder)
        self._surroundings = surroundings

    async def capabilities(self) -> frozenset[str]:
        return frozenset({"text", "attachments"})

    async def health(self) -> tuple[str, str | None]:
        return "online", None

    async def events(self, cursor: str | None) -> AsyncIterator[Observation]:
        told = int(cursor or 0)
        while True:
            for text in self._lines("inbox")[told:]:
                told += 1
                yield self._heard(text, told)
            await asyncio.sleep(LOOK_SECONDS)

    async def perform(self, operation: Operation) -> OperationOutcome:
        text = str(operation.payload.get("text", ""))
        await self._hold("before", text)
        await self._keep_files(operation)
        with (self._folder / "sent").open("a") as file:
            file.write(f"{operation.attempt_id}\n")
            file.flush()
            os.fsync(file.fileno())
        await self._hold("after", text)
        if text in self._lines("cut"):
            return OperationOutcome(disposition=Disposition.MAY_HAVE_COMPLETED, code="cut")
        return self._accepted(operation)

    async def lookup(self, operation: Operation) -> OperationOutcome:
        if operation.attempt_id in self._lines("sent"):
            return self._accepted(operation)
        return OperationOutcome(disposition=Disposition.MAY_HAVE_COMPLETED, code="not_seen")

    async def open_attachment(self, ref: str) -> AsyncIterator[bytes]:
        path = self._folder / ref
        if not path.is_file():
            raise AttachmentGone("there is no such file")
        with path.open("rb") as file:
            while piece := file.read(100_000):
                yield piece

    async def aclose(self) -> None:
        """Nothing is held open."""

    def _lines(self, name: str) -> list[str]:
        path = self._folder / name
        return path.read_text().splitlines() if path.exists() else []

    def _accepted(self, operation: Operation) -> OperationOutcome:
        return OperationOutcome(disposition=Disposition.ACCEPTED, provider_id=guid_for(operation.attempt_id))

    async def _hold(self, where: str, text: str) -> None:
        while self._is_held(where, text):
            if text not in self._lines("reached"):
                with (self._folder / "reached").open("a") as file:
                    file.write(f"{text}\n")
            await asyncio.sleep(LOOK_SECONDS)

    def _is_held(self, where: str, text: str) -> bool:
        name = f"hold-{where}"
        return (self._folder / name).exists() and (not (held := self._lines(name)) or text in held)

    async def _keep_files(self, operation: Operation) -> None:
        names = operation.payload.get("attachments") or ()
        for name in names if isinstance(names, list) else ():
            file = await self._surroundings.files.open_file(str(name))
            content = b"".join([piece async for piece in file.chunks])
            (self._folder / f"sent-{file.filename}").write_bytes(content)

    def _heard(self, text: str, number: int) -> Observation:
        now_ms = self._surroundings.clock.now_ms()
        part = Part(type="text", text=text)
        if text.startswith("file:"):
            name = text.removeprefix("file:")
            part = Part(type="attachment", ref=name, filename=name, mime_type="application/octet-stream")
        return Observation(
            v=1,
            line=self._surroundings.lines()[0],
            kind="message.received",
            at=now_ms,
            chat=ObservedChat(key="dm:+15550100001"),
            actor="+15550100001",
            message=ObservedMessage(provider_id=f"IN-{number}", parts=(part,)),
            cursor=str(number),
        )


COUNTING = BridgeKind(
    name="counting",
    title="A network in a folder",
    settings=CountingSettings,
    secret_settings=frozenset(),
    open=CountingBridge,
)

if __name__ == "__main__":
    configure_logs(level="info", form="json", process="agent")
    asyncio.run(run_agent(Path(sys.argv[1]), {COUNTING.name: COUNTING}))
