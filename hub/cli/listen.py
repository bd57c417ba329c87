"""hub listen: a webhook receiver for the time of development. Checks every signature it has a secret for."""

from __future__ import annotations

import http.server
import json
import time

import click


@click.command()
@click.option("--port", default=9000, show_default=True)
@click.option("--secret", envvar="HUB_WEBHOOK_SECRET", default=None, help="whsec_…; checks signatures.")
@click.option("--status", default=200, show_default=True, help="What to answer: try 500, 410 or 429.")
def listen(port: int, secret: str | None, status: int) -> None:
    """Receive webhooks on 127.0.0.1 and print them."""
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), make_handler(secret, status))
    except OSError as error:
        raise click.ClickException(
            f"Port {port} cannot be used: {error.strerror}. Try --port {port + 1}."
        ) from None
    click.echo(f"Listening on http://127.0.0.1:{port}/ (Ctrl-C ends it)", err=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


def make_handler(secret: str | None, status: int) -> type[http.server.BaseHTTPRequestHandler]:
    """Build the handler class: print, check, answer."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            click.echo(f"{time.strftime('%H:%M:%S')} {self._verdict(secret, body)} {_shown(body)}")
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _verdict(self, secret: str | None, body: bytes) -> str:
            if secret is None:
                return "unchecked"
            from hub.rules.signing import Secret, verify_standard  # noqa: PLC0415

            verdict = verify_standard(
                [Secret(secret)],
                webhook_id=self.headers.get("webhook-id"),
                timestamp_text=self.headers.get("webhook-timestamp"),
                signature_header=self.headers.get("webhook-signature"),
                body=body,
                now_seconds=int(time.time()),
            )
            return "signature ok" if verdict.name == "OK" else f"SIGNATURE {verdict.name}"

        def log_message(self, *_: object) -> None:
            """Say nothing: what matters is printed once, above."""

    return Handler


def _shown(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), ensure_ascii=False)
    except ValueError:
        return repr(body[:500])
