"""Logs of deliveries, a webhook or an event at a time, and what is done to a range of them."""

from __future__ import annotations

from typing import Any

import pytest

from hub.flow.rows import AttemptRow, FinishRow
from hub.model.delivery import DeliveryState, Outcome
from hub.model.ids import Prefix, id_text, parse_id
from tests.api.test_deliveries import deliveries, finish, job, run_jobs
from tests.support.hub_world import OTHER_LINE, HubWorld, line_id

WEBHOOK = id_text(Prefix.WEBHOOK, 1)
EVENT = id_text(Prefix.EVENT, 1)


async def answered_with(world: HubWorld, *statuses: int | None) -> None:
    """Let pending deliveries end, oldest first, with these answers; None stands for no answer at all."""
    pending = (await deliveries(world, "&status=pending"))[::-1]
    rows, attempts = [], []
    for each, status in zip(pending, statuses, strict=True):
        number, is_good = parse_id(Prefix.DELIVERY, str(each["id"])), status == 200
        state = DeliveryState.SUCCEEDED if is_good else DeliveryState.DEAD
        now = world.clock.now_ms()
        rows.append(FinishRow(number, state, 1, now, now, status, None if is_good else "bad"))
        outcome = Outcome.SUCCESS if is_good else Outcome.PERMANENT
        response = None if status is None else '{"headers":[],"body":"so","is_truncated":false}'
        error = "timeout" if status is None else None
        attempts.append(
            AttemptRow(
                number, 1, now, 2500, outcome, status, error, None, None, '{"method":"POST"}', response
            )
        )
    await world.store.hot.write(lambda tx: tx.finish_deliveries(rows, attempts))


async def log(world: HubWorld, path: str) -> list[dict[str, Any]]:
    answered = await world.api.get(path)
    assert answered.status == 200, answered.body
    found: list[dict[str, Any]] = answered.json["data"]
    return found


async def test_the_log_of_a_webhook_shows_the_last_attempt(world: HubWorld) -> None:
    webhook = await world.webhook()
    await world.say("one")
    await finish(world, DeliveryState.DEAD)
    await world.say("two")
    newest, oldest = await log(world, f"/v1/webhooks/{webhook['id']}/deliveries")

    assert (newest["status"], newest["attempt_count"], newest["last_attempt"]) == ("pending", 0, None)
    assert (oldest["status"], oldest["attempt_count"], oldest["last_status"]) == ("dead", 1, 500)
    assert oldest["last_attempt"]["number"] == 1
    assert oldest["last_attempt"]["duration_ms"] == 1.5
    assert oldest["last_attempt"]["response"]["body"] == "no"
    assert oldest["recorded_at"] < newest["recorded_at"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [None, 301, 503, 404, 200]),
        ("sort=asc", [200, 404, 503, 301, None]),
        ("status=2xx", [200]),
        ("status=4xx", [404]),
        ("status=503", [503]),
        ("status=none", [None]),
        ("status=dead&sort=asc", [404, 503, 301, None]),
        ("status=succeeded", [200]),
        ("min_status=400", [503, 404]),
        ("max_status=399", [301, 200]),
        ("min_status=300&max_status=499", [301, 404]),
        ("status=5xx&max_status=499", []),
        ("status=4xx&min_status=404&max_status=404", [404]),
        ("event_type=message.received&status=404", [404]),
        ("event_type=message.sent", []),
    ],
)
async def test_the_log_is_chosen_by_answers(world: HubWorld, query: str, expected: list[int | None]) -> None:
    webhook = await world.webhook()
    for number in range(5):
        await world.say(str(number))
    await answered_with(world, 200, 404, 503, 301, None)
    found = await log(world, f"/v1/webhooks/{webhook['id']}/deliveries?{query}")

    assert [each["last_status"] for each in found] == expected
    assert [each["last_attempt"]["status"] for each in found] == expected


@pytest.mark.parametrize("sort", ["asc", "desc"])
async def test_the_log_pages(world: HubWorld, sort: str) -> None:
    webhook = await world.webhook()
    for number in range(5):
        await world.say(str(number))
    path = f"/v1/webhooks/{webhook['id']}/deliveries?sort={sort}"
    whole = [each["id"] for each in await log(world, path)]
    found, cursor = [], ""
    for _ in range(3):
        page = (await world.api.get(f"{path}&limit=2{cursor}")).json
        found += [each["id"] for each in page["data"]]
        cursor = f"&cursor={page['next_cursor']}"

    assert found == whole
    assert (whole == sorted(whole)) == (sort == "asc")
    assert not page["has_more"]


async def test_the_log_of_a_range_of_time(world: HubWorld) -> None:
    webhook = await world.webhook()
    await world.say("one")
    between = world.clock.now_ms() + 500
    world.clock.advance(1000)
    await world.say("two")
    path = f"/v1/webhooks/{webhook['id']}/deliveries"

    assert len(await log(world, f"{path}?since={between}")) == 1
    assert len(await log(world, f"{path}?until={between}")) == 1
    assert len(await log(world, f"{path}?since=0&until=32503680000000")) == 2


async def test_the_deliveries_of_an_event(world: HubWorld) -> None:
    first, second = await world.webhook(), await world.webhook()
    await world.webhook(events=["reaction.*"])
    await world.say("one")
    (event,) = (await world.api.get("/v1/events")).json["data"]
    path = f"/v1/events/{event['id']}/deliveries"
    await answered_with(world, 200, 503)

    assert [each["webhook_id"] for each in await log(world, f"{path}?sort=asc")] == [
        first["id"],
        second["id"],
    ]
    assert [each["last_status"] for each in await log(world, f"{path}?status=5xx")] == [503]


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("status=6xx", "status"),
        ("status=ok", "status"),
        ("status=099", "status"),
        ("status=", "status"),
        ("min_status=99", "min_status"),
        ("max_status=600", "max_status"),
        ("sort=up", "sort"),
        ("limit=0", "limit"),
        ("cursor=nonsense", "cursor"),
        ("since=-1", "since"),
        ("state=dead", "state"),
    ],
)
async def test_log_queries_that_are_refused(world: HubWorld, query: str, param: str) -> None:
    webhook = await world.webhook()
    answered = await world.api.get(f"/v1/webhooks/{webhook['id']}/deliveries?{query}")

    assert (answered.code, answered.param) == ("invalid_parameter_value", param)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"/v1/webhooks/{WEBHOOK}/deliveries", "webhook_not_found"),
        ("/v1/webhooks/x/deliveries", "webhook_not_found"),
        (f"/v1/events/{EVENT}/deliveries", "event_not_found"),
    ],
)
async def test_logs_of_nothing(world: HubWorld, path: str, code: str) -> None:
    assert (await world.api.get(path)).code == code


async def test_a_restricted_key_sees_the_logs_of_its_lines_only(world: HubWorld) -> None:
    every, own = await world.webhook(), await world.webhook(**{"from": OTHER_LINE})
    await world.say("mine", line=world.other_line)
    await world.say("sandbox")
    caller = await world.caller("deliveries:read", "events:read", lines=(world.other_line,))
    (mine,) = (await caller.get(f"/v1/events?from={line_id(world.other_line)}")).json["data"]

    async def webhooks(path: str) -> list[str]:
        return [each["webhook_id"] for each in (await caller.get(path)).json["data"]]

    assert await webhooks(f"/v1/events/{mine['id']}/deliveries") == [own["id"]]
    assert await webhooks(f"/v1/webhooks/{own['id']}/deliveries") == [own["id"]]
    assert (await caller.get(f"/v1/webhooks/{every['id']}/deliveries")).code == "line_not_accessible"


async def test_dead_letters_of_a_range_are_requeued_and_purged_and_counted(world: HubWorld) -> None:
    """The same filter everywhere; the job says how many, before and after."""
    webhook = await world.webhook()
    moments = []
    for number in range(4):
        await world.say(str(number))
        moments.append(world.clock.now_ms())
        world.clock.advance(1000)
    await finish(world, DeliveryState.DEAD)
    middle = {"since": moments[1], "until": moments[2], "event_type": "message.received"}
    query = "&".join(f"{name}={value}" for name, value in middle.items())
    listed = await log(world, f"/v1/dead-letters?{query}&webhook_id={webhook['id']}")
    requeued = await world.api.post("/v1/dead-letters/requeue", {**middle, "webhook_id": webhook["id"]})
    await run_jobs(world)
    purged = await world.api.post("/v1/dead-letters/purge", {"until": moments[2]})
    await run_jobs(world)
    jobs = [(await job(world, each.json["id"]))["progress"] for each in (requeued, purged)]

    assert len(listed) == 2
    assert [each.json["progress"]["total"] for each in (requeued, purged)] == [2, 1]
    assert jobs == [{"done": 2, "total": 2}, {"done": 1, "total": 1}]
    assert (await world.api.get("/v1/queue")).json["deliveries"]["dead"] == 1


async def test_a_log_tells_what_was_carried_if_asked(world: HubWorld) -> None:
    webhook = await world.webhook()
    await world.say("one")
    path = f"/v1/webhooks/{webhook['id']}/deliveries"
    (plain,), (full,) = await log(world, path), await log(world, f"{path}?include=event")

    assert "event" not in plain
    assert (full["event"]["type"], full["event"]["data"]["text"]) == ("message.received", "one")
    assert (await world.api.get(f"{path}?include=all")).param == "include"


async def test_a_scope_is_needed(world: HubWorld) -> None:
    caller = await world.caller("events:read", "webhooks:read")

    assert (await caller.get(f"/v1/webhooks/{WEBHOOK}/deliveries")).code == "insufficient_scope"
