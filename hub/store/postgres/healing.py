"""Try again what PostgreSQL could not do for a passing reason: a conflict, a restart, a lost connection.

Not here: whether the work may be repeated once its outcome is unknown (database decides).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg  # type: ignore[import-untyped]  # asyncpg ships no types
from sqlalchemy.exc import DBAPIError
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_random_exponential

from hub.model.errors import StoreError
from hub.store.faults import DatabaseUnavailable, Refused

T = TypeVar("T")

#: How long a restart of the server may take before callers are told.
PATIENCE_SECONDS = 30.0

#: The transaction certainly did not commit.
_CONFLICTS = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
#: The server is gone, going or coming.
_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
_REFUSED = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError, UnicodeEncodeError)


class OutcomeUnknown(DatabaseUnavailable):
    """The connection was lost during COMMIT, and the work must not be repeated blindly."""


def driver_error(error: BaseException) -> BaseException:
    """Unwrap what SQLAlchemy wrapped around asyncpg's error."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return error.orig.__cause__ or error.orig
    return error


def is_conflict(error: BaseException) -> bool:
    return isinstance(driver_error(error), _CONFLICTS)


def is_lost(error: BaseException) -> bool:
    cause = driver_error(error)
    # A DataError of the client ("invalid input for query argument") is an InterfaceError too.
    return isinstance(cause, _LOST) and not isinstance(cause, _REFUSED)


def is_passing(error: BaseException) -> bool:
    """Tell whether another try may succeed."""
    return is_conflict(error) or is_lost(error)


def retrying() -> AsyncRetrying:
    """Retry while the reason is a passing one and patience lasts."""
    return AsyncRetrying(
        retry=retry_if_exception(is_passing),
        wait=wait_random_exponential(multiplier=0.02, max=1.0),
        stop=stop_after_delay(PATIENCE_SECONDS),
        reraise=True,
    )


async def patiently(once: Callable[[], Awaitable[T]]) -> T:
    """Do something, again and again where it fails for a passing reason.

    Raises:
        StoreError: In our words, what the driver raised. Other errors pass unchanged.
    """

    async def again() -> T:  # tenacity awaits only what is declared as asynchronous
        return await once()

    try:
        try:
            return await once()  # by itself: to prepare for retries costs more than many a statement
        except Exception as error:
            if not is_passing(error):
                raise
        return await retrying()(again)
    except Exception as error:
        raise explained(error) from error


def explained(error: Exception) -> Exception:
    """Say in our words what the driver raised; other errors pass unchanged."""
    cause = driver_error(error)
    if isinstance(error, StoreError):
        return error
    if isinstance(cause, _REFUSED):
        return Refused(f"PostgreSQL refused a row: {cause}")
    if is_passing(error) or isinstance(cause, asyncpg.PostgresError):
        return DatabaseUnavailable(f"PostgreSQL could not do it: {type(cause).__name__}: {cause}")
    return error
