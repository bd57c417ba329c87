"""What keeps payloads of bridges that a process cannot take in, wired."""

from __future__ import annotations

from functools import partial

from bridge.registry import KINDS
from hub.config.settings import Settings
from hub.flow.directory import DirectoryHolder
from hub.flow.ports import Clock
from hub.flow.refused import RefusedBook, secrets_of
from hub.flow.repositories import Store
from hub.model.ids import IdFactory
from hub.model.refused import RefusalCode
from hub.observe.metrics import Metrics


def refused_book(
    store: Store,
    directory: DirectoryHolder,
    *,
    settings: Settings,
    clock: Clock,
    new_id: IdFactory,
    metrics: Metrics,
) -> RefusedBook:
    """Give what keeps payloads that this process cannot take in."""

    def secret_names(kind: str) -> frozenset[str]:
        known = KINDS.get(kind)
        return frozenset() if known is None else known.secret_settings

    def count(bridge_id: int, code: RefusalCode, times: int) -> None:
        bridge = directory.current.bridges_by_id.get(bridge_id)
        metrics.payloads_refused.labels("unknown" if bridge is None else bridge.kind, code.value).inc(times)

    return RefusedBook(
        keep=partial(store.refused.keep, most=settings.bridge.refused_kept),
        clock=clock,
        new_id=new_id,
        secrets_of=lambda bridge_id: secrets_of(directory.current, bridge_id, secret_names),
        count=count,
    )
