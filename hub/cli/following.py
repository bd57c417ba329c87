"""`hub events --follow`: the stream of the hub on this machine, a line an event, back again whenever it breaks.

It needs no API key: the command holds the hub's own key, and makes itself a token with it.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlencode

import click

from hub.cli.history import event_row
from hub.config.settings import Settings
from hub.rules.sse import SseReader

#: Between two tries to come back.
PAUSE_SECONDS: Final = 1.0
#: Longer than any pause between two signs that a stream lives.
SILENCE_SECONDS: Final = 330.0
TOKEN_MS: Final = 60_000
MOST_BYTES: Final = 16 * 2**20
#: In place of an id.
_LIVE: Final = "(live)"


def follow_events(settings: Settings, *, after: str | None, types: str | None) -> None:
    """Print what comes, for ever.

    Raises:
        click.ClickException: No hub answers at first, or it refuses.
    """
    has_begun = False
    while True:
        reader = SseReader(most_bytes=MOST_BYTES)  # a new one: the rest of a broken stream leads nowhere
        try:
            for event in _told(settings, reader, after=after, types=types):
                has_begun = True
                click.echo(_row(event))
                after = reader.last_id or after
        except (OSError, http.client.HTTPException) as error:
            if not has_begun:
                raise click.ClickException(
                    f"No hub answers at {_address(settings)} ({error}). Start it with `hub up`, or leave "
                    "--follow out."
                ) from None
        after = reader.last_id or after
        has_begun = True
        time.sleep(PAUSE_SECONDS)


def _told(
    settings: Settings, reader: SseReader, *, after: str | None, types: str | None
) -> Iterator[dict[str, Any]]:
    """Open the stream and give its events until it ends."""
    host, port = _address(settings).rsplit(":", 1)
    connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=SILENCE_SECONDS)
    try:
        query = {"token": _token(settings), "after": after, "type": types}
        path = f"/v1/events/stream?{urlencode({name: value for name, value in query.items() if value})}"
        connection.request("GET", path)
        answer = connection.getresponse()
        if answer.status != http.HTTPStatus.OK:
            raise click.ClickException(_refusal(answer.read()))
        while chunk := answer.read1(65_536):
            for event in reader.feed(chunk):
                if event.name == "message":
                    yield json.loads(event.data)
    finally:
        connection.close()


def _token(settings: Settings) -> str:
    from hub.app.core import encryption_key  # noqa: PLC0415 - heavy; only this command needs it
    from hub.flow.stream_tokens import CONSOLE, StreamGrant, stream_secret, write_token  # noqa: PLC0415

    expires_at = time.time_ns() // 1_000_000 + TOKEN_MS
    return write_token(
        stream_secret(encryption_key(settings)), StreamGrant(key_id=CONSOLE.id, expires_at=expires_at)
    )


def _address(settings: Settings) -> str:
    """Where the web service of this machine listens, whatever others call it."""
    any_host = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
    host = any_host.get(settings.web.host, settings.web.host)
    return f"[{host}]:{settings.web.port}" if ":" in host else f"{host}:{settings.web.port}"


def _refusal(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return "What answers there is no hub: see web.host and web.port."


def _row(event: dict[str, Any]) -> str:
    handle = event["data"].get("line_handle") or ""
    at_ms = event["recorded_at"] or event["occurred_at"]
    return event_row(at_ms, event["id"] or _LIVE, event["type"], handle)
