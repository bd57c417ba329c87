"""What can be done to a running hub, and what brings it back where nobody else does."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil
import redis

from tests.load.receiver_control import ReceiverControl
from tests.load.services import Service
from tests.load.topologies import Apart, Embedded

#: As long as an orchestrator takes to notice a dead process and start it again.
RESTART_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One blow."""

    name: str
    #: Strikes, and mends what an orchestrator would mend. Returns when the hub is on its own again.
    strike: Callable[[], None]
    #: Recovery is counted from the blow, or from its end where nothing can be delivered before.
    counts_from_end: bool = False
    #: Why deliveries may arrive twice after it; empty when they may not.
    repeats_because: str = ""


_UNRECORDED = "posts that the receiver had answered when their record was not yet committed"


def receiver_outage(receiver: ReceiverControl, seconds: float) -> Fault:
    """Close the receiver's ports and connections for a while."""

    def strike() -> None:
        receiver.fall()
        time.sleep(seconds)
        receiver.recover()

    return Fault(
        name=f"receiver down for {seconds:.0f} s",
        strike=strike,
        counts_from_end=True,
        repeats_because="posts whose answer was lost with the connection",
    )


def embedded_faults(hub: Embedded, receiver: ReceiverControl) -> list[Fault]:
    """Everything that can happen to `hub up`; its supervisor mends."""

    def kill(role: str) -> Callable[[], None]:
        return lambda: os.kill(hub.roles()[role], signal.SIGKILL)

    return [
        Fault(name="kill -9 web", strike=kill("web")),
        Fault(name="kill -9 worker", strike=kill("worker"), repeats_because=_UNRECORDED),
        Fault(name="FLUSHALL", strike=lambda: flush_all(hub.roles()["valkey"])),
        Fault(name="kill -9 Valkey", strike=kill("valkey")),
        receiver_outage(receiver, 3.0),
    ]


def apart_faults(hub: Apart, receiver: ReceiverControl, restart_postgres: Callable[[], None]) -> list[Fault]:
    """Everything that can happen to processes run apart; we restart them, as Compose would."""

    def kill(name: str) -> Callable[[], None]:
        return lambda: kill_and_restart(hub.services[name])

    return [
        Fault(name="kill -9 web", strike=kill("web1")),
        Fault(name="kill -9 worker", strike=kill("worker1"), repeats_because=_UNRECORDED),
        Fault(name="FLUSHALL", strike=lambda: flush_all(hub.services["valkey"].pid)),
        Fault(name="kill -9 Valkey", strike=kill("valkey")),
        Fault(name="PostgreSQL crash and restart", strike=restart_postgres, repeats_because=_UNRECORDED),
        receiver_outage(receiver, 3.0),
    ]


def kill_and_restart(service: Service) -> None:
    """Crash a process and start it again a moment later."""
    service.kill()
    time.sleep(RESTART_SECONDS)
    service.start_without_waiting()


def flush_all(pid: int) -> None:
    """Empty a Valkey, found by its command line."""
    words = psutil.Process(pid).cmdline()
    client = _client(" ".join(words).replace(":", " ").split())
    client.flushall()
    client.close()


def _client(words: list[str]) -> redis.Redis:
    """Connect to a unix socket or a port that stands in a server's command line (valkey rewrites its title)."""
    for word in words:
        if word.startswith("/") and word.endswith(".sock"):
            return redis.Redis(unix_socket_path=word)
    if "unixsocket" in words:
        return redis.Redis(unix_socket_path=words[words.index("unixsocket") + 1])
    ports = [int(word) for word in words if word.isdigit() and int(word) > 0]
    return redis.Redis(host="127.0.0.1", port=ports[0])
