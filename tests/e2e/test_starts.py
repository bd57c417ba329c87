"""From the first start to the end: what is printed is true, works as pasted, and nothing is left behind."""

from __future__ import annotations

import json
import re
import signal
import stat
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.receiver import Receiver, Request
from tests.e2e.rest import LINE, Rest
from tests.e2e.running import HUB, RunningHub, environment, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def own_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub that these tests start and stop, in this order: the tests of this file are one story."""
    running = RunningHub(tmp_path_factory.mktemp("own-hub"))
    yield running
    running.stop()


def pasted(text: str, number: int) -> str:
    """The command under one number, as a person would mark and paste it."""
    found = re.search(rf"^  # {number}\. .*\n((?:  .+\n)+)", text, re.MULTILINE)
    assert found, text
    return found[1]


def run_pasted(command: str, **variables: str) -> str:
    """Paste it into a shell elsewhere, which knows nothing of the one that started the hub."""
    done = subprocess.run(
        ["bash", "-c", command], cwd="/", env=environment(variables), capture_output=True, text=True,
        check=True, timeout=20,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout


def receiver_for(text: str) -> Receiver:
    """Listen where the printed commands expect a receiver."""
    return Receiver(int(re.findall(r"listen --port (\d+)", text)[0]))


def paste_all(text: str, **variables: str) -> tuple[str, list[dict[str, Any]]]:
    """Paste the commands; return the webhook's secret and the answers."""
    answers = [json.loads(run_pasted(pasted(text, number), **variables)) for number in (1, 2, 3)]
    return str(answers[0]["secret"]), answers


def signed(receiver: Receiver, secret: str) -> list[Request]:
    """What came with both signatures of this secret."""
    return [request for request in receiver.requests("/") if request.is_signed(secret)]


def paths_of(processes: Sequence[psutil.Process]) -> list[str]:
    return [" ".join(process.cmdline()) for process in processes if process.is_running()]


def test_the_first_start_prints_what_readme_says_and_its_commands_work_as_pasted(own_hub: RunningHub) -> None:
    text = own_hub.start()
    receiver = receiver_for(text)
    try:
        secret, answers = paste_all(text)
        (event_id,) = answers[1]["event_ids"]
        # Others may post to this port too, such as a hub that somebody tried out before.
        requests = wait_for(lambda: ours if len(ours := signed(receiver, secret)) >= 3 else None)
    finally:
        receiver.close()

    assert f"Hub is ready at http://127.0.0.1:{own_hub.port}" in text
    assert f"API key       {own_hub.key}" in text
    assert f"Sandbox line  {LINE}" in text
    assert str(own_hub.folder / "data") in text
    told = {request.headers["webhook-id"]: (request.type, request.text) for request in requests}
    assert told[event_id] == ("message.received", "Hello, Hub!")
    assert ("message.sent", "Hello back") in told.values()


def test_what_is_kept_is_private(own_hub: RunningHub) -> None:
    data = own_hub.folder / "data"

    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert stat.S_IMODE((data / "secret.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((data / "valkey.sock").stat().st_mode) == 0o700


def test_nothing_listens_but_the_web_service(own_hub: RunningHub) -> None:
    listening = {
        (one.laddr.ip, one.laddr.port)
        for process in own_hub.process.family()
        for one in process.net_connections("inet")
        if one.status == psutil.CONN_LISTEN
    }

    assert listening == {("127.0.0.1", own_hub.port)}


def test_a_second_hub_on_the_folder_is_refused(own_hub: RunningHub) -> None:
    other = RunningHub(own_hub.folder)
    done = subprocess.run(
        ["bash", "-c", f"{' '.join(HUB)} up"],
        env=environment(other.env), cwd=own_hub.folder, capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip

    assert done.returncode == 1
    assert f"process {own_hub.process.pid}" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_everything_cleanly(own_hub: RunningHub) -> None:
    family = own_hub.process.family()
    code = own_hub.process.interrupt()

    assert code == 0
    assert wait_for(lambda: paths_of(family) == [])
    assert not (own_hub.folder / "data" / "valkey.sock").exists()
    assert "Traceback" not in own_hub.process.output


def test_the_second_start_keeps_the_data_prints_no_key_and_its_commands_work(own_hub: RunningHub) -> None:
    text = own_hub.start()
    exported = re.findall(r"export HUB_KEY=(\$\(.*\))", text)[0]
    key = run_pasted(f"echo {exported}").strip()
    receiver = receiver_for(text)
    try:
        secret, _ = paste_all(text, HUB_KEY=key)
        # The webhook of the first start, at the same URL, gets them too, signed with its own secret.
        wait_for(lambda: signed(receiver, secret))
    finally:
        receiver.close()

    assert not re.search(r"sk_live_\w+", text)
    assert len(Rest(own_hub.port, own_hub.key).get("/v1/webhooks", **{"from": "*"})["data"]) == 2


def test_the_printed_receiver_checks_and_prints_what_arrives(own_hub: RunningHub) -> None:
    """Its command runs in the background of the pasting shell, and ends with it."""
    text, shell = own_hub.process.output, Path(own_hub.folder / "shell.txt")
    with shell.open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-c", f"exec env {pasted(text, 0).strip().removesuffix('&')}"], cwd="/", env=environment({}),
            stdout=output, stderr=output,
        )  # fmt: skip
    try:
        wait_for(lambda: "Listening on" in shell.read_text())
        Rest(own_hub.port, own_hub.key).say("Hello there")
        wait_for(
            lambda: (
                'signature ok  message.received    sender=+15550100001  text="Hello there"'
                in shell.read_text()
            )
        )
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(20)

    assert code == 0


def test_listen_registers_itself_and_leaves_nothing(own_hub: RunningHub) -> None:
    rest, shell = Rest(own_hub.port, own_hub.key), own_hub.folder / "register.txt"
    before = len(rest.get("/v1/webhooks", **{"from": "*"})["data"])
    with shell.open("wb") as output:
        process = subprocess.Popen(
            [*HUB, "listen", "--register", "--port", "0", "--event", "message.received"],
            cwd=own_hub.folder, env=environment(own_hub.env), stdout=output, stderr=output,
        )  # fmt: skip
    try:
        wait_for(lambda: "Listening on" in shell.read_text())
        during = len(rest.get("/v1/webhooks", **{"from": "*"})["data"])
        rest.say("Hello, you")
        wait_for(lambda: "signature ok  message.received" in shell.read_text())
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(20)

    assert code == 0
    assert (during, len(rest.get("/v1/webhooks", **{"from": "*"})["data"])) == (before + 1, before)
    assert re.search(r"secret whsec_\S+", shell.read_text())


def test_sigterm_ends_everything_cleanly(own_hub: RunningHub) -> None:
    family = own_hub.process.family()
    code = own_hub.process.terminate()

    assert code == 0
    assert wait_for(lambda: paths_of(family) == [])
    assert not (own_hub.folder / "data" / "valkey.sock").exists()


def test_a_port_of_0_takes_a_free_one_and_prints_it(own_hub: RunningHub) -> None:
    own_hub.env["HUB_WEB__PORT"] = "0"
    text = own_hub.start()
    port = int(re.findall(r"ready at http://127.0.0.1:(\d+)", text)[0])
    answer = Rest(port, own_hub.key).ask("GET", "/healthz")
    own_hub.process.terminate()

    assert port != 0
    assert answer.status == 200
