"""The first start of a hub: a sandbox line to play with, and a key to call with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hub.flow.ports import Clock
from hub.flow.repositories import Store
from hub.model.line import Bridge, Line
from hub.model.webhook import StoredSecret
from hub.rules.signing import Secret

SANDBOX_KIND = "sandbox"
PUSH_KIND = "push"
SANDBOX_NAME = "sandbox"


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxPlan:
    """What the sandbox line is to be."""

    handle: str
    pace_ms: int


async def ensure_sandbox(
    store: Store,
    plan: SandboxPlan,
    *,
    new_id: Callable[[], int],
    random_bytes: Callable[[int], bytes],
    clock: Clock,
) -> Line:
    """Make the sandbox bridge and its line unless they exist; return the line."""
    bridge = next((bridge for bridge in await store.bridges.all() if bridge.name == SANDBOX_NAME), None)
    if bridge is None:
        bridge = Bridge(
            id=new_id(),
            name=SANDBOX_NAME,
            kind=SANDBOX_KIND,
            secrets=(StoredSecret(text=Secret.from_bytes(random_bytes(32)).text),),
            cursor=None,
            is_enabled=True,
            created_at=clock.now_ms(),
        )
        await store.bridges.add(bridge)
    lines = [line for line in await store.lines.all() if line.bridge_id == bridge.id]
    for line in lines:
        if line.handle == plan.handle:
            return line
    line = Line(
        id=new_id(),
        bridge_id=bridge.id,
        handle=plan.handle,
        label="Sandbox",
        service="imessage",
        is_active=True,
        is_contact_first=False,
        pace_ms=plan.pace_ms,
        status="online",
        status_reason=None,
        created_at=clock.now_ms(),
    )
    await store.lines.add(line)
    return line


async def add_lines(
    store: Store, bridge: Bridge, *, handles: Sequence[str], new_id: Callable[[], int], clock: Clock
) -> None:
    """Give a bridge lines, as careful as lines are unless somebody says otherwise."""
    for handle in handles:
        await store.lines.add(
            Line(
                id=new_id(),
                bridge_id=bridge.id,
                handle=handle,
                label=None,
                service="auto",
                is_active=True,
                is_contact_first=True,
                pace_ms=1000,
                status="online",
                status_reason=None,
                created_at=clock.now_ms(),
            )
        )
