"""`hub up`: everything on one machine in one go: Valkey, web and worker under one supervisor."""

from __future__ import annotations

import asyncio
import http.client
import os
from collections.abc import Callable, Mapping

import msgspec
import structlog
import uvloop

from hub.app.port import CannotStart, with_free_port
from hub.app.prepare import Prepared, prepare
from hub.app.web import serve as serve_web
from hub.app.worker import work as run_worker
from hub.config.settings import Settings
from hub.embedded.children import Child
from hub.embedded.datafolder import hold_lock, open_data_folder
from hub.embedded.supervisor import supervise
from hub.embedded.valkey import ValkeyServer
from hub.model.errors import HubError
from hub.observe.logs import configure_logs

WORKER_NAME = "embedded"
WEB_NAME = "embedded"
READY_SECONDS = 0.5


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
    log = structlog.get_logger("supervisor")
    with hold_lock(folder):
        settings = with_free_port(settings)
        prepared = _in_child(settings)
        children, redis_url = [], settings.redis.url
        if not redis_url:
            valkey = ValkeyServer(folder)
            redis_url = valkey.url
            children.append(valkey.as_child())
        children += [_web_child(settings, redis_url), _worker_child(settings, redis_url)]

        def report(event: str, fields: Mapping[str, object]) -> None:
            quiet = event in ("child.started", "supervisor.stopped")
            (log.debug if quiet else log.info)(event, **fields)

        return supervise(
            children,
            report=report,
            drain_seconds=max(settings.web.graceful_shutdown_seconds, settings.worker.drain_seconds) + 2,
            on_ready=lambda: greet(settings, prepared),
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
    first_key, sandbox_line, failure = msgspec.json.decode(
        text, type=tuple[str | None, str | None, str | None]
    )
    if failure is not None:
        raise CannotStart(failure)
    return Prepared(first_key=first_key, sandbox_line=sandbox_line)


def _outcome(settings: Settings) -> tuple[str | None, str | None, str | None]:
    """Prepare: first key, sandbox line, and what stood against it."""
    try:
        prepared = asyncio.run(prepare(settings))
    except (HubError, OSError) as error:
        return None, None, str(error)
    except Exception as error:
        structlog.get_logger("supervisor").exception("hub.not_prepared")
        return None, None, f"A mistake of ours, shown above ({type(error).__name__})."
    return prepared.first_key, prepared.sandbox_line, None


def _web_child(settings: Settings, redis_url: str) -> Child:
    def run() -> int:
        configure_logs(level=settings.log.level, form=settings.log.format, process="web")
        uvloop.run(serve_web(settings, name=WEB_NAME, redis_url=redis_url))
        return 0

    return Child(name="web", run=run, is_ready=lambda: _answers(settings))


def _worker_child(settings: Settings, redis_url: str) -> Child:
    def run() -> int:
        configure_logs(level=settings.log.level, form=settings.log.format, process="worker")
        uvloop.run(run_worker(settings, name=WORKER_NAME, redis_url=redis_url))
        return 0

    return Child(name="worker", run=run)


def _answers(settings: Settings) -> bool:
    """Ask the web service whether it is ready; a closed port answers at once."""
    host = settings.web.host if settings.web.host not in ("0.0.0.0", "::") else "127.0.0.1"  # noqa: S104
    connection = http.client.HTTPConnection(host, settings.web.port, timeout=READY_SECONDS)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
