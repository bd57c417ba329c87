"""What each process of `hub up` does first, done once before they are forked.

The first use of a library fills its tables and finishes its classes. Done after the fork, each process would hold a
copy of that, and of each page of shared memory that it wrote to on the way: 6 MiB in each.
"""

from __future__ import annotations

import importlib
import sqlite3
from typing import Final

import uvloop  # noqa: F401 - in memory for all
from sqlalchemy import literal, select

from hub.outbound.tls import client_context
from hub.store.sealing import KEY_BYTES, Sealer
from hub.store.sqlite.session import Session

#: Where there are routes, both processes need what reads them, and the worker what runs them (decision 28).
_FOR_ROUTES: Final = ("hub.app.routing", "hub.config.route_files")


def rehearse(*, has_routes: bool) -> None:
    """Use what the processes will use; starts no thread and leaves nothing open, so that forking is safe."""
    for name in _FOR_ROUTES if has_routes else ():
        importlib.import_module(name)
    Sealer([bytes(KEY_BYTES)]).seal(b"", b"")
    client_context()
    connection = sqlite3.connect(":memory:", isolation_level=None)
    session = Session(connection)
    session.cold(lambda cold: cold.execute(select(literal(1))).all())
    session.close()
    connection.close()
