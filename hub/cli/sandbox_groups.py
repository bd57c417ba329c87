"""hub sandbox group, rename, icon, add, remove, ask, vote: what simulated contacts do to groups, and in polls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hub.cli.console import parsed_id
from hub.cli.sandbox import act_on, contact_option, group_option, known_group, sandbox
from hub.config.settings import Settings

if TYPE_CHECKING:
    from hub.flow.sandbox import Acted, SandboxStage
    from hub.model.line import Line


@sandbox.command()
@click.argument("name")
@click.option("--with", "members", multiple=True, metavar="HANDLE", help="Who else is in it.")
@contact_option
@click.pass_obj
def group(settings: Settings, name: str, members: tuple[str, ...], contact: str) -> None:
    """Make a group called NAME, with our line in it."""

    async def act(stage: SandboxStage, line: Line) -> Acted:
        place = await stage.group(line, contact, key=f"chat-{name}", participants=members, name=name)
        return await stage.act(place, stage.contacts.start_group(place.scene, at=stage.now_ms()))

    act_on(settings, act)


@sandbox.command()
@click.argument("name")
@known_group
@contact_option
@click.pass_obj
def rename(settings: Settings, name: str, group: str, contact: str) -> None:
    """Call a group NAME; an empty one takes the name away."""

    async def act(stage: SandboxStage, line: Line) -> Acted:
        place = await stage.in_known_group(line, contact, group)
        return await stage.act(place, [stage.contacts.rename_group(place.scene, name, at=stage.now_ms())])

    act_on(settings, act)


@sandbox.command()
@known_group
@contact_option
@click.option("--remove", is_flag=True, help="Take the picture away.")
@click.pass_obj
def icon(settings: Settings, group: str, contact: str, *, remove: bool) -> None:
    """Give a group another picture."""

    async def act(stage: SandboxStage, line: Line) -> Acted:
        place = await stage.in_known_group(line, contact, group)
        changed = stage.contacts.change_icon(place.scene, at=stage.now_ms(), is_removed=remove)
        return await stage.act(place, [changed])

    act_on(settings, act)


@sandbox.command()
@click.argument("member")
@known_group
@contact_option
@click.pass_obj
def add(settings: Settings, member: str, group: str, contact: str) -> None:
    """Bring MEMBER into a group."""

    async def act(stage: SandboxStage, line: Line) -> Acted:
        place = await stage.in_known_group(line, contact, group)
        return await stage.act(place, [stage.contacts.add_member(place.scene, member, at=stage.now_ms())])

    act_on(settings, act)


@sandbox.command()
@click.argument("member")
@known_group
@contact_option
@click.pass_obj
def remove(settings: Settings, member: str, group: str, contact: str) -> None:
    """Put MEMBER out of a group."""

    async def act(stage: SandboxStage, line: Line) -> Acted:
        place = await stage.in_known_group(line, contact, group)
        return await stage.act(place, [stage.contacts.remove_member(place.scene, member, at=stage.now_ms())])

    act_on(settings, act)


@sandbox.command()
@click.argument("title")
@click.argument("options", nargs=-1, required=True)
@contact_option
@group_option
@click.pass_obj
def ask(settings: Settings, title: str, options: tuple[str, ...], contact: str, group: str | None) -> None:
    """Ask a chat to vote: TITLE, and 2 to 10 OPTIONS."""
    if not 2 <= len(options) <= 10:
        raise click.UsageError("A poll has 2 to 10 options.")

    async def act(stage: SandboxStage, line: Line) -> Acted:
        place, guid = await stage.place(line, contact, group), stage.new_guid()
        asked = stage.contacts.ask(place.scene, title, options, guid=guid, at=stage.now_ms())
        return await stage.act(place, [asked], guid=guid)

    act_on(settings, act)


@sandbox.command()
@click.argument("poll")
@click.argument("options", nargs=-1)
@click.option("--from", "contact", default=None, help="Who votes; needed in a group only.")
@click.pass_obj
def vote(settings: Settings, poll: str, options: tuple[str, ...], contact: str | None) -> None:
    """Vote in POLL for OPTIONS, by number, words or id; without any, take the vote back."""
    from hub.model.ids import Prefix  # noqa: PLC0415

    poll_id = parsed_id(Prefix.POLL, poll, listed_by="hub events")

    async def act(stage: SandboxStage, line: Line) -> Acted:
        from hub.flow.poll_payloads import options_named  # noqa: PLC0415

        place, tally = await stage.at_poll(line, poll_id, contact)
        chosen = options_named(tally, options)
        if isinstance(chosen, str):
            raise click.ClickException(f"The poll has no option '{chosen}'.")
        voted = stage.contacts.vote(place.scene, tally.poll.guid, chosen, at=stage.now_ms())
        return await stage.act(place, [voted])

    act_on(settings, act)
