"""hub doctor: checks what a running hub stands on, and says what to do about each fault."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import click

from hub.config.settings import Settings
from hub.model.errors import HubError

LEAST_SQLITE = (3, 35, 0)
LEAST_FREE_BYTES = 1 << 30


class Finding(NamedTuple):
    """One check's result."""

    is_well: bool
    subject: str
    detail: str


@click.command()
@click.option("--quick", is_flag=True, help="Only database and Redis; for health checks.")
@click.pass_obj
def doctor(settings: Settings, *, quick: bool) -> None:
    """Check the installation; exit 1 if something is wrong."""
    checks: list[Callable[[Settings], Awaitable[Finding]]] = [_database, _redis]
    if not quick:
        checks = [_python, _folder, _key, *checks, _backlog]
    findings = [asyncio.run(_checked(check, settings)) for check in checks]
    for finding in findings:
        click.echo(f"{'ok  ' if finding.is_well else 'FAIL'} {finding.subject:10} {finding.detail}")
    if not all(finding.is_well for finding in findings):
        sys.exit(1)


async def _checked(check: Callable[[Settings], Awaitable[Finding]], settings: Settings) -> Finding:
    try:
        return await check(settings)
    except (HubError, OSError) as error:
        return Finding(False, check.__name__.strip("_"), str(error))


async def _python(_: Settings) -> Finding:
    found = sqlite3.sqlite_version_info
    detail = f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}"
    if found < LEAST_SQLITE:
        return Finding(
            False, "python", f"{detail}; SQLite 3.35 or newer is needed: use a newer Python build."
        )
    return Finding(True, "python", detail)


async def _folder(settings: Settings) -> Finding:
    from hub.embedded.datafolder import open_data_folder  # noqa: PLC0415

    folder = open_data_folder(settings.data_folder)
    free = shutil.disk_usage(folder.path).free
    detail = f"{folder.path}, {free / (1 << 30):.1f} GiB free"
    if free < LEAST_FREE_BYTES:
        return Finding(False, "folder", f"{detail}; free some space, or shorten retention.*_days.")
    return Finding(True, "folder", detail)


async def _key(settings: Settings) -> Finding:
    from hub.app.core import encryption_key  # noqa: PLC0415

    encryption_key(settings)
    return Finding(True, "key", "the encryption key can be read")


async def _database(settings: Settings) -> Finding:
    from hub.app.core import open_database  # noqa: PLC0415

    opened = await open_database(settings)
    try:
        await opened.check()
        revision = await opened.store.hot.read(lambda tx: tx.revision())
    finally:
        await opened.close()
    return Finding(True, "database", f"{opened.dialect}, schema up to date, revision {revision}")


async def _redis(settings: Settings) -> Finding:
    from redis.exceptions import RedisError  # noqa: PLC0415

    from hub.app.console import redis_url  # noqa: PLC0415
    from hub.app.core import connect_redis  # noqa: PLC0415

    url = redis_url(settings)
    redis = connect_redis(url)
    try:
        info = await redis.info("server")
    except (RedisError, OSError) as error:
        what = "is the hub running?" if not settings.redis.url else "check redis.url."
        return Finding(False, "redis", f"no answer ({error}); {what} Deliveries go on, found by sweeps.")
    finally:
        await redis.aclose(close_connection_pool=True)
    return Finding(
        True, "redis", f"answers, version {info.get('valkey_version') or info.get('redis_version')}"
    )


async def _backlog(settings: Settings) -> Finding:
    from hub.app.core import open_database  # noqa: PLC0415

    opened = await open_database(settings)
    try:
        backlog = await opened.store.deliveries.backlog()
    finally:
        await opened.close()
    total = sum(count for count, _ in backlog.values())
    return Finding(True, "backlog", f"{total} deliveries pending for {len(backlog)} webhooks")
