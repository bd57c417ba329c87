"""Tell once what both a bridge's answer and its network's evidence show: that a send failed, an edit or unsend worked.

An answer and evidence of the same thing carry no common mark, so the outbox item keeps the key of the evidence that
was taken for its echo. Whoever comes first tells; whoever comes second is silent, and so is every repeat.
Not here: what an answer does to the message (hub.flow.outcomes).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from hub.flow.ports import HotTransaction
from hub.flow.rows import OperationRow
from hub.model.outbox import OperationKind, OutboxState
from hub.rules.facts import Fact

#: Type of event → the kind of item that it may be the echo of, and the state in which the item has told it.
_ECHOES: Final[dict[str, tuple[OperationKind, OutboxState]]] = {
    "message.edited": (OperationKind.EDIT, OutboxState.SENT),
    "message.failed": (OperationKind.SEND, OutboxState.FAILED),
    "message.unsent": (OperationKind.UNSEND, OutboxState.SENT),
}
_UNDECIDED: Final = frozenset({OutboxState.DISPATCHED, OutboxState.UNKNOWN})


class Shown(NamedTuple):
    """A fact that evidence shows of a message of ours."""

    message_id: int
    fact: Fact
    #: What an edit made of the message.
    text: str | None


def may_be_echo(fact: Fact) -> bool:
    """Tell whether a fact can be what we ourselves brought about."""
    return fact.type in _ECHOES


async def told_before(tx: HotTransaction, shown: Sequence[Shown]) -> set[bytes]:
    """Give the dedupe keys of the facts that were told by our own items, and note for the items who echoes them."""
    if not shown:
        return set()
    items = await tx.message_operations(sorted({each.message_id for each in shown}))
    told = {item.evidence_key for item in items if item.evidence_key is not None}
    fresh = {each.fact.dedupe_key: each for each in shown if each.fact.dedupe_key not in told}
    marks: dict[int, bytes] = {}
    for key, each in fresh.items():
        item = _origin(each, (item for item in items if item.evidence_key is None and item.id not in marks))
        if item is not None:
            marks[item.id] = key
            if item.state not in _UNDECIDED:
                told.add(key)
    await tx.mark_evidence(list(marks.items()))
    return told


def _origin(shown: Shown, items: Iterable[OperationRow]) -> OperationRow | None:
    """Give the oldest item that may have brought the fact about."""
    kind, told_in = _ECHOES[shown.fact.type]
    states = _UNDECIDED | {told_in}
    mine = (
        item
        for item in items
        if item.message_id == shown.message_id and item.kind == kind and item.state in states
    )
    if kind is OperationKind.EDIT and shown.text is not None:
        return next((item for item in mine if _text(item) == shown.text), None)
    return next(mine, None)


def _text(item: OperationRow) -> Any:
    return msgspec.json.decode(item.payload).get("text")
