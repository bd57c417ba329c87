"""What a kind of bridge is: its settings, its adapter, and the way in for networks that call us.

Kinds are registered in bridge.registry; hub.app hands the registry to whoever needs it. Adapters run in the worker, or
in an agent beside the network (`hub agent`); what they need of their surroundings is here, and nothing else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import msgspec

from hub.flow.calling import SocketCaller, UploadCaller
from hub.flow.ports import BridgeAdapter, Clock, OutgoingFiles
from hub.flow.refused import Noting, nobody
from hub.model.observation import Observation
from hub.model.refused import RefusalCode

Place = Literal["hub", "agent"]


class FileLinker(Protocol):
    """Gives addresses of our files to networks that fetch them from us (Twilio's MediaUrl)."""

    def address(self, file_id: str) -> str | None:
        """Give a signed address that works for an hour without a key; None while web.base_url is not set."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What an adapter is built from, beside its settings. Everything here lives longer than the adapter."""

    clock: Clock
    #: Waits that many seconds; told by tests.
    sleep: Callable[[float], Awaitable[None]]
    #: The guarded way out.
    caller: UploadCaller
    #: The same for WebSockets.
    sockets: SocketCaller
    #: The bytes of what is sent.
    files: OutgoingFiles
    links: FileLinker
    #: The handles of the bridge's active lines, now.
    lines: Callable[[], Sequence[str]]
    #: Random numbers from 0 to 1, for jitter.
    draw: Callable[[], float]
    #: Where the network reaches the bridge's hooks, secret included; None while web.base_url does not say how.
    hook_url: str | None = None
    #: Keeps what the network told and the adapter cannot read, for the operator.
    refuse: Noting = nobody


@dataclass(frozen=True, kw_only=True, slots=True)
class HookRequest:
    """What a network sent to us."""

    method: str
    #: As the sender spelt it: public address, path and query. Signatures may cover it.
    url: str
    query: Sequence[tuple[str, str]]
    #: Names in small letters.
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class HookReply:
    """What we make of it, and answer."""

    status: int = 200
    observations: tuple[Observation, ...] = ()
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    #: Why it was refused or passed over, for people; nothing secret.
    reason: str | None = None
    #: Set where it was believed and not all of it could be read: the request is kept for the operator.
    refusal: RefusalCode | None = None


class BridgeHooks(Protocol):
    """The way in of one bridge whose network calls us. Observations are durable before the reply is sent."""

    async def receive(self, request: HookRequest) -> HookReply:
        """Verify (signature first, over the raw bytes) and normalise. Never raises for what was sent."""
        ...

    async def read(self, request: HookRequest) -> HookReply:
        """Normalise a request that was verified when it came: of it, `query`, `content-type` and `body` are there."""
        ...


FindingState = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that was tried to see whether a bridge works."""

    #: What was tried: `server`, `private api`, `permission`, …
    name: str
    state: FindingState
    #: What was seen and what to do, without secrets, and with numbers shortened.
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BridgeKind:
    """A kind of bridge that the hub can run."""

    #: As it is spelt in the API and in the database.
    name: str
    #: As people call it.
    title: str
    #: Shape of the settings: a frozen struct that forbids unknown fields, each with a docstring.
    settings: type[msgspec.Struct]
    #: Names of settings that are never shown again.
    secret_settings: frozenset[str]
    #: Makes the adapter; must not touch the world before it is asked to.
    open: Callable[[Any, Surroundings], BridgeAdapter]
    #: Makes the way in, where the network calls us.
    open_hooks: Callable[[Any, Surroundings], BridgeHooks] | None = None
    #: Tries everything that a person would try, and says what was found.
    examine: Callable[[Any, Surroundings], Awaitable[Sequence[Finding]]] | None = None
    #: Whether the network calls us, with these settings.
    is_called: Callable[[Mapping[str, object]], bool] = field(default=lambda settings: True)
    #: Where it can run: in the hub, or in an agent beside the network.
    places: frozenset[Place] = frozenset({"hub", "agent"})
    #: Names of settings that name something of the machine where it runs: a file, a program, another machine for ssh.
    #: Only who owns the machine chooses them.
    machine_settings: frozenset[str] = frozenset()

    def has_hook(self, settings: Mapping[str, object]) -> bool:
        """Whether a bridge with these settings has an address that its network calls."""
        return self.open_hooks is not None and self.is_called(settings)


@dataclass(frozen=True, kw_only=True, slots=True)
class BridgeWorld:
    """The kinds that this hub can run, and what it gives to their adapters."""

    kinds: Mapping[str, BridgeKind]
    #: Bridge id → its surroundings in this process.
    surroundings: Callable[[int], Surroundings]
    #: What machine settings may be here, beside their defaults; from hub.yaml.
    machine_values: frozenset[str] = frozenset()

    def kind_here(self, name: str) -> BridgeKind | None:
        """Give a kind whose adapters can run inside the hub."""
        kind = self.kinds.get(name)
        return kind if kind is not None and "hub" in kind.places else None


def _nowhere(bridge_id: int) -> Surroundings:
    raise LookupError("this process runs no bridges")


#: For processes that run none.
NO_BRIDGES = BridgeWorld(kinds={}, surroundings=_nowhere)
