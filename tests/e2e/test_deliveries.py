"""Deliveries on the wire, from a running hub: retries, dead letters, order, pace, secrets, replays."""

from __future__ import annotations

import re
import time

import pytest

from tests.e2e.receiver import Receiver
from tests.e2e.rest import LINE, Rest
from tests.e2e.running import RunningHub, wait_for

pytestmark = pytest.mark.slow


def test_a_webhook_gets_the_next_event_signed_in_both_ways(rest: Rest, receiver: Receiver) -> None:
    made = rest.register(receiver.url("/next"))
    event_id = rest.say("Hello")
    (request,) = receiver.wait("/next")

    request.require_signed(made["secret"])
    assert request.headers["webhook-id"] == event_id
    assert (request.type, request.text) == ("message.received", "Hello")


def test_a_failed_delivery_is_tried_again_with_the_same_ids_and_a_fresh_timestamp(
    rest: Rest, receiver: Receiver
) -> None:
    receiver.script("/again", [500, 200])
    made = rest.register(receiver.url("/again"))
    rest.say("Hello")
    first, second = receiver.wait("/again", 2)

    for request in (first, second):
        request.require_signed(made["secret"])
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.delivery_id == second.delivery_id
    assert first.event["timestamp"] < second.event["timestamp"]
    assert rest.delivery(made["id"], "succeeded")["attempt_count"] == 2


def test_after_a_rotation_both_secrets_verify_until_the_overlap_is_over(
    rest: Rest, receiver: Receiver
) -> None:
    made = rest.register(receiver.url("/rotated"))
    rotated = rest.post(f"/v1/webhooks/{made['id']}/rotate-secret", {"overlap_hours": 1})
    rest.say("Hello")
    (request,) = receiver.wait("/rotated")

    request.require_signed(rotated["secret"])
    assert len(request.headers["webhook-signature"].split(" ")) == 2
    previous = {**request.headers, "x-webhook-signature": request.headers["x-webhook-signature-previous"]}
    type(request)(request.path, previous, request.body).require_signed(made["secret"])


def test_a_rotation_without_overlap_ends_the_old_secret_at_once(rest: Rest, receiver: Receiver) -> None:
    made = rest.register(receiver.url("/replaced"))
    rotated = rest.post(f"/v1/webhooks/{made['id']}/rotate-secret", {"overlap_hours": 0})
    rest.say("Hello")
    (request,) = receiver.wait("/replaced")

    request.require_signed(rotated["secret"])
    assert "x-webhook-signature-previous" not in request.headers
    assert len(request.headers["webhook-signature"].split(" ")) == 1


def test_410_disables_the_webhook_and_tells_another_one(rest: Rest, receiver: Receiver) -> None:
    receiver.script("/gone", [410])
    rest.register(receiver.url("/told"), "webhook.*", line="*")
    made = rest.register(receiver.url("/gone"))
    rest.say("Hello")
    (told,) = receiver.wait("/told", type_="webhook.disabled")

    assert told.event["data"]["webhook_id"] == made["id"]
    assert rest.get(f"/v1/webhooks/{made['id']}")["status"] == "disabled"
    assert len(receiver.requests("/gone")) == 1


def test_what_a_disabled_webhook_missed_is_held_and_replayed(rest: Rest, receiver: Receiver) -> None:
    made = rest.register(receiver.url("/missed"))
    rest.post(f"/v1/webhooks/{made['id']}/disable")
    missed = rest.say("While you were out")
    rest.delivery(made["id"], "held")
    rest.post(f"/v1/webhooks/{made['id']}/enable")
    job = rest.post("/v1/replays", {"webhook_id": made["id"], "missed_while_disabled": True})
    (request,) = receiver.wait("/missed")

    assert request.headers["webhook-id"] == missed
    assert rest.finish(job["id"])["progress"] == {"done": 1, "total": 1}


def test_a_dead_letter_waits_is_requeued_and_arrives(rest: Rest, receiver: Receiver) -> None:
    receiver.script("/dead", [500, 500, 500, 200])
    made = rest.register(receiver.url("/dead"))
    rest.say("Hello")
    dead = rest.delivery(made["id"], "dead")
    listed = rest.get("/v1/dead-letters", webhook_id=made["id"])["data"]
    job = rest.post("/v1/dead-letters/requeue", {"webhook_id": made["id"]})
    receiver.wait("/dead", 4)

    assert "attempt 3 of 3 was the last" in dead["reason"]
    assert [each["id"] for each in listed] == [dead["id"]]
    assert rest.finish(job["id"])["status"] == "succeeded"
    assert rest.delivery(made["id"], "succeeded")["attempt_count"] == 4


def test_a_range_of_time_is_replayed_under_the_same_ids(rest: Rest, receiver: Receiver) -> None:
    made = rest.register(receiver.url("/range"))
    first = rest.say("one")
    time.sleep(0.002)  # ids of other milliseconds: the range below begins between the two
    since = int(time.time() * 1000)
    again = [rest.say("two"), rest.say("three")]
    receiver.wait("/range", 3)
    job = rest.post("/v1/replays", {"webhook_id": made["id"], "since": since})
    requests = receiver.wait("/range", 5)

    assert rest.finish(job["id"])["status"] == "succeeded"
    assert sorted(each.headers["webhook-id"] for each in requests) == sorted([first, *again, *again])


def test_strict_order_holds_while_the_first_one_fails(rest: Rest, receiver: Receiver) -> None:
    receiver.script("/ordered", [500, 500, 200])
    rest.register(receiver.url("/ordered"), ordered=True)
    for number in range(8):
        rest.say(str(number))
    requests = receiver.wait("/ordered", 10)

    assert [each.text for each in requests] == ["0", "0", "0", *map(str, range(1, 8))]


def test_a_pace_is_kept(rest: Rest, receiver: Receiver) -> None:
    """Ten a second: the starts, which the deliveries' timestamps tell, are a tenth of a second apart."""
    rest.register(receiver.url("/paced"), rate_per_second=10, max_concurrency=5)
    for number in range(6):
        rest.say(str(number))
    stamps = sorted(each.event["timestamp"] for each in receiver.wait("/paced", 6))

    assert stamps[-1] - stamps[0] >= 490


def test_filters_and_headers_of_a_webhook_are_obeyed(rest: Rest, receiver: Receiver) -> None:
    rest.register(receiver.url("/filtered"), filter={"data.text": "wanted"}, headers={"X-Shop": "seven"})
    rest.say("unwanted")
    rest.say("wanted")
    (request,) = receiver.wait("/filtered")

    assert (request.text, request.headers["x-shop"]) == ("wanted", "seven")


def test_a_revoked_key_is_refused_within_a_second_by_every_process(hub: RunningHub, rest: Rest) -> None:
    made = rest.post("/v1/keys", {"name": "short-lived", "scopes": ["admin"]})
    caller = Rest(hub.port, made["api_key"])
    before = caller.ask("GET", "/v1/lines").status
    hub.command("keys", "revoke", made["id"])
    answer = wait_for(lambda: caller.ask("GET", "/v1/lines").status == 401, seconds=1.5)

    assert before == 200
    assert answer


def test_a_webhook_added_by_the_command_gets_the_next_event(
    hub: RunningHub, rest: Rest, receiver: Receiver
) -> None:
    added = hub.command("webhooks", "add", receiver.url("/by-command"), "--line", LINE)
    secret = re.findall(r"secret: (\S+)", added)[0]
    rest.say("Hello")

    receiver.wait("/by-command")[0].require_signed(secret)
