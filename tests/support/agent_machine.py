"""A machine behind a router with `hub agent` on it, as docs/agent.md sets it up, and a network to look into.

The network is that of tests.support.counting_network: a folder.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from hub.model.ids import Prefix, parse_id
from hub.model.outbox import attempt_id
from tests.e2e.running import ROOT, environment, run_hub, wait_for


class Machine:
    """The machine behind the router, and its network."""

    def __init__(self, folder: Path, *, hub_url: str) -> None:
        self.folder, self.network = folder / "agent", folder / "network"
        self.network.mkdir(parents=True)
        self.hub_url = hub_url
        self.log = folder / "agent-output.txt"
        self._process: subprocess.Popen[bytes] | None = None

    def enrol(self, printed: str) -> None:
        """Do what the guide says; then exchange the Mac's network for one that a test can look into.

        Args:
            printed: What `hub bridges enrol` said.
        """
        token = printed.splitlines()[0].removeprefix("token: ")
        done = self.command(
            "enrol", "--hub", self.hub_url, "--token", "env:ENROLMENT", "--kind", "chatdb", ENROLMENT=token
        )
        assert done.returncode == 0, done
        path = self.folder / "agent.json"
        assert path.stat().st_mode & 0o077 == 0
        config = json.loads(path.read_text())
        assert config["secret"] not in done.stdout
        path.write_text(json.dumps({**config, "kind": "counting", "settings": {"folder": str(self.network)}}))

    def command(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run `hub agent …` to its end."""
        return run_hub(("agent", *arguments, "--folder", str(self.folder)), folder=self.network, env=env)

    def start(self) -> None:
        """Let the agent run."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.counting_network", str(self.folder)],
                env=environment({}), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def wait_until_started(self) -> None:
        """Wait until the hub has heard it once."""
        wait_for(lambda: (self.log.exists() and "agent.started" in self.log.read_text()) or None, seconds=120)

    def end(self, number: signal.Signals) -> int:
        """End the agent by a signal; give its exit code."""
        assert self._process is not None, "start it first"
        self._process.send_signal(number)
        code = self._process.wait(20)
        self._process = None
        return code

    def stop(self) -> None:
        """Leave nothing of it."""
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
        """Wait until a send waits."""
        wait_for(lambda: (self.network / "reached").exists() or None)

    def sent(self, outbox: str) -> int:
        """Count how often the network has a send."""
        path = self.network / "sent"
        attempt = attempt_id(parse_id(Prefix.OUTBOX, outbox))
        return path.read_text().splitlines().count(attempt) if path.exists() else 0
