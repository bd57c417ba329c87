"""Can the database be reached at all? Asked once at the start, so that a wrong URL ends in a sentence.

Later outages are waited for by the store itself; nothing here runs again.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from hub.config.settings import Settings
from hub.embedded.datafolder import DataFolder, open_data_folder
from hub.model.errors import HubError
from hub.store import address
from hub.store.faults import DatabaseUnavailable

#: One try to connect.
CONNECT_SECONDS = 5.0
#: How long a process that was started beside its database waits for it.
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.5

log = structlog.get_logger("store")


class NoHubHere(HubError):
    """There is no hub where the settings point."""


def require_existing(settings: Settings) -> None:
    """Refuse to make a new hub where a command meant one that exists.

    Raises:
        NoHubHere: The data folder holds no database.
    """
    if settings.store.url:
        return
    path = settings.data_folder.expanduser().absolute()
    if path.exists():
        open_data_folder(path)  # says whose it is, if not ours
    if not DataFolder(path).database_path.exists():
        raise NoHubHere(
            f"There is no hub in {path}. `hub up` starts one there; HUB_DATA_FOLDER or --config names another folder."
        )


async def require_database(settings: Settings) -> None:
    """Connect once to PostgreSQL.

    Raises:
        DatabaseUnavailable: It cannot be reached, or refuses us.
    """
    parsed = address.parse(settings.store.url) if settings.store.url else Path()
    if isinstance(parsed, Path):
        return
    where = f"{parsed.host or 'localhost'}:{parsed.port or 5432}/{parsed.database or ''}"
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await address.connect(parsed)
    except TimeoutError:
        raise DatabaseUnavailable(
            f"PostgreSQL at {where} did not answer within {CONNECT_SECONDS:g} s. Check store.url and the network."
        ) from None
    except Exception as error:
        raise DatabaseUnavailable(
            f"PostgreSQL at {where} cannot be used: {_reason(error)}. Is it running? Check store.url."
        ) from error
    await connection.close()


async def await_database(settings: Settings, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for a database that is started beside us, and say so.

    Raises:
        DatabaseUnavailable: It did not come.
    """
    give_up_at = asyncio.get_running_loop().time() + patience_seconds
    is_told = False
    while True:
        try:
            await require_database(settings)
        except DatabaseUnavailable as error:
            if asyncio.get_running_loop().time() >= give_up_at:
                raise
            if not is_told:
                log.warning("database.awaited", error=str(error), patience_seconds=patience_seconds)
            is_told = True
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            return


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    from hub.store.postgres.healing import explained  # noqa: PLC0415 - a hub on SQLite does without its memory

    told = explained(error)
    return str(told).rpartition(": ")[2] or type(error).__name__
