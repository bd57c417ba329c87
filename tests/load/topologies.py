"""The hub as users run it: everything by `hub up`, or web and worker apart beside PostgreSQL and Valkey.

Real processes with real settings on a real disk; nothing is imported from the product but the path of its Valkey.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import psutil

from hub.embedded.valkey import find_binary
from tests.load.database import Database, PostgresDatabase, SqliteDatabase
from tests.load.hub_rest import HubRest, is_ready
from tests.load.process_group import ProcessGroup
from tests.load.services import ROOT, Service, free_port, is_listening

_KEY = re.compile(r"\bsk_[A-Za-z0-9_]+")
_BRIDGE = re.compile(r"X-Bridge-Id: (\S+)\s+secret: (\S+)")
#: Registering thousands of webhooks is not what one key does in an hour.
_NO_RATE_LIMIT = {"HUB_LIMITS__REQUESTS_PER_HOUR": "0"}


class Topology(Protocol):
    """A running hub."""

    name: str
    database: Database

    @property
    def web_ports(self) -> tuple[int, ...]:
        """Every web process."""
        ...

    @property
    def group(self) -> ProcessGroup:
        """All processes that the hub needs, databases included."""
        ...

    def start(self) -> float:
        """Start everything; return the seconds until it was ready."""
        ...

    def rest(self) -> HubRest:
        """Give a client with the first key."""
        ...

    def command(self, *arguments: str) -> str:
        """Run `hub …` beside the running hub and return what it prints."""
        ...

    def roles(self) -> dict[str, int]:
        """Give the processes that can be killed, by their part: web, worker, valkey, …"""
        ...

    def last_words(self) -> str:
        """Give the end of what its processes printed, for whoever looks for a fault."""
        ...

    def stop(self) -> None:
        """Stop everything."""
        ...


class Embedded:
    """`hub up`: SQLite and the embedded Valkey."""

    name = "embedded"

    def __init__(self, folder: Path, *, env: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._port = free_port()
        self._env = {
            "HUB_DATA_FOLDER": str(folder / "data"),
            "HUB_WEB__PORT": str(self._port),
            **_NO_RATE_LIMIT,
            **(env or {}),
        }
        self._key = ""
        self._hub = Service("hub-up", [*_HUB, "up"], env=self._env, folder=folder, is_ready=self._has_greeted)
        self.database: Database = SqliteDatabase(folder / "data" / "hub.db")

    @property
    def web_ports(self) -> tuple[int, ...]:
        """One web process."""
        return (self._port,)

    @property
    def group(self) -> ProcessGroup:
        """The supervisor and its children."""
        names = {pid: role for role, pid in self.roles().items()}
        return ProcessGroup(roots=(self._hub.pid,), names={self._hub.pid: "supervisor", **names})

    def start(self) -> float:
        """Start; a second start uses the same data."""
        self._hub.output_path.unlink(missing_ok=True)
        seconds = self._hub.start()
        found = _KEY.search(self._hub.output_path.read_text())
        self._key = self._key or (found[0] if found else "")
        return seconds

    def rest(self) -> HubRest:
        """Give a client with the key that the first start printed."""
        return HubRest(self._port, self._key)

    def command(self, *arguments: str) -> str:
        """Run a command on the same data folder."""
        return _run_hub(self._env, self.folder, arguments)

    def roles(self) -> dict[str, int]:
        """Tell the children apart: Valkey by its binary, web by its port."""
        roles: dict[str, int] = {}
        for child in psutil.Process(self._hub.pid).children():
            if "valkey-server" in " ".join(child.cmdline()):
                roles["valkey"] = child.pid
            elif any(
                one.laddr.port == self._port and one.status == "LISTEN" for one in child.net_connections()
            ):
                roles["web"] = child.pid
            else:
                roles["worker"] = child.pid
        return roles

    def stop(self) -> None:
        """Drain and stop."""
        self._hub.stop()

    def crash(self) -> None:
        """End the supervisor without warning; nothing that it started outlives it for long."""
        family = psutil.Process(self._hub.pid).children()
        self._hub.kill()
        psutil.wait_procs(family, timeout=30)

    def last_words(self) -> str:
        """Give the end of what the group printed."""
        return self._hub.last_words()

    def _has_greeted(self) -> bool:
        return "Hub is ready" in self._hub.output_path.read_text()


class Apart:
    """`hub serve` and `hub work`, any number of each, beside PostgreSQL and Valkey: compose.yaml as plain processes."""

    name = "apart"

    def __init__(
        self,
        folder: Path,
        *,
        postgres_url: str,
        postgres_pid: int,
        webs: int = 1,
        workers: int = 1,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self._postgres_pid = postgres_pid
        redis_port = free_port()
        self._env = {
            "HUB_DATA_FOLDER": str(folder / "data"),
            "HUB_STORE__URL": postgres_url,
            "HUB_REDIS__URL": f"redis://127.0.0.1:{redis_port}/0",
            **_NO_RATE_LIMIT,
            **(env or {}),
        }
        self._key = ""
        self._ports = tuple(free_port() for _ in range(webs))
        self.services = {"valkey": self._valkey(redis_port)}
        for number, port in enumerate(self._ports, 1):
            self.services[f"web{number}"] = self._web(number, port)
        for number in range(1, workers + 1):
            self.services[f"worker{number}"] = self._worker(number)
        self.database: Database = PostgresDatabase(postgres_url)

    @property
    def web_ports(self) -> tuple[int, ...]:
        """Every web process."""
        return self._ports

    @property
    def group(self) -> ProcessGroup:
        """Web, worker, Valkey and PostgreSQL."""
        pids = [service.pid for service in self.services.values()]
        return ProcessGroup(roots=(*pids, self._postgres_pid))

    def start(self) -> float:
        """Migrate, then start everything at once; migration is not in the time."""
        text = self.command("migrate")
        found = _KEY.search(text)
        self._key = self._key or (found[0] if found else "")
        started_at = time.monotonic()
        for service in self.services.values():
            service.start_without_waiting()
        for service in self.services.values():
            service.wait_until_ready()
        return time.monotonic() - started_at

    def rest(self) -> HubRest:
        """Give a client of the first web process."""
        return HubRest(self._ports[0], self._key)

    def command(self, *arguments: str) -> str:
        """Run a command with the same settings."""
        return _run_hub(self._env, self.folder, arguments)

    def roles(self) -> dict[str, int]:
        """Give every process that we started."""
        return {name: service.pid for name, service in self.services.items()}

    def add_worker(self) -> Service:
        """Give one more worker, which is not started yet."""
        number = sum(name.startswith("worker") for name in self.services) + 1
        service = self.services[f"worker{number}"] = self._worker(number)
        return service

    def stop(self) -> None:
        """Stop workers and webs at once, then Valkey."""
        for name in sorted(self.services):
            if name != "valkey":
                self.services[name].ask_to_stop()
        for name in sorted(self.services, reverse=True):
            self.services[name].stop()

    def last_words(self) -> str:
        """Give the end of what each process printed."""
        return "\n".join(f"{name}: {service.last_words()}" for name, service in self.services.items())

    def _valkey(self, port: int) -> Service:
        command = [
            str(find_binary()),
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            str(self.folder),
        ]
        return Service("valkey", command, env={}, folder=self.folder, is_ready=lambda: is_listening(port))

    def _web(self, number: int, port: int) -> Service:
        env = {**self._env, "HUB_WEB__PORT": str(port)}
        command = [*_HUB, "serve"]
        return Service(f"web{number}", command, env=env, folder=self.folder, is_ready=lambda: is_ready(port))

    def _worker(self, number: int) -> Service:
        port = free_port()
        env = {**self._env, "HUB_WORKER__LISTEN": f"127.0.0.1:{port}"}
        command = [*_HUB, "work"]
        return Service(
            f"worker{number}", command, env=env, folder=self.folder, is_ready=lambda: is_ready(port)
        )


def add_bridge(topology: Topology, name: str, lines: tuple[str, ...]) -> tuple[str, str]:
    """Add a push bridge with its lines; return its id and its secret."""
    options = [word for line in lines for word in ("--line", line)]
    text = topology.command("bridges", "add", name, *options)
    found = _BRIDGE.search(text)
    if found is None:
        raise RuntimeError(f"`hub bridges add` printed neither id nor secret: {text!r}")
    return found[1], found[2]


#: By the same interpreter, whatever is installed on the path.
_HUB = [sys.executable, "-m", "hub"]


def _run_hub(env: Mapping[str, str], folder: Path, arguments: tuple[str, ...]) -> str:
    done = subprocess.run(
        [*_HUB, *arguments],
        env={**os.environ, **env, "PYTHONPATH": str(ROOT)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode:
        raise RuntimeError(f"hub {' '.join(arguments[:3])} failed ({done.returncode}): {done.stderr[-2000:]}")
    return done.stdout
