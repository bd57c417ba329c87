"""What `hub listen` makes of a request: are its signatures right, and how it reads in one line."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from email.message import Message
from typing import Any, Final

from hub.rules.signing import Secret, verify_native, verify_standard

UNCHECKED: Final = "unchecked"
GOOD: Final = "signature ok"
#: Fields of `data` that tell most about an event, in this order; the first few that are there are shown.
_TELLING: Final = ("sender", "from", "to", "text", "type", "status", "error", "reason", "webhook_id")
_MOST_SHOWN: Final = 4
_LONGEST: Final = 80


class Book:
    """The secrets that a request here may be signed with; the hub is asked again when none of them fits."""

    def __init__(self, secrets: Sequence[str], *, look_up: Callable[[], Sequence[str]]) -> None:
        self._given = tuple(secrets)
        self._found: tuple[str, ...] = ()
        self._look_up = look_up
        self._lock = threading.Lock()

    def verdict(self, headers: Message, body: bytes) -> str:
        """Say whether both signatures of the request are right."""
        said = _verdict((*self._given, *self._found), headers, body)
        if said == GOOD:
            return said
        self.learn()
        return _verdict((*self._given, *self._found), headers, body)

    def learn(self) -> None:
        """Ask the hub for its secrets."""
        with self._lock:
            self._found = tuple(self._look_up())


def _verdict(secrets: Sequence[str], headers: Message, body: bytes) -> str:
    """Check the Standard Webhooks signature and, where it is, the native one."""
    if not secrets:
        return UNCHECKED
    now_ms = time.time_ns() // 1_000_000
    standard = verify_standard(
        [Secret(text) for text in secrets],
        webhook_id=headers.get("webhook-id"),
        timestamp_text=headers.get("webhook-timestamp"),
        signature_header=headers.get("webhook-signature"),
        body=body,
        now_seconds=now_ms // 1000,
    )
    if not standard.is_ok:
        return f"SIGNATURE {standard.name}"
    native, stamp = headers.get("X-Webhook-Signature"), headers.get("X-Webhook-Timestamp", "")
    if native is None:
        return GOOD
    if not stamp.isdecimal():
        return "NATIVE SIGNATURE BAD_TIMESTAMP"
    verdicts = [
        verify_native(text, timestamp_ms=int(stamp), signature_header=native, body=body, now_ms=now_ms)
        for text in secrets
    ]
    return GOOD if any(each.is_ok for each in verdicts) else f"NATIVE SIGNATURE {verdicts[0].name}"


def line_of(body: bytes, verdict: str) -> str:
    """Write one line for people: time, verdict, event, what tells most about it."""
    clock = time.strftime("%H:%M:%S")
    try:
        document: Any = json.loads(body)
    except ValueError:
        return f"{clock}  {verdict}  {body[:500]!r}"
    if not isinstance(document, dict) or not isinstance(document.get("data"), dict):
        return f"{clock}  {verdict}  {json.dumps(document, ensure_ascii=False)}"
    told = "  ".join(_told(document["data"]))
    return f"{clock}  {verdict}  {document.get('event')!s:18}  {told}".rstrip()


def whole_of(body: bytes) -> str:
    """Write the whole document in one line."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False)
    except ValueError:
        return json.dumps({"not_json": body[:500].decode("utf-8", "replace")})


def _told(data: dict[str, Any]) -> list[str]:
    shown = []
    for name in _TELLING:
        value = data.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            text = json.dumps(value, ensure_ascii=False) if name == "text" else str(value)
            shown.append(f"{name}={text if len(text) <= _LONGEST else text[:_LONGEST] + '…'}")
    return shown[:_MOST_SHOWN]
