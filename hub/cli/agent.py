"""hub agent: run a bridge on a machine that the hub cannot reach. Needs neither database nor Redis."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import click

from hub.cli.bridge_settings import ask_missing, kind_named, read_pairs
from hub.config.settings import Settings
from hub.model.errors import InvalidRequest

_folder = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the agent lives; HUB_AGENT_FOLDER names it too, ~/.hub-agent otherwise.",
)


@click.group()
def agent() -> None:
    """A bridge on a machine behind a router: enrol, run, try."""


@agent.command()
@click.option(
    "--hub", "hub_url", required=True, metavar="URL", help="The hub's address, as this machine reaches it."
)
@click.option(
    "--token",
    required=True,
    metavar="TOKEN",
    help="Of `hub bridges enrol`; @FILE or env:NAME keep it out of the shell's history.",
)
@click.option("--kind", "kind_name", required=True, help="`hub bridges kinds` shows them.")
@click.option("--name", help="The bridge's name, where the token leaves it to this machine.")
@click.option(
    "--set",
    "pairs",
    multiple=True,
    metavar="SETTING=VALUE",
    help="A setting; VALUE may be @FILE or env:NAME. A secret that is not given is asked for.",
)
@click.option(
    "--allow", multiple=True, metavar="ADDRESS", help="A private host or network that the bridge calls."
)
@click.option(
    "--plain-http", is_flag=True, help="Speak to the hub without TLS: anybody on the way reads the secret."
)
@click.option("--again", is_flag=True, help="Become another bridge, though this machine is one already.")
@_folder
def enrol(  # noqa: PLR0917 - click passes options by name
    hub_url: str,
    token: str,
    kind_name: str,
    name: str | None,
    pairs: tuple[str, ...],
    allow: tuple[str, ...],
    plain_http: bool,
    again: bool,
    folder: Path | None,
) -> None:
    """Become a bridge of the hub, with a secret that is drawn here. Safe to repeat with the same token."""
    from hub.agent.enrolling import EnrolWish  # noqa: PLC0415
    from hub.agent.folder import AgentConfig, folder_of  # noqa: PLC0415
    from hub.app.agent import agent_kind, enrol_machine  # noqa: PLC0415
    from hub.cli.bridge_settings import value_of  # noqa: PLC0415
    from hub.flow.bridge_settings import read_settings  # noqa: PLC0415
    from hub.rules.signing import SECRET_BYTES_GENERATED, Secret  # noqa: PLC0415

    hub_url = _checked(hub_url, is_plain_allowed=plain_http)
    if kind_named(kind_name) is None:
        raise click.UsageError("A program of your own that pushes needs no agent: see docs/bridges.md.")
    kind = agent_kind(kind_name)
    settings = ask_missing(kind, read_pairs(kind, pairs))
    try:
        read_settings(kind, settings, machine_values=None)
    except InvalidRequest as error:
        raise click.UsageError(error.message) from None
    config = AgentConfig(
        hub=hub_url,
        secret=Secret.from_bytes(secrets.token_bytes(SECRET_BYTES_GENERATED)).text,
        kind=kind_name,
        settings=settings,
        allow=allow,
    )
    place = folder_of(folder, os.environ)
    wish = EnrolWish(token=value_of("--token", token), name=name, config=config, is_again=again)
    made = asyncio.run(enrol_machine(place, wish))
    click.echo(f"This machine is the bridge '{made}' now ({place}).")
    click.echo("Now try it: hub agent doctor. Then run it: hub agent run, or hub agent service.")


@agent.command()
@_folder
@click.pass_obj
def run(settings: Settings, folder: Path | None) -> None:
    """Run the bridge until it is stopped (Ctrl-C, SIGTERM)."""
    from hub.agent.folder import folder_of  # noqa: PLC0415
    from hub.app.agent import run_agent  # noqa: PLC0415
    from hub.observe.logs import configure_logs  # noqa: PLC0415

    configure_logs(level=settings.log.level, form=settings.log.format, process="agent")
    asyncio.run(run_agent(folder_of(folder, os.environ)))


@agent.command()
@_folder
def doctor(folder: Path | None) -> None:
    """Try the way to the hub and to the network, and say what was found; nothing is sent to anybody.

    The report holds no secrets and can be shown to others. Ends with 1 if something failed.
    """
    from hub.agent.folder import folder_of  # noqa: PLC0415
    from hub.app.agent import examine_agent  # noqa: PLC0415

    findings = asyncio.run(examine_agent(folder_of(folder, os.environ)))
    for each in findings:
        click.echo(f"{each.state:8} {each.name:16} {each.detail}")
    if any(each.state == "failed" for each in findings):
        sys.exit(1)


@agent.command()
@click.option(
    "--secret",
    "given",
    metavar="SECRET",
    help="Of `hub bridges rotate-secret`, as @FILE or env:NAME; without it, it is asked for.",
)
@_folder
def secret(given: str | None, folder: Path | None) -> None:
    """Sign with the bridge's new secret, if the hub believes it. A running agent takes it over within 20 seconds."""
    from hub.agent.folder import folder_of  # noqa: PLC0415
    from hub.app.agent import take_secret  # noqa: PLC0415
    from hub.cli.bridge_settings import value_of  # noqa: PLC0415

    text = click.prompt("New secret", hide_input=True) if given is None else value_of("--secret", given)
    asyncio.run(take_secret(folder_of(folder, os.environ), text.strip()))
    click.echo("The hub believes the new secret; it is kept. The old one may end.")


@agent.command()
@click.argument("manager", type=click.Choice(["launchd", "systemd"]))
@_folder
def service(manager: str, folder: Path | None) -> None:
    """Print the file with which a service manager keeps the agent running."""
    from hub.agent.folder import folder_of  # noqa: PLC0415
    from hub.agent.service_files import Manager, service_text  # noqa: PLC0415

    place = folder_of(folder, os.environ).resolve()
    click.echo(service_text(cast("Manager", manager), command=_own_command(), folder=str(place)), nl=False)


def _own_command() -> str:
    """Give the path of this very `hub`: another program of that name, as GitHub's, may come first in PATH."""
    beside = Path(sys.executable).with_name("hub")
    return str(beside) if beside.is_file() else shutil.which("hub") or str(Path(sys.argv[0]).resolve())


def _checked(url: str, *, is_plain_allowed: bool) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise click.UsageError(f"--hub must be an address like https://hub.example.com, not '{url}'.")
    if parts.scheme == "http" and not is_plain_allowed and not _is_here(parts.hostname):
        raise click.UsageError(
            "Without TLS anybody on the way can read the secret: give the hub https:// (docs/operations.md), or add "
            "--plain-http where the way itself is private, for example a VPN."
        )
    return url.rstrip("/")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
