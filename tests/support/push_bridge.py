"""A push bridge with its lines, as `hub bridges add` makes one beside a running hub."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hub.flow.bootstrap import PUSH_KIND, add_lines
from hub.flow.ports import Clock
from hub.flow.repositories import Store
from hub.model.line import Bridge
from hub.model.webhook import StoredSecret
from hub.rules.signing import Secret


async def add_push_bridge(
    store: Store,
    *,
    name: str,
    handles: Sequence[str],
    new_id: Callable[[], int],
    random_bytes: Callable[[int], bytes],
    clock: Clock,
) -> Bridge:
    """Add a bridge that pushes its events, with its lines."""
    bridge = Bridge(
        id=new_id(),
        name=name,
        kind=PUSH_KIND,
        secrets=(StoredSecret(text=Secret.from_bytes(random_bytes(32)).text),),
        cursor=None,
        is_enabled=True,
        created_at=clock.now_ms(),
    )
    await store.bridges.add(bridge)
    await add_lines(store, bridge, handles=handles, new_id=new_id, clock=clock)
    return bridge
