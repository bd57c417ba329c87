"""Look through what a bridge brought and could not be taken in, and take it in again, for instance after an upgrade."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import msgspec

from hub.flow.bridge_kinds import BridgeWorld, HookReply, HookRequest
from hub.flow.bridge_settings import read_settings
from hub.flow.ingest import BridgeRequest, ObservationResult
from hub.flow.ports import Clock
from hub.flow.refused_store import RefusedPayloads
from hub.model.errors import InvalidRequest
from hub.model.line import Bridge
from hub.model.observation import Observation
from hub.model.refused import Form, RefusalCode, Refused, RefusedPayload
from hub.rules.refusals import validate

_NOT_TAKEN = (
    "Nothing reads such a payload again: its bridge tells it once more, or never ({code}). docs/bridges.md says what "
    "to do."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class TakenAgain:
    """What became of a payload that was given to its reader once more."""

    #: `refused`: as before, and still kept. The others: it is taken in, and kept no more.
    status: Literal["recorded", "duplicate", "refused"]
    #: Why it is refused.
    reason: str | None = None


class RefusedDesk:
    """What operators do."""

    def __init__(
        self,
        *,
        store: RefusedPayloads,
        world: BridgeWorld,
        ingest: Callable[[BridgeRequest], Awaitable[tuple[ObservationResult, ...]]],
        clock: Clock,
        new_id: Callable[[], int],
    ) -> None:
        self._store = store
        self._world = world
        self._ingest = ingest
        self._clock = clock
        self._new_id = new_id

    async def page(self, bridge_id: int, *, after: int | None, limit: int) -> list[RefusedPayload]:
        """Newest first."""
        return await self._store.page(bridge_id, after=after, limit=limit)

    async def get(self, bridge_id: int, payload_id: int) -> RefusedPayload:
        """Find one.

        Raises:
            InvalidRequest: payload_not_found.
        """
        found = await self._store.get(bridge_id, payload_id)
        if found is None:
            raise InvalidRequest("payload_not_found", "The payload is not kept, or not any more.")
        return found

    async def take_in_again(self, bridge: Bridge, payload_id: int) -> TakenAgain:
        """Read a payload as this version of the hub does; nothing is recorded twice.

        Raises:
            InvalidRequest: payload_not_found; payload_not_readable for one that nothing here reads.
        """
        payload = await self.get(bridge.id, payload_id)
        read = await self._read(bridge, payload.refused)
        if isinstance(read, str):
            return TakenAgain(status="refused", reason=read)
        results = await self._ingest(
            BridgeRequest(bridge.id, f"again.{self._new_id():x}", payload.refused.raw, tuple(read))
        )
        refused = next((each.message for each in results if each.status == "refused"), None)
        if refused is not None:
            return TakenAgain(status="refused", reason=refused)
        await self._store.delete(bridge.id, payload_id)
        is_new = any(each.status == "recorded" for each in results)
        return TakenAgain(status="recorded" if is_new else "duplicate")

    async def _read(self, bridge: Bridge, refused: Refused) -> Sequence[Observation] | str:
        """Give what it shows, or why it still shows nothing."""
        if not can_be_read(refused):
            raise InvalidRequest("payload_not_readable", _NOT_TAKEN.format(code=refused.code.value))
        if refused.form is Form.REQUEST:
            read = await self._read_request(bridge, refused)
        else:
            read = _read_observation(refused.raw)
        if isinstance(read, str):
            return read
        for each in read:
            wrong = validate(each, now_ms=self._clock.now_ms())
            if wrong is not None:
                return f"{wrong.path}: {wrong.why}"
        return read or "It still shows nothing."

    async def _read_request(self, bridge: Bridge, refused: Refused) -> Sequence[Observation] | str:
        kind = self._world.kind_here(bridge.kind)
        if kind is None or kind.open_hooks is None:
            return f"Bridges of the kind '{bridge.kind}' do not run in this hub."
        noted: list[Refused] = []
        surroundings = replace(self._world.surroundings(bridge.id), refuse=noted.append)
        hooks = kind.open_hooks(read_settings(kind, bridge.settings or {}), surroundings)
        request = HookRequest(
            method="POST",
            url="",
            query=refused.query,
            headers={"content-type": refused.content_type},
            body=refused.raw,
        )
        try:
            reply = await hooks.read(request)
        except Exception as error:
            return f"The bridge's reader broke over it ({type(error).__name__})."
        return _why_not(reply, noted) or reply.observations


def can_be_read(refused: Refused) -> bool:
    """Tell whether there is a reader for it: it is whole, and of a form that stands for itself."""
    return refused.form is not Form.OTHER and refused.is_whole and bool(refused.raw)


def _read_observation(raw: bytes) -> Sequence[Observation] | str:
    try:
        return (msgspec.json.decode(raw, type=Observation),)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return f"It is no observation: {error}."


def _why_not(reply: HookReply, noted: Sequence[Refused]) -> str | None:
    """Say why a request is not taken in as a whole; what is known to be of no use does not count."""
    left = next((each for each in noted if each.code is not RefusalCode.UNUSED), None)
    if left is not None:
        return left.reason
    is_read = reply.status < 400 and reply.refusal in {None, RefusalCode.UNUSED}
    return None if is_read else reply.reason or "It still cannot be read."
