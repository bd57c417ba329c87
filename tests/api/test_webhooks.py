"""/v1/webhooks beyond the vendor's contract: look after a receiver."""

from __future__ import annotations

from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as StandardWebhook

from hub.model.delivery import DeliveryState
from hub.model.ids import Prefix, parse_id
from tests.support.hub_world import OTHER_LINE, SANDBOX_LINE, HubWorld, line_id

HOUR_MS = 3_600_000


async def test_every_field_comes_back(world: HubWorld) -> None:
    fields: dict[str, Any] = {
        "description": "shop",
        "filter": {"data.is_from_me": False},
        "retry_schedule": [1, 2.5],
        "timeout_seconds": 4.5,
        "max_concurrency": 3,
        "rate_per_second": 7,
        "ordered": True,
    }
    made = await world.webhook(**fields)
    shown = (await world.api.get(f"/v1/webhooks/{made['id']}")).json

    assert shown.items() >= fields.items()
    assert (shown["line_ids"], shown["status"], shown["failing_since"]) == ([], "active", None)
    assert "secret" not in shown


async def test_header_values_are_masked(world: HubWorld) -> None:
    made = await world.webhook(headers={"X-Token": "a-very-secret-token-of-ours"})
    webhook = await world.store.webhooks.get(parse_id(Prefix.WEBHOOK, made["id"]))

    assert made["headers"] == {"X-Token": "a-ve***"}
    assert webhook is not None
    assert webhook.headers == (("X-Token", "a-very-secret-token-of-ours"),)


async def test_the_secret_is_one_that_the_standard_library_takes(world: HubWorld) -> None:
    made = await world.webhook()

    StandardWebhook(made["secret"])


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"url": "http://127.0.0.1/"}, "url_refused", "url"),
        ({"url": "https://169.254.169.254/"}, "url_refused", "url"),
        ({"url": "https://[::ffff:7f00:1]/"}, "url_refused", "url"),
        ({"url": "https://2130706433/"}, "url_refused", "url"),
        ({"url": "ftp://receiver.example/"}, "url_refused", "url"),
        ({"url": "https://user:password@receiver.example/"}, "url_refused", "url"),
        ({"url": ""}, "url_refused", "url"),
        ({"url": 5}, "invalid_parameter_value", "url"),
        ({"headers": {"Host": "x"}}, "header_refused", "headers.Host"),
        ({"headers": {"webhook-signature": "x"}}, "header_refused", "headers.webhook-signature"),
        ({"headers": {"X": "a\r\nb"}}, "header_refused", "headers.X"),
        ({"headers": {"X": 5}}, "invalid_parameter_value", "headers[...]"),
        ({"filter": {}}, "invalid_parameter_value", "filter"),
        ({"filter": {"data.text": {"$regex": "x"}}}, "invalid_parameter_value", "filter/data.text/$regex"),
        ({"events": []}, "invalid_parameter_value", "events"),
        ({"events": "message.received"}, "invalid_parameter_value", "events"),
        ({"retry_schedule": [-1]}, "invalid_parameter_value", "retry_schedule[0]"),
        ({"timeout_seconds": 0}, "invalid_parameter_value", "timeout_seconds"),
        ({"max_concurrency": 0}, "invalid_parameter_value", "max_concurrency"),
        ({"from": "+15550109999"}, "line_not_found", "from"),
        ({"from": None}, "missing_required_parameter", "from"),
    ],
)
async def test_what_is_refused(world: HubWorld, change: dict[str, Any], code: str, param: str) -> None:
    body = {"from": "*", "url": "https://receiver.example/", "events": ["*"], **change}
    answered = await world.api.post("/v1/webhooks", body)

    assert (answered.code, answered.param) == (code, param)


@pytest.mark.parametrize("every", ["", "*"])
async def test_every_line(world: HubWorld, every: str) -> None:
    made = await world.webhook(**{"from": every})

    assert made["line_ids"] == []


async def test_auto_is_the_line_of_a_key_with_one(world: HubWorld) -> None:
    body = {"from": "auto", "url": "https://receiver.example/hook", "events": ["*"]}
    lines = (world.sandbox_line, world.other_line)
    keys = [await world.caller("webhooks:write", lines=each) for each in (lines[1:], lines, None)]
    one, two, every = [await each.post("/v1/webhooks", body) for each in keys]

    assert one.json["line_ids"] == [line_id(world.other_line)]
    assert (two.status, two.code) == (403, "line_not_accessible")
    assert every.json["line_ids"] == []


async def test_a_line_lists_its_own_and_those_of_every_line(world: HubWorld) -> None:
    every = await world.webhook()
    own = await world.webhook(**{"from": OTHER_LINE})
    await world.webhook(**{"from": SANDBOX_LINE})
    listed = await world.api.get(f"/v1/webhooks?from=%2B{OTHER_LINE[1:]}")

    assert [each["id"] for each in listed.json["data"]] == [every["id"], own["id"]]


async def test_pages_only_when_asked(world: HubWorld) -> None:
    made = [(await world.webhook())["id"] for _ in range(3)]
    whole = await world.api.get("/v1/webhooks?from=*")
    first = await world.api.get("/v1/webhooks?from=*&limit=2")
    second = await world.api.get(f"/v1/webhooks?from=*&limit=2&cursor={first.json['next_cursor']}")

    assert [each["id"] for each in whole.json["data"]] == made
    assert [each["id"] for each in first.json["data"] + second.json["data"]] == made
    assert (first.json["has_more"], second.json["has_more"]) == (True, False)


async def test_change(world: HubWorld) -> None:
    made = await world.webhook(description="old")
    body = {"url": "https://other.example/", "events": ["message.*"], "description": None, "active": False}
    changed = await world.api.patch(f"/v1/webhooks/{made['id']}", body)

    assert changed.json["url"] == "https://other.example/"
    assert (changed.json["events"], changed.json["description"]) == (["message.*"], None)
    assert (changed.json["is_active"], changed.json["status"]) == (False, "disabled")


async def test_change_is_strict_and_checks_as_registration_does(world: HubWorld) -> None:
    made = await world.webhook()
    for body, code in (
        ({"colour": "red"}, "invalid_parameter_value"),
        ({"url": "https://10.0.0.1/"}, "url_refused"),
        ({"url": None}, "invalid_parameter_value"),
        ({"events": ["nonsense"]}, "invalid_parameter_value"),
    ):
        answered = await world.api.patch(f"/v1/webhooks/{made['id']}", body)

        assert answered.code == code


async def test_disable_holds_and_enable_resumes(world: HubWorld) -> None:
    made = await world.webhook()
    disabled = await world.api.post(f"/v1/webhooks/{made['id']}/disable")
    await world.say("while away")
    held = await world.api.get("/v1/deliveries?status=held")
    enabled = await world.api.post(f"/v1/webhooks/{made['id']}/enable")

    assert (disabled.json["is_active"], disabled.json["disabled_reason"]) == (False, "disabled by request")
    assert [each["status"] for each in held.json["data"]] == ["held"]
    assert (enabled.json["is_active"], enabled.json["disabled_reason"]) == (True, None)


async def test_delete_by_path(world: HubWorld) -> None:
    made = await world.webhook()
    deleted = await world.api.delete(f"/v1/webhooks/{made['id']}")

    assert (deleted.status, deleted.json["deleted"]) == (200, True)
    assert (await world.api.get(f"/v1/webhooks/{made['id']}")).code == "webhook_not_found"


async def test_rotation_keeps_the_old_secret_for_the_overlap(world: HubWorld) -> None:
    made = await world.webhook()
    rotated = await world.api.post(f"/v1/webhooks/{made['id']}/rotate-secret")
    webhook = await world.store.webhooks.get(parse_id(Prefix.WEBHOOK, made["id"]))
    ends_at = world.clock.now_ms() + 24 * HOUR_MS

    assert webhook is not None
    assert [secret.text for secret in webhook.secrets] == [rotated.json["secret"], made["secret"]]
    assert [secret.expires_at for secret in webhook.secrets] == [None, ends_at]
    assert rotated.json["previous_secret_expires_at"] == ends_at


async def test_at_most_two_secrets_are_valid(world: HubWorld) -> None:
    made = await world.webhook()
    for _ in range(3):
        rotated = await world.api.post(f"/v1/webhooks/{made['id']}/rotate-secret", {"overlap_hours": 1})
    webhook = await world.store.webhooks.get(parse_id(Prefix.WEBHOOK, made["id"]))

    assert webhook is not None
    assert len(webhook.secrets) == 2
    assert made["secret"] not in [secret.text for secret in webhook.secrets]
    assert webhook.secrets[0].text == rotated.json["secret"]


async def test_rotation_without_overlap_ends_the_old_secret_at_once(world: HubWorld) -> None:
    made = await world.webhook()
    rotated = await world.api.post(f"/v1/webhooks/{made['id']}/rotate-secret", {"overlap_hours": 0})
    webhook = await world.store.webhooks.get(parse_id(Prefix.WEBHOOK, made["id"]))

    assert webhook is not None
    assert [secret.text for secret in webhook.secrets] == [rotated.json["secret"]]


@pytest.mark.parametrize("hours", [-1, 169, "24"])
async def test_overlaps_out_of_range(world: HubWorld, hours: object) -> None:
    made = await world.webhook()
    answered = await world.api.post(f"/v1/webhooks/{made['id']}/rotate-secret", {"overlap_hours": hours})

    assert (answered.code, answered.param) == ("invalid_parameter_value", "overlap_hours")


async def test_a_test_reaches_this_webhook_alone(world: HubWorld) -> None:
    made, _ = await world.webhook(), await world.webhook()
    fired = await world.api.post(f"/v1/webhooks/{made['id']}/test")
    listed = await world.api.get("/v1/deliveries?event_type=webhook.test")
    delivery = await world.store.deliveries.get(parse_id(Prefix.DELIVERY, fired.json["delivery_id"]))

    assert fired.status == 202
    assert [each["webhook_id"] for each in listed.json["data"]] == [made["id"]]
    assert [each["event_id"] for each in listed.json["data"]] == [fired.json["event_id"]]
    assert delivery is not None
    assert delivery.state is DeliveryState.PENDING
    assert world.wake_ups.ranges == [(delivery.id, delivery.id)]


async def test_a_disabled_webhook_is_not_tested(world: HubWorld) -> None:
    made = await world.webhook()
    await world.api.post(f"/v1/webhooks/{made['id']}/disable")

    assert (await world.api.post(f"/v1/webhooks/{made['id']}/test")).code == "webhook_disabled"


async def test_a_restricted_key_sees_and_makes_only_its_lines_webhooks(world: HubWorld) -> None:
    every = await world.webhook()
    own = await world.webhook(**{"from": OTHER_LINE})
    caller = await world.caller("webhooks:read", "webhooks:write", lines=(world.other_line,))
    listed = await caller.get("/v1/webhooks?from=*")
    body = {"from": "*", "url": "https://receiver.example/", "events": ["*"]}

    assert [each["id"] for each in listed.json["data"]] == [own["id"]]
    for answered in (
        await caller.post("/v1/webhooks", body),
        await caller.get(f"/v1/webhooks/{every['id']}"),
        await caller.patch(f"/v1/webhooks/{every['id']}", {"active": False}),
        await caller.delete("/v1/webhooks", {"id": every["id"]}),
        await caller.post(f"/v1/webhooks/{every['id']}/test"),
        await caller.post(f"/v1/webhooks/{every['id']}/rotate-secret"),
    ):
        assert answered.code == "line_not_accessible"
