"""Show that a file's size costs no memory: upload, form, download and fetch of one that is large, in a real hub.

`scripts/show-big-files [MB]` prints a table for the data folder and for a real S3-compatible server. What counts is
how far the peak of the hub's processes rises over what a small file of the same way cost.
"""

from __future__ import annotations

import hashlib
import http.client
import itertools
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psutil

from tests.e2e.running import RunningHub
from tests.support.bucket import ACCESS_KEY, BUCKET, SECRET_KEY, running_s3

MIB = 1024 * 1024
#: Repeated, it is no type that anybody knows.
PIECE = bytes(range(256)) * 256
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """What one way of moving the file cost."""

    name: str
    seconds: float
    #: How far the peak of all processes rose, in bytes.
    risen: int


class Mover:
    """Moves files into and out of a running hub, piece by piece."""

    def __init__(self, hub: RunningHub) -> None:
        self._hub = hub

    def upload(self, size: int) -> str:
        """Send raw bytes; give the address to read them at."""
        return str(self._post("application/octet-stream", _pieces(size), size)["url"])

    def upload_form(self, size: int) -> str:
        """Send a form with one file."""
        head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
        tail = b"\r\n--x--\r\n"
        body = itertools.chain([head], _pieces(size), [tail])
        stored = self._post("multipart/form-data; boundary=x", body, len(head) + size + len(tail))
        return str(stored["data"][0]["url"])

    def fetch(self, url: str) -> str:
        """Let the hub fetch a file from an address: its own."""
        body = msgspec.json.encode({"url": url})
        return str(self._post("application/json", iter([body]), len(body), path="/v1/files/fetch")["url"])

    def download(self, url: str) -> tuple[int, str]:
        """Read an address without a key; give size and digest."""
        connection = self._connection()
        try:
            connection.request("GET", url.partition(f":{self._hub.port}")[2])
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            size, digest = 0, hashlib.sha256()
            while piece := answer.read(MIB):
                size += len(piece)
                digest.update(piece)
        finally:
            connection.close()
        return size, digest.hexdigest()

    def _post(self, kind: str, body: Iterator[bytes], size: int, *, path: str = "/v1/files") -> Any:
        connection = self._connection()
        try:
            headers = {"Content-Type": kind, "Content-Length": str(size)}
            headers["Authorization"] = f"Bearer {self._hub.key}"
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            document = msgspec.json.decode(answer.read())
        finally:
            connection.close()
        assert answer.status == 201, document
        return document

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._hub.port, timeout=120)


def _pieces(size: int) -> Iterator[bytes]:
    for start in range(0, size, len(PIECE)):
        yield PIECE[: size - start]


def digest_of(size: int) -> str:
    """What the file of that size has."""
    digest = hashlib.sha256()
    for piece in _pieces(size):
        digest.update(piece)
    return digest.hexdigest()


def peaks(hub: RunningHub) -> dict[int, int]:
    """The most memory that each process of the hub has had so far, in bytes."""
    found = {}
    for process in hub.process.family():
        try:
            peak = _PEAK.search(Path(f"/proc/{process.pid}/status").read_text())
        except (OSError, psutil.NoSuchProcess):
            continue
        if peak is not None:
            found[process.pid] = int(peak[1]) * 1024
    return found


def measure(hub: RunningHub, size: int, *, warm_up: int = MIB) -> list[Way]:
    """Move a file of that size every way; a small one goes before it, so that only size is left to matter."""
    mover = Mover(hub)
    urls: dict[int, str] = {}

    def upload(count: int) -> None:
        urls[count] = mover.upload(count)

    def download(count: int) -> None:
        assert mover.download(urls[count]) == (count, digest_of(count))

    ways: dict[str, Callable[[int], Any]] = {
        "upload": upload,
        "form": mover.upload_form,
        "download": download,
        "fetch": lambda count: mover.fetch(urls[count]),
    }
    for move in ways.values():
        for _ in range(3):
            move(warm_up)
    return [_measured(hub, name, move, size) for name, move in ways.items()]


def _measured(hub: RunningHub, name: str, move: Callable[[int], Any], size: int) -> Way:
    before, begun = peaks(hub), time.perf_counter()
    move(size)
    seconds = time.perf_counter() - begun
    after = peaks(hub)
    return Way(name=name, seconds=seconds, risen=sum(after[pid] - peak for pid, peak in before.items()))


@contextmanager
def hub_on(storage: str, folder: Path) -> Iterator[RunningHub]:
    """Run a hub that keeps files in its folder, or in a bucket of a real server."""
    with running_s3() as server:
        bucket = {
            "HUB_FILES__STORAGE": "s3",
            "HUB_FILES__S3_BUCKET": BUCKET,
            "HUB_FILES__S3_ENDPOINT": server.endpoint,
            "HUB_FILES__S3_ACCESS_KEY": ACCESS_KEY,
            "HUB_FILES__S3_SECRET_KEY": SECRET_KEY,
        }
        hub = RunningHub(folder, **(bucket if storage == "s3" else {}), HUB_FILES__MAX_BYTES=str(2 * 1024**3))
        try:
            hub.start()
            yield hub
        finally:
            hub.stop()


def main(megabytes: int) -> None:
    """Print the table."""
    print(f"A file of {megabytes} MiB; how far the peak memory of all the hub's processes rises:\n")
    print(f"{'storage':8} {'way':10} {'seconds':>8} {'MiB/s':>8} {'risen MiB':>10}")
    for storage in ("folder", "s3"):
        with tempfile.TemporaryDirectory() as folder, hub_on(storage, Path(folder)) as hub:
            for way in measure(hub, megabytes * MIB):
                rate = megabytes / way.seconds
                print(f"{storage:8} {way.name:10} {way.seconds:8.2f} {rate:8.0f} {way.risen / MIB:10.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
