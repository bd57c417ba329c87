"""A machine behind a router, as docs/agent.md sets it up: real processes, killed at each step of a send."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.rest import Rest
from tests.e2e.running import RunningHub, wait_for
from tests.support.agent_machine import Machine

pytestmark = pytest.mark.slow

LINE, CONTACT = "+15550100800", "+15550100001"


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
    machine = Machine(tmp_path_factory.mktemp("machine"), hub_url=f"http://127.0.0.1:{hub.port}")
    machine.enrol(hub.command("bridges", "enrol", "--name", "mini"))
    bridge = next(each for each in rest.get("/v1/bridges")["data"] if each["name"] == "mini")
    body = {"handle": LINE, "bridge_id": bridge["id"]}
    line = rest.post("/v1/lines", body)
    rest.ask("PATCH", f"/v1/lines/{line['id']}", {"is_contact_first": False})
    refused = rest.ask("POST", "/v1/messages", {"from": LINE, "to": CONTACT, "text": "too early"})
    assert refused.document["error"]["code"] == "advanced_features_required", refused
    machine.start()
    try:
        machine.wait_until_started()
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
    assert f"ok       hub              {machine.hub_url} knows this machine" in done.stdout
    assert "ok       websocket        the hub is asked over one WebSocket" in done.stdout
    assert config["secret"] not in done.stdout + machine.log.read_text()


def test_it_asks_over_a_websocket_and_opens_it_anew_when_the_hub_comes_back(
    rest: Rest, machine: Machine
) -> None:
    """The hub was killed above."""

    def shows(pattern: str) -> bool | None:
        return re.search(pattern, str(rest.get("/metrics")), re.MULTILINE) is not None or None

    wait_for(lambda: shows(r"^hub_agent_sockets\{.*\} 1\.0$"), seconds=60)
    wait_for(
        lambda: shows(r'^hub_bridge_requests_total\{.*outcome="answered".*word="(claim|hello)"'), seconds=60
    )
    assert machine.log.read_text().count("socket.opened") >= 2


def test_it_stops_in_peace(machine: Machine) -> None:
    assert machine.end(signal.SIGTERM) == 0
