"""A line is one of our identities on a network; a bridge is the adapter that carries it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.model.enrolment import BridgeSystem
from hub.model.line_safety import LineSafety
from hub.model.webhook import StoredSecret


@dataclass(frozen=True, kw_only=True, slots=True)
class Bridge:
    """An adapter to one network, known to us by its secret."""

    id: int
    name: str
    #: Which adapter: `sandbox`, `push`, …
    kind: str
    secrets: tuple[StoredSecret, ...] = field(repr=False)
    cursor: str | None
    is_enabled: bool
    created_at: int
    #: What its machine said of itself when it enrolled.
    system: BridgeSystem | None = None
    #: How its adapter reaches the network (the shape is its kind's), secrets among it; None for one that pushes.
    settings: Mapping[str, object] | None = field(default=None, repr=False)
    #: The kind of its agent (hub.model.bridge_call), if one ever asked for work; kept as the agent tells it.
    agent: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One of our identities (number, Apple ID)."""

    id: int
    bridge_id: int
    handle: str
    label: str | None
    #: `imessage`, `sms` or `auto` (contracts: messages.dev §3).
    service: str
    is_active: bool
    is_contact_first: bool
    #: Least time between two sends.
    pace_ms: int
    #: `online`, `offline` or `degraded`, with the code of the reason beside it (hub.rules.line_health).
    status: str
    status_reason: str | None
    created_at: int
    #: What its bridge can do (hub.model.capability), as the bridge last told; None before it ever did.
    capabilities: frozenset[str] | None = None
    #: What the operator switched off.
    capabilities_off: frozenset[str] = frozenset()
    #: What it wants otherwise than the hub, to be kept safe.
    safety: LineSafety = LineSafety()  # noqa: RUF009 - frozen
    #: The bridge that sends as SMS what the first one's network cannot reach, where the sender allows it.
    fallback_bridge_id: int | None = None

    @property
    def bridge_ids(self) -> tuple[int, ...]:
        """The bridges that carry it, the first one first."""
        fallback = self.fallback_bridge_id
        return (self.bridge_id,) if fallback is None else (self.bridge_id, fallback)

    @property
    def able(self) -> frozenset[str] | None:
        """What it can be asked for; None before its bridge told."""
        return None if self.capabilities is None else self.capabilities - self.capabilities_off
