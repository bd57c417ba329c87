"""A machine behind a router, as docs/agent.md sets it up: real processes, killed at each step of a send."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.model.ids import Prefix, parse_id
from hub.model.outbox import attempt_id
from tests.e2e.rest import Rest
from tests.e2e.running import ROOT, RunningHub, environment, run_hub, wait_for

pytestmark = pytest.mark.slow

LINE, CONTACT = "+15550100800", "+15550100001"


class Machine:
    """The machine behind the router, and its network."""

    def __init__(self, folder: Path, hub: RunningHub) -> None:
        self.folder, self.network = folder / "agent", folder / "network"
        self.network.mkdir(parents=True)
        self.hub = hub
        self.log = folder / "agent-output.txt"
        self._process: subprocess.Popen[bytes] | None = None

    def enrol(self) -> None:
        """Do what the guide says; then exchange the Mac's network for one that a test can look into."""
        printed = self.hub.command("bridges", "enrol", "--name", "mini")
        token = printed.splitlines()[0].removeprefix("token: ")
        done = self.command(
            "enrol", "--hub", f"http://127.0.0.1:{self.hub.port}", "--token", "env:ENROLMENT", "--kind", "chatdb",
            ENROLMENT=token,
        )  # fmt: skip
        assert done.returncode == 0, done
        path = self.folder / "agent.json"
        assert path.stat().st_mode & 0o077 == 0
        config = json.loads(path.read_text())
        assert config["secret"] not in done.stdout
        path.write_text(json.dumps({**config, "kind": "counting", "settings": {"folder": str(self.network)}}))

    def command(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run `hub agent …` to its end."""
        return run_hub(
            ("agent", *arguments, "--folder", str(self.folder)),
            folder=self.network,
            env={**self.hub.env, **env},
        )

    def start(self) -> None:
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.counting_network", str(self.folder)],
                env=environment({}), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def end(self, number: signal.Signals) -> int:
        assert self._process is not None, "start it first"
        self._process.send_signal(number)
        code = self._process.wait(20)
        self._process = None
        return code

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def hold(self, where: str) -> Path:
        """Let sends wait before or after the network has them; removing the file lets them go on."""
        (self.network / "reached").unlink(missing_ok=True)
        path = self.network / f"hold-{where}"
        path.touch()
        return path

    def wait_until_reached(self) -> None:
        wait_for(lambda: (self.network / "reached").exists() or None)

    def sent(self, outbox: str) -> int:
        """Count how often the network has a send."""
        path = self.network / "sent"
        attempt = attempt_id(parse_id(Prefix.OUTBOX, outbox))
        return path.read_text().splitlines().count(attempt) if path.exists() else 0


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    running = RunningHub(
        tmp_path_factory.mktemp("hub"), HUB_SENDS__UNKNOWN_AFTER_SECONDS="8", HUB_SENDS__PACE_SECONDS="0"
    )
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def rest(hub: RunningHub) -> Rest:
    return Rest(hub.port, hub.key)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, hub: RunningHub, rest: Rest) -> Iterator[Machine]:
    machine = Machine(tmp_path_factory.mktemp("machine"), hub)
    machine.enrol()
    bridge = next(each for each in rest.get("/v1/bridges")["data"] if each["name"] == "mini")
    body = {"handle": LINE, "bridge_id": bridge["id"]}
    line = rest.post("/v1/lines", body)
    rest.ask("PATCH", f"/v1/lines/{line['id']}", {"is_contact_first": False})
    refused = rest.ask("POST", "/v1/messages", {"from": LINE, "to": CONTACT, "text": "too early"})
    assert refused.document["error"]["code"] == "advanced_features_required", refused
    machine.start()
    try:
        wait_for(lambda: "agent.started" in machine.log.read_text() or None)
        yield machine
    finally:
        machine.stop()


def send(rest: Rest, text: str, **more: Any) -> dict[str, Any]:
    """Send when the hub knows of the agent."""

    def accepted() -> dict[str, Any] | None:
        answer = rest.ask("POST", "/v1/messages", {"from": LINE, "to": CONTACT, "text": text, **more})
        return answer.document if answer.status in {200, 201, 202} else None

    return wait_for(accepted)


def outbox_of(sent: dict[str, Any]) -> str:
    return str(sent["id"])


def end_of(rest: Rest, sent: dict[str, Any]) -> tuple[str, str]:
    """Wait for the verdict: state, and the code of its error."""

    def ended() -> tuple[str, str] | None:
        item = rest.get("/v1/outbox", id=outbox_of(sent))
        is_over = item["state"] in {"sent", "failed", "cancelled"}
        return (item["state"], str(item["error"] or "").partition(":")[0]) if is_over else None

    return wait_for(ended, seconds=60)


def test_a_conversation_goes_both_ways(rest: Rest, machine: Machine) -> None:
    sent = send(rest, "On our way")
    assert end_of(rest, sent) == ("sent", "")
    assert machine.sent(outbox_of(sent)) == 1

    (machine.network / "inbox").write_text("Thanks!\n")
    rest.until(
        f"/v1/messages?direction=inbound&from=%2B{LINE[1:]}",
        lambda it: [each["text"] for each in it["data"]] == ["Thanks!"],
    )


def test_files_go_both_ways(rest: Rest, machine: Machine) -> None:
    picture = os.urandom(700_000)
    (machine.network / "cat.bin").write_bytes(picture)
    with (machine.network / "inbox").open("a") as inbox:
        inbox.write("file:cat.bin\n")

    def fetched() -> str | None:
        for file_id in sorted(
            set(re.findall(r"file_[0-9a-z]{13}", json.dumps(rest.get("/v1/events", limit=100))))
        ):
            file = rest.get(f"/v1/files/{file_id}")
            if (file["filename"], file["state"]) == ("cat.bin", "stored"):
                return str(file_id)
        return None

    file_id = wait_for(fetched)
    sent = send(rest, "Look", attachments=[file_id])
    assert end_of(rest, sent) == ("sent", "")

    assert (machine.network / "sent-cat.bin").read_bytes() == picture


@pytest.mark.parametrize("where", ["before", "after"])
def test_an_agent_killed_in_the_middle_of_a_send_never_sends_twice(
    rest: Rest, machine: Machine, where: str
) -> None:
    held = machine.hold(where)
    sent = send(rest, f"killed {where} the network has it")
    machine.wait_until_reached()
    machine.end(signal.SIGKILL)
    held.unlink()
    machine.start()

    expected = {"before": (("failed", "delivery_unknown"), 0), "after": (("sent", ""), 1)}
    assert (end_of(rest, sent), machine.sent(outbox_of(sent))) == expected[where]


def test_an_agent_that_was_away_gets_what_waited(rest: Rest, machine: Machine) -> None:
    """Killed before it claims."""
    machine.end(signal.SIGKILL)
    sent = send(rest, "while it was away")
    machine.start()

    assert (end_of(rest, sent), machine.sent(outbox_of(sent))) == (("sent", ""), 1)


def test_a_hub_killed_in_the_middle_of_a_send_never_sends_twice(
    rest: Rest, machine: Machine, hub: RunningHub
) -> None:
    held = machine.hold("after")
    sent = send(rest, "the hub dies")
    machine.wait_until_reached()
    for process in hub.process.family()[1:]:
        process.kill()
    held.unlink()

    def answers() -> bool | None:
        try:
            return rest.ask("GET", "/v1/lines").status == 200 or None
        except OSError:
            return None

    wait_for(answers, seconds=60)
    # A machine under load may take longer to come back than the hub here has patience.
    assert end_of(rest, sent) in {("sent", ""), ("failed", "delivery_unknown")}
    assert machine.sent(outbox_of(sent)) == 1


def test_the_doctor_knows_the_way_and_nothing_secret(machine: Machine) -> None:
    config = json.loads((machine.folder / "agent.json").read_text())
    (machine.folder / "agent.json").write_text(
        json.dumps({**config, "kind": "chatdb", "settings": {"database": str(machine.network / "none.db")}})
    )
    try:
        done = machine.command("doctor")
    finally:
        (machine.folder / "agent.json").write_text(json.dumps(config))

    assert done.returncode == 1
    assert f"ok       hub              http://127.0.0.1:{machine.hub.port} knows this machine" in done.stdout
    assert config["secret"] not in done.stdout + machine.log.read_text()


def test_it_stops_in_peace(machine: Machine) -> None:
    assert machine.end(signal.SIGTERM) == 0
