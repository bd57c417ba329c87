"""A stand-in for the hub's ingest, to test the generator: verifies like the hub, answers like it, and can misbehave."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field

from tests.load.signatures import standard_key, verify_standard


@dataclass(slots=True)
class IngestStandIn:
    """Records request ids in memory."""

    secret: str
    #: What the first requests get instead of an answer: a status, or "drop".
    mishaps: list[str] = field(default_factory=list)
    seen: Counter[bytes] = field(default_factory=Counter)
    forged: int = 0

    async def serve(self) -> asyncio.Server:
        """Listen on a free port."""
        return await asyncio.start_server(self._talk, "127.0.0.1", 0)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                headers = dict(line.split(b": ", 1) for line in head.strip().split(b"\r\n")[1:])
                body = await reader.readexactly(int(headers[b"Content-Length"]))
                if not self._answer(writer, headers, body):
                    return
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return
        finally:
            writer.close()

    def _answer(self, writer: asyncio.StreamWriter, headers: dict[bytes, bytes], body: bytes) -> bool:
        request_id = headers[b"webhook-id"]
        key, timestamp = standard_key(self.secret), headers[b"webhook-timestamp"]
        self.forged += not verify_standard(key, request_id, timestamp, body, headers[b"webhook-signature"])
        self.seen[request_id] += 1
        mishap = self.mishaps.pop(0) if self.mishaps else "202"
        if mishap == "drop":
            return False
        status = "duplicate" if self.seen[request_id] > 1 else "recorded"
        results = [{"status": status, "event_ids": ["evt_x"]} for _ in json.loads(body)["events"]]
        text = json.dumps({"results": results, "request_id": "req_x"}, separators=(",", ":"))
        answer = text.encode() if mishap == "202" else b"{}"
        writer.write(
            b"HTTP/1.1 %b X\r\ncontent-length: %d\r\n\r\n%b" % (mishap.encode(), len(answer), answer)
        )
        return True
