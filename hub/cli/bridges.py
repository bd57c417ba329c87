"""hub bridges: add a bridge with its lines, set it up, try it, see what it brought in vain, let a machine enrol."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import click

from hub.cli.agents_shown import agent_lines, ago
from hub.cli.bridge_settings import (
    ask_missing,
    described,
    handles_of_lines,
    kind_named,
    known,
    read_pairs,
    require_new,
)
from hub.cli.console import run
from hub.cli.refused import refused_id, refused_rows, take_in_again
from hub.config.settings import Settings
from hub.model.errors import InvalidRequest

if TYPE_CHECKING:
    from hub.app.console import Console
    from hub.flow.bridge_kinds import BridgeKind, Finding
    from hub.model.line import Bridge
    from hub.model.refused import RefusedPayload

#: Told with an address that only this machine knows.
NO_PUBLIC_ADDRESS = (
    "Nobody outside reaches this address. Set web.base_url to the https address of your hub, for the hub and for this "
    "command (HUB_WEB__BASE_URL=https://… or your settings); start the hub again, and see `hub bridges show {name}`."
)


@click.group()
def bridges() -> None:
    """Bridges: list, show, add, set up, try, see what could not be taken in, enrol, remove, rotate the secret."""


@bridges.command(name="list")
@click.pass_obj
def list_bridges(settings: Settings) -> None:
    """Show the bridges and their lines."""
    from hub.model.ids import Prefix, id_text  # noqa: PLC0415

    async def use(console: Console) -> list[str]:
        rows = []
        agents = await console.store.bridge_calls.agents()
        for bridge in await console.store.bridges.all():
            handles = [line.handle for line in await console.store.lines.all() if line.bridge_id == bridge.id]
            state = "" if bridge.is_enabled else " (disabled)"
            rows.append(
                f"{id_text(Prefix.BRIDGE, bridge.id)}  {bridge.kind:8} {bridge.name}{state}  {', '.join(handles)}"
            )
            if bridge.id in agents:
                rows += [f"    {line}" for line in agent_lines(agents[bridge.id], console.clock.now_ms())]
        return rows

    for row in run(settings, use):
        click.echo(row)


@bridges.command()
@click.pass_obj
def kinds(settings: Settings) -> None:
    """Show the kinds of bridges and their settings."""
    from bridge.registry import KINDS  # noqa: PLC0415

    click.echo("push\n  a program of yours that posts to /v1/bridge/events (docs/bridges.md); no settings")
    for name, kind in sorted(KINDS.items()):
        click.echo(f"{name}\n  {kind.title}")
        for line in described(kind):
            click.echo(f"    {line}")


@bridges.command()
@click.argument("name")
@click.option(
    "--kind", "kind_name", default="push", show_default=True, help="`hub bridges kinds` shows them."
)
@click.option("--line", "handles", multiple=True, required=True, help="Handle of a line that it carries.")
@click.option(
    "--set",
    "pairs",
    multiple=True,
    metavar="SETTING=VALUE",
    help="A setting; VALUE may be @FILE or env:NAME. A secret that is not given is asked for.",
)
@click.pass_obj
def add(
    settings: Settings, name: str, kind_name: str, handles: tuple[str, ...], pairs: tuple[str, ...]
) -> None:
    """Add a bridge with its lines. The secret of one that pushes is shown once."""
    from hub.flow.bootstrap import add_lines  # noqa: PLC0415
    from hub.model.ids import Prefix, id_text  # noqa: PLC0415

    kind, lines = kind_named(kind_name), handles_of_lines(handles)
    given = {} if kind is None else ask_missing(kind, read_pairs(kind, pairs))
    if kind is None and pairs:
        raise click.UsageError("A bridge that pushes has no settings; --kind names another kind.")

    async def use(console: Console) -> list[str]:
        for handle in lines:
            require_new(console, handle)
        try:
            made = await console.bridges.add(name=name, kind=kind_name, settings=given or None)
        except InvalidRequest as error:
            raise click.UsageError(error.message) from None
        bridge = made.bridge
        await add_lines(console.store, bridge, handles=lines, new_id=console.new_id, clock=console.clock)
        console.wake_ups.configuration_changed()
        told = [f"X-Bridge-Id: {id_text(Prefix.BRIDGE, bridge.id)}", f"secret: {made.secret}"]
        if kind is not None:
            told = [f"id: {id_text(Prefix.BRIDGE, bridge.id)}", *_hook(settings, kind, bridge)]
        return told

    for line in run(settings, use):
        click.echo(line)
    if kind is not None:
        click.echo(f"Now try it: hub bridges doctor {name}")


def _hook(settings: Settings, kind: BridgeKind | None, bridge: Bridge) -> list[str]:
    """Where the network calls, if it does, and whether it can."""
    from hub.rules.bridge_hooks import hook_path  # noqa: PLC0415

    if kind is None or not kind.has_hook(bridge.settings or {}):
        return []
    told = [f"hook: {settings.web.public_url}{hook_path(bridge)}"]
    if settings.web.base_url is None:
        told.append(NO_PUBLIC_ADDRESS.format(name=bridge.name))
    elif not settings.web.public_url.startswith("https://"):
        told.append("Most networks call https addresses only: web.base_url is an http one.")
    return told


@bridges.command()
@click.argument("name")
@click.pass_obj
def show(settings: Settings, name: str) -> None:
    """Show the bridge NAME, its lines, its settings, its machine and its agent.

    Secrets are masked; `hook` is where its network calls us, and is a secret, too.
    """
    from bridge.registry import KINDS  # noqa: PLC0415
    from hub.flow.bridge_settings import shown  # noqa: PLC0415
    from hub.model.ids import Prefix, id_text  # noqa: PLC0415

    async def use(console: Console) -> list[str]:
        bridge = known(console, name)
        lines = [line for line in await console.store.lines.all() if bridge.id in line.bridge_ids]
        kind = KINDS.get(bridge.kind)
        told = [f"id: {id_text(Prefix.BRIDGE, bridge.id)}", f"kind: {bridge.kind}"]
        told += [] if bridge.is_enabled else ["switched off"]
        told += [f"line: {line.handle}  {line.status}  {line.status_reason or ''}".rstrip() for line in lines]
        told += [f"{key}: {value}" for key, value in sorted(shown(kind, bridge.settings or {}).items())]
        now_ms, heard = console.clock.now_ms(), await console.store.bridges.last_heard()
        told += [f"last heard: {ago(heard[bridge.id], now_ms)}"] if bridge.id in heard else []
        if bridge.system is not None and bridge.system.hostname is not None:
            told.append(f"machine: {bridge.system.hostname}")
        agent = await console.store.bridge_calls.agent(bridge.id)
        told += [] if agent is None else agent_lines(agent, now_ms)
        return told + _hook(settings, kind, bridge)

    for line in run(settings, use):
        click.echo(line)


@bridges.command()
@click.argument("name")
@click.pass_obj
def remove(settings: Settings, name: str) -> None:
    """Forget the bridge NAME, if it has no lines.

    Lines have their history: move them to another bridge first, or switch this one off.
    """

    async def use(console: Console) -> None:
        try:
            await console.bridges.delete(known(console, name).id)
        except InvalidRequest as error:
            raise click.UsageError(error.message) from None

    run(settings, use)
    click.echo(f"Removed: {name}")


@bridges.command()
@click.argument("name")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.pass_obj
def switch(settings: Settings, name: str, state: str) -> None:
    """Switch the bridge NAME on or off; its lines stay."""

    async def use(console: Console) -> None:
        bridge = known(console, name)
        await console.bridges.update(bridge.id, name=None, is_enabled=state == "on")

    run(settings, use)
    click.echo(f"Switched {state}: {name}")


@bridges.command(name="set")
@click.argument("name")
@click.argument("pairs", nargs=-1, required=True, metavar="SETTING=VALUE...")
@click.pass_obj
def change(settings: Settings, name: str, pairs: tuple[str, ...]) -> None:
    """Change settings of the bridge NAME.

    VALUE may be @FILE or env:NAME; an empty one takes the setting away.
    """

    async def use(console: Console) -> None:
        bridge = known(console, name)
        kind = kind_named(bridge.kind)
        if kind is None:
            raise click.UsageError(f"'{name}' is a bridge that pushes: it has no settings.")
        try:
            await console.bridges.update(
                bridge.id, name=None, is_enabled=None, settings=read_pairs(kind, pairs)
            )
        except InvalidRequest as error:
            raise click.UsageError(error.message) from None

    run(settings, use)
    click.echo(f"Changed. Now try it: hub bridges doctor {name}")


@bridges.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def doctor(settings: Settings, name: str, *, as_json: bool) -> None:
    """Try whether the bridge NAME works.

    Nothing is sent to anybody. The report holds no secrets and can be shown to others. Ends with 1 if something failed.
    """
    from hub.app.bridge_doctor import look_at  # noqa: PLC0415

    async def use(console: Console) -> Sequence[Finding]:
        return await look_at(console, known(console, name))

    findings = run(settings, use)
    if as_json:
        click.echo(json.dumps({"findings": [asdict(each) for each in findings]}, ensure_ascii=False))
    for each in [] if as_json else findings:
        click.echo(f"{each.state:8} {each.name:16} {each.detail}")
    if any(each.state == "failed" for each in findings):
        sys.exit(1)


@bridges.command()
@click.argument("name")
@click.option("--limit", type=click.IntRange(1, 100), default=10, help="How many at the most.")
@click.option("--show", metavar="ID", help="Print all that is kept of one.")
@click.option("--retry", metavar="ID", help="Take one in again, for instance after an upgrade.")
@click.option("--retry-all", is_flag=True, help="Take in again all that this version may read.")
@click.pass_obj
def refused(  # noqa: PLR0917 - click gives the options by name
    settings: Settings, name: str, limit: int, show: str | None, retry: str | None, retry_all: bool
) -> None:
    """Show what the bridge NAME brought and could not be taken in, newest first, and why; or take it in again.

    What is taken in is never told twice, and goes from the list. Ends with 1 if something is still refused.
    """
    if sum((show is not None, retry is not None, retry_all)) > 1:
        raise click.UsageError("Give only one of --show, --retry and --retry-all.")
    if retry is not None or retry_all:
        if not take_in_again(settings, name, retry):
            sys.exit(1)
        return

    async def use(console: Console) -> list[RefusedPayload]:
        bridge = known(console, name)
        if show is None:
            return await console.store.refused.page(bridge.id, after=None, limit=limit)
        found = await console.store.refused.get(bridge.id, refused_id(show))
        if found is None:
            raise click.UsageError(f"No payload '{show}' of {name} is kept.")
        return [found]

    found = run(settings, use)
    if not found:
        click.echo(f"All that {name} brought was taken in, or what was not is no longer kept.")
    for row in [row for each in found for row in refused_rows(each, is_whole=show is not None)]:
        click.echo(row)


@bridges.command()
@click.option("--name", help="The new bridge's name; without it the machine chooses.")
@click.option(
    "--replace", "replaced", metavar="NAME", help="A bridge that the machine takes over, lines and all."
)
@click.option(
    "--minutes", default=30, show_default=True, type=click.IntRange(1, 1440), help="How long the token works."
)
@click.pass_obj
def enrol(settings: Settings, name: str | None, replaced: str | None, minutes: int) -> None:
    """Make a token that makes one machine a bridge.

    It is shown once; the machine sends it to POST /v1/bridge/enrol (`hub agent enrol` does).
    """
    if name is not None and replaced is not None:
        raise click.UsageError("Give either --name or --replace: a bridge that is taken over keeps its name.")

    async def use(console: Console) -> str:
        bridge_id = None
        if replaced is not None:
            known = console.directory.current.bridges_by_name.get(replaced)
            if known is None:
                raise click.UsageError(f"No bridge '{replaced}'. `hub bridges list` shows them.")
            bridge_id = known.id
        made = await console.enrolments.create(name=name, bridge_id=bridge_id, minutes=minutes)
        return f"token: {made.token}\nIt works once, within {minutes} minutes."

    click.echo(run(settings, use))


@bridges.command(name="rotate-secret")
@click.argument("name")
@click.option(
    "--overlap-hours",
    default=24.0,
    show_default=True,
    type=click.FloatRange(0, 720),
    help="How long the old secret is accepted.",
)
@click.pass_obj
def rotate_secret(settings: Settings, name: str, overlap_hours: float) -> None:
    """Make a new secret; the old one is accepted for the overlap."""
    from hub.model.webhook import StoredSecret  # noqa: PLC0415
    from hub.rules.signing import Secret  # noqa: PLC0415

    async def use(console: Console) -> str:
        bridge = known(console, name)
        ends_at = console.clock.now_ms() + int(overlap_hours * 3_600_000)
        fresh = StoredSecret(text=Secret.from_bytes(secrets.token_bytes(32)).text)

        def rotate(bridge: Bridge) -> Bridge:
            older = [
                replace(secret, expires_at=min(secret.expires_at or ends_at, ends_at))
                for secret in bridge.secrets
            ]
            return replace(bridge, secrets=(fresh, *older[:9]))

        await console.store.bridges.change(bridge.id, rotate)
        console.wake_ups.configuration_changed()
        return f"secret: {fresh.text}"

    click.echo(run(settings, use))
