"""hub sandbox: let a simulated contact act, as if its phone did."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from hub.cli.keys import run
from hub.config.settings import Settings

if TYPE_CHECKING:
    from bridge.sandbox.contacts import Scene
    from hub.app.console import Console
    from hub.model.observation import Observation

Act = Callable[["Scene", str, int], "Observation"]

_from = click.option("--from", "contact", default="+15550100001", show_default=True, help="Who acts.")
_line = click.option("--line", default=None, help="Which of our lines; the sandbox line if not given.")
_group = click.option(
    "--group", default=None, help="In this group (any name for it) instead of a direct chat."
)


def _options(command: Callable[..., None]) -> Callable[..., None]:
    return _from(_line(_group(click.pass_obj(command))))


@click.group()
def sandbox() -> None:
    """A simulated contact texts, reacts, types, reads, edits, unsends or leaves."""


@sandbox.command()
@click.argument("text")
@_options
def say(settings: Settings, contact: str, line: str | None, group: str | None, text: str) -> None:
    """Write TEXT to us."""
    from bridge.sandbox import contacts  # noqa: PLC0415

    _act(settings, contact, line, group, lambda scene, guid, at: contacts.say(scene, text, guid=guid, at=at))


@sandbox.command()
@click.argument("guid")
@click.argument("reaction")
@click.option("--remove", is_flag=True, help="Take the reaction back.")
@_options
def react(  # noqa: PLR0917 - click passes options by name
    settings: Settings,
    contact: str,
    line: str | None,
    group: str | None,
    guid: str,
    reaction: str,
    *,
    remove: bool,
) -> None:
    """React to the message GUID: love, like, dislike, laugh, emphasize, question or an emoji."""
    from bridge.sandbox import contacts  # noqa: PLC0415

    _act(
        settings,
        contact,
        line,
        group,
        lambda scene, own, at: contacts.react(scene, guid, reaction, guid=own, at=at, is_removed=remove),
    )


@sandbox.command()
@click.option("--stop", is_flag=True, help="End typing.")
@_options
def typing(settings: Settings, contact: str, line: str | None, group: str | None, *, stop: bool) -> None:
    """Begin (or end) to type. Typing is never stored."""
    from bridge.sandbox import contacts  # noqa: PLC0415

    _act(
        settings, contact, line, group, lambda scene, _, at: contacts.typing(scene, at=at, is_typing=not stop)
    )


@sandbox.command()
@click.argument("guid")
@_options
def read(settings: Settings, contact: str, line: str | None, group: str | None, guid: str) -> None:
    """Read our message GUID."""
    from bridge.sandbox import contacts  # noqa: PLC0415

    _act(settings, contact, line, group, lambda scene, _, at: contacts.read(scene, guid, at=at))


@sandbox.command()
@click.argument("guid")
@click.argument("text")
@_options
def edit(  # noqa: PLR0917
    settings: Settings, contact: str, line: str | None, group: str | None, guid: str, text: str
) -> None:
    """Change the contact's message GUID to TEXT."""
    from bridge.sandbox import contacts  # noqa: PLC0415

    _act(settings, contact, line, group, lambda scene, _, at: contacts.edit(scene, guid, text, at=at))


@sandbox.command()
@click.argument("guid")
@_options
def unsend(settings: Settings, contact: str, line: str | None, group: str | None, guid: str) -> None:
    """Take the contact's message GUID back."""
    from bridge.sandbox import contacts  # noqa: PLC0415

    _act(settings, contact, line, group, lambda scene, _, at: contacts.unsend(scene, guid, at=at))


@sandbox.command()
@_options
def leave(settings: Settings, contact: str, line: str | None, group: str | None) -> None:
    """Leave the group."""
    from bridge.sandbox import contacts  # noqa: PLC0415

    if group is None:
        raise click.UsageError("Only a group can be left: add --group NAME.")
    _act(settings, contact, line, group, lambda scene, _, at: contacts.leave_group(scene, at=at))


def _act(settings: Settings, contact: str, line: str | None, group: str | None, act: Act) -> None:
    """Put the scene together, ingest what is seen, and say what came of it."""
    from bridge.sandbox import contacts  # noqa: PLC0415
    from hub.flow.bootstrap import SANDBOX_NAME  # noqa: PLC0415

    guid = f"sandbox-{secrets.token_hex(8)}"
    handle = line or settings.sandbox.line
    scene = (
        contacts.group(handle, contact, key=f"chat-{group}", name=group)
        if group
        else contacts.direct(handle, contact)
    )

    async def use(console: Console) -> str:
        from hub.flow.ingest import BridgeRequest  # noqa: PLC0415
        from hub.model.ids import Prefix, id_text  # noqa: PLC0415

        bridge = console.directory.current.bridges_by_name.get(SANDBOX_NAME)
        if bridge is None:
            raise click.ClickException(
                "There is no sandbox here yet; start the hub once (`hub up` or `hub migrate`)."
            )
        observation = act(scene, guid, console.clock.now_ms())
        request = BridgeRequest(bridge.id, f"cli.{secrets.token_hex(8)}", b"", (observation,))
        result = (await console.ingest(request))[0]
        if result.status == "refused":
            raise click.ClickException(f"{result.code}: {result.message}")
        events = " ".join(id_text(Prefix.EVENT, event_id) for event_id in result.event_ids)
        return f"{result.status}  message {guid}  event {events or 'none'}"

    click.echo(run(settings, use))
