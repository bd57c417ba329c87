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
from hub.model.outbox import (
    AS_SMS,
    UNREACHABLE_CODES,
    Disposition,
    Operation,
    OperationKind,
    OperationOutcome,
)
from hub.rules.capabilities import missing_of, needs_of

#: What SMS has no room for; Messages drops the same when it falls back.
_LOST: Final = frozenset({AS_SMS, "effect", "link_preview", "reply_to_guid", "subject"})
#: What the first network has said of a message that goes straight to the second (hub.flow.late_fallback).
_UNREACHED: Final = OperationOutcome(
    disposition=Disposition.REJECTED, code="22", detail="the first network could not deliver it"
)
_AWAY: Final = OperationOutcome(
    disposition=Disposition.NOT_STARTED,
    code="bridge_offline",
    detail="the line's second bridge does not run",
    is_retry_safe=True,
    is_certain=True,
)
_IN_DOUBT: Final = OperationOutcome(
    disposition=Disposition.MAY_HAVE_COMPLETED,
    code="bridge_offline",
    detail="the line's second bridge does not run",
)


def adapter_of(line: Line, adapters: Mapping[int, BridgeAdapter]) -> BridgeAdapter | None:
    """Give the adapter that sends for a line; None if its bridge runs elsewhere."""
    first = adapters.get(line.bridge_id)
    if first is None or line.fallback_bridge_id is None:
        return first
    return WithFallback(first, adapters.get(line.fallback_bridge_id))


class WithFallback:
    """Two adapters as one (hub.flow.ports.BridgeAdapter); each is listened to, and closed, by itself."""

    def __init__(self, first: BridgeAdapter, second: BridgeAdapter | None) -> None:
        self._first = first
        self._second = second
        self.kind = first.kind

    async def capabilities(self) -> frozenset[str]:
        """What the first can do; a repeat is harmless only where it is for both."""
        if self._second is None:
            return await self._first.capabilities()
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
        if operation.payload.get(AS_SMS):
            return _AWAY if self._second is None else await _sent_as_sms(self._second, operation, _UNREACHED)
        outcome = await self._first.perform(operation)
        if self._second is None or not _may_fall_back(operation, outcome):
            return outcome
        return await _sent_as_sms(self._second, operation, outcome)

    async def lookup(self, operation: Operation) -> OperationOutcome:
        if operation.payload.get(AS_SMS):
            return (
                _IN_DOUBT if self._second is None else _as_sms(await self._second.lookup(_plain(operation)))
            )
        first = await self._first.lookup(operation)
        is_certain = first.disposition in {Disposition.ACCEPTED, Disposition.REJECTED}
        if operation.kind is not OperationKind.SEND or (is_certain and not _may_fall_back(operation, first)):
            return first
        if self._second is None or not operation.payload.get("allow_sms_fallback"):
            return first
        second = await self._second.lookup(_plain(operation))
        if second.disposition is Disposition.NOT_STARTED and not is_certain:
            return first
        return _as_sms(second)

    def open_attachment(self, ref: str) -> AsyncIterator[bytes]:
        return self._first.open_attachment(ref)

    async def aclose(self) -> None:
        """Whoever opened the two closes them."""


async def _sent_as_sms(
    second: BridgeAdapter, operation: Operation, refused: OperationOutcome
) -> OperationOutcome:
    plain = _plain(operation)
    missing = missing_of(needs_of(plain.kind, plain.payload), await second.capabilities())
    if missing:
        detail = f"{refused.detail or 'not reachable'}; and as SMS the line cannot: {', '.join(missing)}"
        return replace(refused, detail=detail)
    return _as_sms(await second.perform(plain))


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
