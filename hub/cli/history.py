"""hub events, hub deliveries: what happened lately, newest first. For one of them in full: hub explain."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from hub.cli.console import parsed_id, run
from hub.config.settings import Settings
from hub.model.delivery import DeliveryState
from hub.model.ids import Prefix, id_text, id_time_ms

if TYPE_CHECKING:
    from hub.app.console import Console
    from hub.flow.event_store import Event
    from hub.model.delivery import Delivery

STATES = tuple(state.name.lower() for state in DeliveryState)

_limit = click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))


@click.command()
@_limit
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option(
    "--type", "types", default=None, help="With --follow: types between commas, such as message.*,typing.*."
)
@click.pass_obj
def events(settings: Settings, limit: int, follow: bool, types: str | None) -> None:
    """Show what happened lately: time, id, type, line. Newest first; with --follow newest last."""
    if types is not None and not follow:
        raise click.UsageError("--type goes with --follow.")

    async def use(console: Console) -> tuple[list[str], str | None]:
        handles = {line.id: line.handle for line in console.directory.current.lines_by_id.values()}
        found = await console.store.events.newest(limit=limit)
        rows = [_event(each, handles.get(each.line_id or 0, "")) for each in found]
        return rows, id_text(Prefix.EVENT, found[0].id) if found else None

    rows, newest = run(settings, use)
    if follow:
        from hub.cli.following import follow_events  # noqa: PLC0415

        _show([] if types else rows[::-1], empty="")
        follow_events(settings, after=newest, types=types)
        return
    _show(rows, empty="Nothing happened yet. `hub sandbox say 'Hello'` lets a contact text us.")


@click.command()
@_limit
@click.option("--webhook", default=None, help="Only to this one (wh_…).")
@click.option("--status", default=None, type=click.Choice(STATES), help="Only those that stand so.")
@click.pass_obj
def deliveries(settings: Settings, limit: int, webhook: str | None, status: str | None) -> None:
    """Show what went to webhooks lately: status, attempts, why."""
    webhook_id = parsed_id(Prefix.WEBHOOK, webhook, listed_by="hub webhooks list") if webhook else None
    states = frozenset({DeliveryState[status.upper()]}) if status else None

    async def use(console: Console) -> list[str]:
        from hub.flow.repositories import DeliveryFilter  # noqa: PLC0415

        wanted = DeliveryFilter(webhook_id=webhook_id, states=states)
        return [
            _delivery(each) for each in await console.store.deliveries.list(wanted, after=None, limit=limit)
        ]

    _show(run(settings, use), empty="No such delivery. `hub webhooks list` shows who receives what.")


def shown_time(time_ms: int) -> str:
    """Write an instant for people: UTC, to the millisecond."""
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}.{time_ms % 1000:03d}Z"


def event_row(at_ms: int, id_: str, type_: str, handle: str) -> str:
    """Write one event in one line."""
    return f"{shown_time(at_ms)}  {id_:17}  {type_:18} {handle}".rstrip()


def _show(rows: list[str], *, empty: str) -> None:
    for row in rows:
        click.echo(row)
    if not rows and empty:
        click.echo(empty, err=True)


def _event(event: Event, handle: str) -> str:
    return event_row(id_time_ms(event.position), id_text(Prefix.EVENT, event.id), event.type, handle)


def _delivery(delivery: Delivery) -> str:
    reason = f"  {delivery.reason}" if delivery.reason else ""
    return (
        f"{shown_time(id_time_ms(delivery.id))}  {id_text(Prefix.DELIVERY, delivery.id)}  {delivery.event_type:18} "
        f"→ {id_text(Prefix.WEBHOOK, delivery.webhook_id)}  {delivery.state.name.lower():9} "
        f"{delivery.attempt_count} attempt{'' if delivery.attempt_count == 1 else 's'}{reason}"
    )
