# ruff: noqa: PLC0415, ASYNC240 - each measured process imports only the client it measures, and sets up before it runs
"""Compare outbound HTTP clients: ours, pyreqwest and aiohttp, against one receiver in a process of its own.

    uv run --group bench python scripts/bench_clients.py [--runs 3] [--requests 20000]

Every client posts the same 600 bytes with the headers of a signed webhook, to a pinned address, redirects off, under
uvloop, in a fresh process for each run; runs of the clients alternate. CPU is the client process's own (user and
system, all threads), without start-up; it is the figure to compare where cores are shared. One warm-up call per host
is not counted, so "keep-alive" is only that, and "new connection" resumes TLS sessions where the client can.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import resource
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvloop

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

CLIENTS = ("ours", "pyreqwest", "aiohttp")
#: Name: (scheme, hosts, calls at once, path, share of the requests)
SCENARIOS = {
    "keep-alive, 16 at once, one host": ("http", 1, 16, "/hook", 1.0),
    "keep-alive, 100 at once to 100 hosts": ("http", 100, 100, "/hook", 1.0),
    "TLS keep-alive, 16 at once, one host": ("https", 1, 16, "/hook", 1.0),
    "TLS, new connection each, 200 hosts, 32 at once": ("https", 200, 32, "/close", 0.1),
}
BODY = b'{"type":"message.received","data":"' + b"x" * 563 + b'"}'
HEADERS = (
    ("content-type", "application/json"),
    ("webhook-id", "evt_0198c2f3a4b5c6d7e8f9a0b1c2"),
    ("webhook-timestamp", "1760000000"),
    ("webhook-signature", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="),
)
Post = Callable[[int], Awaitable[int]]
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class ReceiverProtocol(asyncio.Protocol):
    """Answers every whole request with 200 and two bytes."""

    def __init__(self) -> None:
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        """Answer when the request is whole."""
        seen = self._seen = self._seen + data
        end = seen.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(seen, 0, end)
        if len(seen) < end + 4 + (int(length[1]) if length else 0):
            return
        self._seen = b""
        if seen.startswith(b"POST /close"):
            self._transport.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
            self._transport.close()
        else:
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
            )


async def receive(folder: Path) -> None:
    """Be the receiver until the input closes; print the two ports."""
    from tests.outbound.certificates import Authority

    authority = Authority(folder)
    loop = asyncio.get_running_loop()
    tls = authority.server("*.bench.test")
    plain = await loop.create_server(ReceiverProtocol, "127.0.0.1", 0, backlog=1024)
    secure = await loop.create_server(ReceiverProtocol, "127.0.0.1", 0, backlog=1024, ssl=tls)
    ports = {"http": plain.sockets[0].getsockname()[1], "https": secure.sockets[0].getsockname()[1]}
    print(json.dumps({**ports, "authority": str(authority.file)}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def _hosts(count: int) -> list[str]:
    return [f"h{number}.bench.test" for number in range(count)]


async def make_ours(urls: list[str], authority: str) -> Post:
    """Post with Hub's own client."""
    from hub.outbound import OutboundClient, client_context
    from hub.rules.egress import read_allow_list

    class Names:
        async def addresses(self, host: str) -> tuple[str, ...]:
            return ("127.0.0.1",)

    client = OutboundClient(
        read_allow_list(["127.0.0.0/8"]), resolver=Names(), tls=client_context(ca_file=Path(authority))
    )
    targets = [client.target(url) for url in urls]
    lines = "\r\n".join(f"{name}: {value}" for name, value in HEADERS)

    async def post(number: int) -> int:
        return (await client.post(targets[number % len(targets)], lines.encode(), BODY)).status

    return post


async def make_pyreqwest(urls: list[str], authority: str) -> Post:
    """Post with pyreqwest: one client per destination, as its pinning needs."""
    from pyreqwest.client import ClientBuilder

    certificate = Path(authority).read_bytes()
    clients = []
    for url in urls:
        host, _, port = url.partition("//")[2].partition("/")[0].partition(":")
        builder = ClientBuilder().resolve(host, "127.0.0.1", int(port)).add_root_certificate_pem(certificate)
        clients.append(builder.follow_redirects(False).http1_only().timeout(timedelta(seconds=20)).build())
    headers = dict(HEADERS)

    async def post(number: int) -> int:
        index = number % len(urls)
        request = clients[index].post(urls[index]).headers(headers).body_bytes(BODY).build()
        response = await request.send()
        await response.bytes()
        return int(response.status)

    return post


async def make_aiohttp(urls: list[str], authority: str) -> Post:
    """Post with aiohttp and a pinning resolver."""
    import aiohttp
    from aiohttp.abc import AbstractResolver

    class Names(AbstractResolver):
        async def resolve(self, host: str, port: int = 0, family: Any = 0) -> Any:
            return [
                {"hostname": host, "host": "127.0.0.1", "port": port, "family": 2, "proto": 0, "flags": 0}
            ]

        async def close(self) -> None:
            return

    context = ssl.create_default_context()
    context.load_verify_locations(authority)
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=Names(), limit=0, ssl=context),
        timeout=aiohttp.ClientTimeout(total=20),
        auto_decompress=False,
    )
    headers = dict(HEADERS)

    async def post(number: int) -> int:
        url = urls[number % len(urls)]
        async with session.post(url, data=BODY, headers=headers, allow_redirects=False) as response:
            await response.read()
            return response.status

    return post


async def measure(client: str, scenario: str, requests: int, receiver: dict[str, Any]) -> dict[str, float]:
    """Make one run and return CPU µs per POST and POSTs per second."""
    scheme, hosts, at_once, path, share = SCENARIOS[scenario]
    urls = [f"{scheme}://{host}:{receiver[scheme]}{path}" for host in _hosts(hosts)]
    make = {"ours": make_ours, "pyreqwest": make_pyreqwest, "aiohttp": make_aiohttp}[client]
    post = await make(urls, receiver["authority"])
    for number in range(hosts):
        await post(number)
    count = max(int(requests * share), hosts)
    numbers = iter(range(count))

    async def lane() -> None:
        for number in numbers:
            status = await post(number)
            if status != 200:
                raise SystemExit(f"{client}: {status}")

    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    await asyncio.gather(*(lane() for _ in range(at_once)))
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu_us": cpu / count * 1e6, "per_second": count / seconds}


def run_once(client: str, scenario: str, requests: int, receiver: dict[str, Any]) -> dict[str, float]:
    """Measure in a fresh process."""
    arguments = [__file__, "--measure", json.dumps([client, scenario, requests, receiver])]
    done = subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def compare(runs: int, requests: int) -> None:
    """Run everything and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, __file__, "--receive", folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdin is not None
        receiver = json.loads(process.stdout.readline())
        try:
            print("| CPU µs per POST (POSTs/s), median of", runs, "|", " | ".join(CLIENTS), "|")
            print("|---" * (len(CLIENTS) + 1) + "|")
            for scenario in SCENARIOS:
                results: dict[str, list[dict[str, float]]] = {client: [] for client in CLIENTS}
                for _ in range(runs):
                    for client in CLIENTS:
                        results[client].append(run_once(client, scenario, requests, receiver))
                cells = [_cell(results[client]) for client in CLIENTS]
                print("|", scenario, "|", " | ".join(cells), "|", flush=True)
        finally:
            process.stdin.close()
            process.wait(timeout=10)


def _cell(results: list[dict[str, float]]) -> str:
    cpu = sorted(result["cpu_us"] for result in results)
    per_second = statistics.median(result["per_second"] for result in results)
    return f"{statistics.median(cpu):.0f} [{cpu[0]:.0f}-{cpu[-1]:.0f}] ({per_second:,.0f})"


def main() -> None:
    """Read the arguments and do one of the three parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--receive", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--measure", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.receive is not None:
        uvloop.run(receive(arguments.receive))
    elif arguments.measure is not None:
        print(json.dumps(uvloop.run(measure(*arguments.measure))))
    else:
        compare(arguments.runs, arguments.requests)


if __name__ == "__main__":
    main()
