"""What must be done once before web and worker start: migrate, make the sandbox, make the first key."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from hub.app.core import open_database
from hub.app.reach import require_database
from hub.app.world import SystemClock
from hub.config.route_paths import route_paths
from hub.config.settings import Settings
from hub.flow.bootstrap import SandboxPlan, ensure_sandbox
from hub.flow.keys import KeyRing, KeyWish
from hub.model.ids import IdFactory


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """What a first or later start found or made."""

    #: The key's text at the first start, when it is made; None afterwards.
    first_key: str | None
    sandbox_line: str | None
    #: Whether routes were ever installed, or stand in the folder and will be.
    has_routes: bool


async def prepare(settings: Settings) -> Prepared:
    """Bring the database up to date and make what a new hub needs. Repeating it changes nothing.

    Raises:
        StoreError: The database is away or newer, or its secrets were sealed with another key.
    """
    await require_database(settings)
    opened = await open_database(settings)
    clock = SystemClock()
    try:
        await opened.migrate()
        await (
            opened.store.bridges.all()
        )  # opens every bridge's secret: a wrong key is told here, in a sentence
        now_ms = clock.now_ms()
        node = await opened.store.processes.join(
            kind="prepare", name="prepare", now=now_ms, forgotten_before=now_ms - 600_000
        )
        new_id = IdFactory(node, clock.now_ms)
        line = None
        if settings.sandbox.enabled:
            plan = SandboxPlan(
                handle=settings.sandbox.line, pace_ms=int(settings.sandbox.pace_seconds * 1000)
            )
            line = await ensure_sandbox(
                opened.store, plan, new_id=new_id, random_bytes=secrets.token_bytes, clock=clock
            )
        first_key = None
        if not await opened.store.keys.list(after=None, limit=1):
            ring = KeyRing(store=opened.store, clock=clock, new_id=new_id, random_bytes=secrets.token_bytes)
            made = await ring.create(KeyWish(name="first key", scopes=frozenset({"admin"})))
            first_key = made.text
        await opened.store.processes.leave(node)
        return Prepared(
            first_key=first_key,
            sandbox_line=line.handle if line else None,
            has_routes=await opened.store.routes.version() > 0 or _has_files(settings.routes.folder),
        )
    finally:
        await opened.close()


def _has_files(folder: Path) -> bool:
    try:
        return bool(route_paths(folder.expanduser()))
    except OSError:
        return False  # who follows the folder tells what is the matter with it
