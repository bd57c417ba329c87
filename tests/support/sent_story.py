"""One send from its request to its end, on any store: the outcome, the network's evidence, and crashes in any order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace

import msgspec

from hub.flow.directory import DirectoryHolder, load_directory
from hub.flow.event_store import Event
from hub.flow.ingest import BridgeRequest, Ingest
from hub.flow.outgoing import Outgoing
from hub.flow.ports import BridgeAdapter
from hub.flow.record import Recorder
from hub.flow.repeating import Accepted
from hub.flow.repositories import Store
from hub.flow.rows import DueOutbox, MessageRow
from hub.flow.second_thoughts import SecondThoughts
from hub.flow.send import Sending, SendTimeouts
from hub.flow.wishes import Wish
from hub.model.ids import IdFactory, Prefix, parse_id
from hub.model.line import Bridge, Line
from hub.model.observation import Observation
from hub.model.outbox import Disposition, Operation, OperationKind, OperationOutcome, OutboxItem, OutboxState
from hub.model.webhook import StoredSecret
from hub.rules.lanes import shard_of
from hub.rules.sending import SendPolicy
from hub.worker.fallback import adapter_of
from tests.support.manual_time import ManualClock
from tests.support.sightings import CONTACT, LINE_HANDLE

POLICY = SendPolicy(
    most_attempts=3,
    retry_ms=1_000,
    retry_max_ms=9_000,
    lookup_ms=5_000,
    unknown_after_ms=20_000,
    in_flight_ms=60_000,
    fleeting_ms=10_000,
)
UNSURE = OperationOutcome(disposition=Disposition.MAY_HAVE_COMPLETED, code="timeout")
Then = Callable[[], Awaitable[None]]


class NobodyWakes:
    """Wake-ups that reach nobody: the test looks by itself."""

    def deliveries_recorded(self, first_id: int, last_id: int) -> None: ...
    def lane_due(self, webhook_id: int, at_ms: int) -> None: ...
    def line_due(self, line_id: int, at_ms: int) -> None: ...
    def configuration_changed(self) -> None: ...
    def files_due(self) -> None: ...
    def runs_due(self) -> None: ...
    def routes_changed(self) -> None: ...
    def job_added(self) -> None: ...


@dataclass
class ToldBridge:
    """An adapter that answers what the test says."""

    kind: str = "told"
    outcome: OperationOutcome = UNSURE
    #: What a look-up says.
    found: OperationOutcome = UNSURE
    #: Happens between the hand-over and the answer.
    meanwhile: list[Then] = field(default_factory=list)
    asked: list[Operation] = field(default_factory=list)
    able: frozenset[str] = frozenset()

    async def capabilities(self) -> frozenset[str]:
        return self.able

    async def health(self) -> tuple[str, str | None]:
        return "online", None

    async def events(self, cursor: str | None) -> AsyncIterator[Observation]:
        told: tuple[Observation, ...] = ()
        for observation in told:
            yield observation

    async def perform(self, operation: Operation) -> OperationOutcome:
        self.asked.append(operation)
        for happen in self.meanwhile:
            await happen()
        return self.outcome

    async def lookup(self, operation: Operation) -> OperationOutcome:
        return self.found

    async def open_attachment(self, ref: str) -> AsyncIterator[bytes]:
        for piece in (b"",):
            yield piece

    async def aclose(self) -> None:
        """Nothing is held open."""


class Stage:
    """A line on a told bridge, and all that acts on its sends."""

    def __init__(self, store: Store, line: Line, directory: DirectoryHolder, clock: ManualClock) -> None:
        self.store, self.line, self.clock = store, line, clock
        self.bridge = ToldBridge()
        #: The line's second bridge, where it has one.
        self.second = ToldBridge(able=frozenset({"text"}))
        self.new_id = IdFactory(3, clock.now_ms)
        self.wake_ups = NobodyWakes()
        self.recorder = Recorder(
            store=store.hot,
            directory=directory,
            take_ids=self.new_id.take,
            wake_ups=self.wake_ups,
            clock=clock,
        )
        self.outgoing = Outgoing(
            store=store, directory=directory, clock=clock, new_id=self.new_id, wake_ups=self.wake_ups
        )
        self.second_thoughts = SecondThoughts(
            outgoing=self.outgoing,
            recorder=self.recorder,
            clock=clock,
            new_id=self.new_id,
            wake_ups=self.wake_ups,
        )
        self.sending = Sending(
            store=store.hot,
            recorder=self.recorder,
            clock=clock,
            policy=POLICY,
            timeouts=SendTimeouts(perform_seconds=20.0, lookup_seconds=20.0),
        )
        self.ingest = Ingest(
            store=store.hot,
            directory=directory,
            take_ids=self.new_id.take,
            wake_ups=self.wake_ups,
            clock=clock,
        )

    async def ask(self, text: str = "hello", **payload: object) -> Accepted:
        """Ask for a message."""
        wish = Wish(
            kind=OperationKind.SEND, payload={"from": LINE_HANDLE, "to": CONTACT, "text": text, **payload}
        )
        return await self.outgoing.accept_set(self.line, [wish], api_key_id=None)

    async def change(self, kind: OperationKind, message: MessageRow, **payload: object) -> int:
        """Ask for an edit or unsend; give the item."""
        wish = Wish(
            kind=kind,
            payload={"chat_key": f"dm:{CONTACT}", "message_guid": message.guid, **payload},
            message_id=message.id,
        )
        return (await self.outgoing.accept_set(self.line, [wish], api_key_id=None)).outbox_id

    async def retry(self, message_id: int) -> Accepted:
        return await self.second_thoughts.retry(self.line, message_id, api_key_id=None, repeatable=None)

    @property
    def adapter(self) -> BridgeAdapter | None:
        """What sends for the line."""
        adapters = {self.line.bridge_id: self.bridge, self.line.fallback_bridge_id or 0: self.second}
        return adapter_of(self.line, adapters)

    async def tell(self, *observations: Observation, is_second: bool = False) -> None:
        """Let the network show something, the line's first or its second."""
        bridge_id = (self.line.fallback_bridge_id if is_second else None) or self.line.bridge_id
        request = BridgeRequest(bridge_id, f"r{self.new_id()}", b"{}", observations)
        results = await self.ingest(request)
        assert all(result.status != "refused" for result in results), results

    async def due(self, outbox_id: int) -> DueOutbox | None:
        line_id = self.line.id
        items = await self.store.hot.read(lambda tx: tx.due_outbox(line_id, shard_of(line_id), 1_000))
        return next((item for item in items if item.id == outbox_id), None)

    async def step(self, outbox_id: int) -> None:
        """Take the item's next step, if there is one."""
        item = await self.due(outbox_id)
        if item is not None and (adapter := self.adapter) is not None:
            await self.sending.step(item, self.line, adapter)

    async def hand_over_and_crash(self, outbox_id: int) -> None:
        """Mark the hand-over, and die before the answer is recorded."""
        self.bridge.meanwhile.append(_crash)
        item = await self.due(outbox_id)
        assert item is not None
        try:
            await self.sending.step(item, self.line, self.bridge)
        except Crashed:
            self.bridge.meanwhile.remove(_crash)
            return
        raise AssertionError("it did not crash")

    async def owed(self) -> list[int]:
        """The items of the line that are not over."""
        line_id = self.line.id
        items = await self.store.hot.read(lambda tx: tx.due_outbox(line_id, shard_of(line_id), 1_000))
        return [item.id for item in items]

    async def forget(self) -> None:
        """Cancel what a failed example left waiting: a line does one thing after the other."""
        ids = await self.owed()
        await self.store.hot.write(lambda tx: tx.cancel_outbox(ids, self.clock.now_ms()))

    async def end(self, outbox_id: int) -> OutboxItem:
        """Go on until the item has ended."""
        for _ in range(50):
            item = await self.item(outbox_id)
            if item.state >= OutboxState.SENT:
                return item
            await self.step(outbox_id)
            self.clock.advance(5_000)
        raise AssertionError(f"it never ends: {item}")

    async def item(self, outbox_id: int) -> OutboxItem:
        item = await self.store.outbox.get(outbox_id)
        assert item is not None
        return item

    async def message(self, message_id: int) -> MessageRow:
        message = await self.store.messages.get(message_id)
        assert message is not None
        return message

    async def visible(self, *guids: str) -> dict[int, MessageRow]:
        """The messages that can be seen under these guids, by id."""
        found = [await self.store.messages.by_guid(self.line.id, guid) for guid in guids]
        return {message.id: message for message in found if message is not None}

    async def told(self, *message_ids: int) -> list[str]:
        """The types of the events about these messages, oldest first."""
        return [event.type for event in await self.events(*message_ids)]

    async def events(self, *message_ids: int) -> list[Event]:
        known = set(message_ids)
        found = await self.store.events.newest(limit=10_000)
        return [event for event in reversed(found) if _message_id(event) in known]


class Crashed(BaseException):
    """The process is gone: nothing catches this."""


async def _crash() -> None:
    raise Crashed


def _message_id(event: Event) -> int:
    text = msgspec.json.decode(event.data).get("id", "")
    return parse_id(Prefix.MESSAGE, text) if text.startswith("msg_") else 0


async def a_stage(store: Store, *, has_second: bool = False) -> Stage:
    """Put a line on a told bridge into an empty store, if wanted with a second one."""
    clock = ManualClock()
    new_id = IdFactory(2, clock.now_ms)
    bridge = Bridge(
        id=new_id(),
        name="told",
        kind="told",
        secrets=(StoredSecret(text="whsec_" + "A" * 44),),
        cursor=None,
        is_enabled=True,
        created_at=clock.now_ms(),
    )
    line = Line(
        id=new_id(),
        bridge_id=bridge.id,
        handle=LINE_HANDLE,
        label=None,
        service="imessage",
        is_active=True,
        is_contact_first=False,
        pace_ms=0,
        status="online",
        status_reason=None,
        created_at=clock.now_ms(),
    )
    await store.bridges.add(bridge)
    if has_second:
        line = replace(line, fallback_bridge_id=new_id())
        await store.bridges.add(replace(bridge, id=line.fallback_bridge_id or 0, name="second"))
    await store.lines.add(line)
    directory = DirectoryHolder(store, await load_directory(store))
    return Stage(store, line, directory, clock)
