"""The webhooks of vendors: the signature over the raw bytes first, then the vendor's own reader."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from bridge.taming import json_in, mapping_in
from bridge.unread import NO_JSON, passed_over, unknown, unused
from bridge.vendors.account import VendorRefused
from bridge.vendors.seen import not_after
from hub.flow.bridge_kinds import HookReply, HookRequest
from hub.flow.calling import CallFailed
from hub.flow.ports import Clock
from hub.model.observation import Observation

MOST_BYTES: Final = 1_048_576
#: How old, or how far ahead, a signed moment may be.
WINDOW_MS: Final = 300_000

#: What was seen, or why it is nothing for us.
Told = tuple[Observation, ...] | str
#: Says what is wrong with the signature: secret, request, body as JSON, Unix ms; None if nothing is.
Check = Callable[[bytes, HookRequest, Mapping[str, Any], int], str | None]
#: Reads a delivery that is signed: body, Unix ms. May ask the vendor; raises CallFailed, VendorRefused.
Read = Callable[[Mapping[str, Any], int], Awaitable[Told]]

#: What else vendors tell of, by the first word of the event (contracts: blooio §6, coop §6, msgbubbles §7).
_OF_NO_USE: Final = frozenset(
    {
        "call",
        "chat",
        "contact",
        "conversation",
        "group",
        "line",
        "location",
        "poll",
        "receipt",
        "test",
        "typing",
    }
)
_UNSET: Final = "Set the bridge's webhook_secret: without it nothing is believed."


class VendorHooks:
    """The way in of one account."""

    def __init__(self, secret: str | None, clock: Clock, *, check: Check, read: Read) -> None:
        self._secret = None if secret is None else secret.encode()
        self._clock = clock
        self._check = check
        self._read = read

    async def receive(self, request: HookRequest) -> HookReply:
        now_ms = self._clock.now_ms()
        refused = self._refusal(request)
        if refused is not None:
            return refused
        body = mapping_in(json_in(request.body))
        wrong = self._check(self._secret or b"", request, body, now_ms)
        if wrong is not None:
            return HookReply(status=403, reason=wrong)
        return await self.read(request)

    async def read(self, request: HookRequest) -> HookReply:
        body = json_in(request.body)
        # What is signed and of no use is answered well: sending it again would not help.
        if not isinstance(body, dict):
            return passed_over(NO_JSON)
        now_ms = self._clock.now_ms()
        told = await self._told(body, now_ms)
        if isinstance(told, HookReply):
            return told
        if isinstance(told, str):
            return passed_over(told)
        return HookReply(observations=tuple(not_after(each, now_ms) for each in told))

    def _refusal(self, request: HookRequest) -> HookReply | None:
        if request.method != "POST":
            return HookReply(status=405, reason="Webhooks are POST.")
        if len(request.body) > MOST_BYTES:
            return HookReply(status=413, reason="The body is larger than any that the vendor sends.")
        return None if self._secret is not None else HookReply(status=403, reason=_UNSET)

    async def _told(self, body: Mapping[str, Any], now_ms: int) -> Told | HookReply:
        try:
            return await self._read(body, now_ms)
        except (CallFailed, VendorRefused) as error:
            return HookReply(status=503, reason=f"What it is about could not be asked for: {error}")


def not_taken(event: str) -> str:
    """Say that an event is not taken in: of no use, or of a kind that nobody here knows."""
    why = f"{event} is not taken in"
    return unused(why) if event.partition(".")[0] in _OF_NO_USE else unknown(why)


def is_signed(key: bytes, message: bytes, signature: str) -> bool:
    """Compare the hex of HMAC-SHA256 in constant time; only small letters are the hex that vendors write."""
    expected = hmac.digest(key, message, "sha256").hex()
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))


def is_current(at_ms: int, now_ms: int) -> bool:
    """Tell whether a signed moment is near enough."""
    return abs(now_ms - at_ms) <= WINDOW_MS


BAD_SIGNATURE: Final = "The signature does not match: is webhook_secret the one of this webhook?"
STALE: Final = "The signed time is more than five minutes off: an old delivery, or a wrong clock."
