"""/v1/deliveries, /v1/dead-letters, /v1/replays and /v1/jobs."""

from __future__ import annotations

import pytest

from hub.flow.replay import ReplayJobs
from hub.flow.rows import AttemptRow, FinishRow
from hub.model.delivery import DeliveryState, Outcome
from hub.model.ids import Prefix, parse_id
from hub.rules.lanes import shard_of
from tests.support.hub_world import OTHER_LINE, HubWorld


async def deliveries(world: HubWorld, query: str = "") -> list[dict[str, object]]:
    answered = await world.api.get(f"/v1/deliveries?limit=100{query}")
    assert answered.status == 200, answered.body
    found: list[dict[str, object]] = answered.json["data"]
    return found


async def finish(world: HubWorld, state: DeliveryState, *, number: int = 1, status: int = 500) -> None:
    """End every pending delivery with one attempt, as a worker would."""
    now = world.clock.now_ms()
    rows, attempts = [], []
    outcome = Outcome.SUCCESS if status < 300 else Outcome.PERMANENT
    for each in await deliveries(world, "&status=pending"):
        delivery_id = parse_id(Prefix.DELIVERY, str(each["id"]))
        rows.append(
            FinishRow(delivery_id, state, number, now, now, status, f"the receiver answered {status}")
        )
        request = '{"method":"POST","url":"https://receiver.example/hook","headers":[["X-Token","***"]]}'
        response = '{"headers":[],"body":"no","is_truncated":false}'
        attempts.append(
            AttemptRow(
                delivery_id, number, now, 1500, outcome, status, None, f"answered {status}", "192.0.2.1",
                request, response,
            )
        )  # fmt: skip
    await world.store.hot.write(lambda tx: tx.finish_deliveries(rows, attempts))


async def run_jobs(world: HubWorld) -> None:
    jobs = ReplayJobs(
        store=world.store,
        directory=world.directory,
        take_ids=world.new_id.take,
        wake_ups=world.wake_ups,
        clock=world.clock,
    )
    await jobs.run_slice()


async def job(world: HubWorld, job_id: str) -> dict[str, object]:
    answered = await world.api.get(f"/v1/jobs/{job_id}")
    found: dict[str, object] = answered.json
    return found


async def test_filters(world: HubWorld) -> None:
    first = await world.webhook(events=["message.received"])
    second = await world.webhook(**{"from": OTHER_LINE})
    await world.say("one")
    before = world.clock.now_ms()
    world.clock.advance(10_000)
    await world.say("two", line=world.other_line)
    event_id = (await deliveries(world))[0]["event_id"]

    assert [each["webhook_id"] for each in await deliveries(world)] == [
        second["id"],
        first["id"],
        first["id"],
    ]
    assert len(await deliveries(world, f"&webhook_id={second['id']}")) == 1
    assert len(await deliveries(world, f"&event_id={event_id}")) == 2
    assert len(await deliveries(world, "&event_type=message.received")) == 3
    assert len(await deliveries(world, "&event_type=message.sent")) == 0
    assert len(await deliveries(world, "&status=pending")) == 3
    assert len(await deliveries(world, "&status=dead")) == 0
    assert len(await deliveries(world, f"&since={before + 1}")) == 2
    assert len(await deliveries(world, f"&until={before}")) == 1
    assert len(await deliveries(world, "&since=0&until=32503680000000")) == 3


async def test_pages(world: HubWorld) -> None:
    await world.webhook()
    for text in ("a", "b", "c"):
        await world.say(text)
    first = await world.api.get("/v1/deliveries?limit=2")
    second = await world.api.get(f"/v1/deliveries?limit=2&cursor={first.json['next_cursor']}")
    ids = [each["id"] for each in first.json["data"] + second.json["data"]]

    assert ids == [each["id"] for each in await deliveries(world)]
    assert (first.json["has_more"], second.json["has_more"]) == (True, False)


async def test_one_delivery_with_its_attempts(world: HubWorld) -> None:
    await world.webhook()
    await world.say("Hi")
    await finish(world, DeliveryState.DEAD)
    delivery_id = (await deliveries(world))[0]["id"]
    shown = (await world.api.get(f"/v1/deliveries/{delivery_id}")).json

    assert (shown["status"], shown["reason"]) == ("dead", "the receiver answered 500")
    assert (shown["attempt_count"], shown["last_status"], shown["next_attempt_at"]) == (1, 500, None)
    attempt = shown["attempts"][0]
    assert (attempt["number"], attempt["outcome"], attempt["duration_ms"]) == (1, "permanent", 1.5)
    assert attempt["request"]["headers"] == [["X-Token", "***"]]
    assert attempt["response"]["body"] == "no"


@pytest.mark.parametrize(
    ("state", "count"), [(DeliveryState.SUCCEEDED, 1), (DeliveryState.DEAD, 1), (DeliveryState.PENDING, 0)]
)
async def test_what_was_over_and_is_sent_again_is_a_replay(
    world: HubWorld, state: DeliveryState, count: int
) -> None:
    await world.webhook()
    await world.say("Hello")
    await finish(world, state)
    (delivery,) = await deliveries(world)
    again = await world.api.post(f"/v1/deliveries/{delivery['id']}/retry")

    assert delivery["replay_count"] == 0
    assert again.json["replay_count"] == count
    webhook = (await world.store.webhooks.all())[0]
    due = await world.store.hot.read(
        lambda tx: tx.due_deliveries(webhook.id, shard_of(webhook.id), world.clock.now_ms(), 9)
    )
    assert [each.replay_count for each in due] == [count]


async def test_who_retries_may_wait_for_the_attempt(world: HubWorld) -> None:
    await world.webhook()
    await world.say("Hello")
    await finish(world, DeliveryState.DEAD)
    (delivery,) = await deliveries(world)

    async def attempt(seconds: float) -> None:
        if len(world.naps.taken) == 3:
            await finish(world, DeliveryState.SUCCEEDED, number=2)

    world.naps.meanwhile = attempt
    path, wait = f"/v1/deliveries/{delivery['id']}/retry", {"Prefer": "wait=5"}
    granted = await world.api.post(path, headers=wait)
    missed = await world.api.post(path, headers=wait)

    assert (granted.json["status"], granted.headers["preference-applied"]) == ("succeeded", "wait=5")
    assert [each["number"] for each in granted.json["attempts"]] == [1, 2]
    assert (missed.json["status"], "preference-applied" in missed.headers) == ("pending", False)
    assert missed.status == 202


@pytest.mark.parametrize("state", [DeliveryState.DEAD, DeliveryState.SUCCEEDED])
async def test_retry_now(world: HubWorld, state: DeliveryState) -> None:
    webhook = await world.webhook()
    await world.say("Hi")
    await finish(world, state)
    delivery_id = (await deliveries(world))[0]["id"]
    answered = await world.api.post(f"/v1/deliveries/{delivery_id}/retry")

    assert (answered.status, answered.json["status"]) == (202, "pending")
    assert (answered.json["attempt_count"], answered.json["next_attempt_at"]) == (1, world.clock.now_ms())
    assert world.wake_ups.lanes == [parse_id(Prefix.WEBHOOK, webhook["id"])]


async def test_nothing_is_retried_to_a_disabled_webhook(world: HubWorld) -> None:
    webhook = await world.webhook()
    await world.say("Hi")
    await world.api.post(f"/v1/webhooks/{webhook['id']}/disable")
    delivery_id = (await deliveries(world))[0]["id"]

    assert (await world.api.post(f"/v1/deliveries/{delivery_id}/retry")).code == "webhook_disabled"


async def test_dead_letters_are_requeued_by_a_job(world: HubWorld) -> None:
    webhook = await world.webhook()
    for text in ("a", "b", "c"):
        await world.say(text)
    await finish(world, DeliveryState.DEAD)
    dead = await world.api.get("/v1/dead-letters")
    ordered = await world.api.post("/v1/dead-letters/requeue", {"webhook_id": webhook["id"]})
    await run_jobs(world)
    done = await job(world, ordered.json["id"])

    assert len(dead.json["data"]) == 3
    assert (ordered.status, ordered.json["kind"], ordered.json["status"]) == (202, "requeue", "running")
    assert ordered.json["progress"] == {"done": 0, "total": 3}
    assert (done["status"], done["progress"]) == ("succeeded", {"done": 3, "total": 3})
    assert {each["status"] for each in await deliveries(world)} == {"pending"}
    assert parse_id(Prefix.WEBHOOK, webhook["id"]) in world.wake_ups.lanes


async def test_dead_letters_of_every_webhook_wake_every_lane(world: HubWorld) -> None:
    webhooks = [await world.webhook() for _ in range(2)]
    await world.say("Hi")
    await finish(world, DeliveryState.DEAD)
    await world.api.post("/v1/dead-letters/requeue")
    await run_jobs(world)

    assert sorted(world.wake_ups.lanes) == [parse_id(Prefix.WEBHOOK, each["id"]) for each in webhooks]


async def test_dead_letters_are_purged_by_a_job(world: HubWorld) -> None:
    await world.webhook()
    await world.say("a")
    await finish(world, DeliveryState.SUCCEEDED)
    await world.say("b")
    await finish(world, DeliveryState.DEAD)
    ordered = await world.api.post("/v1/dead-letters/purge", {"event_type": "message.received"})
    await run_jobs(world)

    assert (await job(world, ordered.json["id"]))["progress"] == {"done": 1, "total": 1}
    assert [each["status"] for each in await deliveries(world)] == ["succeeded"]


async def test_what_was_missed_while_disabled(world: HubWorld) -> None:
    webhook = await world.webhook()
    await world.api.post(f"/v1/webhooks/{webhook['id']}/disable")
    await world.say("missed")
    body = {"webhook_id": webhook["id"], "missed_while_disabled": True}
    too_early = await world.api.post("/v1/replays", body)
    await world.api.post(f"/v1/webhooks/{webhook['id']}/enable")
    ordered = await world.api.post("/v1/replays", body)
    await run_jobs(world)

    assert too_early.code == "webhook_disabled"
    assert (await job(world, ordered.json["id"]))["status"] == "succeeded"
    assert [each["status"] for each in await deliveries(world)] == ["pending"]


async def test_one_event_keeps_its_delivery(world: HubWorld) -> None:
    webhook = await world.webhook()
    await world.say("Hi")
    await finish(world, DeliveryState.SUCCEEDED)
    before = (await deliveries(world))[0]
    body = {"webhook_id": webhook["id"], "event_id": before["event_id"]}
    await world.api.post("/v1/replays", body)
    await run_jobs(world)
    after = await deliveries(world)

    assert [each["id"] for each in after] == [before["id"]]
    assert (after[0]["status"], after[0]["attempt_count"]) == ("pending", 1)


async def test_a_range_reaches_a_webhook_that_never_had_it(world: HubWorld) -> None:
    started = world.clock.now_ms()
    await world.say("before", line=world.other_line)
    await world.say("elsewhere")
    webhook = await world.webhook(**{"from": OTHER_LINE, "events": ["message.*"]})
    await world.webhook(**{"from": OTHER_LINE, "events": ["reaction.*"]})
    body = {"webhook_id": webhook["id"], "since": started, "event_types": ["message.received"]}
    ordered = await world.api.post("/v1/replays", body)
    await run_jobs(world)

    assert (await job(world, ordered.json["id"]))["progress"] == {"done": 2, "total": 2}
    assert [each["webhook_id"] for each in await deliveries(world)] == [webhook["id"]]


async def test_tests_of_other_webhooks_are_not_replayed(world: HubWorld) -> None:
    webhook, other = await world.webhook(), await world.webhook()
    await world.api.post(f"/v1/webhooks/{other['id']}/test")
    await world.api.post("/v1/replays", {"webhook_id": webhook["id"], "since": 0})
    await run_jobs(world)

    assert [each["webhook_id"] for each in await deliveries(world)] == [other["id"]]


@pytest.mark.parametrize(
    ("wish", "code", "param"),
    [
        ({}, "missing_required_parameter", None),
        ({"since": 1, "missed_while_disabled": True}, "missing_required_parameter", None),
        ({"until": 5}, "missing_required_parameter", None),
        ({"since": 10, "until": 5}, "invalid_parameter_value", "since"),
        ({"event_id": "evt_0000000000000"}, "event_not_found", "event_id"),
        ({"event_id": "msg_0000000000000"}, "invalid_parameter_value", "event_id"),
        ({"since": 1, "event_types": ["nonsense"]}, "invalid_parameter_value", "event_types[0]"),
    ],
)
async def test_replays_that_are_refused(
    world: HubWorld, wish: dict[str, object], code: str, param: str | None
) -> None:
    webhook = await world.webhook()
    answered = await world.api.post("/v1/replays", {"webhook_id": webhook["id"], **wish})

    assert (answered.code, answered.param) == (code, param)


async def test_jobs_are_listed_and_cancelled(world: HubWorld) -> None:
    webhook = await world.webhook()
    ordered = await world.api.post("/v1/replays", {"webhook_id": webhook["id"], "since": 0})
    cancelled = await world.api.post(f"/v1/jobs/{ordered.json['id']}/cancel")
    again = await world.api.post(f"/v1/jobs/{ordered.json['id']}/cancel")
    listed = await world.api.get("/v1/jobs")

    assert world.wake_ups.jobs == 1
    assert cancelled.json["status"] == "cancelled"
    assert (again.status, again.code) == (409, "job_finished")
    assert [each["id"] for each in listed.json["data"]] == [ordered.json["id"]]


async def test_a_restricted_key_sees_only_what_is_its_lines(world: HubWorld) -> None:
    every, own = await world.webhook(), await world.webhook(**{"from": OTHER_LINE})
    await world.say("Hi", line=world.other_line)
    foreign = await world.api.post("/v1/replays", {"webhook_id": every["id"], "since": 0})
    caller = await world.caller("deliveries:read", "deliveries:write", lines=(world.other_line,))
    by_webhook = {each["webhook_id"]: each["id"] for each in await deliveries(world)}

    assert (await caller.get("/v1/deliveries")).param == "webhook_id"
    assert (await caller.get(f"/v1/deliveries?webhook_id={every['id']}")).code == "line_not_accessible"
    assert len((await caller.get(f"/v1/deliveries?webhook_id={own['id']}")).json["data"]) == 1
    assert (await caller.get(f"/v1/deliveries/{by_webhook[own['id']]}")).status == 200
    assert (await caller.get(f"/v1/deliveries/{by_webhook[every['id']]}")).code == "delivery_not_found"
    assert (await caller.post("/v1/dead-letters/requeue")).param == "webhook_id"
    assert (await caller.post("/v1/replays", {"webhook_id": every["id"], "since": 0})).status == 403
    assert (await caller.get(f"/v1/jobs/{foreign.json['id']}")).code == "job_not_found"
    assert (await caller.get("/v1/jobs")).json["data"] == []


async def test_an_event_of_another_line_is_not_replayed(world: HubWorld) -> None:
    webhook = await world.webhook(**{"from": OTHER_LINE})
    await world.webhook()
    await world.say("elsewhere")
    event_id = (await deliveries(world))[0]["event_id"]
    answered = await world.api.post("/v1/replays", {"webhook_id": webhook["id"], "event_id": event_id})

    assert (answered.code, answered.param) == ("invalid_parameter_value", "event_id")
