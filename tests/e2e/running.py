"""`hub up` as a person runs it: a process group of its own in a terminal, output kept, stopped as Ctrl-C would."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import psutil

from hub.flow.bridge_kinds import HookRequest
from tests.load.services import free_port

ROOT = Path(__file__).parents[2]
#: The command, by this interpreter, whatever is installed on the path.
HUB = [sys.executable, "-m", "hub"]
PATIENCE_SECONDS = 20.0
#: Short times, so that tests see what would take days.
IMPATIENT: Mapping[str, str] = {
    "HUB_LIMITS__REQUESTS_PER_HOUR": "0",
    "HUB_DELIVERY__SCHEDULE_SECONDS": "0.1,0.1",
    "HUB_DELIVERY__BREAKER_OPEN_SECONDS": "1",
    "HUB_SANDBOX__DELIVERED_AFTER_MS": "20",
    "HUB_SANDBOX__READ_AFTER_MS": "40",
    "HUB_SENDS__UNKNOWN_AFTER_SECONDS": "1",
}
T = TypeVar("T")
_KEY = re.compile(r"sk_live_\w{32}")


def wait_for(
    what: Callable[[], T | None], *, seconds: float = PATIENCE_SECONDS, every_seconds: float = 0.01
) -> T:
    """Look until there is something; the time is a bound, never a measure."""
    give_up_at = time.monotonic() + seconds
    while not (found := what()):
        if time.monotonic() > give_up_at:
            raise AssertionError(f"nothing came within {seconds:g} s: {what}")
        time.sleep(every_seconds)
    return found


class Process:
    """One command in a process group of its own."""

    def __init__(self, arguments: list[str], *, folder: Path, env: Mapping[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.output_path = folder / "output.txt"
        with self.output_path.open("ab") as output:
            self._process = subprocess.Popen(
                [*HUB, *arguments],
                env=environment(env),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid

    @property
    def output(self) -> str:
        """Everything that it printed."""
        return self.output_path.read_text(errors="replace")

    def wait_until(self, text: str) -> None:
        """Wait until it printed this."""

        def look() -> bool:
            if text not in self.output and self._process.poll() is not None:
                raise AssertionError(f"it ended with {self._process.returncode} and printed:\n{self.output}")
            return text in self.output

        wait_for(look)

    def family(self) -> list[psutil.Process]:
        """It and everything it started."""
        try:
            root = psutil.Process(self.pid)
            return [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def interrupt(self) -> int:
        """Press Ctrl-C: every process of the group gets the signal. Return the exit code."""
        os.killpg(self.pid, signal.SIGINT)
        return self._process.wait(PATIENCE_SECONDS)

    def terminate(self) -> int:
        """Stop it as a service manager does. Return the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        """Leave nothing of it, whatever happened."""
        for process in self.family():
            process.kill()
        self._process.wait()


class RunningHub:
    """`hub up` on a folder; the first start's key is kept."""

    def __init__(self, folder: Path, **more: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.env = {
            "HUB_DATA_FOLDER": str(folder / "data"),
            "HUB_WEB__PORT": str(self.port),
            **IMPATIENT,
            **more,
        }
        self.key = ""
        self._process: Process | None = None

    @property
    def process(self) -> Process:
        """The running one."""
        assert self._process is not None, "start it first"
        return self._process

    def start(self) -> str:
        """Start it; return what this start printed."""
        (self.folder / "output.txt").unlink(missing_ok=True)
        self._process = Process(["up"], folder=self.folder, env=self.env)
        self._process.wait_until("Ctrl-C drains and stops.")
        text = self._process.output
        found = _KEY.search(text)
        self.key = self.key or (found[0] if found else "")
        return text

    def command(self, *arguments: str) -> str:
        """Run `hub …` on the same data; it must succeed. Return what it printed."""
        done = run_hub(arguments, folder=self.folder, env=self.env)
        assert done.returncode == 0, done
        return done.stdout

    def hear(self, request: HookRequest) -> int:
        """Be called by a bridge's network; return the status that it is answered with."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            path = request.url.removeprefix(f"http://127.0.0.1:{self.port}")
            connection.request(request.method, path, request.body, dict(request.headers))
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def stop(self) -> None:
        """Leave nothing."""
        if self._process is not None:
            self._process.kill()


def run_hub(
    arguments: tuple[str, ...], *, folder: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [*HUB, *arguments],
        env=environment(env),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """The variables of this process, without settings of another hub."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    return {**kept, "PYTHONPATH": str(ROOT), **more}
