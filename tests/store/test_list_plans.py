"""The cold lists are walked by an index that ends at a limit, on both databases: what is asked is looked at.

Messages and contacts have files of their own. The tables are empty, so PostgreSQL is forbidden what it would rather do
with a few rows: what it then still scans or sorts whole, it has no index for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import Engine

from hub.flow.chat_store import ChatFilter
from hub.flow.repositories import DeliveryFilter, Store
from hub.model.delivery import DeliveryState
from hub.store import address

Asked = tuple[str, Any]
List = Callable[[Store], Awaitable[object]]

LISTS: dict[str, List] = {
    "chats": lambda store: store.chats.list(ChatFilter(line_ids=(1,)), after=(5, 5), limit=51),
    "contact groups": lambda store: store.contact_groups.list(after=5, limit=51),
    "contact group sizes": lambda store: store.contact_groups.sizes([1, 2]),
    "deliveries of a webhook": lambda store: store.deliveries.list(
        DeliveryFilter(webhook_id=7), after=5, limit=51
    ),
    "dead letters of a webhook": lambda store: store.deliveries.list(
        DeliveryFilter(webhook_id=7, states=frozenset({DeliveryState.DEAD})), after=5, limit=51
    ),
    "deliveries of an event": lambda store: store.deliveries.list(
        DeliveryFilter(event_id=7), after=None, limit=51
    ),
    "jobs": lambda store: store.jobs.list(after=5, limit=51),
    "keys": lambda store: store.keys.list(after=5, limit=51),
    "old reachability": lambda store: store.retention.expire_page("availability", before_ms=5, limit=51),
    "reachability": lambda store: store.availability.find(1, ["+1", "+2"]),
}
cases = pytest.mark.parametrize("ask", LISTS.values(), ids=LISTS.keys())
#: Sorts of a handful: what one event owes, never more than there are webhooks.
SMALL_SORTS = {"deliveries of an event"}


@contextmanager
def heard() -> Iterator[list[Asked]]:
    """What SQLAlchemy is asked to run meanwhile."""
    asked: list[Asked] = []

    def hear(_: Connection, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        asked.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


async def plans(url: str, asked: list[Asked]) -> Iterator[Any]:
    """Explain each statement."""
    parsed = address.parse(url)
    if isinstance(parsed, Path):
        engine = create_engine(url)
        with engine.connect() as connection:
            found = [
                [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
                for statement, parameters in asked
            ]
        engine.dispose()
        return iter(found)
    served = address.engine(parsed)
    found_json = []
    async with served.connect() as connection_pg:
        for forbidden in ("enable_seqscan", "enable_bitmapscan", "enable_sort"):
            await connection_pg.exec_driver_sql(f"SET {forbidden} = off")
        for statement, parameters in asked:
            explained = await connection_pg.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
            found_json.append(explained.scalar_one())
    await served.dispose()
    return iter(found_json)


def steps(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from steps(child)


@cases
async def test_a_list_is_walked_by_an_index(
    request: pytest.FixtureRequest, store: Store, url: str, ask: List
) -> None:
    with heard() as asked:
        await ask(store)
    is_small = any(
        f"[{kind}-{name}]" in request.node.name for kind in ("sqlite", "postgresql") for name in SMALL_SORTS
    )

    assert asked
    for plan in await plans(url, asked):
        if url.startswith("sqlite"):
            whole = [step for step in plan if step.startswith("SCAN") and "USING" not in step]
            sorts = [step for step in plan if "TEMP B-TREE" in step]
        else:
            parsed = msgspec.json.decode(plan) if isinstance(plan, str) else plan
            nodes = list(steps(parsed[0]["Plan"]))
            whole = [str(node) for node in nodes if node["Node Type"] == "Seq Scan"]
            sorts = [str(node) for node in nodes if node["Node Type"] == "Sort"]
        assert whole == []
        assert sorts == [] or is_small
