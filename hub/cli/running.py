"""hub up, serve, work, migrate: the processes."""

from __future__ import annotations

import sys

import click

from hub.cli.greeting import greeting
from hub.config.settings import Settings


@click.command()
@click.pass_obj
def up(settings: Settings) -> None:
    """Start everything on this machine: web, worker, Valkey, SQLite in the data folder."""
    from hub.app.up import up as run_up  # noqa: PLC0415 - the whole product; other commands start without it

    sys.exit(run_up(settings, greet=lambda chosen, prepared: click.echo(greeting(chosen, prepared))))


@click.command()
@click.pass_obj
def serve(settings: Settings) -> None:
    """Start one web process; run as many as you like beside PostgreSQL and Redis."""
    redis_url = _redis_url(settings)

    import uvloop  # noqa: PLC0415

    from hub.app.core import process_name  # noqa: PLC0415
    from hub.app.web import serve as run_serve  # noqa: PLC0415
    from hub.observe.logs import configure_logs  # noqa: PLC0415

    configure_logs(level=settings.log.level, form=settings.log.format, process="web")
    uvloop.run(run_serve(settings, name=process_name(settings), redis_url=redis_url))


@click.command()
@click.pass_obj
def work(settings: Settings) -> None:
    """Start one worker process; up to 16 share the lanes."""
    redis_url = _redis_url(settings)

    import uvloop  # noqa: PLC0415

    from hub.app.core import process_name  # noqa: PLC0415
    from hub.app.worker import work as run_work  # noqa: PLC0415
    from hub.observe.logs import configure_logs  # noqa: PLC0415

    configure_logs(level=settings.log.level, form=settings.log.format, process="worker")
    uvloop.run(run_work(settings, name=process_name(settings), redis_url=redis_url))


@click.command()
@click.pass_obj
def migrate(settings: Settings) -> None:
    """Bring the database up to date and make what a new hub needs; safe to repeat."""
    import asyncio  # noqa: PLC0415

    from hub.app.prepare import prepare  # noqa: PLC0415

    prepared = asyncio.run(prepare(settings))
    click.echo("The database is up to date.")
    if prepared.first_key:
        click.echo(f"API key (shown this once): {prepared.first_key}")


def _redis_url(settings: Settings) -> str:
    if not settings.redis.url:
        raise click.UsageError(
            "A process run apart needs a Redis that the others share: set HUB_REDIS__URL=redis://host:6379/0. "
            "For everything on one machine use `hub up`."
        )
    return settings.redis.url
