"""Logs of deliveries, a webhook or an event at a time; explain; the queue."""

from __future__ import annotations

from typing import Any

import pytest

from hub.flow.rows import AttemptRow, FinishRow
from hub.model.delivery import DeliveryState, Outcome
from hub.model.ids import Prefix, id_text, parse_id
from tests.api.test_deliveries import deliveries, finish, job, run_jobs
from tests.support.hub_world import CONTACT, OTHER_LINE, HubWorld, line_id

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


# ---- logs


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
        (f"/v1/events/{EVENT}/explain", "event_not_found"),
        ("/v1/events/x/explain", "event_not_found"),
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
    assert await webhooks(f"/v1/events/{mine['id']}/explain") == [own["id"]]
    assert await webhooks(f"/v1/events/{mine['id']}/explain?webhook_id={every['id']}") == []
    assert await webhooks(f"/v1/webhooks/{own['id']}/deliveries") == [own["id"]]
    assert (await caller.get(f"/v1/webhooks/{every['id']}/deliveries")).code == "line_not_accessible"
    assert [each["webhook_id"] for each in (await caller.get("/v1/queue")).json["webhooks"]] == [own["id"]]


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


# ---- explain


async def explained(world: HubWorld, event_id: str, query: str = "") -> dict[str, dict[str, Any]]:
    return {each["webhook_id"]: each for each in await log(world, f"/v1/events/{event_id}/explain?{query}")}


async def test_each_webhook_is_explained(world: HubWorld) -> None:
    """Why it matched or did not, the first comparison that failed with what stood there, and what it got."""
    wanted = await world.webhook(filter={"data.text": {"$contains": "Hello"}})
    disabled = await world.webhook()
    await world.api.post(f"/v1/webhooks/{disabled['id']}/disable")
    other_type = await world.webhook(events=["reaction.*"])
    other_line = await world.webhook(**{"from": OTHER_LINE})
    filtered = await world.webhook(filter={"data.is_from_me": False, "data.text": {"$contains": "STOP"}})
    await world.say("Hello")
    (event,) = (await world.api.get("/v1/events")).json["data"]
    world.clock.advance(1000)
    later = await world.webhook()
    await answered_with(world, 503)
    found = await explained(world, event["id"])

    assert {number: each["why"] for number, each in found.items()} == {
        wanted["id"]: "matched",
        disabled["id"]: "matched",
        other_type["id"]: "other_type",
        other_line["id"]: "other_line",
        filtered["id"]: "condition_failed",
        later["id"]: "registered_later",
    }
    assert found[wanted["id"]]["delivery"]["last_attempt"]["status"] == 503
    assert (found[disabled["id"]]["delivery"]["status"], found[disabled["id"]]["is_active"]) == (
        "held",
        False,
    )
    assert found[filtered["id"]]["failed"] == {
        "pointer": "/data.text/$contains",
        "path": "data.text",
        "operator": "$contains",
        "expected": '"STOP"',
        "actual": '"Hello"',
    }
    assert "message.received is not in reaction.*" in found[other_type["id"]]["reason"]
    assert all(found[each["id"]]["delivery"] is None for each in (other_type, other_line, filtered, later))
    assert list(found) == sorted(found)


async def test_what_was_changed_or_deleted_since_is_said(world: HubWorld) -> None:
    changed, deleted = await world.webhook(events=["reaction.*"]), await world.webhook()
    await world.say("Hello")
    (event,) = (await world.api.get("/v1/events")).json["data"]
    await world.api.patch(f"/v1/webhooks/{changed['id']}", {"events": ["*"]})
    await world.api.delete(f"/v1/webhooks/{deleted['id']}")
    found = await explained(world, event["id"])

    assert found[changed["id"]]["why"] == "changed_since"
    assert (found[deleted["id"]]["url"], found[deleted["id"]]["is_active"]) == (None, False)
    assert found[deleted["id"]]["delivery"]["webhook_id"] == deleted["id"]


async def test_a_test_goes_to_one_alone(world: HubWorld) -> None:
    tested, other = await world.webhook(), await world.webhook()
    fired = await world.api.post(f"/v1/webhooks/{tested['id']}/test")
    found = await explained(world, fired.json["event_id"])

    assert (found[tested["id"]]["why"], found[other["id"]]["why"]) == ("matched", "test_of_another")


async def test_explanations_page_and_can_be_of_one(world: HubWorld) -> None:
    webhooks = [(await world.webhook())["id"] for _ in range(5)]
    await world.say("Hello")
    (event,) = (await world.api.get("/v1/events")).json["data"]
    path = f"/v1/events/{event['id']}/explain"
    first = (await world.api.get(f"{path}?limit=3")).json
    second = (await world.api.get(f"{path}?limit=3&cursor={first['next_cursor']}")).json

    assert [each["webhook_id"] for each in first["data"] + second["data"]] == webhooks
    assert (first["has_more"], second["has_more"]) == (True, False)
    assert list(await explained(world, event["id"], f"webhook_id={webhooks[3]}")) == [webhooks[3]]
    refused = await world.api.get(f"{path}?webhook_id=evt_0000000000001")
    assert (refused.code, refused.param) == ("invalid_parameter_value", "webhook_id")


async def test_a_log_tells_what_was_carried_if_asked(world: HubWorld) -> None:
    webhook = await world.webhook()
    await world.say("one")
    path = f"/v1/webhooks/{webhook['id']}/deliveries"
    (plain,), (full,) = await log(world, path), await log(world, f"{path}?include=event")

    assert "event" not in plain
    assert (full["event"]["type"], full["event"]["data"]["text"]) == ("message.received", "one")
    assert (await world.api.get(f"{path}?include=all")).param == "include"


# ---- the queue


async def test_an_empty_queue(world: HubWorld) -> None:
    shown = (await world.api.get("/v1/queue")).json

    assert shown["deliveries"] == {
        "pending": 0, "due": 0, "scheduled": 0, "held": 0, "dead": 0,
        "oldest_pending_at": None, "oldest_pending_age_ms": None,
    }  # fmt: skip
    assert shown["outbox"] == {
        "pending": 0, "due": 0, "scheduled": 0, "retrying": 0, "processing": 0, "unknown": 0, "failed": 0,
        "oldest_pending_at": None, "oldest_pending_age_ms": None,
    }  # fmt: skip
    assert (shown["webhooks"], shown["lines"]) == ([], [])


async def test_what_waits_is_counted(world: HubWorld) -> None:
    first = await world.webhook(events=["message.received"])
    second = await world.webhook(**{"from": OTHER_LINE}, events=["message.received"])
    await world.say("dead")
    await finish(world, DeliveryState.DEAD)
    await world.say("waits", line=world.other_line)
    recorded = world.clock.now_ms()
    for text in ("one", "two"):
        body = {"from": line_id(world.sandbox_line), "to": CONTACT, "text": text}
        assert (await world.api.post("/v1/messages", body)).status == 201
    world.clock.advance(5000)
    shown = (await world.api.get("/v1/queue")).json

    assert (shown["deliveries"]["pending"], shown["deliveries"]["dead"]) == (2, 1)
    assert shown["deliveries"]["oldest_pending_at"] == recorded
    assert shown["deliveries"]["oldest_pending_age_ms"] == 5000
    assert {each["webhook_id"]: (each["due"], each["dead"]) for each in shown["webhooks"]} == {
        first["id"]: (1, 1),
        second["id"]: (1, 0),
    }
    assert (shown["outbox"]["pending"], shown["outbox"]["due"]) == (2, 2)
    assert [each["line_id"] for each in shown["lines"]] == [line_id(world.sandbox_line)]
    assert shown["counted_at"] == world.clock.now_ms()


async def test_the_queue_of_one_line(world: HubWorld) -> None:
    await world.webhook()
    own = await world.webhook(**{"from": OTHER_LINE})
    await world.say("one", line=world.other_line)
    shown = (await world.api.get(f"/v1/queue?from=%2B{OTHER_LINE[1:]}")).json

    assert shown["deliveries"]["pending"] == 1
    assert [each["webhook_id"] for each in shown["webhooks"]] == [own["id"]]


async def test_a_count_is_believed_for_a_second_and_cut_at_the_limit(world: HubWorld) -> None:
    webhooks = [await world.webhook() for _ in range(3)]
    await world.say("one")
    first = (await world.api.get("/v1/queue")).json
    await world.say("two")
    world.clock.advance(990)
    same = (await world.api.get("/v1/queue?limit=2")).json
    world.clock.advance(1000)
    after = (await world.api.get("/v1/queue")).json

    assert [each["deliveries"]["pending"] for each in (first, same, after)] == [3, 3, 6]
    assert [each["webhook_id"] for each in same["webhooks"]] == [each["id"] for each in webhooks[:2]]


@pytest.mark.parametrize(
    ("query", "code", "param"),
    [
        ("limit=0", "invalid_parameter_value", "limit"),
        ("limit=1001", "invalid_parameter_value", "limit"),
        ("from=%2B15550199999", "line_not_found", "from"),
        ("webhook=x", "invalid_parameter_value", "webhook"),
    ],
)
async def test_queue_queries_that_are_refused(world: HubWorld, query: str, code: str, param: str) -> None:
    answered = await world.api.get(f"/v1/queue?{query}")

    assert (answered.code, answered.param) == (code, param)


@pytest.mark.parametrize(
    "path", ["/v1/queue", f"/v1/events/{EVENT}/explain", f"/v1/webhooks/{WEBHOOK}/deliveries"]
)
async def test_a_scope_is_needed(world: HubWorld, path: str) -> None:
    caller = await world.caller("events:read", "webhooks:read")

    assert (await caller.get(path)).code == "insufficient_scope"
