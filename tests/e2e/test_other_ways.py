"""Backup and restore under load, and the same hub as processes run apart: serve, work, and a Redis of the operator."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.embedded.valkey import find_binary
from tests.e2e.receiver import Receiver
from tests.e2e.rest import Rest
from tests.e2e.running import IMPATIENT, Process, RunningHub, run_hub, wait_for
from tests.load.hub_rest import is_ready
from tests.load.services import free_port, is_listening

pytestmark = pytest.mark.slow


def test_a_backup_of_a_running_hub_goes_on_elsewhere(
    hub: RunningHub, rest: Rest, receiver: Receiver, tmp_path: Path
) -> None:
    """What was due in the backed up hub, and what came while none ran, is delivered under the same key and secret."""
    receiver.script("/moved", [503])
    made = rest.register(receiver.url("/moved"), retry_schedule=[600])
    event_id = rest.say("Still to be delivered")
    rest.delivery(made["id"], "pending", event_id=event_id)
    receiver.wait("/moved")
    hub.command("backup", str(tmp_path / "backup"))
    rest.post(f"/v1/webhooks/{made['id']}/disable")
    other = RunningHub(tmp_path / "other")
    other.folder.mkdir()
    other.command("restore", str(tmp_path / "backup"))
    other.command("sandbox", "say", "Said while nothing ran")
    receiver.script("/moved", [200])
    try:
        text = other.start()
        there = Rest(other.port, rest.key)
        pending = there.delivery(made["id"], "pending", event_id=event_id)
        there.post(f"/v1/deliveries/{pending['id']}/retry")
        requests = receiver.wait("/moved", 3)
    finally:
        other.stop()

    for request in requests[1:]:
        request.require_signed(made["secret"])
    assert {each.text for each in requests[1:]} == {"Still to be delivered", "Said while nothing ran"}
    assert event_id in {each.headers["webhook-id"] for each in requests[1:]}
    assert "sk_live_" not in text


class Apart:
    """`hub serve`, `hub work` and a Valkey on a port, sharing one SQLite file."""

    def __init__(self, folder: Path) -> None:
        self.redis_port, self.port, self.worker_port = free_port(), free_port(), free_port()
        self.folder = folder
        self.env = {
            **IMPATIENT,
            "HUB_DATA_FOLDER": str(folder / "data"),
            "HUB_WEB__PORT": str(self.port),
            "HUB_REDIS__URL": f"redis://127.0.0.1:{self.redis_port}/0",
            "HUB_WORKER__LISTEN": f"127.0.0.1:{self.worker_port}",
            "HUB_WORKER__SWEEP_SECONDS": "0.5",
        }
        self.valkey = subprocess.Popen(
            [find_binary(), "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", ""],
            cwd=folder, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for(lambda: is_listening(self.redis_port))
        migrated = run_hub(("migrate",), folder=folder, env=self.env).stdout
        self.rest = Rest(self.port, re.findall(r"sk_live_\w+", migrated)[0])
        self.web = Process(["serve"], folder=folder / "web", env=self.env)
        self.worker = Process(["work"], folder=folder / "worker", env=self.env)
        wait_for(lambda: is_ready(self.port) and is_ready(self.worker_port))

    def stop(self) -> None:
        self.web.kill()
        self.worker.kill()
        self.valkey.kill()
        self.valkey.wait()


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    """Start them; the tests below stop one after the other."""
    running = Apart(tmp_path_factory.mktemp("apart"))
    yield running
    running.stop()


def test_processes_run_apart_do_the_same(apart: Apart, receiver: Receiver) -> None:
    made = apart.rest.register(receiver.url("/apart"))
    apart.rest.say("Hello")
    (request,) = receiver.wait("/apart")

    request.require_signed(made["secret"])


def test_doctor_says_what_is_wrong_when_redis_is_gone_and_deliveries_go_on(
    apart: Apart, receiver: Receiver
) -> None:
    well = run_hub(("doctor",), folder=apart.folder, env=apart.env)
    apart.valkey.kill()
    apart.valkey.wait()
    ill = run_hub(("doctor",), folder=apart.folder, env=apart.env)
    apart.rest.register(receiver.url("/without-redis"))
    apart.rest.say("Hello")
    receiver.wait("/without-redis")

    assert (well.returncode, ill.returncode) == (0, 1)
    assert re.findall(r"^FAIL (\w+) +(no answer).*check redis.url", ill.stdout, re.MULTILINE) == [
        ("redis", "no answer")
    ]
    assert ill.stdout.count("FAIL") == 1


def test_each_process_drains_on_sigterm(apart: Apart) -> None:
    assert (apart.worker.terminate(), apart.web.terminate()) == (0, 0)
    assert "Traceback" not in apart.worker.output + apart.web.output
