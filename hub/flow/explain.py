"""Say of an event and each webhook why it went there or did not, and what became of it.

The command `hub explain` and the REST surface ask here, so that both say the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from hub.flow.directory import Directory
from hub.flow.event_store import Event
from hub.flow.repositories import DeliveryFilter, Store
from hub.model.delivery import Delivery
from hub.model.ids import id_time_ms
from hub.model.webhook import Webhook
from hub.rules.condition_nodes import Explanation
from hub.rules.matching import MatchExplanation, Verdict

#: Deliveries of one event that are looked at in one go.
_PAGE = 1000


class Why(StrEnum):
    """Why an event went to a webhook, or did not."""

    MATCHED = "matched"
    OTHER_TYPE = "other_type"
    OTHER_LINE = "other_line"
    CONDITION_FAILED = "condition_failed"
    #: It came later than the event.
    REGISTERED_LATER = "registered_later"
    #: It would match today: it, or its lines, were changed since.
    CHANGED_SINCE = "changed_since"
    #: A test goes to one webhook alone.
    TEST_OF_ANOTHER = "test_of_another"


@dataclass(frozen=True, kw_only=True, slots=True)
class Explained:
    """How one webhook stands to an event."""

    webhook_id: int
    #: None once it was deleted.
    webhook: Webhook | None
    why: Why
    #: A sentence.
    reason: str
    #: The first comparison of its condition that failed.
    failed: Explanation | None
    #: What it got; only if it matched.
    delivery: Delivery | None


_BY_VERDICT = {
    Verdict.OTHER_TYPE: Why.OTHER_TYPE,
    Verdict.OTHER_LINE: Why.OTHER_LINE,
    Verdict.CONDITION_FAILED: Why.CONDITION_FAILED,
}


async def explain_event(store: Store, directory: Directory, event: Event) -> list[Explained]:
    """Explain an event to every webhook that there is, and to those that had it and are gone; by webhook id."""
    by_webhook = {each.webhook_id: each for each in await _deliveries(store, event.id)}
    told = _told(directory, event)
    return [
        _explained(webhook_id, directory.webhooks.get(webhook_id), by_webhook.get(webhook_id), told, event)
        for webhook_id in sorted(by_webhook.keys() | directory.webhooks.keys())
    ]


def explained_page(
    explained: Iterable[Explained], *, after: int | None, visible: frozenset[int] | None
) -> Sequence[Explained]:
    """Leave out what comes before a place, and webhooks that may not be seen."""
    return [
        each
        for each in explained
        if (after is None or each.webhook_id > after) and (visible is None or each.webhook_id in visible)
    ]


async def _deliveries(store: Store, event_id: int) -> list[Delivery]:
    found: list[Delivery] = []
    while True:
        after = found[-1].id if found else None
        page = await store.deliveries.list(DeliveryFilter(event_id=event_id), after=after, limit=_PAGE)
        found += page
        if len(page) < _PAGE:
            return found


def _told(directory: Directory, event: Event) -> dict[int, MatchExplanation]:
    """What the table says today, of the payload as receivers see it."""
    payload = {"event": event.type, "data": msgspec.json.decode(event.data)}
    return {each.webhook_id: each for each in directory.table.explain(event.type, event.line_id, payload)}


def _explained(
    webhook_id: int,
    webhook: Webhook | None,
    delivery: Delivery | None,
    told: dict[int, MatchExplanation],
    event: Event,
) -> Explained:
    why, reason, failed = Why.MATCHED, "it matched", None
    if delivery is None:
        why, reason, failed = _missed(webhook, told.get(webhook_id), event)
    return Explained(
        webhook_id=webhook_id, webhook=webhook, why=why, reason=reason, failed=failed, delivery=delivery
    )


def _missed(
    webhook: Webhook | None, told: MatchExplanation | None, event: Event
) -> tuple[Why, str, Explanation | None]:
    if webhook is not None and webhook.created_at > id_time_ms(event.position):
        return Why.REGISTERED_LATER, "it was registered later; POST /v1/replays can deliver it", None
    if event.type == "webhook.test":
        return Why.TEST_OF_ANOTHER, "a test goes to one webhook alone", None
    if told is None or told.verdict not in _BY_VERDICT:
        reason = "it would match as it is now, and did not when the event was recorded"
        return Why.CHANGED_SINCE, reason, None
    return _BY_VERDICT[told.verdict], told.reason, told.failed
