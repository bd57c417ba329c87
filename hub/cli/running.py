"""hub up, serve, work, migrate: the processes."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import click

from hub.config.settings import Settings

if TYPE_CHECKING:
    from hub.app.prepare import Prepared


@click.command()
@click.pass_obj
def up(settings: Settings) -> None:
    """Start everything on this machine: web, worker, embedded Valkey, SQLite in the data folder."""
    from hub.app.up import up as run_up  # noqa: PLC0415 - the whole product; other commands start without it

    sys.exit(run_up(settings, greet=lambda prepared: click.echo(greeting(settings, prepared))))


@click.command()
@click.pass_obj
def serve(settings: Settings) -> None:
    """Start one web process; run as many as you like beside PostgreSQL and Redis."""
    import uvloop  # noqa: PLC0415

    from hub.app.core import process_name  # noqa: PLC0415
    from hub.app.web import serve as run_serve  # noqa: PLC0415
    from hub.observe.logs import configure_logs  # noqa: PLC0415

    redis_url = _redis_url(settings)
    configure_logs(level=settings.log.level, form=settings.log.format, process="web")
    uvloop.run(run_serve(settings, name=process_name(settings), redis_url=redis_url))


@click.command()
@click.pass_obj
def work(settings: Settings) -> None:
    """Start one worker process; up to 16 share the lanes."""
    import uvloop  # noqa: PLC0415

    from hub.app.core import process_name  # noqa: PLC0415
    from hub.app.worker import work as run_work  # noqa: PLC0415
    from hub.observe.logs import configure_logs  # noqa: PLC0415

    redis_url = _redis_url(settings)
    configure_logs(level=settings.log.level, form=settings.log.format, process="worker")
    uvloop.run(run_work(settings, name=process_name(settings), redis_url=redis_url))


@click.command()
@click.pass_obj
def migrate(settings: Settings) -> None:
    """Bring the database up to date and make what a new hub needs. Safe to repeat."""
    import asyncio  # noqa: PLC0415

    from hub.app.prepare import prepare  # noqa: PLC0415

    prepared = asyncio.run(prepare(settings))
    click.echo("The database is up to date.")
    if prepared.first_key:
        click.echo(f"API key (shown this once): {prepared.first_key}")


def greeting(settings: Settings, prepared: Prepared) -> str:
    """What a person needs to go on, with commands to paste."""
    url, line = settings.web.public_url, prepared.sandbox_line
    key = prepared.first_key or "$HUB_KEY"
    known = (
        prepared.first_key and f"{prepared.first_key}   (shown this once; keep it)"
    ) or "made at the first start; `hub keys create` makes another"
    lines = [
        "",
        f"  Hub is ready at {url}",
        "",
        f"  API key       {known}",
        f"  Sandbox line  {line or 'off (sandbox.enabled)'}",
        f"  Data          {settings.data_folder.resolve()}",
        f"  Metrics       {url}/metrics      API  {url}/v1/openapi.json",
        "",
    ]
    if line:
        lines += _commands(url, key, line, first=prepared.first_key is not None)
    lines += ["  Ctrl-C drains and stops.", ""]
    return "\n".join(lines)


def _commands(url: str, key: str, line: str, *, first: bool) -> list[str]:
    hub = shlex.quote(sys.argv[0]) if sys.argv[0].endswith("hub") else "hub"
    lines = ["  Try it from a second terminal" + (":" if first else ", with your key in HUB_KEY:"), ""]
    bearer = f"-H 'Authorization: Bearer {key}'" if first else f'-H "Authorization: Bearer {key}"'
    return [
        *lines,
        f"  # 0. something that receives webhooks, checks them and prints them\n  {hub} listen --port 9000 &\n",
        "  # 1. register it",
        f"  curl -sS {url}/v1/webhooks {bearer} \\",
        f"""    -d '{{"from":"{line}","url":"http://127.0.0.1:9000/","events":["*"]}}'\n""",
        "  # 2. let a sandbox contact text us",
        f"  {hub} sandbox say 'Hello, Hub!' --from +15550100001\n",
        "  # 3. send a message back",
        f"  curl -sS {url}/v1/messages {bearer} \\",
        f"""    -d '{{"from":"{line}","to":"+15550100001","text":"Hello back"}}'\n""",
    ]


def _redis_url(settings: Settings) -> str:
    if not settings.redis.url:
        raise click.UsageError(
            "A process run apart needs a Redis that the others share: set HUB_REDIS__URL=redis://host:6379/0. "
            "For everything on one machine use `hub up`."
        )
    return settings.redis.url
