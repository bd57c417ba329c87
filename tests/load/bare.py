"""The limit: a loop that does nothing but sign and post, with the hub's own client, to the same receiver.

No store, no ingest, no guard against loss, no record of attempts: what the hub does beside this is what it costs.
`python -m tests.load.bare <order.json> <result.json>`.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import msgspec
import uvloop

from hub.outbound.client import OutboundClient
from hub.outbound.messages import Target
from hub.outbound.tls import client_context
from hub.rules.egress import EgressPolicy
from hub.rules.signing import NativeSigner, Secret, StandardSigner
from tests.load.services import ROOT

#: Posts under way to each target, as in a lane of the hub.
LANE = 16


class BareOrder(msgspec.Struct, kw_only=True, frozen=True):
    """What to post where."""

    #: URL and secret of each receiver.
    targets: tuple[tuple[str, str], ...]
    posts_per_target: int
    lane: int = LANE
    ca_file: str | None = None
    #: Marks the bodies, so that arrivals can be told from others.
    run: str = "bare"


class BareResult(msgspec.Struct, kw_only=True, frozen=True):
    """What it came to."""

    posts: int
    failures: int
    seconds: float
    cpu_seconds: float


class BareLoop:
    """Posts everything once."""

    def __init__(self, order: BareOrder) -> None:
        self._order = order
        tls = client_context(ca_file=Path(order.ca_file) if order.ca_file else None)
        self._client = OutboundClient(EgressPolicy(allow_networks=(ip_network("127.0.0.0/8"),)), tls=tls)
        self._failures = 0

    async def run(self) -> BareResult:
        """Run all lanes to their end."""
        targets = [(self._client.target(url), Secret(secret)) for url, secret in self._order.targets]
        started_at, cpu_before = time.monotonic(), _cpu_seconds()
        lanes = [self._lane(number, target, secret) for number, (target, secret) in enumerate(targets)]
        await asyncio.gather(*lanes)
        seconds, cpu = time.monotonic() - started_at, _cpu_seconds() - cpu_before
        await self._client.aclose()
        posts = len(targets) * self._order.posts_per_target
        return BareResult(posts=posts, failures=self._failures, seconds=seconds, cpu_seconds=cpu)

    async def _lane(self, number: int, target: Target, secret: Secret) -> None:
        numbers = iter(range(self._order.posts_per_target))
        standard, native = StandardSigner([secret]), NativeSigner(secret)
        posters = [self._poster(number, target, standard, native, numbers) for _ in range(self._order.lane)]
        await asyncio.gather(*posters)

    async def _poster(
        self,
        lane: int,
        target: Target,
        standard: StandardSigner,
        native: NativeSigner,
        numbers: Iterator[int],
    ) -> None:
        for number in numbers:
            now_ms = time.time_ns() // 1_000_000
            webhook_id = b"evt_%s%05dz%08d" % (self._order.run.encode(), lane, number)
            body = _body(self._order.run, number, now_ms)
            headers = (
                b"Content-Type: application/json\r\nwebhook-id: %b\r\nwebhook-timestamp: %d\r\n"
                b"webhook-signature: %b\r\nX-Webhook-Signature: %b\r\nX-Webhook-Timestamp: %d\r\n"
                b"X-Webhook-Delivery-Id: dlv_%d"
                % (
                    webhook_id,
                    now_ms // 1000,
                    standard.sign(webhook_id, now_ms // 1000, body),
                    native.sign(now_ms, body),
                    now_ms,
                    number,
                )
            )
            answer = await self._client.post(target, headers=headers, body=body)
            self._failures += answer.status != 200


def _body(run: str, number: int, now_ms: int) -> bytes:
    """Write a delivery as long as those that the hub makes of a 1 KB event."""
    return (
        b'{"event":"message.received","data":{"id":"msg_0e9k2m4q6r8st","line_id":"ln_0e9k2m4q6r8st","chat_id":'
        b'"cht_0e9k2m4q6r8st","guid":"bare-%08d","sender":"+15551000000","text":"load:%b:%d:%b","attachments":[],'
        b'"service":"iMessage","is_from_me":false,"is_audio_message":false,"sent_at":%d,"synced_at":%d,'
        b'"outbox_id":null,"reply_to_guid":null,"line_handle":"+15550100001","status":"received"},'
        b'"timestamp":%d,"delivery_id":"dlv_%d"}'
        % (number, run.encode(), number, b"x" * 650, now_ms, now_ms, now_ms, number)
    )


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def run_bare(order: BareOrder, folder: Path) -> BareResult:
    """Run the loop as a process of its own."""
    order_path, result_path = folder / "bare.order.json", folder / "bare.result.json"
    order_path.write_bytes(msgspec.json.encode(order))
    command = [sys.executable, "-m", "tests.load.bare", str(order_path), str(result_path)]
    subprocess.run(command, cwd=ROOT, check=True)
    return msgspec.json.decode(result_path.read_bytes(), type=BareResult)


if __name__ == "__main__":
    given = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=BareOrder)
    Path(sys.argv[2]).write_bytes(msgspec.json.encode(uvloop.run(BareLoop(given).run())))
