"""hub sandbox: let a simulated contact act, as if its phone did. The same as POST /v1/sandbox/…, without a key."""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import click

from hub.cli.console import run
from hub.config.settings import Settings

if TYPE_CHECKING:
    from hub.app.console import Console
    from hub.flow.sandbox import Acted, SandboxStage
    from hub.model.line import Line
    from hub.model.observation import Observation

CONTACT = "+15550100001"

contact_option = click.option(
    "--from", "contact", default=CONTACT, show_default=True, callback=lambda *given: _handle(given[2]),
    help="Who acts.",
)  # fmt: skip
_contact_of_message = click.option(
    "--from", "contact", default=None, callback=lambda *given: _handle(given[2]),
    help="Who acts; needed in a group only.",
)  # fmt: skip
group_option = click.option(
    "--group", default=None, help="In this group (any name for it, or its id), not in a direct chat."
)
known_group = click.option(
    "--group", required=True, help="Which group: the name given when somebody wrote in it, or its id."
)
_message = click.argument("message")


@click.group()
def sandbox() -> None:
    """Let a simulated contact text, send a file, react, type, read, edit, unsend, vote or change a group."""


@sandbox.command()
@click.argument("text")
@contact_option
@group_option
@click.pass_obj
def say(settings: Settings, text: str, contact: str, group: str | None) -> None:
    """Write TEXT to us."""

    async def act(stage: SandboxStage, line: Line) -> Acted:
        place, guid = await stage.place(line, contact, group), stage.new_guid()
        said = stage.contacts.say(place.scene, text, guid=guid, at=stage.now_ms())
        return await stage.act(place, [said], guid=guid)

    act_on(settings, act)


@sandbox.command()
@click.argument("name")
@click.option("--text", help="Words that go with it.")
@contact_option
@group_option
@click.pass_obj
def attach(settings: Settings, name: str, text: str | None, contact: str, group: str | None) -> None:
    """Send us a file: card, document, missing, photo or voice."""

    async def act(stage: SandboxStage, line: Line) -> Acted:
        if name not in stage.contacts.attachment_names():
            raise click.UsageError(
                f"There is no '{name}'; choose one of: {', '.join(stage.contacts.attachment_names())}."
            )
        place, guid = await stage.place(line, contact, group), stage.new_guid()
        sent = stage.contacts.attach(place.scene, name, guid=guid, at=stage.now_ms(), text=text)
        return await stage.act(place, [sent], guid=guid)

    act_on(settings, act)


@sandbox.command()
@contact_option
@group_option
@click.option("--stop", is_flag=True, help="End typing.")
@click.pass_obj
def typing(settings: Settings, contact: str, group: str | None, *, stop: bool) -> None:
    """Begin (or end) to type; typing is not kept."""

    async def act(stage: SandboxStage, line: Line) -> Acted:
        place = await stage.place(line, contact, group)
        return await stage.act(
            place, [stage.contacts.typing(place.scene, at=stage.now_ms(), is_typing=not stop)]
        )

    act_on(settings, act)


@sandbox.command()
@contact_option
@known_group
@click.pass_obj
def leave(settings: Settings, contact: str, group: str) -> None:
    """Leave a group."""

    async def act(stage: SandboxStage, line: Line) -> Acted:
        place = await stage.in_known_group(line, contact, group)
        return await stage.act(place, [stage.contacts.leave_group(place.scene, at=stage.now_ms())])

    act_on(settings, act)


@sandbox.command()
@_message
@click.argument("reaction")
@click.option("--remove", is_flag=True, help="Take the reaction back.")
@_contact_of_message
@click.pass_obj
def react(settings: Settings, message: str, reaction: str, contact: str | None, *, remove: bool) -> None:
    """React to MESSAGE: love, like, dislike, laugh, emphasize, question or an emoji."""
    _check_reaction(reaction)
    _at_message(
        settings, message, contact,
        lambda stage, scene, guid: stage.contacts.react(
            scene, guid, reaction, guid=stage.new_guid(), at=stage.now_ms(), is_removed=remove
        ),
    )  # fmt: skip


@sandbox.command()
@_message
@_contact_of_message
@click.pass_obj
def read(settings: Settings, message: str, contact: str | None) -> None:
    """Read MESSAGE, one of ours."""
    _at_message(
        settings, message, contact,
        lambda stage, scene, guid: stage.contacts.read(scene, guid, at=stage.now_ms()),
    )  # fmt: skip


@sandbox.command()
@_message
@click.argument("text")
@_contact_of_message
@click.pass_obj
def edit(settings: Settings, message: str, text: str, contact: str | None) -> None:
    """Change MESSAGE, one of the contact's, to TEXT."""
    _at_message(
        settings, message, contact,
        lambda stage, scene, guid: stage.contacts.edit(scene, guid, text, at=stage.now_ms()),
    )  # fmt: skip


@sandbox.command()
@_message
@_contact_of_message
@click.pass_obj
def unsend(settings: Settings, message: str, contact: str | None) -> None:
    """Take MESSAGE, one of the contact's, back."""
    _at_message(
        settings, message, contact,
        lambda stage, scene, guid: stage.contacts.unsend(scene, guid, at=stage.now_ms()),
    )  # fmt: skip


def _at_message(
    settings: Settings,
    message: str,
    contact: str | None,
    observe: Callable[[SandboxStage, Any, str], Observation],
) -> None:
    """Act on a message that is known, in its own chat."""

    async def act(stage: SandboxStage, line: Line, console: Console) -> Acted:
        from hub.flow.recipients import find_message  # noqa: PLC0415
        from hub.model.errors import InvalidRequest  # noqa: PLC0415

        try:
            found = await find_message(console.store, line, message, param="message")
        except InvalidRequest:
            raise click.ClickException(
                f"No message '{message}' on the sandbox line. `hub sandbox say` and GET /v1/messages show ids."
            ) from None
        place = await stage.at_message(line, found, contact)
        return await stage.act(place, [observe(stage, place.scene, found.guid)])

    _act_with(settings, act)


def act_on(settings: Settings, act: Callable[[SandboxStage, Line], Awaitable[Acted]]) -> None:
    """Let a contact act, and say what came of it."""
    _act_with(settings, lambda stage, line, _: act(stage, line))


def _act_with(settings: Settings, act: Callable[[SandboxStage, Line, Console], Awaitable[Acted]]) -> None:
    """Do it and say what came of it."""

    async def use(console: Console) -> list[str]:
        from hub.model.errors import InvalidRequest  # noqa: PLC0415

        try:
            acted = await act(console.sandbox, await console.sandbox.require_line(), console)
        except InvalidRequest as error:
            raise click.ClickException(error.message) from None
        told = _told(acted)
        if not await console.is_heard():
            told.append("The hub is not running; it delivers this when it starts.")
        return told

    for text in run(settings, use):
        click.echo(text)


def _told(acted: Acted) -> list[str]:
    from hub.model.ids import Prefix, id_text  # noqa: PLC0415

    events = " ".join(id_text(Prefix.EVENT, event_id) for event_id in acted.event_ids)
    message = f"message {acted.guid}  " if acted.guid else ""
    return [f"{message}event {events}" if events else "No event: nothing changed, or it is not kept."]


def _handle(contact: str | None) -> str | None:
    """Refuse what no answer could be sent to."""
    from hub.rules.chatkeys import normalize_handle  # noqa: PLC0415

    if contact is None or "@" in contact or normalize_handle(contact).startswith("+"):
        return contact
    raise click.BadParameter(f"'{contact}' is no phone number such as {CONTACT}, nor a mail address.")


def _check_reaction(reaction: str) -> None:
    from hub.rules.capabilities import STANDARD_REACTIONS  # noqa: PLC0415

    if reaction in STANDARD_REACTIONS or not reaction.isascii():
        return
    near = difflib.get_close_matches(reaction, STANDARD_REACTIONS, n=1)
    raise click.BadParameter(
        f"'{reaction}' is no reaction{f'; did you mean {near[0]}?' if near else '.'} "
        f"There are {', '.join(sorted(STANDARD_REACTIONS))}, and any emoji."
    )
