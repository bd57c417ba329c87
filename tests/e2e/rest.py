"""The REST surface as any program uses it: one request, a status, a document."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.e2e.running import wait_for

LINE = "+15550100000"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    document: Any


@dataclass(frozen=True, slots=True)
class Rest:
    """A caller with a key."""

    port: int
    key: str

    def ask(self, method: str, path: str, body: object = None, **more_headers: str) -> Answer:
        """Ask, whatever the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            headers = {
                "Authorization": f"Bearer {self.key}",
                "Content-Type": "application/json",
                **more_headers,
            }
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        is_json = "json" in (answer.getheader("content-type") or "")
        return Answer(answer.status, json.loads(text) if is_json else text.decode())

    def get(self, path: str, **query: object) -> Any:
        """Ask for something that is there."""
        return self._must("GET", f"{path}?{urlencode(query)}" if query else path, None)

    def post(self, path: str, body: object = None) -> Any:
        """Ask for something that must be done."""
        return self._must("POST", path, body)

    def register(self, url: str, *events: str, **more: object) -> dict[str, Any]:
        """Register a webhook for the sandbox line."""
        body = {"from": more.pop("line", LINE), "url": url, "events": events or ("message.received",), **more}
        made: dict[str, Any] = self.post("/v1/webhooks", body)
        return made

    def say(self, text: str, contact: str = "+15550100001") -> str:
        """Let a sandbox contact write; return the event's id."""
        (event_id,) = self.post("/v1/sandbox/say", {"contact": contact, "text": text})["event_ids"]
        return str(event_id)

    def delivery(self, webhook_id: str, status: str, **query: object) -> dict[str, Any]:
        """Wait for a webhook's delivery that stands so."""

        def look() -> Any:
            found = self.get("/v1/deliveries", webhook_id=webhook_id, status=status, **query)["data"]
            return found[0] if found else None

        found = wait_for(look)
        assert isinstance(found, dict)
        return found

    def finish(self, job_id: str) -> dict[str, Any]:
        """Wait for the end of a job."""
        return self.until(f"/v1/jobs/{job_id}", lambda job: job["status"] != "running")

    def until(self, path: str, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until what is there is so."""

        def look() -> Any:
            found = self.get(path)
            return found if is_so(found) else None

        found = wait_for(look)
        assert isinstance(found, dict)
        return found

    def _must(self, method: str, path: str, body: object) -> Any:
        answer = self.ask(method, path, body)
        assert answer.status < 300, answer
        return answer.document
