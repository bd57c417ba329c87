"""Keep what bridges brought and could not be taken in, without letting anybody fill the store or slow the rest down.

The same payload again only raises a count. Of a flood one batch a second is written for each bridge, and what is
more than fits into it is counted (hub.observe.metrics) and not kept. What could be taken in never comes here.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

import msgspec
import structlog

from hub.flow.directory import Directory
from hub.flow.ports import Clock
from hub.model.line import Bridge
from hub.model.observation import Observation
from hub.model.refused import MOST_KEPT_BYTES, Form, Origin, RefusalCode, Refused, RefusedPayload
from hub.rules.refusals import Refusal

log = structlog.get_logger("bridges")

#: Writes for one bridge at once, and the pause between two afterwards.
BURST: Final = 20
PAUSE_MS: Final = 1_000
#: Different payloads of one bridge that wait to be written.
MOST_WAITING: Final = 32
MOST_REASON: Final = 500
_HIDDEN: Final = b"********"
#: A shorter word is in too many texts to be looked for.
_SHORTEST_SECRET: Final = 6


#: Takes note of one payload; never waits, never raises, and may be called from any thread.
Noting = Callable[[Refused], None]


def nobody(refused: Refused) -> None:
    """For those who run where nothing is kept."""


class RefusedBook:
    """What one process noted and has yet to write.

    Args:
        keep: Writes a batch, each digest once.
        secrets_of: Bridge → words that must not be kept in the clear; they are masked in the bytes.
        count: Told of each payload: its bridge, why, and how often.
        sleep: Waits that many seconds; told by tests.
    """

    def __init__(
        self,
        *,
        keep: Callable[[Sequence[RefusedPayload]], Awaitable[None]],
        clock: Clock,
        new_id: Callable[[], int],
        secrets_of: Callable[[int], Iterable[str]] = lambda bridge_id: (),
        count: Callable[[int, RefusalCode, int], None] = lambda bridge_id, code, times: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._keep = keep
        self._clock = clock
        self._new_id = new_id
        self._secrets_of = secrets_of
        self._count = count
        self._sleep = sleep
        self._waiting: dict[int, dict[bytes, RefusedPayload]] = {}
        #: Bridge → when its next write may be, if they came one a second.
        self._next_at: dict[int, int] = {}
        self._writing: asyncio.Task[None] | None = None
        #: Some adapters read in threads.
        self._lock = threading.Lock()

    def note(self, bridge_id: int, refused: Refused, *, times: int = 1) -> None:
        """Take note of one; it is written soon, or by the next `flush`."""
        self._count(bridge_id, refused.code, times)
        if refused.code is RefusalCode.UNUSED:
            return
        with self._lock:
            self._add(bridge_id, refused, times, self._clock.now_ms())
        with contextlib.suppress(RuntimeError):  # a thread has no loop; whoever flushes next writes it
            self.write_later()

    def _add(self, bridge_id: int, refused: Refused, times: int, now_ms: int) -> None:
        waiting, digest = self._waiting.setdefault(bridge_id, {}), _digest(refused)
        known = waiting.get(digest)
        if known is not None:
            waiting[digest] = replace(known, count=known.count + times, last_at=now_ms)
        elif len(waiting) < MOST_WAITING:
            waiting[digest] = RefusedPayload(
                id=self._new_id(),
                bridge_id=bridge_id,
                digest=digest,
                refused=self._tamed(bridge_id, refused),
                count=times,
                first_at=now_ms,
                last_at=now_ms,
            )

    async def flush(self, bridge_id: int) -> None:
        """Write what waits of a bridge now, unless it is one of a flood; then it is written within a second."""
        if not self._waiting.get(bridge_id):
            return
        now_ms = self._clock.now_ms()
        due = max(self._next_at.get(bridge_id, 0), now_ms - (BURST - 1) * PAUSE_MS)
        if due <= now_ms:
            self._next_at[bridge_id] = due + PAUSE_MS
            await self._write(bridge_id)
        else:
            self.write_later()

    def write_later(self) -> None:
        """See to it that what waits is written within a second."""
        if self._writing is None or self._writing.done():
            self._writing = asyncio.get_running_loop().create_task(self._write_all())

    async def aclose(self) -> None:
        """Write the rest."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        for bridge_id in list(self._waiting):
            await self._write(bridge_id)

    async def _write_all(self) -> None:
        while any(self._waiting.values()):
            await self._sleep(PAUSE_MS / 1000)
            for bridge_id in list(self._waiting):
                await self._write(bridge_id)

    async def _write(self, bridge_id: int) -> None:
        with self._lock:
            rows = list(self._waiting.pop(bridge_id, {}).values())
        if not rows:
            return
        try:
            await self._keep(rows)
        except Exception as error:
            log.error("payload.unkept", bridge_id=bridge_id, payloads=len(rows), error=str(error))
            return
        newest = rows[-1].refused
        log.warning(
            "payload.refused",
            bridge_id=bridge_id,
            payloads=len(rows),
            times=sum(row.count for row in rows),
            code=newest.code.value,
            reason=newest.reason,
            origin=newest.origin.value,
        )

    def _tamed(self, bridge_id: int, refused: Refused) -> Refused:
        """What may be kept of it."""
        raw = refused.raw
        for secret in self._secrets_of(bridge_id):
            if len(secret) >= _SHORTEST_SECRET:
                raw = raw.replace(secret.encode("utf-8", "replace"), _HIDDEN)
        return replace(
            refused,
            raw=raw[:MOST_KEPT_BYTES],
            size=max(refused.size, len(raw)),
            reason=_storable(refused.reason)[:MOST_REASON] or refused.code.value,
            event=None if refused.event is None else _storable(refused.event)[:128],
            query=tuple((name[:128], value[:512]) for name, value in refused.query[:20]),
            content_type=refused.content_type[:128],
        )


def secrets_of(directory: Directory, bridge_id: int, names: Callable[[str], Iterable[str]]) -> list[str]:
    """Give the words of a bridge that nobody may read: its own secrets, and those of its settings.

    Args:
        directory: Knows the bridge.
        bridge_id: Which one.
        names: Kind → the names of its secret settings.
    """
    bridge = directory.bridges_by_id.get(bridge_id)
    if bridge is None:
        return []
    settings = bridge.settings or {}
    said = [settings.get(name) for name in names(bridge.kind)]
    return [*(each for each in said if isinstance(each, str)), *(each.text for each in bridge.secrets)]


def unsound(observation: Observation, wrong: Refusal, origin: Origin) -> Refused:
    """Give what is kept of an observation that breaks a rule."""
    return Refused(
        code=RefusalCode.UNSOUND,
        reason=f"{wrong.path}: {wrong.why}",
        origin=origin,
        raw=observation_bytes(observation),
        form=Form.OBSERVATION,
        event=observation.kind,
        same_as=_name_of(observation),
    )


def of_another_line(observation: Observation, origin: Origin) -> Refused:
    """Give what is kept of an observation about a handle that is none of the bridge's lines: one for all of them."""
    return Refused(
        code=RefusalCode.OTHER_LINE,
        reason=f"{observation.line} is none of the bridge's lines: add it, or let nothing of it come here.",
        origin=origin,
        raw=observation_bytes(observation),
        event=observation.kind,
        same_as=observation.line,
    )


def too_large(observation: Observation) -> Refused:
    """Give what is kept of an observation that no request can hold."""
    return Refused(
        code=RefusalCode.TOO_LARGE,
        reason="One event is larger than a request may be (bridge.max_body_bytes).",
        origin=Origin.AGENT,
        raw=observation_bytes(observation),
        form=Form.OBSERVATION,
        event=observation.kind,
        same_as=_name_of(observation),
    )


def origin_of_push(bridge: Bridge) -> Origin:
    """Say who posts a bridge's events."""
    return Origin.PUSH if bridge.agent is None else Origin.AGENT


def observation_bytes(observation: Observation) -> bytes:
    """Write an observation, whatever its texts hold."""
    try:
        return msgspec.json.encode(observation)
    except UnicodeEncodeError:
        import json  # noqa: PLC0415 - it writes halves of surrogate pairs, which nothing else does

        return json.dumps(msgspec.to_builtins(observation)).encode()


def _name_of(observation: Observation) -> str:
    """The same for the same thing seen again: when the bridge looked does not count."""
    seen = msgspec.structs.replace(observation, observed_at=None, cursor=None)
    return hashlib.blake2b(observation_bytes(seen), digest_size=16).hexdigest()


def _digest(refused: Refused) -> bytes:
    said = refused.raw if refused.same_as is None else refused.same_as.encode("utf-8", "replace")
    return hashlib.blake2b(said, digest_size=16, person=refused.code.value.encode()[:16]).digest()


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
