"""`hub up`: everything on one machine in one go: Valkey, web and worker under one supervisor."""

from __future__ import annotations

import asyncio
import os
import pickle
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
import structlog

from hub.app import web, worker
from hub.app.family import Family, report
from hub.app.port import CannotStart, with_free_port
from hub.app.prepare import Prepared, prepare
from hub.app.rehearsal import rehearse
from hub.config.settings import Settings
from hub.embedded.datafolder import DataFolder, hold_lock, open_data_folder
from hub.embedded.lean import become_lean, can_become_lean
from hub.embedded.supervisor import Alive, supervise
from hub.embedded.valkey import ValkeyServer
from hub.model.errors import HubError
from hub.observe.logs import configure_logs

#: In memory before the children are forked, so that they share it.
SHARED: Final = (web, worker)
LEAN_PROGRAM: Final = "hub.app.lean"


def up(settings: Settings, *, greet: Callable[[Settings, Prepared], None]) -> int:
    """Run until Ctrl-C or SIGTERM.

    Args:
        settings: The settings.
        greet: Called once everything answers, with the settings in force (a port in place of 0).

    Returns:
        The exit code.

    Raises:
        HubError: It cannot start: the folder or the port is taken, the database is away or of another version.
    """
    folder = open_data_folder(settings.data_folder)
    configure_logs(level=settings.log.level, form=settings.log.format, process="supervisor")
    with hold_lock(folder) as lock:
        settings = with_free_port(settings)
        prepared = _in_child(settings)
        family = _family(settings, folder)
        rehearse(has_routes=prepared.has_routes)

        def settle(alive: Mapping[str, Alive]) -> None:
            if can_become_lean():
                become_lean(LEAN_PROGRAM, {"family": family}, alive, keep=lock)

        return supervise(
            family.children(),
            report=report,
            drain_seconds=family.drain_seconds,
            on_ready=lambda: greet(settings, prepared),
            on_settled=settle,
        )


def _family(settings: Settings, folder: DataFolder) -> Family:
    redis_url = settings.redis.url
    return Family(
        settings=pickle.dumps(settings),
        data_folder=None if redis_url else folder.path,
        redis_url=redis_url or ValkeyServer(folder).url,
        host=settings.web.host,
        port=settings.web.port,
        log_level=settings.log.level,
        log_form=settings.log.format,
        drain_seconds=max(settings.web.graceful_shutdown_seconds, settings.worker.drain_seconds) + 2,
    )


def _in_child(settings: Settings) -> Prepared:
    """Prepare in a process of its own: the supervisor must stay without threads to fork safely.

    Raises:
        HubError: What stood against it there, in the same words.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reader)
            os.write(writer, msgspec.json.encode(_outcome(settings)))
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    if not text:
        raise CannotStart("The preparation was killed; start again.")
    prepared, failure = msgspec.json.decode(text, type=tuple[Prepared | None, str])
    if prepared is None:
        raise CannotStart(failure)
    return prepared


def _outcome(settings: Settings) -> tuple[Prepared | None, str]:
    """Prepare; tell what stood against it."""
    try:
        return asyncio.run(prepare(settings)), ""
    except (HubError, OSError) as error:
        return None, str(error)
    except Exception as error:
        structlog.get_logger("supervisor").exception("hub.not_prepared")
        return None, f"A mistake of ours, shown above ({type(error).__name__})."
