"""Pages by time lose nothing and repeat nothing, however much happens in one millisecond."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.dialects.msgbubbles.pages import MOST_AT_ONCE, page_by_time
from tests.dialects.msgbubbles.bubbles import quoted, sent
from tests.support.asgi import Caller
from tests.support.hub_world import CONTACT, SANDBOX_LINE, HubWorld

Row = tuple[int, int]


async def page(rows: list[Row], before: int | None, limit: int) -> tuple[list[Row], bool]:
    """A page of rows (time, number), newest first, as a client asks for it."""
    found = [row for row in rows if before is None or row[0] < before]

    async def fetch(count: int, cursor: str | None) -> tuple[list[Row], str | None]:
        start = int(cursor or 0)
        end = start + count
        return found[start:end], str(end) if end < len(found) else None

    return await page_by_time(fetch, lambda row: row[0], limit=limit)


@given(st.lists(st.integers(0, 6), max_size=40), st.integers(1, 5))
async def test_all_is_seen_once(times: list[int], limit: int) -> None:
    rows = sorted(((time, number) for number, time in enumerate(times)), reverse=True)
    seen: list[Row] = []
    before, has_more = None, True
    while has_more:
        found, has_more = await page(rows, before, limit)
        assert found or not has_more
        seen += found
        before = seen[-1][0] if seen else None

    assert seen == rows


async def test_one_moment_is_not_endless() -> None:
    rows = [(5, number) for number in range(3 * MOST_AT_ONCE)]
    found, has_more = await page(rows, None, 10)

    assert has_more
    assert MOST_AT_ONCE <= len(found) < MOST_AT_ONCE + 100


async def test_messages_of_one_request_are_all_read(world: HubWorld, client: Caller) -> None:
    many = {"from": SANDBOX_LINE, "to": CONTACT, "texts": [f"{n}" for n in range(6)]}
    await world.api.post("/v1/messages", many)
    world.clock.advance(7)
    await sent(client, text="last")
    seen: list[str] = []
    path, has_more = "/v1/messages?limit=2", True
    while has_more:
        answered = (await client.get(path)).json
        seen += [each["text"] for each in answered["data"]]
        has_more = answered["has_more"]
        path = f"/v1/messages?limit=2&before={quoted(answered['data'][-1]['created_at'])}"

    assert seen == ["last", "5", "4", "3", "2", "1", "0"]
