"""hub listen: a webhook receiver for the time of development. Checks signatures, prints one line an event.

It knows the secrets of the hub on this machine, so what that hub sends here is checked without further ado.
"""

from __future__ import annotations

import contextlib
import http.server
import signal
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from hub.cli.console import run
from hub.cli.received import Book, line_of, whole_of
from hub.config.settings import Settings
from hub.model.errors import HubError
from hub.model.ids import Prefix, id_text

if TYPE_CHECKING:
    from hub.app.console import Console


@click.command()
@click.option("--port", default=9000, show_default=True, type=click.IntRange(0, 65535), help="0 takes any.")
@click.option("--register", is_flag=True, help="Register this receiver; delete the webhook at the end.")
@click.option("--line", default="*", show_default=True, help="With --register: handle of the line.")
@click.option("--event", "patterns", multiple=True, default=("*",), show_default=True,
              help="With --register: event type or family; repeat for several.")  # fmt: skip
@click.option("--secret", envvar="HUB_WEBHOOK_SECRET", default=None,
              help="whsec_… of a hub elsewhere; that of the hub here is known.")  # fmt: skip
@click.option("--status", default=200, show_default=True, type=click.IntRange(200, 599),
              help="What to answer: try 500, 410 or 429.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print whole payloads, one JSON document a line.")
@click.pass_obj
def listen(  # noqa: PLR0917 - click passes options by name
    settings: Settings,
    port: int,
    register: bool,
    line: str,
    patterns: tuple[str, ...],
    secret: str | None,
    status: int,
    as_json: bool,
) -> None:
    """Receive webhooks on 127.0.0.1, check and print them."""
    secrets = _checked_secret(secret)
    server = _open(port)
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    with contextlib.ExitStack() as stack:
        stack.callback(server.server_close)
        if register:
            secrets = (*secrets, stack.enter_context(_registered(settings, url, line, patterns)))
        book = Book(secrets, look_up=lambda: _local_secrets(settings, url))
        server.RequestHandlerClass = make_handler(book, status, as_json=as_json)
        click.echo(f"Listening on {url} (Ctrl-C ends it)", err=True)
        _serve(server, meanwhile=book.learn)


def _open(port: int) -> http.server.ThreadingHTTPServer:
    try:
        return http.server.ThreadingHTTPServer(("127.0.0.1", port), http.server.BaseHTTPRequestHandler)
    except OSError as error:
        raise click.ClickException(
            f"Port {port} cannot be used: {error.strerror}. Take another one: --port {port + 1 if port < 65535 else 0}"
        ) from None


def _serve(server: http.server.ThreadingHTTPServer, *, meanwhile: Callable[[], None]) -> None:
    """Serve until a signal asks to stop, so that what was registered is deleted.

    Args:
        server: Listens already.
        meanwhile: Is done at the beginning: asking a hub the first time takes long enough to delay the first webhook.
    """
    # Waiting for the signals themselves: a handler that sets an event was once seen to be slept
    # through. Threads inherit the mask, so that no other one takes the signal.
    numbers = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        beginning = threading.Thread(target=meanwhile, daemon=True)
        serving.start()
        beginning.start()
        signal.sigwait(numbers)
        server.shutdown()
        serving.join()
        beginning.join()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _checked_secret(text: str | None) -> tuple[str, ...]:
    """Refuse a secret that could never fit, before it is blamed on the sender."""
    from hub.rules.signing import Secret  # noqa: PLC0415

    if text is None:
        return ()
    try:
        Secret(text)
    except ValueError as error:
        raise click.BadParameter(f"{error}", param_hint="--secret") from None
    return (text,)


@contextlib.contextmanager
def _registered(settings: Settings, url: str, line: str, patterns: tuple[str, ...]) -> Iterator[str]:
    """Register for the length of a block; give the secret."""
    from hub.cli.webhooks import register  # noqa: PLC0415

    made, secret = run(settings, lambda console: register(console, url=url, line=line, patterns=patterns))
    click.echo(f"Registered {id_text(Prefix.WEBHOOK, made.id)} for this time, with secret {secret}", err=True)
    try:
        yield secret
    finally:
        run(settings, lambda console: console.webhooks.delete(made.id))
        click.echo(f"Deleted {id_text(Prefix.WEBHOOK, made.id)}", err=True)


def _local_secrets(settings: Settings, url: str) -> tuple[str, ...]:
    """Give the secrets of the webhooks of the hub on this machine that point here; none without a hub."""

    async def use(console: Console) -> tuple[str, ...]:
        here = (url, url.replace("127.0.0.1", "localhost"))
        found = [each for each in await console.webhooks.all() if each.url.startswith(here)]
        return tuple(secret.text for webhook in found for secret in webhook.secrets)

    try:
        return run(settings, use)
    except (HubError, OSError):
        return ()


def make_handler(book: Book, status: int, *, as_json: bool) -> type[http.server.BaseHTTPRequestHandler]:
    """Build the handler class: read, check, print, answer."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length") or "0"
            body = self.rfile.read(int(length) if length.isdecimal() else 0)
            verdict = book.verdict(self.headers, body)
            click.echo(whole_of(body) if as_json else line_of(body, verdict))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing: what matters is printed once, above."""

    return Handler
