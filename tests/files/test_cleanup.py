"""What is removed and what stays: no bytes that a file holds ever go, none stay for ever, whoever dies where."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.files.folder import FolderBlobs
from hub.flow.file_cleanup import ORPHAN_MS, QUIET_MS, FileCleanup
from hub.flow.file_intake import Claims
from hub.flow.file_store import FileUse, Stored
from hub.flow.files import FileDesk
from hub.flow.repositories import Store
from hub.model.errors import InvalidRequest
from hub.model.file import File, FileState
from hub.model.ids import IdFactory
from hub.model.key import ApiKey
from hub.store.open import open_store
from hub.store.sealing import Sealer
from tests.support.file_parts import file_parts
from tests.support.hub_world import WakeUpsHeard
from tests.support.manual_time import ManualClock

WEEK_MS = 7 * 86_400_000
KEY = ApiKey(
    id=1, name="k", hint="", scopes=frozenset({"admin"}), line_ids=None, requests_per_hour=None, created_at=0,
    expires_at=None, revoked_at=None,
)  # fmt: skip


class Died(Exception):
    """The process ends here."""


class Mortal:
    """Wraps a part so that the process dies before or after one of its calls."""

    def __init__(self, part: Any, fate: Fate) -> None:
        self._part = part
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if not asyncio.iscoroutinefunction(found):
            return found

        async def call(*args: Any, **more: Any) -> Any:
            self._fate.live()
            result = await found(*args, **more)
            self._fate.live()
            return result

        return call


@dataclass
class Fate:
    """After how many moments the process dies; None lives."""

    moments: int | None = None

    def live(self) -> None:
        if self.moments is not None:
            self.moments -= 1
            if self.moments < 0:
                raise Died


@dataclass
class Place:
    """Files on a real store and a real folder, in a process that may die."""

    store: Store
    folder: Path
    clock: ManualClock
    fate: Fate = field(default_factory=Fate)

    def __post_init__(self) -> None:
        self.blobs = FolderBlobs(self.folder)
        self.new_id = IdFactory(1, self.clock.now_ms)

    @property
    def mortal_store(self) -> Any:
        mortal = Mortal(self.store.files, self.fate)
        return type("Shop", (), {"files": mortal})()

    @property
    def desk(self) -> FileDesk:
        blobs: Any = Mortal(self.blobs, self.fate)
        store = self.mortal_store
        parts = file_parts(store, blobs, self.clock, self.new_id)
        return FileDesk(
            store=store, parts=parts, clock=self.clock, new_id=self.new_id, wake_ups=WakeUpsHeard()
        )

    async def clean(self) -> None:
        blobs: Any = Mortal(self.blobs, self.fate)
        await FileCleanup(store=self.mortal_store, blobs=blobs, clock=self.clock, unused_ms=WEEK_MS).run()

    async def on_disk(self) -> set[str]:
        return {entry.name async for page in self.blobs.list() for entry in page}


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content


TEMPLATE = Path(mkdtemp(prefix="hub-test-")) / "template.db"


async def _migrated() -> Path:
    """A migrated database to copy from."""
    if not TEMPLATE.exists():
        opened = await open_store(f"sqlite:///{TEMPLATE}", sealer=Sealer([bytes(32)]), cache_mib=2)
        await opened.migrate()
        await opened.close()
    return TEMPLATE


@contextlib.asynccontextmanager
async def a_place(folder: Path) -> AsyncIterator[Place]:
    shutil.copy(await _migrated(), folder / "hub.db")
    opened = await open_store(f"sqlite:///{folder / 'hub.db'}", sealer=Sealer([bytes(32)]), cache_mib=2)
    try:
        # The disk dates what lies on it by its own clock; ours starts from there.
        clock = ManualClock((folder / "hub.db").stat().st_mtime_ns // 1_000_000)
        yield Place(opened.store, folder / "files", clock)
    finally:
        await opened.close()


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with a_place(tmp_path) as opened:
        yield opened


async def content_of(place: Place, file: File) -> bytes:
    assert file.blob is not None
    return b"".join([piece async for piece in place.blobs.read(file.blob.name)])


async def test_an_unused_file_goes_after_its_days_and_its_bytes_after_it(place: Place) -> None:
    file = await place.desk.upload(KEY, pieces(b"x"), Claims())
    place.clock.advance(WEEK_MS)
    await place.clean()
    assert await content_of(place, file) == b"x"

    place.clock.advance(1)
    await place.clean()

    assert await place.store.files.get(file.id) is None
    assert await place.on_disk() == set()


async def test_bytes_stay_as_long_as_one_of_their_files(place: Place) -> None:
    first = await place.desk.upload(KEY, pieces(b"x"), Claims())
    second = await place.desk.upload(KEY, pieces(b"x"), Claims())
    await place.store.files.use([FileUse(file_id=second.id, kind="card", user_id=1, line_id=None)])
    place.clock.advance(WEEK_MS + 1)

    await place.clean()

    assert await place.store.files.get(first.id) is None
    assert await content_of(place, second) == b"x"
    await place.store.files.release("card", 1, now=place.clock.now_ms())
    place.clock.advance(WEEK_MS + 1)
    await place.clean()
    assert await place.on_disk() == set()


async def test_an_upload_that_takes_longer_than_the_quiet_hour_is_whole(place: Place) -> None:
    """Its blob is doomed and removed between the moment it was kept and the moment the file points to it."""
    files = place.store.files
    slow: Any = Mortal(files, place.fate)
    add_stored, tries = files.add_stored, 0

    async def late(file: File, *, now: int) -> bool:
        nonlocal tries
        tries += 1
        if tries == 1:
            place.clock.advance(QUIET_MS + 1)
            await place.clean()
        return await add_stored(file, now=now)

    slow.add_stored = late
    shop: Any = type("Shop", (), {"files": slow})()
    parts = file_parts(shop, place.blobs, place.clock, place.new_id)
    desk = FileDesk(store=shop, parts=parts, clock=place.clock, new_id=place.new_id, wake_ups=WakeUpsHeard())

    file = await desk.upload(KEY, pieces(b"slow"), Claims())

    assert tries == 2
    assert await content_of(place, file) == b"slow"
    await place.clean()
    assert await content_of(place, file) == b"slow"
    assert len(await place.on_disk()) == 1


async def test_bytes_that_no_row_knows_go_after_a_week(place: Place) -> None:
    file = await place.desk.upload(KEY, pieces(b"kept"), Claims())
    lost = await place.desk.upload(KEY, pieces(b"lost"), Claims())
    assert lost.blob is not None
    await place.store.files.delete_unused(lost.id)
    await place.store.files.doom_page(untouched_since=2**60, limit=9)
    await place.store.files.forget_blob(lost.blob.id)
    (place.folder / "blobs" / "zz").mkdir()
    (place.folder / "blobs" / "zz" / "not-ours").write_text("x")
    written = max(path.stat().st_mtime_ns // 1_000_000 for path in place.folder.rglob("*"))
    await place.store.files.use([FileUse(file_id=file.id, kind="card", user_id=1, line_id=None)])
    place.clock.advance(written + ORPHAN_MS - place.clock.now_ms() - 60_000)
    await place.clean()
    assert lost.blob.name in await place.on_disk()

    place.clock.advance(120_000)
    await place.clean()

    assert file.blob is not None
    assert await place.on_disk() == {file.blob.name, "not-ours"}


CONTENTS = st.sampled_from([b"a", b"b", b"c"])
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["upload", "announce", "delete", "use", "release", "clean", "wait"]),
        CONTENTS,
        #: After how many moments the process dies in this step; it is started anew for the next.
        st.none() | st.integers(0, 14),
        st.integers(0, 5),
    ),
    max_size=25,
)


async def live_through(place: Place, steps: list[tuple[str, bytes, int | None, int]]) -> None:
    chance = random.Random(len(steps))
    for number, (name, content, moments, which) in enumerate(steps):
        place.fate.moments = moments
        with contextlib.suppress(Died, InvalidRequest):
            await ACTS[name](place, content, which)
        place.fate.moments = None
        place.clock.advance(chance.choice([1, 1000, QUIET_MS + 1]) + number)


async def _some_file(place: Place, which: int) -> File | None:
    found = sorted((await place.store.files.many(KNOWN[place.folder])).values(), key=lambda each: each.id)
    return found[which % len(found)] if found else None


async def _upload(place: Place, content: bytes, which: int) -> None:
    file = await place.desk.upload(KEY, pieces(content), Claims(filename=content.decode()))
    KNOWN[place.folder].append(file.id)


async def _announce(place: Place, content: bytes, which: int) -> None:
    file = await place.desk.announce(KEY, Claims(filename=content.decode()))
    KNOWN[place.folder].append(file.id)
    await place.desk.fill(file.id, pieces(content))


async def _delete(place: Place, content: bytes, which: int) -> None:
    if (file := await _some_file(place, which)) is not None:
        await place.desk.delete(KEY, file.id)


async def _use(place: Place, content: bytes, which: int) -> None:
    if (file := await _some_file(place, which)) is not None:
        use = FileUse(file_id=file.id, kind="card", user_id=which, line_id=None)
        await place.store.files.use([use])


async def _release(place: Place, content: bytes, which: int) -> None:
    await place.store.files.release("card", which, now=place.clock.now_ms())


async def _clean(place: Place, content: bytes, which: int) -> None:
    await place.clean()


async def _wait(place: Place, content: bytes, which: int) -> None:
    place.clock.advance(WEEK_MS + 1)


ACTS: dict[str, Callable[[Place, bytes, int], Awaitable[None]]] = {
    "announce": _announce,
    "clean": _clean,
    "delete": _delete,
    "release": _release,
    "upload": _upload,
    "use": _use,
    "wait": _wait,
}
#: The files that a place has made, by its folder.
KNOWN: dict[Path, list[int]] = {}


async def all_stored(place: Place) -> list[File]:
    found = (await place.store.files.many(KNOWN[place.folder])).values()
    return [file for file in found if file.state is FileState.STORED]


@pytest.mark.slow
def test_no_bytes_go_that_a_file_holds_and_none_stay_for_ever() -> None:
    """Whatever is done in whatever order, and wherever the process dies."""

    async def holds(steps: list[tuple[str, bytes, int | None, int]]) -> None:
        with TemporaryDirectory() as folder:
            async with a_place(Path(folder)) as place:
                KNOWN[place.folder] = []
                await live_through(place, steps)
                for file in await all_stored(place):
                    assert await content_of(place, file) == (file.filename or "").encode()
                place.clock.advance(QUIET_MS + 1)
                await place.clean()
                held = {file.blob.name for file in await all_stored(place) if file.blob is not None}
                assert held <= await place.on_disk()
                for which in range(6):
                    await place.store.files.release("card", which, now=place.clock.now_ms())
                for _ in range(2):
                    place.clock.advance(WEEK_MS + QUIET_MS)
                    await place.clean()
                assert await place.on_disk() == set()
                assert await place.store.files.stored() == Stored(count=0, size=0)
                assert list((place.folder / "drafts").glob("*")) == []

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(STEPS)
    def property_(steps: list[tuple[str, bytes, int | None, int]]) -> None:
        asyncio.run(holds(steps))

    property_()
