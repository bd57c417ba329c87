"""Let the supervisor go on as a lean program once its children run.

The children are forked from a process that has the whole product in memory, so that they share it. That process
needs next to nothing of it from then on, and yet some 27 MiB would stay its own: each page that both children have
written to. So it replaces itself (execve): the same process, the same children, and little memory. Only where the
kernel ties the children's lives to ours across that (Linux); elsewhere everything stays as it is.

A child that has to be started again is forked from the lean program and reads the product from disk.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

from hub.embedded.signals import STOP_SIGNALS
from hub.embedded.supervisor import Alive


def can_become_lean(platform: str = sys.platform) -> bool:
    """Tell whether the children survive the change."""
    return platform.startswith("linux")


def become_lean(program: str, state: Mapping[str, Any], alive: Mapping[str, Alive], *, keep: int) -> NoReturn:
    """Replace this process; the program reads what it gets with `take_over`.

    Args:
        program: A module to run.
        state: What it needs; may hold secrets, so it goes through memory and not through arguments.
        alive: The children that run, by name.
        keep: A descriptor that stays open.
    """
    told = {
        "state": dict(state),
        "alive": {name: (each.pid, each.started_at) for name, each in alive.items()},
    }
    memory = os.memfd_create("hub-supervisor", 0)
    with os.fdopen(os.dup(memory), "wb") as file:
        pickle.dump(told, file)
    os.lseek(memory, 0, os.SEEK_SET)
    for descriptor in (keep, memory):
        os.set_inheritable(descriptor, True)
    sys.stdout.flush()
    sys.stderr.flush()
    # Held back across the change: whoever asks us to stop in these milliseconds is heard by the new program.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    # "hub up" is there for people who look at the list of processes.
    os.execv(sys.executable, [sys.executable, "-m", program, "hub up", str(memory)])  # noqa: S606 - ourselves


def take_over() -> tuple[dict[str, Any], dict[str, Alive]]:
    """Read what the process was before it became this program: its state, and the children by name."""
    with os.fdopen(int(sys.argv[-1]), "rb") as file:
        told = pickle.load(file)  # noqa: S301 - from this very process
    alive = {name: Alive(pid=pid, started_at=at) for name, (pid, at) in told["alive"].items()}
    return told["state"], alive
