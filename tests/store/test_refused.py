"""What payloads that could not be taken in need of the store, on both databases."""

from __future__ import annotations

from dataclasses import replace

from hub.flow.repositories import Store
from hub.model.ids import first_id_at
from hub.model.refused import Form, Origin, RefusalCode, Refused, RefusedPayload, RefusedTally

NOW = 1_780_000_000_000
BRIDGE = 7
SAID = Refused(
    code=RefusalCode.INCOMPLETE,
    reason="no guid",
    origin=Origin.HOOK,
    raw=b'{"guid": null}\xff',
    form=Form.REQUEST,
    event="updated-message",
    query=(("a", "1"),),
    content_type="application/json",
    size=15,
)


def payload(
    number: int, *, bridge_id: int = BRIDGE, count: int = 1, refused: Refused = SAID
) -> RefusedPayload:
    return RefusedPayload(
        id=first_id_at(NOW) + number,
        bridge_id=bridge_id,
        digest=bytes([number]) * 16,
        refused=refused,
        count=count,
        first_at=NOW + number,
        last_at=NOW + number,
    )


async def test_a_payload_is_kept_as_it_came(store: Store) -> None:
    await store.refused.keep([payload(1)], most=10)

    assert await store.refused.get(BRIDGE, payload(1).id) == payload(1)
    assert await store.refused.get(BRIDGE + 1, payload(1).id) is None


async def test_the_same_again_raises_the_count_and_tells_the_newest_reason(store: Store) -> None:
    await store.refused.keep([payload(1, count=2)], most=10)
    later = replace(
        payload(1, count=3, refused=replace(SAID, reason="a newer one")),
        id=first_id_at(NOW) + 99,
        last_at=NOW + 50,
    )
    await store.refused.keep([later, payload(2)], most=10)

    (second, first) = await store.refused.page(BRIDGE, after=None, limit=10)
    assert first == replace(
        payload(1, count=5), last_at=NOW + 50, refused=replace(SAID, reason="a newer one")
    )
    assert second == payload(2)
    assert await store.refused.tally(BRIDGE) == RefusedTally(
        payloads=2, times=6, last_at=NOW + 50, last_reason="a newer one"
    )


async def test_of_each_bridge_those_that_came_last_are_kept(store: Store) -> None:
    await store.refused.keep([payload(number) for number in range(1, 6)], most=3)
    await store.refused.keep([payload(9, bridge_id=8), payload(1)], most=3)

    page = await store.refused.page(BRIDGE, after=None, limit=2)
    rest = await store.refused.page(BRIDGE, after=page[-1].id, limit=2)
    assert [each.digest[0] for each in (*page, *rest)] == [5, 4, 3]
    assert [each.digest[0] for each in await store.refused.page(8, after=None, limit=9)] == [9]


async def test_none_is_kept_where_that_is_wanted(store: Store) -> None:
    await store.refused.keep([payload(1)], most=0)

    assert await store.refused.tally(BRIDGE) is None


async def test_what_came_long_ago_goes(store: Store) -> None:
    await store.refused.keep([payload(1), payload(2)], most=10)

    assert await store.retention.expire_page("refused_payloads", before_ms=NOW + 2, limit=10) == 1
    assert await store.refused.delete(BRIDGE, payload(2).id)
    assert not await store.refused.delete(BRIDGE, payload(2).id)
    assert await store.refused.tally(BRIDGE) is None
