"""BlueBubbles as a bridge: its parts, put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from bridge.bluebubbles.answers import not_started, rejected
from bridge.bluebubbles.catching_up import PAGE
from bridge.bluebubbles.chats import key_of
from bridge.bluebubbles.feed import Feed
from bridge.bluebubbles.knowledge import Knowledge
from bridge.bluebubbles.looking import Looking
from bridge.bluebubbles.operating import Operating
from bridge.bluebubbles.proof import Proof
from bridge.bluebubbles.sending import Sending
from bridge.bluebubbles.settings import BlueBubblesSettings
from bridge.bluebubbles.state import ServerState
from bridge.bluebubbles.wire import Patience, Server, segment
from hub.flow.bridge_kinds import Surroundings
from hub.flow.calling import CallFailed
from hub.model.errors import AttachmentGone, BridgeError
from hub.model.observation import Observation
from hub.model.outbox import Disposition, Operation, OperationOutcome
from hub.rules.capabilities import missing_of, needs_of

_GONE: Final = frozenset({400, 404})


class BlueBubblesBridge:
    """Adapter to one BlueBubbles server (hub.flow.ports.BridgeAdapter)."""

    kind: str = "bluebubbles"

    def __init__(
        self,
        settings: BlueBubblesSettings,
        surroundings: Surroundings,
        *,
        patience: Patience | None = None,
        page: int = PAGE,
    ) -> None:
        """Put it together; the server is not called yet.

        Args:
            settings: Of its owner.
            surroundings: Clock, ways out, files and lines.
            patience: How long requests may take.
            page: Messages asked for at once.
        """
        self._settings = settings
        self._surroundings = surroundings
        self._page = page
        self._server = server = Server(settings, surroundings.caller, patience=patience or Patience())
        self._knowledge = knowledge = Knowledge()
        self._state = state = ServerState(server, settings, surroundings.clock)
        self.looking = Looking(server, knowledge, settings=settings, surroundings=surroundings)
        files, clock = surroundings.files, surroundings.clock
        sending = Sending(server, state, knowledge, settings=settings, files=files)
        self._operating = Operating(server, state, knowledge, sending, settings=settings, files=files)
        self._proof = Proof(server, state, knowledge, sending, settings=settings, files=files, clock=clock)

    def __repr__(self) -> str:
        return f"BlueBubblesBridge({self._server!r})"

    async def capabilities(self) -> frozenset[str]:
        return await self._state.capabilities()

    async def health(self) -> tuple[str, str | None]:
        return await self._state.health()

    async def events(self, cursor: str | None) -> AsyncIterator[Observation | tuple[Observation, ...]]:
        feed = Feed(
            self._server,
            self._state,
            self.looking,
            settings=self._settings,
            surroundings=self._surroundings,
            page=self._page,
        )
        told = feed.told(cursor)
        try:
            async for observation in told:
                yield observation
        finally:
            await told.aclose()

    async def perform(self, operation: Operation) -> OperationOutcome:
        state, why = await self._state.health()
        if state == "offline":
            # Of a server that is away nobody knows what it can do, and what is not asked for is certainly not done.
            return not_started(self._state.fault, why or "the server is away")
        missing = missing_of(needs_of(operation.kind, operation.payload), await self.capabilities())
        if missing:
            return rejected("unsupported", f"this Mac cannot do: {', '.join(missing)}")
        key = key_of(operation.payload)
        self._knowledge.under_way[key] += 1
        try:
            outcome = await self._operating.perform(operation)
        finally:
            self._knowledge.under_way[key] -= 1
            if not self._knowledge.under_way[key]:
                del self._knowledge.under_way[key]
        if outcome.disposition in (Disposition.NOT_STARTED, Disposition.MAY_HAVE_COMPLETED):
            self._state.forget()
        return outcome

    async def lookup(self, operation: Operation) -> OperationOutcome:
        return await self._proof.lookup(operation)

    async def open_attachment(self, ref: str) -> AsyncIterator[bytes]:
        """Give the bytes of an attachment, as they were sent.

        Raises:
            AttachmentGone: The Mac does not know it.
            BridgeError: It cannot be had now: not downloaded yet, or the server is away.
        """
        path = f"/attachment/{segment(ref)}/download"
        try:
            async with self._server.stream(path, {"original": "true"}) as reply:
                if reply.status in _GONE:
                    raise AttachmentGone("the Mac does not know this attachment")
                if not 200 <= reply.status < 300:
                    # 500 "does not exist in disk": iCloud has it, or it is on its way.
                    raise BridgeError(f"the server answered {reply.status} to a download")
                async for piece in reply.pieces:
                    yield piece
        except CallFailed as failure:
            raise BridgeError(f"the download failed: {failure.detail}") from None

    async def aclose(self) -> None:
        """Nothing is held open beside `events`, which ends with whoever reads it."""
