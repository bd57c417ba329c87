"""A line with two bridges: what the first one's network cannot reach goes as SMS over the other, where that is allowed.

Nothing is remembered between the two: whoever looks an operation up asks both, so a crash at any point repeats nothing.
Only sends fall back; a text that was SMS cannot be edited, taken back or reacted to there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Final

from hub.flow.ports import BridgeAdapter
from hub.model.line import Line
from hub.model.observation import Observation
from hub.model.outbox import UNREACHABLE_CODES, Disposition, Operation, OperationKind, OperationOutcome
from hub.rules.capabilities import missing_of, needs_of

#: What SMS has no room for; Messages drops the same when it falls back.
_LOST: Final = frozenset({"effect", "link_preview", "reply_to_guid", "subject"})


def adapter_of(line: Line, adapters: Mapping[int, BridgeAdapter]) -> BridgeAdapter | None:
    """Give the adapter that sends for a line; None if its bridge runs elsewhere."""
    first = adapters.get(line.bridge_id)
    second = None if line.fallback_bridge_id is None else adapters.get(line.fallback_bridge_id)
    return first if first is None or second is None else WithFallback(first, second)


class WithFallback:
    """Two adapters as one (hub.flow.ports.BridgeAdapter); each is listened to, and closed, by itself."""

    def __init__(self, first: BridgeAdapter, second: BridgeAdapter) -> None:
        self._first = first
        self._second = second
        self.kind = first.kind

    async def capabilities(self) -> frozenset[str]:
        """What the first can do; a repeat is harmless only where it is for both."""
        first, second = await self._first.capabilities(), await self._second.capabilities()
        return (
            first | {"sms_fallback"}
            if "idempotent_send" in second
            else (first - {"idempotent_send"}) | {"sms_fallback"}
        )

    async def health(self) -> tuple[str, str | None]:
        return await self._first.health()

    def events(self, cursor: str | None) -> AsyncIterator[Observation | tuple[Observation, ...]]:
        return self._first.events(cursor)

    async def perform(self, operation: Operation) -> OperationOutcome:
        outcome = await self._first.perform(operation)
        if not _may_fall_back(operation, outcome):
            return outcome
        plain = _plain(operation)
        missing = missing_of(needs_of(plain.kind, plain.payload), await self._second.capabilities())
        if missing:
            detail = f"{outcome.detail or 'not reachable'}; and as SMS the line cannot: {', '.join(missing)}"
            return replace(outcome, detail=detail)
        return _as_sms(await self._second.perform(plain))

    async def lookup(self, operation: Operation) -> OperationOutcome:
        first = await self._first.lookup(operation)
        is_certain = first.disposition in {Disposition.ACCEPTED, Disposition.REJECTED}
        if operation.kind is not OperationKind.SEND or (is_certain and not _may_fall_back(operation, first)):
            return first
        if not operation.payload.get("allow_sms_fallback"):
            return first
        second = await self._second.lookup(_plain(operation))
        if second.disposition is Disposition.NOT_STARTED and not is_certain:
            return first
        return _as_sms(second)

    def open_attachment(self, ref: str) -> AsyncIterator[bytes]:
        return self._first.open_attachment(ref)

    async def aclose(self) -> None:
        """Whoever opened the two closes them."""


def _may_fall_back(operation: Operation, outcome: OperationOutcome) -> bool:
    return (
        operation.kind is OperationKind.SEND
        and bool(operation.payload.get("allow_sms_fallback"))
        and outcome.disposition is Disposition.REJECTED
        and outcome.code in UNREACHABLE_CODES
        and not outcome.parts_done
    )


def _plain(operation: Operation) -> Operation:
    payload = {name: value for name, value in operation.payload.items() if name not in _LOST}
    return replace(operation, payload=payload)


def _as_sms(outcome: OperationOutcome) -> OperationOutcome:
    is_sent = outcome.disposition is Disposition.ACCEPTED
    return replace(outcome, was_downgraded=True) if is_sent else outcome
