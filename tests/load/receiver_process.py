"""Start and stop the receiver as its own process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.load.receiver_control import ReceiverControl
from tests.load.services import ROOT


@contextmanager
def running_receiver(folder: Path, name: str = "receiver") -> Iterator[ReceiverControl]:
    """Run a receiver whose control socket lies in `folder` until the block ends."""
    socket_path = folder / f"{name}.sock"
    command = [sys.executable, "-m", "tests.load.receiver_control", str(socket_path)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        control = ReceiverControl(socket_path)
        yield control
        control.stop()
        process.wait(10)
    finally:
        process.kill()
        process.wait()
