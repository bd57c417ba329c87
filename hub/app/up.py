"""`hub up`: everything on one machine in one go: Valkey, web and worker under one supervisor."""

from __future__ import annotations

import asyncio
import http.client
import os
import socket
from collections.abc import Callable, Mapping

import msgspec
import structlog
import uvloop

from hub.app.prepare import Prepared, prepare
from hub.app.web import serve as serve_web
from hub.app.worker import work as run_worker
from hub.config.settings import Settings
from hub.embedded.children import EXIT_FAILED, Child
from hub.embedded.datafolder import hold_lock, open_data_folder
from hub.embedded.supervisor import supervise
from hub.embedded.valkey import ValkeyServer
from hub.observe.logs import configure_logs

WORKER_NAME = "embedded"
WEB_NAME = "embedded"
READY_SECONDS = 0.5


def up(settings: Settings, *, greet: Callable[[Prepared], None]) -> int:
    """Run until Ctrl-C or SIGTERM.

    Args:
        settings: The settings.
        greet: Called once everything answers.

    Returns:
        The exit code.
    """
    folder = open_data_folder(settings.data_folder)
    configure_logs(level=settings.log.level, form=settings.log.format, process="supervisor")
    log = structlog.get_logger("supervisor")
    with hold_lock(folder):
        _require_free_port(settings)
        prepared = _in_child(settings)
        if prepared is None:
            return EXIT_FAILED
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
            on_ready=lambda: greet(prepared),
        )


def _require_free_port(settings: Settings) -> None:
    """Fail with a sentence, not with a child that dies again and again."""
    family = socket.AF_INET6 if ":" in settings.web.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.web.host, settings.web.port))
        except OSError as error:
            raise SystemExit(
                f"Port {settings.web.port} on {settings.web.host} cannot be used: {error.strerror}. "
                "Stop what listens there, or choose another one: HUB_WEB__PORT=8081"
            ) from None


def _in_child(settings: Settings) -> Prepared | None:
    """Prepare in a process of its own: the supervisor must stay without threads to fork safely."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(reader)
            prepared = asyncio.run(prepare(settings))
            os.write(writer, msgspec.json.encode([prepared.first_key, prepared.sandbox_line]))
            code = 0
        except Exception as error:
            structlog.get_logger("supervisor").error("hub.not_prepared", error=str(error), exc_info=True)
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    if not text:
        return None
    first_key, sandbox_line = msgspec.json.decode(text, type=tuple[str | None, str | None])
    return Prepared(first_key=first_key, sandbox_line=sandbox_line)


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
