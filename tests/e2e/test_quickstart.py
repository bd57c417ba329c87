"""docs/quickstart.md, done by a machine: each of its commands, in its order, on a running hub."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.running import ROOT, RunningHub, environment, wait_for

pytestmark = pytest.mark.slow


class Reader:
    """A person with terminals, who pastes."""

    def __init__(self, hub: RunningHub, folder: Path) -> None:
        self._folder = folder
        program = folder / "hub"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m hub "$@"\n')
        program.chmod(0o755)
        self._env = environment(
            {
                **hub.env,
                "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
                "HUB": f"http://127.0.0.1:{hub.port}",
                "HUB_KEY": hub.key,
            }
        )
        self._receiver: subprocess.Popen[bytes] | None = None
        self.received_path = folder / "received.txt"

    def paste(self, command: str) -> str:
        """Run a command to its end."""
        done = subprocess.run(
            ["bash", "-c", command], cwd=self._folder, env=self._env, capture_output=True, text=True,
            check=False, timeout=20,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stderr)
        return done.stdout

    def listen(self, command: str) -> None:
        """Run a receiver in place of the one before."""
        self.close()
        self.received_path.write_text("")
        with self.received_path.open("ab") as output:
            self._receiver = subprocess.Popen(
                ["bash", "-c", f"exec {command} --port 0"],
                cwd=self._folder,
                env=self._env,
                stdout=output,
                stderr=output,
            )
        wait_for(lambda: "Listening on" in self.received_path.read_text())

    def close(self) -> None:
        """Press Ctrl-C in the receiver's terminal."""
        if self._receiver is not None:
            self._receiver.send_signal(signal.SIGINT)
            assert self._receiver.wait(20) == 0
            self._receiver = None


@pytest.fixture
def reader(hub: RunningHub, tmp_path: Path) -> Iterator[Reader]:
    """Give a person who has started the hub."""
    person = Reader(hub, tmp_path)
    yield person
    person.close()


def commands() -> list[str]:
    """Everything to paste but what starts the hub, sets up the shell, or has an id to fill in."""
    text = (ROOT / "docs" / "quickstart.md").read_text("utf-8")
    blocks = re.findall(r"^((?: {4}.*\n)+)", text, re.MULTILINE)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    shown = [line.strip() for line in lines if re.match(r" {4}(hub|curl) ", line)]
    return [line for line in shown if "…" not in line]


def test_every_step_works_in_its_order(reader: Reader) -> None:
    printed: list[str] = []
    for command in commands():
        if command.startswith("hub listen"):
            reader.listen(command)
        else:
            printed.append(reader.paste(command))
        if "sandbox say 'Hello, Hub!'" in command:
            wait_for(lambda: "signature ok  message.received" in reader.received_path.read_text())
        if "Hello back" in command:
            for kind in ("message.sent", "message.delivered", "message.read"):
                wait_for(lambda: kind in reader.received_path.read_text())  # noqa: B023 - used within the turn

    assert len(printed) == 6
    assert re.search(r"pending|HTTP 500", printed[3])
    assert "whsec_" in printed[4]
    assert '"status":"pending"' in printed[5]
