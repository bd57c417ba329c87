"""A receiver of webhooks with a script for each path; it keeps every request as it came on the wire."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from standardwebhooks import Webhook as StandardWebhook
from standardwebhooks import WebhookVerificationError

from hub.rules.signing import verify_native
from tests.e2e.running import wait_for


@dataclass(frozen=True, slots=True)
class Request:
    """One delivery."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The document."""
        document: dict[str, Any] = json.loads(self.body)
        return document

    @property
    def type(self) -> str:
        return str(self.event["event"])

    @property
    def text(self) -> str | None:
        """The words of a message."""
        text: str | None = self.event["data"].get("text")
        return text

    @property
    def delivery_id(self) -> str:
        return str(self.event["delivery_id"])

    def is_signed(self, secret: str) -> bool:
        """Tell whether this secret signed it."""
        try:
            self.require_signed(secret)
        except WebhookVerificationError:
            return False
        return True

    def require_signed(self, secret: str) -> None:
        """Check the Standard Webhooks signature with the official package, and the native one."""
        StandardWebhook(secret).verify(self.body, self.headers)
        stamp = int(self.headers["x-webhook-timestamp"])
        verdict = verify_native(
            secret, timestamp_ms=stamp, signature_header=self.headers["x-webhook-signature"],
            body=self.body, now_ms=stamp,
        )  # fmt: skip
        assert verdict.is_ok, verdict


class _Server(http.server.ThreadingHTTPServer):
    """Hangs up on everybody when it closes; kept connections would be served for ever."""

    daemon_threads = True

    def __init__(self, port: int, handler: type[http.server.BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self._connections: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Close every connection."""
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Receiver:
    """Listens on a port of this machine; answers 200, or what the path's script says next."""

    def __init__(self, port: int = 0) -> None:
        self._requests: list[Request] = []
        self._scripts: dict[str, list[int]] = {}
        self._held: set[str] = set()
        self._changed = threading.Condition()
        self._server = _Server(port, self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def url(self, path: str) -> str:
        """The URL of a path."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{path}"

    def script(self, path: str, statuses: Sequence[int]) -> None:
        """Answer these in turn; the last one for ever."""
        with self._changed:
            self._scripts[path] = list(statuses)

    def hold(self, path: str) -> None:
        """Leave who posts to a path without an answer, until it is let go."""
        with self._changed:
            self._held.add(path)

    def let_go(self, path: str) -> None:
        """Answer everybody there."""
        with self._changed:
            self._held.discard(path)
            self._changed.notify_all()

    def requests(self, path: str) -> list[Request]:
        """Everything that came to a path."""
        with self._changed:
            return [request for request in self._requests if request.path == path]

    def wait(self, path: str, count: int = 1, *, type_: str | None = None) -> list[Request]:
        """Wait for so many requests (of one event type)."""

        def look() -> list[Request] | None:
            found = [each for each in self.requests(path) if type_ in {None, each.type}]
            return found if len(found) >= count else None

        found = wait_for(look)
        assert isinstance(found, list)
        return found

    def close(self) -> None:
        """Stop listening."""
        for path in list(self._held):
            self.let_go(path)
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()

    def _answer(self, request: Request) -> int:
        with self._changed:
            self._requests.append(request)
            self._changed.wait_for(lambda: request.path not in self._held)
            script = self._scripts.get(request.path, [200])
            return script.pop(0) if len(script) > 1 else script[0]

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                self.send_response(receiver._answer(Request(self.path, headers, body)))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler
