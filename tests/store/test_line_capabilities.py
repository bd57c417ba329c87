"""What bridges tell of their lines is kept beside what the operator says, on both databases."""

from __future__ import annotations

from dataclasses import replace

from hub.flow.repositories import Store
from tests.store.specimens import BRIDGE, LINE

CAN = frozenset({"text", "edit"})


async def _revision(store: Store) -> int:
    return await store.hot.read(lambda tx: tx.revision())


async def test_a_bridge_tells_all_its_lines_and_no_other(store: Store) -> None:
    await store.bridges.add(BRIDGE)
    await store.bridges.add(replace(BRIDGE, id=2, name="other"))
    lines = [LINE, replace(LINE, id=2, handle="+2"), replace(LINE, id=3, handle="+3", bridge_id=2)]
    for line in lines:
        await store.lines.add(line)

    assert await store.lines.tell_capabilities(1, CAN)
    assert [line.capabilities for line in await store.lines.all()] == [CAN, CAN, None]


async def test_only_a_change_raises_the_revision(store: Store) -> None:
    await store.bridges.add(BRIDGE)
    await store.lines.add(LINE)
    await store.lines.tell_capabilities(1, CAN)
    before = await _revision(store)

    assert not await store.lines.tell_capabilities(1, CAN)
    assert await _revision(store) == before
    assert await store.lines.tell_capabilities(1, frozenset())
    assert await _revision(store) == before + 1


async def test_a_change_by_a_person_keeps_what_the_bridge_told(store: Store) -> None:
    """A web process that still knows nothing of it must not write it away."""
    await store.bridges.add(BRIDGE)
    await store.lines.add(LINE)
    await store.lines.tell_capabilities(1, CAN)
    await store.lines.change(
        LINE.id, lambda line: replace(line, capabilities=None, capabilities_off=frozenset({"edit"}))
    )
    (line,) = await store.lines.all()

    assert (line.capabilities, line.capabilities_off) == (CAN, frozenset({"edit"}))
    assert line.able == frozenset({"text"})
