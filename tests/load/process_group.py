"""What a group of processes costs: CPU from /proc/<pid>/stat, memory as PSS from smaps_rollup (Linux only)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessGroup:
    """Some processes and all their descendants, by the ids of their roots."""

    roots: tuple[int, ...]
    #: What processes are, where their command line does not tell (children of `hub up` are forked).
    names: Mapping[int, str] = field(default_factory=dict)

    def processes(self) -> list[psutil.Process]:
        """List what lives now."""
        found: dict[int, psutil.Process] = {}
        for root in self.roots:
            try:
                process = psutil.Process(root)
                found |= {one.pid: one for one in (process, *process.children(recursive=True))}
            except psutil.NoSuchProcess:
                continue
        return list(found.values())

    def cpu_seconds(self) -> float:
        """Give user and system time so far, that of children which ended included."""
        return sum(_cpu_ticks(process.pid) for process in self.processes()) / _TICKS_PER_SECOND

    def pss_mib(self) -> float:
        """Give the memory: shared pages count once, divided among those who share them."""
        return sum(_pss_kib(process.pid) for process in self.processes()) / 1024

    def cpu_by_part(self) -> dict[str, float]:
        """Give CPU seconds by what a process is, for telling where the time goes."""
        costs: dict[str, float] = {}
        for process in self.processes():
            name = self.names.get(process.pid) or _label(process.pid)
            costs[name] = costs.get(name, 0.0) + _cpu_ticks(process.pid) / _TICKS_PER_SECOND
        return costs


def parse_cpu_ticks(stat: str) -> int:
    """Read utime + stime + cutime + cstime; the name in parentheses may hold anything."""
    fields = stat.rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15])


def parse_pss_kib(smaps_rollup: str) -> int:
    """Read the Pss line."""
    for line in smaps_rollup.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def _cpu_ticks(pid: int) -> int:
    try:
        return parse_cpu_ticks(Path(f"/proc/{pid}/stat").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _pss_kib(pid: int) -> int:
    try:
        return parse_pss_kib(Path(f"/proc/{pid}/smaps_rollup").read_text())
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0


def _label(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return "ended"
    return label(words)


def label(words: Iterable[str]) -> str:
    """Name a process by its command line: the hub's role, or the server's name."""
    line = " ".join(words)
    for mark, name in (
        ("valkey-server", "valkey"),
        ("redis-server", "valkey"),
        ("postgres", "postgresql"),
        (" serve", "web"),
        (" work", "worker"),
        (" up", "supervisor"),
    ):
        if mark in line:
            return name
    return line.split(" ")[0].rpartition("/")[2] or "other"
