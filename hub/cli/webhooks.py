"""hub webhooks: add, list, test, enable, disable, delete. The same checks as over REST, and no key needed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import click

from hub.cli.console import parsed_id, run
from hub.config.settings import Settings
from hub.model.ids import Prefix, id_text

if TYPE_CHECKING:
    from hub.app.console import Console
    from hub.model.webhook import Webhook

_id = click.argument("webhook_id")


@click.group()
def webhooks() -> None:
    """Webhooks: add, list, test, enable, disable, delete."""


@webhooks.command()
@click.argument("url")
@click.option("--line", default="*", show_default=True, help="Handle of the line; * for every line.")
@click.option("--event", "patterns", multiple=True, default=("*",), show_default=True,
              help="Event type or family such as message.*; repeat for several.")  # fmt: skip
@click.pass_obj
def add(settings: Settings, url: str, line: str, patterns: tuple[str, ...]) -> None:
    """Register URL. Its signing secret is shown once."""

    async def use(console: Console) -> str:
        made = await register(console, url=url, line=line, patterns=patterns)
        return f"{id_text(Prefix.WEBHOOK, made[0].id)}\nsecret: {made[1]}"

    click.echo(run(settings, use))


@webhooks.command(name="list")
@click.pass_obj
def list_webhooks(settings: Settings) -> None:
    """Show the webhooks, their state and what they want."""

    async def use(console: Console) -> list[str]:
        handles = {line.id: line.handle for line in console.directory.current.lines_by_id.values()}
        return [
            f"{id_text(Prefix.WEBHOOK, each.id)}  {_state(each):8} {each.url}  "
            f"{handles.get(each.line_id or 0, 'every line')}  [{','.join(each.patterns)}]"
            + (f"  {each.disabled_reason}" if each.disabled_reason else "")
            for each in await console.webhooks.all()
        ]

    rows = run(settings, use)
    for row in rows:
        click.echo(row)
    if not rows:
        click.echo("There is none. `hub webhooks add URL` registers one.", err=True)


@webhooks.command()
@_id
@click.pass_obj
def test(settings: Settings, webhook_id: str) -> None:
    """Send a webhook.test event to this webhook alone, the normal way."""

    async def use(console: Console, webhook: Webhook) -> str:
        fired = await console.webhooks.test_fire(webhook)
        heard = await console.is_heard()
        tail = "" if heard else "\nThe hub is not running; it delivers this when it starts."
        event, delivery = id_text(Prefix.EVENT, fired.event_id), id_text(Prefix.DELIVERY, fired.delivery_id)
        return f"event {event}  delivery {delivery}{tail}"

    click.echo(_with(settings, webhook_id, use))


@webhooks.command()
@_id
@click.pass_obj
def enable(settings: Settings, webhook_id: str) -> None:
    """Enable a webhook; what it missed is held until POST /v1/replays asks for it."""
    click.echo(
        _with(settings, webhook_id, lambda console, found: _set_active(console, found, is_active=True))
    )


@webhooks.command()
@_id
@click.pass_obj
def disable(settings: Settings, webhook_id: str) -> None:
    """Disable a webhook; what it misses from now on is held."""
    click.echo(
        _with(settings, webhook_id, lambda console, found: _set_active(console, found, is_active=False))
    )


@webhooks.command()
@_id
@click.pass_obj
def delete(settings: Settings, webhook_id: str) -> None:
    """Delete a webhook; what it still waits for is cancelled."""

    async def use(console: Console, webhook: Webhook) -> str:
        await console.webhooks.delete(webhook.id)
        return f"{webhook_id} is deleted."

    click.echo(_with(settings, webhook_id, use))


async def register(
    console: Console, *, url: str, line: str, patterns: tuple[str, ...]
) -> tuple[Webhook, str]:
    """Register a receiver; return it with its secret."""
    lines = console.directory.current.lines_by_handle
    if line != "*" and line not in lines:
        raise click.UsageError(f"No line {line}. There are: {', '.join(sorted(lines)) or 'none'}.")
    line_id = None if line == "*" else lines[line].id
    made = await console.webhooks.register(line_id=line_id, fields={"url": url, "patterns": patterns})
    return made.webhook, made.secret


def _state(webhook: Webhook) -> str:
    return "disabled" if not webhook.is_active else "failing" if webhook.failing_since else "active"


async def _set_active(console: Console, webhook: Webhook, *, is_active: bool) -> str:
    await console.webhooks.set_active(webhook, is_active=is_active)
    return f"{id_text(Prefix.WEBHOOK, webhook.id)} is {'enabled' if is_active else 'disabled'}."


def _with(settings: Settings, text: str, use: Callable[[Console, Webhook], Awaitable[str]]) -> str:
    """Find the webhook and do something with it."""
    webhook_id = parsed_id(Prefix.WEBHOOK, text, listed_by="hub webhooks list")

    async def inside(console: Console) -> str:
        return await use(console, await console.webhooks.get(webhook_id))

    return run(settings, inside)
