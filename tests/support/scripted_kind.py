"""A kind of bridge whose network a test plays: settings, hooks and findings as real kinds have them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import random
from collections.abc import Sequence
from typing import Any

import msgspec

from hub.flow.bridge_kinds import BridgeKind, Finding, HookReply, HookRequest, Surroundings
from hub.flow.ports import BridgeAdapter
from hub.model.observation import Observation
from hub.model.refused import RefusalCode
from tests.support.manual_time import ManualClock
from tests.support.scripted_bridge import ScriptedBridge


class ScriptedSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the network is reached."""

    url: str
    password: str
    poll_seconds: int = 5
    numbers: tuple[str, ...] = ()
    device: str = "/dev/phone"


class _Told(msgspec.Struct):
    events: tuple[Observation, ...]


class ScriptedHooks:
    """Believes what is signed with the password."""

    def __init__(self, settings: ScriptedSettings) -> None:
        self._settings = settings

    async def receive(self, request: HookRequest) -> HookReply:
        if request.method == "GET":
            return HookReply(body=dict(request.query).get("challenge", "").encode())
        signature = hmac.digest(self._settings.password.encode(), request.body, hashlib.sha256).hex()
        if not hmac.compare_digest(signature, request.headers.get("x-sign", "")):
            return HookReply(status=401, reason="the signature does not match")
        return await self.read(request)

    async def read(self, request: HookRequest) -> HookReply:
        if request.body.startswith(b"<"):
            return HookReply(reason="it is no JSON", refusal=RefusalCode.UNREADABLE)
        told = msgspec.json.decode(request.body, type=_Told)
        return HookReply(observations=told.events, body=b"<ok/>", content_type="text/xml")


async def _examine(settings: ScriptedSettings, surroundings: Surroundings) -> Sequence[Finding]:
    if settings.url == "broken":
        raise RuntimeError("the network is not as it was thought to be")
    state = "ok" if settings.url.startswith("https://") else "failed"
    return [Finding(name="server", state="ok" if state == "ok" else "failed", detail=settings.url)]


def _open(settings: ScriptedSettings, surroundings: Surroundings) -> BridgeAdapter:
    return ScriptedBridge(surroundings.clock)


SCRIPTED = BridgeKind(
    name="scripted",
    title="A network that a test plays",
    settings=ScriptedSettings,
    secret_settings=frozenset({"password"}),
    machine_settings=frozenset({"device"}),
    open=_open,
    open_hooks=lambda settings, surroundings: ScriptedHooks(settings),
    examine=_examine,
)


class _Nothing:
    """What scripted bridges never ask for."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")


def scripted_surroundings(bridge_id: int) -> Surroundings:
    """Where scripted bridges live: with a clock, and nothing else."""
    nothing: Any = _Nothing()
    return Surroundings(
        clock=ManualClock(),
        sleep=asyncio.sleep,
        caller=nothing,
        sockets=nothing,
        files=nothing,
        links=nothing,
        lines=tuple,
        draw=random.Random(1).random,
    )
