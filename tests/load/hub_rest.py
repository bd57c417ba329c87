"""The hub's REST surface as a client uses it: blocking, one connection, no code of the product."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: The hub hangs up on a connection that was idle for longer than 5 seconds.
_KEPT_SECONDS = 2.0


@dataclass(slots=True)
class HubRest:
    """One client with one key."""

    port: int
    key: str = field(repr=False)
    _connection: http.client.HTTPConnection | None = None
    _used_at: float = 0.0

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send a POST."""
        return self.ask("POST", path, body)

    def get(self, path: str) -> dict[str, Any]:
        """Send a GET."""
        return self.ask("GET", path, None)

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        """Send a request; raise with the hub's own words if it is refused."""
        if time.monotonic() - self._used_at > _KEPT_SECONDS:
            self.close()
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self._connection.getresponse()
        text = answer.read().decode()
        self._used_at = time.monotonic()
        if answer.status >= http.HTTPStatus.MULTIPLE_CHOICES:
            raise RuntimeError(f"{method} {path} was answered with {answer.status}: {text[:500]}")
        document: dict[str, Any] = json.loads(text)
        return document

    def register(
        self, line: str, url: str, *, events: Sequence[str] = ("message.received",), **more: Any
    ) -> str:
        """Register a webhook; return its secret."""
        secret: str = self.post("/v1/webhooks", {"from": line, "url": url, "events": list(events), **more})[
            "secret"
        ]
        return secret

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def is_ready(port: int) -> bool:
    """Ask /readyz."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
