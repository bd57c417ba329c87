"""The processes of `hub up`, as its supervisor starts them; the product is imported where one begins.

What makes them again is small and can be handed on: a supervisor that replaced itself by a lean one restarts them, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.embedded.children import Child
from hub.embedded.datafolder import open_data_folder
from hub.embedded.valkey import ValkeyServer

WORKER_NAME = "embedded"
WEB_NAME = "embedded"
READY_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """What it takes to start the processes."""

    #: hub.config.settings.Settings, pickled: a lean supervisor has no use for the class itself.
    settings: bytes
    #: Where the embedded Valkey has its socket; None where Redis is somebody else's.
    data_folder: Path | None
    redis_url: str
    #: For asking the web process whether it is ready.
    host: str
    port: int
    log_level: str
    log_form: str
    drain_seconds: float

    def children(self) -> list[Child]:
        """Give them all."""
        valkey = [] if self.data_folder is None else [_valkey(self.data_folder)]
        return [
            *valkey,
            Child(name="web", run=self._web, is_ready=self._answers),
            Child(name="worker", run=self._worker),
        ]

    def _web(self) -> int:
        from hub.app.web import serve  # noqa: PLC0415 - see above

        return self._run("web", lambda settings: serve(settings, name=WEB_NAME, redis_url=self.redis_url))

    def _worker(self) -> int:
        from hub.app.worker import work  # noqa: PLC0415 - see above

        return self._run(
            "worker", lambda settings: work(settings, name=WORKER_NAME, redis_url=self.redis_url)
        )

    def _run(self, process: str, main: Callable[[Any], Any]) -> int:
        import pickle  # noqa: PLC0415

        import uvloop  # noqa: PLC0415 - see above

        self.configure_logs(process)
        uvloop.run(main(pickle.loads(self.settings)))  # noqa: S301 - of our own making
        return 0

    def configure_logs(self, process: str) -> None:
        """Let a process of the family log as the settings say."""
        from hub.observe.logs import configure_logs  # noqa: PLC0415 - see above

        configure_logs(level=self.log_level, form=self.log_form, process=process)

    def _answers(self) -> bool:
        """Ask the web service whether it is ready; a closed port answers at once."""
        import http.client  # noqa: PLC0415 - asked only while it starts

        host = self.host if self.host not in ("0.0.0.0", "::") else "127.0.0.1"  # noqa: S104
        connection = http.client.HTTPConnection(host, self.port, timeout=READY_SECONDS)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()


def _valkey(data_folder: Path) -> Child:
    return ValkeyServer(open_data_folder(data_folder)).as_child()


def report(event: str, fields: Mapping[str, object]) -> None:
    """Log what the supervisor does."""
    import structlog  # noqa: PLC0415 - see above

    log = structlog.get_logger("supervisor")
    quiet = event in ("child.started", "supervisor.stopped")
    (log.debug if quiet else log.info)(event, **fields)
