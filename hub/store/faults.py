"""What can go wrong in the store, said so that an operator knows what to do.

StoreError (hub.model.errors)
├── DatabaseUnavailable   locked, full, broken or gone; try again later
├── Refused               a constraint or a value stands against it; trying again does not help
├── SchemaTooNew          the database was migrated by a newer hub
├── SchemaTooOld          the database wants `hub migrate`
├── UnknownDatabase       the URL names a database that Hub does not speak
└── UnsealingFailed       a sealed column cannot be opened with the keys at hand
"""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, IntegrityError

from hub.model.errors import StoreError, StoreUnavailable


class DatabaseUnavailable(StoreUnavailable):
    """The database could not do it now: locked, full, broken or gone. Nothing of the unit was recorded."""


class Refused(StoreError):
    """A constraint (a name that is taken, a line that is gone) or a value stands against it."""


class SchemaTooNew(StoreError):
    """The database was migrated by a newer version of Hub."""

    def __init__(self, found: str, known: str) -> None:
        super().__init__(
            f"The database has schema {found}, which this version of Hub does not know (it knows up to {known}). "
            "Start the newer version again, or restore a backup made with this one; there is no way back down."
        )


class SchemaTooOld(StoreError):
    """The database is empty or was made by an older version of Hub."""

    def __init__(self, found: str | None, wanted: str) -> None:
        state = f"has schema {found}" if found else "has no tables of Hub yet"
        super().__init__(
            f"The database {state}; this version of Hub needs {wanted}. Run `hub migrate`, then start again."
        )


class UnknownDatabase(StoreError):
    """The URL names a database that Hub does not speak."""

    def __init__(self, url_scheme: str) -> None:
        super().__init__(
            f"database URL begins with '{url_scheme}', but Hub speaks sqlite:///path/to/file "
            "and postgresql://user@host/name."
        )


class UnsealingFailed(StoreError):
    """A sealed column cannot be opened with the keys at hand."""


def explained(error: Exception) -> Exception:
    """Say in our words what a driver raised within a unit of work; other errors pass unchanged."""
    if isinstance(error, (IntegrityError, sqlite3.IntegrityError, sqlite3.DataError, UnicodeEncodeError)):
        told: StoreError = Refused(f"The database refused a row: {getattr(error, 'orig', error)}")
    elif isinstance(error, (DBAPIError, sqlite3.Error)):
        told = DatabaseUnavailable(f"The database could not do it: {getattr(error, 'orig', error)}")
    else:
        return error
    told.__cause__ = error
    return told
