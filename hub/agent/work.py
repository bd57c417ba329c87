"""Claim calls, perform them, and answer: each attempt once, whatever dies in between.

The order makes it so: the hub hears that we begin, the journal keeps it, then the adapter is asked; the journal keeps
the outcome, then the hub hears it. What stands in the journal is never performed again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import msgspec
import structlog

from hub.agent.files import files_of
from hub.agent.journal import Journal
from hub.agent.link import HubAway, HubLink, HubRefused, Superseded
from hub.agent.pauses import Pauses
from hub.flow.agent_calls import AskedAttachment, AskedOperation, write_outcome
from hub.flow.closing import closing
from hub.flow.ports import BridgeAdapter, Clock
from hub.model.bridge_call import CallVerb
from hub.model.errors import AttachmentGone
from hub.model.outbox import Disposition, Operation, OperationOutcome

log = structlog.get_logger("agent")

MOST_AT_ONCE: Final = 8
#: How long the hub may let us wait for work, and how long we wait for the hub beyond that.
WAIT_SECONDS: Final = 25.0
SLACK_SECONDS: Final = 15.0
#: A wedged adapter gives its place up after this time.
PERFORM_SECONDS: Final = 900.0
LOOK_UP_SECONDS: Final = 60.0
EXTEND_SECONDS: Final = 60.0
#: Between two tries to hand over a piece that its reader had no room for.
FULL_SECONDS: Final = 0.25

_UNSEEN: Final = OperationOutcome(
    disposition=Disposition.MAY_HAVE_COMPLETED,
    code="agent_restarted",
    detail="the agent began it, and ended before it saw what became of it",
)
_NEVER_BEGUN: Final = OperationOutcome(
    disposition=Disposition.NOT_STARTED,
    code="agent_restarted",
    detail="the agent ended before it began",
    is_retry_safe=True,
    is_certain=True,
)
_RUNNING: Final = OperationOutcome(disposition=Disposition.STILL_IN_FLIGHT, code="bridge_busy")


class GivenCall(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that we are asked for."""

    call_id: str
    verb: CallVerb
    asked: msgspec.Raw


class _Claimed(msgspec.Struct, frozen=True, kw_only=True):
    calls: list[GivenCall]


class _Noted(msgspec.Struct, frozen=True, kw_only=True):
    is_taken: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkParts:
    """What work needs."""

    link: HubLink
    journal: Journal
    adapter: BridgeAdapter
    clock: Clock
    sleep: Callable[[float], Awaitable[None]]
    draw: Callable[[], float]
    #: The newest that the hub gave us.
    fence: Callable[[], int]
    #: The largest body of a request.
    max_body_bytes: Callable[[], int]


class Work:
    """Does what the hub asks for."""

    def __init__(self, parts: WorkParts) -> None:
        self._parts = parts
        self._link = parts.link
        self._journal = parts.journal
        self._adapter = parts.adapter
        self._tasks: dict[str, asyncio.Task[None]] = {}
        #: Attempts that the adapter is working on.
        self._performing: set[str] = set()
        self._freed = asyncio.Event()

    async def run(self) -> None:
        """Claim for ever.

        Raises:
            Superseded: Another agent has taken the bridge over.
        """
        pauses = Pauses(self._parts.sleep, self._parts.draw)
        try:
            while True:
                try:
                    await self._claim()
                    pauses.over()
                except Superseded:
                    raise
                except (HubAway, HubRefused) as error:
                    log.warning("work.unclaimed", error=str(error))
                    await pauses.take()
        finally:
            await self._end()

    async def drain(self, seconds: float) -> None:
        """Let what was begun come to its end, for some time."""
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()), timeout=seconds)

    async def _end(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _claim(self) -> None:
        free = MOST_AT_ONCE - len(self._tasks)
        if free <= 0:
            self._freed.clear()
            await self._freed.wait()
            return
        wanted = {
            "fence": self._parts.fence(),
            "holding": list(self._tasks),
            "max": free,
            "wait_s": WAIT_SECONDS,
        }
        claimed = await self._link.ask(
            "claim", wanted, _Claimed, timeout_seconds=WAIT_SECONDS + SLACK_SECONDS
        )
        for call in claimed.calls:
            if call.call_id not in self._tasks:
                task = asyncio.get_running_loop().create_task(self._do(call))
                self._tasks[call.call_id] = task
                task.add_done_callback(partial(self._done, call.call_id))

    def _done(self, call_id: str, task: asyncio.Task[None]) -> None:
        del self._tasks[call_id]
        self._freed.set()
        if not task.cancelled() and task.exception() is not None:
            # The next claim says that we hold it no more: the hub looks it up.
            log.error("call.broke", call=call_id, exc_info=task.exception())

    async def _do(self, call: GivenCall) -> None:
        extending = asyncio.get_running_loop().create_task(self._extend(call.call_id))
        try:
            if call.verb is CallVerb.ATTACHMENT:
                ref = msgspec.json.decode(call.asked, type=AskedAttachment).ref
                outcome = await self._bring(call.call_id, ref)
            else:
                asked = msgspec.json.decode(call.asked, type=AskedOperation)
                answer = self._perform if call.verb is CallVerb.PERFORM else self._look_up
                outcome = await answer(call.call_id, asked)
            if outcome is not None:
                await self._tell("ack", call.call_id, outcome=msgspec.Raw(write_outcome(outcome).encode()))
                log.info("call.answered", call=call.call_id, verb=call.verb, disposition=outcome.disposition)
        finally:
            extending.cancel()

    async def _perform(self, call_id: str, asked: AskedOperation) -> OperationOutcome | None:
        operation = asked.operation()
        told = await self._told(operation)
        if told is not None:
            return told
        if not await self._begins(call_id):
            return None
        # While the hub did not answer, another call may have asked for the same.
        told = await self._told(operation)
        if told is not None:
            return told
        self._performing.add(operation.attempt_id)
        try:
            self._journal.begin(operation.attempt_id, self._parts.clock.now_ms())
            async with files_of(call_id, self._parts.fence()):
                outcome = await self._asked(self._adapter.perform(operation), PERFORM_SECONDS)
            self._keep(operation, outcome)
            return outcome
        finally:
            self._performing.discard(operation.attempt_id)

    async def _told(self, operation: Operation) -> OperationOutcome | None:
        """Say what is known of an attempt that was begun before; None if it may be made."""
        if operation.attempt_id in self._performing:
            return _RUNNING
        known = self._journal.attempt(operation.attempt_id)
        if known is None or known.outcome is not None:
            return None if known is None else known.outcome
        return None if "idempotent_send" in await self._adapter.capabilities() else _UNSEEN

    def _keep(self, operation: Operation, outcome: OperationOutcome) -> None:
        if outcome.disposition is Disposition.NOT_STARTED:
            self._journal.forget(operation.attempt_id)
        else:
            self._journal.end(operation.attempt_id, outcome)

    async def _look_up(self, call_id: str, asked: AskedOperation) -> OperationOutcome:
        operation = asked.operation()
        known = self._journal.attempt(operation.attempt_id)
        if operation.attempt_id in self._performing:
            return _RUNNING
        if known is None and asked.asked_of == self._parts.fence():
            return _NEVER_BEGUN  # we were asked, and this is the journal in which it would stand
        if known is not None and known.outcome is not None and _is_certain(known.outcome):
            return known.outcome
        outcome = await self._asked(self._adapter.lookup(operation), LOOK_UP_SECONDS)
        if known is not None and _is_certain(outcome):
            self._journal.end(operation.attempt_id, outcome)
        return replace(outcome, is_certain=False)

    async def _asked(self, asking: Awaitable[OperationOutcome], seconds: float) -> OperationOutcome:
        try:
            async with asyncio.timeout(seconds):
                return await asking
        except TimeoutError:
            return OperationOutcome(disposition=Disposition.MAY_HAVE_COMPLETED, code="bridge_timeout")
        except Exception as error:
            log.error("bridge.failed", kind=self._adapter.kind, exc_info=True)
            return OperationOutcome(
                disposition=Disposition.MAY_HAVE_COMPLETED, code="bridge_failed", detail=type(error).__name__
            )

    async def _bring(self, call_id: str, ref: str) -> OperationOutcome | None:
        """Bring an attachment, piece by piece."""
        if not await self._begins(call_id):
            return None
        number = 0
        try:
            async with contextlib.aclosing(self._pieces(ref)) as pieces:
                async for piece in pieces:
                    while not (await self._tell("content", call_id, number=number, content=piece)).is_taken:
                        await self._parts.sleep(FULL_SECONDS)
                    number += 1
        except AttachmentGone as error:
            return OperationOutcome(
                disposition=Disposition.REJECTED, code="attachment_gone", detail=str(error)
            )
        except HubRefused as error:
            log.info("attachment.unwanted", call=call_id, reason=error.code)
            return None
        except Exception as error:
            log.warning("attachment.broke", call=call_id, exc_info=True)
            return OperationOutcome(
                disposition=Disposition.NOT_STARTED,
                code="bridge_failed",
                detail=type(error).__name__,
                is_retry_safe=True,
            )
        return OperationOutcome(disposition=Disposition.ACCEPTED)

    async def _pieces(self, ref: str) -> AsyncGenerator[bytes, None]:
        """Give an attachment in pieces that fit into a request as base64."""
        most = max(1024, (self._parts.max_body_bytes() - 1024) * 3 // 4)
        held = b""
        async with closing(self._adapter.open_attachment(ref)) as chunks:
            async for chunk in chunks:
                held += chunk
                while len(held) >= most:
                    yield held[:most]
                    held = held[most:]
        if held:
            yield held

    async def _begins(self, call_id: str) -> bool:
        """Tell the hub that we begin; False if the call is no longer ours."""
        return (await self._tell("dispatched", call_id)).is_taken

    async def _extend(self, call_id: str) -> None:
        with contextlib.suppress(HubRefused):  # whoever works on the call hears it, too
            while True:
                await self._parts.sleep(EXTEND_SECONDS)
                await self._tell("extend", call_id)

    async def _tell(self, word: str, call_id: str, **more: Any) -> _Noted:
        """Tell the hub something of a call, until it hears us.

        Raises:
            HubRefused: It does not want to know (Superseded: anything from us).
        """
        pauses = Pauses(self._parts.sleep, self._parts.draw)
        while True:
            try:
                return await self._link.ask(
                    word, {"fence": self._parts.fence(), "call_id": call_id, **more}, _Noted
                )
            except HubAway as error:
                log.warning("hub.away", error=str(error))
                await pauses.take()


def _is_certain(outcome: OperationOutcome) -> bool:
    return outcome.disposition in {Disposition.ACCEPTED, Disposition.REJECTED}
