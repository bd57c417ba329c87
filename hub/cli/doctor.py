"""hub doctor: checks what a running hub stands on, and says what to do about each fault."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import click

from hub.config.settings import Settings
from hub.model.errors import HubError

if TYPE_CHECKING:
    from hub.rules.connectors.connections import Connection

LEAST_SQLITE = (3, 35, 0)
LEAST_FREE_BYTES = 1 << 30
_DAY_MS = 86_400_000
#: Failed runs that are counted.
_MOST_FAILED = 1000
#: A line that its operator has switched off is no fault.
_WANTED_OFF = frozenset({"bridge_disabled", "line_inactive"})


class Finding(NamedTuple):
    """One check's result."""

    is_well: bool
    subject: str
    detail: str


@click.command()
@click.option("--quick", is_flag=True, help="Only database and Redis; for health checks.")
@click.pass_obj
def doctor(settings: Settings, *, quick: bool) -> None:
    """Check what the hub stands on, and say what to do; exit 1 if something is wrong."""
    checks: list[Callable[[Settings], Awaitable[Finding]]] = [_database, _redis]
    if not quick:
        checks = [
            _python,
            *([] if settings.store.url else [_folder]),
            _database,
            _key,
            _files,
            _redis,
            _backlog,
            _lines,
            _sources,
            _connections,
            _routes,
        ]
    needing = {_key, _backlog, _lines, _routes}
    if not settings.redis.url:
        needing.add(_redis)
    if settings.files.storage == "folder":
        needing.add(_files)
    findings: dict[str, Finding] = {}
    for check in checks:
        if check in needing and not findings["_database"].is_well:
            continue  # one cause is told once
        finding = findings[check.__name__] = asyncio.run(_checked(check, settings))
        click.echo(f"{'ok  ' if finding.is_well else 'FAIL'} {finding.subject:11} {finding.detail}")
    if not all(finding.is_well for finding in findings.values()):
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

    path = settings.data_folder.expanduser().absolute()
    if not path.exists():
        return Finding(False, "folder", f"{path} does not exist; `hub up` makes it.")
    folder = open_data_folder(settings.data_folder)
    free = shutil.disk_usage(folder.path).free
    detail = f"{folder.path}, {free / (1 << 30):.1f} GiB free"
    if free < LEAST_FREE_BYTES:
        return Finding(False, "folder", f"{detail}; free some space, or shorten retention.*_days.")
    return Finding(True, "folder", detail)


async def _key(settings: Settings) -> Finding:
    from hub.app.core import open_database  # noqa: PLC0415

    opened = await open_database(settings)
    try:
        await opened.store.bridges.all()  # opens every bridge's secret
    finally:
        await opened.close()
    return Finding(True, "key", "the encryption key fits what is stored")


async def _database(settings: Settings) -> Finding:
    from hub.app.core import open_database  # noqa: PLC0415
    from hub.app.reach import require_database, require_existing  # noqa: PLC0415

    require_existing(settings)
    await require_database(settings)
    opened = await open_database(settings)
    try:
        await opened.check()
        revision = await opened.store.hot.read(lambda tx: tx.revision())
    finally:
        await opened.close()
    return Finding(True, "database", f"{opened.dialect}, schema up to date, revision {revision}")


async def _files(settings: Settings) -> Finding:
    from hub.app.files import blob_store  # noqa: PLC0415

    where = f"the bucket {settings.files.s3_bucket}" if settings.files.storage == "s3" else "the data folder"
    fault = await blob_store(settings).check()
    if fault is not None:
        return Finding(False, "files", f"{where} cannot be used: {fault}")
    return Finding(True, "files", f"can be kept in {where}: a trial was written, read and deleted")


async def _redis(settings: Settings) -> Finding:
    from redis.exceptions import RedisError  # noqa: PLC0415

    from hub.app.console import redis_url  # noqa: PLC0415
    from hub.app.core import connect_redis  # noqa: PLC0415

    url = redis_url(settings)
    redis = connect_redis(url)
    try:
        info = await redis.info("server")
    except (RedisError, OSError) as error:
        what = "check redis.url" if settings.redis.url else "is the hub running? `hub up` starts it"
        return Finding(False, "redis", f"no answer ({error}); {what}. Meanwhile sweeps find what is due.")
    finally:
        await redis.aclose(close_connection_pool=True)
    return Finding(
        True, "redis", f"answers, version {info.get('valkey_version') or info.get('redis_version')}"
    )


async def _backlog(settings: Settings) -> Finding:
    from hub.app.core import open_database  # noqa: PLC0415
    from hub.model.ids import id_time_ms  # noqa: PLC0415

    opened = await open_database(settings)
    try:
        backlog = await opened.store.deliveries.backlog()
    finally:
        await opened.close()
    total = sum(count for count, _ in backlog.values())
    if not total:
        return Finding(True, "backlog", "nothing waits")
    oldest_ms = min(id_time_ms(oldest) for _, oldest in backlog.values())
    since = datetime.fromtimestamp(oldest_ms / 1000, UTC).isoformat(sep=" ", timespec="seconds")
    many = f"{total} deliveries wait for {len(backlog)} webhooks, the oldest since {since}"
    return Finding(True, "backlog", f"{many}; `hub deliveries --status pending` says why")


async def _lines(settings: Settings) -> Finding:
    from hub.app.core import open_database  # noqa: PLC0415
    from hub.rules.line_health import LineState  # noqa: PLC0415

    opened = await open_database(settings)
    try:
        lines = await opened.store.lines.all()
        found = {record.line_id: record for record in await opened.store.health.all()}
        names = {bridge.id: bridge.name for bridge in await opened.store.bridges.all()}
    finally:
        await opened.close()
    unwell = [
        (line, record)
        for line in lines
        if (record := found.get(line.id)) is not None and record.state != LineState.ACTIVE
    ]
    if not unwell:
        return Finding(True, "lines", f"all {len(lines)} are well" if lines else "there is none yet")
    told = "; ".join(f"{line.handle} is {record.state} ({record.reason})" for line, record in unwell)
    bridges = sorted({names[line.bridge_id] for line, _ in unwell if line.bridge_id in names})
    tries = ", ".join(f"`hub bridges doctor {name}`" for name in bridges)
    is_well = all(record.state == LineState.LIMITED or record.reason in _WANTED_OFF for _, record in unwell)
    return Finding(is_well, "lines", f"{told}. {tries} and GET /v1/lines/{{id}}/health say more.")


async def _connections(settings: Settings) -> Finding:
    from hub.app.reach import NoHubHere  # noqa: PLC0415
    from hub.config.connectors import load_connectors  # noqa: PLC0415
    from hub.store.faults import DatabaseUnavailable  # noqa: PLC0415

    found = load_connectors(settings.connections_file, settings.connectors_folder, os.environ).connections
    if not found:
        return Finding(True, "connections", "none is set up")
    try:
        unwell = await _unwell(settings, found)
    except (NoHubHere, DatabaseUnavailable):
        unwell = []  # the database is told by itself
    if unwell:
        return Finding(False, "connections", f"{' '.join(unwell)} Then `hub connections test` asks them.")
    told = (
        f"{', '.join(sorted(found))}: the file and the secrets can be read; `hub connections test` asks them"
    )
    return Finding(True, "connections", told)


async def _unwell(settings: Settings, found: Mapping[str, Connection]) -> list[str]:
    """Tell of each connection that is paused, or failed its last test."""
    from hub.app.core import open_database  # noqa: PLC0415
    from hub.app.reach import require_existing  # noqa: PLC0415
    from hub.connectors.standing import standings  # noqa: PLC0415
    from hub.connectors.states import StateBook  # noqa: PLC0415

    require_existing(settings)
    opened = await open_database(settings)
    try:
        states = StateBook(opened.store.connection_states)
        standing = await standings(found.values(), states, int(time.time() * 1000))
    finally:
        await opened.close()
    words = {"paused": "is paused", "failing": "failed its last test"}
    return [
        f"{each.name} {words[each.state]}: {(each.reason or '').rstrip('.')}."
        for each in standing
        if each.state != "ok"
    ]


async def _sources(settings: Settings) -> Finding:
    from hub.config.connections import load_sources  # noqa: PLC0415

    sources = load_sources(settings.connections_file, os.environ)
    if not sources:
        return Finding(True, "sources", "none is set up")
    deaf = [each.name for each in sources if not each.secrets]
    told = f"{', '.join(sorted(each.name for each in sources))}: the file and the secrets can be read"
    return Finding(
        not deaf, "sources", told if not deaf else f"{', '.join(deaf)} believes nobody: it has no secret yet"
    )


async def _routes(settings: Settings) -> Finding:
    from hub.app.checking import check_texts, read_texts  # noqa: PLC0415
    from hub.app.core import open_database  # noqa: PLC0415
    from hub.app.offline import offline_actions  # noqa: PLC0415
    from hub.flow.route_store import RunFilter  # noqa: PLC0415
    from hub.model.ids import first_id_at  # noqa: PLC0415
    from hub.model.run import RunState  # noqa: PLC0415

    folder = settings.routes.folder.expanduser()
    checked = check_texts(read_texts([folder]), offline_actions(settings))
    opened = await open_database(settings)
    try:
        count = len(await opened.store.routes.current())
        since = first_id_at(int(time.time() * 1000) - _DAY_MS)
        wanted = RunFilter(state=RunState.FAILED, first_id=since, is_not_replayed=True)
        failed = await opened.store.runs.page(wanted, before=None, limit=_MOST_FAILED)
    finally:
        await opened.close()
    if checked.errors:
        wrong = (
            f"{checked.errors} problem{'' if checked.errors == 1 else 's'} in {folder}; `hub check` tells all"
        )
        return Finding(False, "routes", f"{wrong}. Meanwhile what ran goes on running.")
    many = f"{len(failed)}{'+' if len(failed) == _MOST_FAILED else ''}"
    runs = (
        f"{many} runs failed since yesterday; `hub runs list --state failed` tells"
        if failed
        else "no run failed"
    )
    return Finding(True, "routes", f"{count} stand; {runs}" if count else "there is none")
