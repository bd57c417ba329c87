"""What the load consists of: requests of a bridge, each a signed batch of 1 KB observations that are all new.

The message text carries `load:<run>:<number>:`, by which the receiver's arrivals are joined with the generator's
clock readings afterwards. Requests are made before the timed part, so that signing is not in it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from tests.load.signatures import sign_standard

EVENT_BYTES = 1024
HANDLES = 500
_PATH = b"/v1/bridge/events"


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadPlan:
    """What one run sends."""

    #: Names the run: part of every guid, so no two runs collide.
    run: str
    #: Our handles, taken in turn.
    lines: tuple[str, ...]
    #: Decoded secret of the bridge.
    key: bytes
    count: int
    first: int = 0
    events_per_request: int = 1
    #: The bridge's name, when the hub asks for it in a header.
    headers: tuple[tuple[str, str], ...] = ()


def observation(plan: LoadPlan, number: int, now_ms: int) -> bytes:
    """Write one received message of `EVENT_BYTES` bytes."""
    handle = f"+1555{1_000_000 + number % HANDLES:07d}"
    document = {
        "v": 1,
        "line": plan.lines[number % len(plan.lines)],
        "kind": "message.received",
        "at": now_ms,
        "observed_at": now_ms,
        "chat": {"key": f"dm:{handle}", "is_group": False, "service": "iMessage", "participants": [handle]},
        "actor": handle,
        "message": {
            "provider_id": f"{plan.run}-{number:08d}",
            "parts": [{"type": "text", "text": f"load:{plan.run}:{number}:"}],
            "is_from_me": False,
            "service": "iMessage",
            "sent_at": now_ms,
        },
    }
    text = json.dumps(document, separators=(",", ":"))
    padding = "x" * max(0, EVENT_BYTES - len(text))
    return text.replace(f':{number}:"', f':{number}:{padding}"', 1).encode()


def bodies(plan: LoadPlan, now_ms: int) -> list[bytes]:
    """Write the bodies of all requests, in order."""
    written = [observation(plan, number, now_ms) for number in range(plan.first, plan.first + plan.count)]
    size = plan.events_per_request
    return [
        b'{"events":[%b]}' % b",".join(written[start : start + size]) for start in range(0, plan.count, size)
    ]


def request(plan: LoadPlan, *, host: bytes, request_id: bytes, body: bytes, now_seconds: int) -> bytes:
    """Sign a body and write the whole request."""
    timestamp = b"%d" % now_seconds
    extra = b"".join(f"{name}: {value}\r\n".encode() for name, value in plan.headers)
    return (
        b"POST %b HTTP/1.1\r\nHost: %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b"
        b"webhook-id: %b\r\nwebhook-timestamp: %b\r\nwebhook-signature: %b\r\n\r\n%b"
        % (
            _PATH,
            host,
            len(body),
            extra,
            request_id,
            timestamp,
            sign_standard(plan.key, request_id, timestamp, body),
            body,
        )
    )


def request_ids(plan: LoadPlan) -> Sequence[bytes]:
    """Name the requests: the same at every repetition, as a bridge does."""
    return [
        f"req_{plan.run}_{plan.first + start}".encode()
        for start in range(0, plan.count, plan.events_per_request)
    ]
