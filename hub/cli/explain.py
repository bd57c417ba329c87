"""hub explain: what became of an event, a delivery or a send, and why."""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import click

from hub.cli.console import parsed_id, run
from hub.cli.history import shown_time
from hub.cli.runs import found_run, run_rows
from hub.config.settings import Settings
from hub.model.ids import Prefix, id_text, id_time_ms

if TYPE_CHECKING:
    from hub.app.console import Console
    from hub.flow.event_store import Event
    from hub.flow.explain import Explained
    from hub.model.delivery import Attempt, Delivery


@click.command()
@click.argument("id_", metavar="ID")
@click.pass_obj
def explain(settings: Settings, id_: str) -> None:
    """Tell what became of an event (evt_…), a delivery (dlv_…), a send (obx_…) or a run (run_…), and why."""
    prefix = _kind(id_)
    number = parsed_id(prefix, id_, listed_by=LISTED_BY[prefix])
    for row in run(settings, lambda console: EXPLAINED[prefix](console, number)):
        click.echo(row)


def _kind(text: str) -> Prefix:
    head = text.partition("_")[0]
    for prefix in EXPLAINED:
        if prefix == head:
            return prefix
    near = difflib.get_close_matches(head, list(EXPLAINED), n=1, cutoff=0.5)
    raise click.UsageError(
        f"'{text}' is no id of an event (evt_…), a delivery (dlv_…), a send (obx_…) or a run (run_…)"
        + (f"; did you mean {near[0]}_…?" if near else ". `hub events` and `hub deliveries` show ids.")
    )


async def _event(console: Console, event_id: int) -> list[str]:
    """Of each webhook, why it did or did not get the event."""
    from hub.flow.explain import explain_event  # noqa: PLC0415

    event = await console.store.events.get(event_id)
    if event is None:
        raise click.ClickException("There is no such event, or it is older than retention.events_days.")
    explained = await explain_event(console.store, console.directory.current, event)
    at = shown_time(id_time_ms(event.position))
    rows = [f"{id_text(Prefix.EVENT, event.id)}  {event.type}  recorded {at}"]
    for each in explained:
        if each.delivery is not None:
            rows += ["", *await _delivery(console, each.delivery.id)]
    others = [_missed(each) for each in explained if each.delivery is None]
    if not explained:
        others = ["No webhook is registered: nobody was to be told."]
    return [*rows, *([""] if others else []), *others, *await _routes(console, event)]


async def _routes(console: Console, event: Event) -> list[str]:
    """Of each route that listens to the type, why it began a run or did not."""
    from hub.app.run_texts import run_texts  # noqa: PLC0415
    from hub.flow.routing.explaining import explain_routes  # noqa: PLC0415

    texts = run_texts(console.settings)
    explained = await explain_routes(console.store, console.directory, console.book, event, texts)
    rows = [
        f"route {each.route_id}: "
        + (f"{id_text(Prefix.RUN, each.run_id)}, " if each.run_id is not None else f"{each.why.value}: ")
        + each.reason
        for each in explained.answers
    ]
    return ["", *rows] if rows else []


async def _run(console: Console, run_id: int) -> list[str]:
    """Each step of a run."""
    return run_rows(await found_run(console, run_id))


def _missed(explained: Explained) -> str:
    url = explained.webhook.url if explained.webhook is not None else "deleted"
    return f"not to {id_text(Prefix.WEBHOOK, explained.webhook_id)} ({url}): {explained.reason}"


async def _delivery(console: Console, delivery_id: int) -> list[str]:
    """Every attempt of a delivery."""
    delivery = await console.store.deliveries.get(delivery_id)
    if delivery is None:
        raise click.ClickException(
            "There is no such delivery, or it is older than retention.deliveries_days."
        )
    webhook = console.directory.current.webhooks.get(delivery.webhook_id)
    rows = [
        f"{id_text(Prefix.DELIVERY, delivery.id)}  {delivery.event_type} ({id_text(Prefix.EVENT, delivery.event_id)})"
        f" → {id_text(Prefix.WEBHOOK, delivery.webhook_id)} {webhook.url if webhook else '(deleted)'}",
        f"  {delivery.state.name.lower()}{_what_next(delivery)}",
    ]
    return rows + [_attempt(each) for each in await console.store.deliveries.attempts(delivery.id)]


def _what_next(delivery: Delivery) -> str:
    from hub.model.delivery import DeliveryState  # noqa: PLC0415

    match delivery.state:
        case DeliveryState.PENDING:
            return f": due {shown_time(delivery.next_attempt_at)}"
        case DeliveryState.DEAD:
            return ": waits for a person; POST /v1/deliveries/{id}/retry tries again"
        case DeliveryState.HELD:
            return ": the webhook was disabled; POST /v1/replays with missed_while_disabled delivers it"
        case DeliveryState.CANCELLED:
            return ": the webhook was deleted"
        case _:
            return ""


def _attempt(attempt: Attempt) -> str:
    came = f"HTTP {attempt.status}" if attempt.status else (attempt.error or "no answer")
    why = f"  {attempt.reason}" if attempt.reason else ""
    return (
        f"  attempt {attempt.number}  {shown_time(attempt.started_at)}  {attempt.duration_us / 1000:.1f} ms  "
        f"{came}  {attempt.outcome.name.lower()}{why}"
    )


async def _send(console: Console, outbox_id: int) -> list[str]:
    """Where a send stands."""
    item = await console.store.outbox.get(outbox_id)
    if item is None:
        raise click.ClickException("There is no such send, or it is older than retention.events_days.")
    line = console.directory.current.lines_by_id.get(item.line_id)
    rows = [
        f"{id_text(Prefix.OUTBOX, item.id)}  {item.kind} from {line.handle if line else 'a line that is gone'}"
        f"  accepted {shown_time(item.created_at)}",
        f"  {item.state.name.lower()} after {item.attempt_count} attempt(s)",
    ]
    if item.dispatched_at is not None:
        rows.append(f"  handed to the bridge {shown_time(item.dispatched_at)}")
    if item.completed_at is not None:
        rows.append(f"  finished {shown_time(item.completed_at)}")
    return rows + ([f"  {item.error}"] if item.error else [])


EXPLAINED: dict[Prefix, Callable[[Console, int], Awaitable[list[str]]]] = {
    Prefix.EVENT: _event,
    Prefix.DELIVERY: _delivery,
    Prefix.OUTBOX: _send,
    Prefix.RUN: _run,
}
LISTED_BY = {
    Prefix.EVENT: "hub events",
    Prefix.DELIVERY: "hub deliveries",
    Prefix.OUTBOX: "POST /v1/messages",
    Prefix.RUN: "hub runs list",
}
