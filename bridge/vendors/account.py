"""What a vendor's account must be able to do for the bridge that is made of it, and what it tells of a message.

One class per vendor implements `Account`; bridge.vendors.bridge does the rest, the same for all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from bridge.checkups import NO_API, State
from bridge.http_api import Answer
from hub.flow.bridge_kinds import Finding
from hub.model.errors import BridgeError
from hub.model.observation import Observation
from hub.model.outbox import Operation, OperationKind, OperationOutcome

log = structlog.get_logger("bridge.vendors")

#: Of a list, in one round.
MOST_PAGES: Final = 200
Act = Callable[[Operation], Awaitable[OperationOutcome]]


def tell_cut(title: str) -> None:
    """Say that a list was longer than what is read of it: what is further back stays untold."""
    log.warning("vendor.list_cut", vendor=title, pages=MOST_PAGES, reason="older messages are not taken in")


class VendorRefused(BridgeError):
    """The vendor answered a question, and not with what was asked for."""

    def __init__(self, title: str, answer: Answer) -> None:
        what = "nothing that can be read" if answer.is_good else f"status {answer.status}"
        super().__init__(f"{title} answered with {what}")
        self.answer = answer


def trouble_of(title: str, answer: Answer) -> State | None:
    """Say how an account is whose vendor does not answer as its API does; None for an answer that can be read."""
    status = answer.status
    if status in (401, 403):
        return "offline", f"{title} does not take the API key; set the bridge's settings anew."
    if 300 <= status < 400 or (answer.is_good and not answer.is_read):
        return "offline", NO_API.format(status=status, title=title)
    if status in (404, 405):
        return "degraded", NO_API.format(status=status, title=title)
    return None if answer.is_good else ("degraded", f"{title} answered with status {status}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """A message of ours as the vendor lists it, to find a send whose answer was lost."""

    provider_id: str
    text: str | None
    #: How many; None where the list does not say.
    files: int | None
    made_at: int


class Account(Protocol):
    """One account at one vendor. Questions raise CallFailed and VendorRefused; acts CallFailed and NotSent."""

    title: str
    #: What it can do; `history` comes by itself where it is polled.
    able: frozenset[str]

    @property
    def acts(self) -> Mapping[OperationKind, Act]:
        """What performs which kind of operation."""
        ...

    async def state(self) -> State:
        """Tell how the account is."""
        ...

    async def news(self, since_ms: int) -> Sequence[tuple[Observation, ...]]:
        """List what happened since then, oldest first: one tuple for each message."""
        ...

    async def known(self, operation: Operation) -> OperationOutcome | None:
        """Tell what became of a send that the vendor has taken and named; None where it named nothing."""
        ...

    async def sent_to(self, operation: Operation) -> Sequence[Listed]:
        """List our latest messages of the operation's conversation."""
        ...

    async def examine(self) -> Sequence[Finding]:
        """Try what can be tried without sending anything."""
        ...
