"""What tests of bulk jobs do again and again: make one, let a worker feed it, see what was sent."""

from __future__ import annotations

from typing import Any

from hub.api.usecases import use_cases
from hub.flow.bulk_feeding import BulkFeeding, FeedingParts
from hub.flow.second_thoughts import SecondThoughts
from tests.support.asgi import Answered
from tests.support.hub_world import SANDBOX_LINE, HubWorld

PEOPLE = [f"+1555010{number:04}" for number in range(1000, 1060)]


def feeding(world: HubWorld) -> BulkFeeding:
    """A worker's feeder over the same hub."""
    outgoing = use_cases(world.parts).outgoing
    thoughts = SecondThoughts(
        outgoing=outgoing,
        recorder=world.recorder,
        clock=world.clock,
        new_id=world.new_id,
        wake_ups=world.wake_ups,
    )
    return BulkFeeding(
        FeedingParts(
            store=world.store,
            directory=world.directory,
            outgoing=outgoing,
            second_thoughts=thoughts,
            recorder=world.recorder,
            clock=world.clock,
        )
    )


async def make(world: HubWorld, people: list[str] = PEOPLE[:3], **more: Any) -> dict[str, Any]:
    body = {"from": SANDBOX_LINE, "text": "News!", "recipients": [{"to": to} for to in people], **more}
    answered = await world.api.post("/v1/bulk", body)
    assert answered.status in {200, 201}, answered.body
    made: dict[str, Any] = answered.json
    return made


async def feed(world: HubWorld, made: dict[str, Any], rounds: int = 1) -> None:
    feeder = feeding(world)
    for _ in range(rounds):
        for job in await world.store.bulk.running():
            await feeder.feed(job)


async def show(world: HubWorld, made: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = (await world.api.get(f"/v1/bulk/{made['id']}")).json
    return shown


async def sent_texts(world: HubWorld) -> list[str]:
    page = (await world.api.get("/v1/messages?limit=100&direction=outbound")).json["data"]
    return sorted(message["text"] for message in page)


async def post_table(world: HubWorld, table: str | bytes, query: str = "") -> Answered:
    path = f"/v1/bulk/table?from=%2B{SANDBOX_LINE[1:]}{query}"
    return await world.api.post(path, table.encode() if isinstance(table, str) else table,
                                headers={"Content-Type": "text/csv"})  # fmt: skip
