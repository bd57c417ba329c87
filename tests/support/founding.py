"""What each world of the tests begins with: the same ids, chance and key, and a database to copy.

Founding one costs more than most tests, so it is done once for each process.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from hub.api.dialect import Dialect, key_prefixes
from hub.flow.bootstrap import SandboxPlan, ensure_sandbox
from hub.flow.keys import KeyRing, KeyWish
from hub.flow.repositories import Store
from hub.model.ids import IdFactory
from hub.store.open import open_store
from hub.store.sealing import Sealer
from tests.support.manual_time import ManualClock
from tests.support.push_bridge import add_push_bridge


def sealer() -> Sealer:
    return Sealer([bytes(32)])


class CountedIds(IdFactory):
    """Ids, and how many were taken."""

    taken = 0

    def take(self, count: int) -> list[int]:
        self.taken += count
        return super().take(count)


@dataclass(kw_only=True, slots=True)
class Start:
    """Where a world's time, ids and chance stand when it opens."""

    clock: ManualClock = field(default_factory=ManualClock)
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    new_id: CountedIds = field(init=False)
    #: A key that may do everything.
    admin: str = ""

    def __post_init__(self) -> None:
        self.new_id = CountedIds(1, self.clock.now_ms)

    def key_ring(self, store: Store, dialects: Sequence[Dialect]) -> KeyRing:
        return KeyRing(
            store=store,
            clock=self.clock,
            new_id=self.new_id,
            random_bytes=self.chance.randbytes,
            prefixes=key_prefixes(dialects),
        )

    async def found(self, store: Store, sandbox: str, pushed: str) -> None:
        """Give a migrated store the sandbox line, a line on a push bridge, and an admin key."""
        new_id, chance, clock = self.new_id, self.chance.randbytes, self.clock
        plan = SandboxPlan(handle=sandbox, pace_ms=0)
        await ensure_sandbox(store, plan, new_id=new_id, random_bytes=chance, clock=clock)
        await add_push_bridge(
            store, name="push", handles=[pushed], new_id=new_id, random_bytes=chance, clock=clock
        )
        wish = KeyWish(name="admin", scopes=frozenset({"admin"}))
        self.admin = (await self.key_ring(store, ()).create(wish)).text

    def again(self) -> Start:
        """Another that stands where this one does."""
        other = Start(admin=self.admin)
        other.chance.setstate(self.chance.getstate())
        other.new_id.take(self.new_id.taken)
        return other


async def founded_at(path: Path, sandbox: str, pushed: str) -> Start:
    """Put a founded SQLite database at `path`; give the start of its world."""
    folder, starts = _templates()
    template = folder / f"{sandbox}{pushed}.db"
    if template not in starts:
        start = Start()
        opened = await open_store(f"sqlite:///{template}", sealer=sealer(), cache_mib=2)
        await opened.migrate()
        await start.found(opened.store, sandbox, pushed)
        await opened.close()
        starts[template] = start
    shutil.copy(template, path)
    return starts[template].again()


@cache
def _templates() -> tuple[Path, dict[Path, Start]]:
    """Where founded databases are, and the start of each."""
    return Path(mkdtemp(prefix="hub-test-")), {}
