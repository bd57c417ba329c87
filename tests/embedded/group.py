"""A program for the supervisor's tests: runs small children of known behaviour and tells what happens.

Usage: group.py FOLDER TETHER DRAIN_SECONDS CHILD…, where CHILD is a function's name below, or `valkey`. What
the supervisor reports, and what children say, goes to standard output as lines of JSON.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from hub.embedded.children import EXIT_DO_NOT_RESTART, Child
from hub.embedded.datafolder import DataFolderError, hold_lock, open_data_folder
from hub.embedded.supervisor import supervise
from hub.embedded.tether import new_tether
from hub.embedded.valkey import ValkeyServer

FOLDER = Path(sys.argv[1])


def say(name: str, fields: Mapping[str, object]) -> None:
    os.write(1, (json.dumps({"event": name, **fields}) + "\n").encode())


def steady() -> int:
    """Run until SIGTERM, then end well; tell of each signal."""
    wanted = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
    say("steady.up", {"pid": os.getpid(), "group": os.getpgid(0)})
    signal.sigwait({signal.SIGTERM})
    say("steady.down", {"interrupts": int(signal.SIGINT in signal.sigpending())})
    return 0


def handling() -> int:
    """Install a handler for SIGINT, as web servers do, and tell when it runs."""
    signal.signal(signal.SIGINT, lambda *_: say("handling.interrupted", {}))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    say("handling.up", {"pid": os.getpid()})
    while True:
        signal.pause()


def stubborn() -> int:
    """Ignore SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say("stubborn.up", {"pid": os.getpid()})
    while True:
        time.sleep(60)


def broken() -> int:
    """Fail each time."""
    raise RuntimeError("broken on purpose")


def flaky() -> int:
    """Fail once, then run."""
    marker = FOLDER / "flaky"
    if not marker.exists():
        marker.touch()
        return 3
    return steady()


def misconfigured() -> int:
    return EXIT_DO_NOT_RESTART


def quitting() -> int:
    """End as programs do that call sys.exit()."""
    sys.exit("quitting on purpose")


def reading() -> int:
    """Read standard input, which must not be the terminal's."""
    say("reading.read", {"text": sys.stdin.read()})
    return steady()


def never_ready() -> int:
    return steady()


def slow() -> int:
    """Get ready at the third start."""
    with (FOLDER / "slow").open("a") as file:
        file.write("started\n")
    return steady()


def slow_is_ready() -> bool:
    starts = FOLDER / "slow"
    return starts.exists() and len(starts.read_text().splitlines()) >= 3


CHILDREN: dict[str, Callable[[], int]] = {
    each.__name__: each
    for each in (steady, handling, stubborn, broken, flaky, misconfigured, quitting, reading)
}


def main() -> int:
    _, _, tether, drain_seconds, *names = sys.argv
    folder = open_data_folder(FOLDER)
    children = [Child(name=name, run=CHILDREN[name]) for name in names if name in CHILDREN]
    if "valkey" in names:
        children.append(ValkeyServer(folder).as_child())
    if "slow" in names:
        children.append(Child(name="slow", run=slow, is_ready=slow_is_ready, ready_seconds=0.25))
    if "never_ready" in names:
        children.append(
            Child(name="never_ready", run=never_ready, is_ready=lambda: False, ready_seconds=0.0, stage=0)
        )
    try:
        with hold_lock(folder, patience_seconds=1.0):
            return supervise(
                children,
                report=say,
                drain_seconds=float(drain_seconds),
                on_ready=lambda: say("group.ready", {"pid": os.getpid()}),
                tether=new_tether(tether),
            )
    except DataFolderError as error:
        say("refused", {"message": str(error)})
        return 9


if __name__ == "__main__":
    sys.exit(main())
