"""Set a topology up for a trial, with times short enough that a trial can see a recovery."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.chaos.faults import Fault, apart_faults, embedded_faults
from tests.chaos.trial import FAN_OUT, LINE
from tests.load.postgres import running_postgres
from tests.load.receiver_process import running_receiver
from tests.load.rig import Rig
from tests.load.topologies import Apart, Embedded

#: The defaults wait 5 seconds, then 5 minutes before a retry, and rest a failing webhook for 30 seconds: right for
#: a receiver that is down, too long to look on. Nothing else differs from an untouched hub.
IMPATIENT: Mapping[str, str] = {
    "HUB_DELIVERY__SCHEDULE_SECONDS": ",".join(["1"] * 20),
    "HUB_DELIVERY__BREAKER_OPEN_SECONDS": "1",
    "HUB_DELIVERY__BREAKER_OPEN_MAX_SECONDS": "2",
}


@contextmanager
def embedded_session(folder: Path) -> Iterator[tuple[Rig, list[Fault]]]:
    """Run `hub up` with a receiver; give the rig and every fault that fits."""
    hub = Embedded(folder, env=IMPATIENT)
    with running_receiver(folder) as receiver:
        receiver.listen()
        try:
            hub.start()
            rig = Rig.attach(hub, receiver, folder, (LINE,))
            rig.webhooks(LINE, FAN_OUT)
            yield rig, embedded_faults(hub, receiver)
        finally:
            hub.stop()


@contextmanager
def apart_session(folder: Path) -> Iterator[tuple[Rig, list[Fault]]]:
    """Run the topology of compose.yaml: web and worker twice each, PostgreSQL, Valkey."""
    with running_postgres() as server, running_receiver(folder) as receiver:
        receiver.listen()
        hub = Apart(
            folder, postgres_url=server.url, postgres_pid=server.pid, webs=2, workers=2, env=IMPATIENT
        )
        try:
            hub.start()
            rig = Rig.attach(hub, receiver, folder, (LINE,))
            rig.webhooks(LINE, FAN_OUT)
            yield rig, apart_faults(hub, receiver, server.crash_and_restart)
        finally:
            hub.stop()
