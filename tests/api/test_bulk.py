"""/v1/bulk: everything is checked before anything is kept; what is kept is shown, paused, resumed, cancelled."""

from __future__ import annotations

from typing import Any

import pytest

from hub.api.paging import write_cursor
from hub.flow.rows import OutboxRow
from hub.model.bulk import BulkState
from hub.model.ids import Prefix, parse_id
from hub.rules.lanes import shard_of
from tests.api.bulk_stage import PEOPLE, feed, feeding, make, post_table, sent_texts, show
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, HubWorld


async def test_recipients_become_messages_a_few_at_a_time(world: HubWorld) -> None:
    made = await make(world, PEOPLE[:50], name="April", metadata={"campaign": 4})
    assert (made["status"], made["total"], made["counts"]) == ("running", 50, {"waiting": 50})

    await feed(world, made, rounds=3)
    shown = await show(world, made)

    assert shown["counts"] == {"waiting": 30, "queued": 20}
    first = (await world.api.get(f"/v1/bulk/{made['id']}/results?limit=1&status=queued")).json["data"][0]
    message = (await world.api.get(f"/v1/messages/{first['message_id']}")).json
    assert (message["status"], message["metadata"]) == ("queued", {"campaign": 4})


async def test_feeding_again_sends_nothing_twice(world: HubWorld) -> None:
    """As after a crash between accepting and writing down, or beside another worker."""
    await make(world, PEOPLE[:5], text="Hi {{n|you}}")
    (job,) = await world.store.bulk.running()
    one, other = feeding(world), feeding(world)
    await one.feed(job)
    await other.feed(job)

    assert len(await sent_texts(world)) == 5


async def test_each_gets_their_own_words(world: HubWorld) -> None:
    recipients = [
        {"to": PEOPLE[0], "values": {"first_name": "Ada"}},
        {"to": PEOPLE[1]},
        {"to": PEOPLE[2], "text": "Just for you."},
    ]
    made = await make(world, text="Hello {{first_name|there}}!", recipients=recipients)
    await feed(world, made)

    assert await sent_texts(world) == ["Hello Ada!", "Hello there!", "Just for you."]


async def test_nobody_gets_two(world: HubWorld) -> None:
    made = await make(world, [PEOPLE[0], PEOPLE[0].replace("+1555", "+1 555-"), PEOPLE[1]])

    assert (made["total"], made["duplicates"]) == (2, 1)


async def test_somebody_gets_two_if_that_is_wished(world: HubWorld) -> None:
    made = await make(world, [PEOPLE[0], PEOPLE[0]], allow_duplicates=True)
    await feed(world, made)

    assert (made["total"], made["duplicates"]) == (2, 0)
    assert await sent_texts(world) == ["News!", "News!"]


async def test_words_are_left_as_they_stand_if_that_is_wished(world: HubWorld) -> None:
    made = await make(world, [PEOPLE[0]], text="Write {{name}} and }} ", literal=True)
    await feed(world, made)

    assert await sent_texts(world) == ["Write {{name}} and }} "]


async def test_who_may_not_be_written_to_is_skipped_with_the_reason(world: HubWorld) -> None:
    await world.say("STOP", contact=PEOPLE[1])
    made = await make(world)
    await feed(world, made)
    results = (await world.api.get(f"/v1/bulk/{made['id']}/results")).json["data"]

    assert [each["status"] for each in results] == ["queued", "skipped", "queued"]
    assert results[1]["error"].startswith("contact_opted_out: ")


async def test_a_job_whose_recipients_are_all_dealt_with_is_completed_and_told_once(world: HubWorld) -> None:
    await world.say("STOP", contact=PEOPLE[0])
    made = await make(world, PEOPLE[:1])
    await feed(world, made, rounds=3)
    shown = await show(world, made)
    events = (await world.api.get("/v1/events?type=bulk.completed")).json["data"]

    assert (shown["status"], shown["eta_seconds"]) == ("completed", None)
    assert shown["finished_at"] is not None
    assert [event["data"]["id"] for event in events] == [made["id"]]


async def test_a_paused_job_begins_nothing_until_it_is_resumed(world: HubWorld) -> None:
    made = await make(world)
    paused = await world.api.post(f"/v1/bulk/{made['id']}/pause")
    await feed(world, made)
    assert (paused.json["status"], await sent_texts(world)) == ("paused", [])

    await world.api.post(f"/v1/bulk/{made['id']}/resume")
    await feed(world, made)

    assert len(await sent_texts(world)) == 3


async def test_a_cancelled_job_sends_nothing_more_not_even_what_is_queued(world: HubWorld) -> None:
    made = await make(world, PEOPLE[:30])
    await feed(world, made)
    cancelled = await world.api.post(f"/v1/bulk/{made['id']}/cancel")

    assert (cancelled.json["status"], cancelled.json["counts"]) == ("cancelled", {"cancelled": 30})


async def test_a_job_that_is_cancelled_while_it_is_fed_sends_nothing(world: HubWorld) -> None:
    made = await make(world)
    (job,) = await world.store.bulk.running()
    await world.api.post(f"/v1/bulk/{made['id']}/cancel")
    await feeding(world).feed(job)

    assert (await show(world, made))["counts"] == {"cancelled": 3}


async def test_what_a_cancel_that_was_cut_off_left_queued_is_cancelled(world: HubWorld) -> None:
    """Whoever was cancelling it was killed after the job was marked, and before its messages were."""
    made = await make(world)
    await feed(world, made)
    (job,) = await world.store.bulk.running()
    await world.store.bulk.move(job.id, BulkState.CANCELLED, now=world.clock.now_ms())

    (left,) = await world.store.bulk.cut_off()
    await feeding(world).feed(left)

    assert (await show(world, made))["counts"] == {"cancelled": 3}
    assert await world.store.bulk.cut_off() == []


async def test_a_message_of_a_cancelled_job_that_is_tried_again_is_nobodys_rest(world: HubWorld) -> None:
    made = await make(world)
    await feed(world, made)
    await world.api.post(f"/v1/bulk/{made['id']}/cancel")
    (job,) = [each for each in [await world.store.bulk.get(parse_id(Prefix.BULK, made["id"]))] if each]
    now, line_id = world.clock.now_ms() + 1, world.sandbox_line.id
    again = OutboxRow(world.new_id(), line_id, shard_of(line_id), None, "send", "{}", now, now, job_id=job.id)
    await world.store.hot.write(lambda tx: tx.insert_outbox([again]))

    assert await world.store.bulk.cut_off() == []


@pytest.mark.parametrize("change", ["pause", "resume", "cancel"])
async def test_what_is_over_cannot_be_changed(world: HubWorld, change: str) -> None:
    made = await make(world)
    await world.api.post(f"/v1/bulk/{made['id']}/cancel")
    answered = await world.api.post(f"/v1/bulk/{made['id']}/{change}")

    assert (answered.status, answered.code) == (409, "bulk_state_conflict")
    assert "cancelled" in answered.json["error"]["message"]


async def test_a_rate_spreads_the_beginning(world: HubWorld) -> None:
    made = await make(world, PEOPLE[:10], rate_per_minute=60)
    await feed(world, made, rounds=5)
    assert len(await sent_texts(world)) == 1

    for _ in range(3):
        world.clock.advance(1_000)
        await feed(world, made, rounds=2)

    assert len(await sent_texts(world)) == 4


async def test_a_job_for_later_waits(world: HubWorld) -> None:
    made = await make(world, send_at=world.clock.now_ms() + 60_000)
    await feed(world, made)
    assert (made["status"], await sent_texts(world)) == ("scheduled", [])

    world.clock.advance(60_000)
    await feed(world, made)

    assert len(await sent_texts(world)) == 3


async def test_a_dry_run_shows_the_words_and_keeps_nothing(world: HubWorld) -> None:
    made = await make(world, text="Hi {{n|you}}", dry_run=True)

    assert (made["id"], made["status"], made["total"]) == (None, "checked", 3)
    assert made["previews"][0] == {"to": PEOPLE[0], "text": "Hi you"}
    assert (await world.api.get("/v1/bulk")).json["data"] == []


async def test_a_table_is_read_with_its_columns_as_values(world: HubWorld) -> None:
    table = f"\ufeffTo;First Name;text\n{PEOPLE[0]};Ada;\n{PEOPLE[1]};Bob;Own words\n"
    made = (await post_table(world, table, "&text=Hi+%7B%7Bfirst+name%7D%7D")).json
    await feed(world, made)

    assert await sent_texts(world) == ["Hi Ada", "Own words"]


BAD_TABLES: dict[str, tuple[str | bytes, str | None]] = {
    "nothing": ("", "to"),
    "no column for numbers": ("name\nAda\n", "to"),
    "two columns of one name": ("to,to\n1,2\n", "to"),
    "a number that is none": ("to\nabc\n", "to"),
    "no text": (f"to\n{PEOPLE[0]}\n", "text"),
    "an empty gap": (f"to,n\n{PEOPLE[0]},\n", "text"),
    "not UTF-8": (b"to\n\xff\n", None),
    "only headings": ("to\n", "recipients"),
}


@pytest.mark.parametrize("case", BAD_TABLES)
async def test_a_bad_table_is_refused_whole(world: HubWorld, case: str) -> None:
    table, param = BAD_TABLES[case]
    query = "&text=Hi+%7B%7Bn%7D%7D" if case == "an empty gap" else "" if case == "no text" else "&text=Hi"
    answered = await post_table(world, table, query)

    assert answered.status == 400
    assert answered.param == param
    assert (await world.api.get("/v1/bulk")).json["data"] == []


async def test_the_good_ones_go_on_if_that_is_wished(world: HubWorld) -> None:
    made = await make(world, [PEOPLE[0], "nobody", PEOPLE[1]], skip_invalid=True)

    assert (made["total"], made["problem_count"]) == (2, 1)
    assert made["problems"][0]["place"] == "recipients[1]"


async def test_contacts_of_a_list_are_written_to_by_their_first_handle(world: HubWorld) -> None:
    group = (await world.api.post("/v1/contact-groups", {"name": "friends"})).json
    for number, name in enumerate(["Ada", "Bob"]):
        handles = [{"handle": PEOPLE[number]}, {"handle": f"{name.lower()}@example.com"}]
        contact = (await world.api.post("/v1/contacts", {"first_name": name, "handles": handles})).json
        await world.api.post(f"/v1/contact-groups/{group['id']}/members", {"contact_ids": [contact["id"]]})
    body = {"from": SANDBOX_LINE, "text": "Hi {{first_name}}", "contact_group": group["id"]}
    made = (await world.api.post("/v1/bulk", body)).json
    await feed(world, made)

    assert await sent_texts(world) == ["Hi Ada", "Hi Bob"]


REFUSED: dict[str, tuple[dict[str, Any], int, str, str | None]] = {
    "nobody": ({}, 400, "missing_required_parameter", "recipients"),
    "two kinds of recipients": (
        {"recipients": [{"to": CONTACT}], "tag": "x"},
        400,
        "missing_required_parameter",
        "recipients",
    ),
    "a bad number": (
        {"recipients": [{"to": CONTACT}, {"to": "12"}]},
        400,
        "invalid_parameter_value",
        "recipients[1].to",
    ),
    "a gap without a value": (
        {"text": "Hi {{name}}", "recipients": [{"to": CONTACT}]},
        400,
        "invalid_parameter_value",
        "recipients[0].text",
    ),
    "no text at all": (
        {"text": None, "recipients": [{"to": CONTACT}]},
        400,
        "invalid_parameter_value",
        "recipients[0].text",
    ),
    "a priority out of range": (
        {"recipients": [{"to": CONTACT}], "priority": 101},
        400,
        "invalid_parameter_value",
        "priority",
    ),
    "a rate of nothing": (
        {"recipients": [{"to": CONTACT}], "rate_per_minute": 0},
        400,
        "invalid_parameter_value",
        "rate_per_minute",
    ),
    "an unknown line": (
        {"from": "+15559999999", "recipients": [{"to": CONTACT}]},
        404,
        "line_not_found",
        "from",
    ),
    "an unknown list": ({"contact_group": "ctg_0f2m4h8x0g001"}, 404, "contact_group_not_found", None),
    "metadata without end": (
        {"recipients": [{"to": CONTACT}], "metadata": {"a": "x" * 1100}},
        400,
        "invalid_parameter_value",
        "metadata",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_bad_requests_name_the_field(world: HubWorld, case: str) -> None:
    fields, status, code, param = REFUSED[case]
    body = {
        name: value
        for name, value in {"from": SANDBOX_LINE, "text": "Hi", **fields}.items()
        if value is not None
    }
    answered = await world.api.post("/v1/bulk", body)

    assert (status, code) == (answered.status, answered.code)
    assert param is None or answered.param == param
    assert (await world.api.get("/v1/bulk")).json["data"] == []


async def test_keys_of_other_lines_see_nothing(world: HubWorld) -> None:
    body = {"from": OTHER_LINE, "text": "Hi", "recipients": [{"to": CONTACT}]}
    made = (await world.api.post("/v1/bulk", body)).json
    other = await world.caller("messages:read", "messages:write", lines=(world.sandbox_line,))

    assert (await other.get("/v1/bulk")).json["data"] == []
    for answered in (
        await other.get(f"/v1/bulk/{made['id']}"),
        await other.get(f"/v1/bulk/{made['id']}/results"),
        await other.post(f"/v1/bulk/{made['id']}/cancel"),
        await other.post("/v1/bulk", body),
    ):
        assert (answered.status, answered.code) == (403, "line_not_accessible")


async def test_a_restricted_key_does_not_write_to_contacts_at_large(world: HubWorld) -> None:
    other = await world.caller("messages:write", lines=(world.sandbox_line,))
    answered = await other.post("/v1/bulk", {"from": SANDBOX_LINE, "text": "Hi", "tag": "all"})

    assert (answered.status, answered.code, answered.param) == (403, "line_not_accessible", "tag")


async def test_a_place_that_nobody_has_ends_the_list(world: HubWorld) -> None:
    made = await make(world)
    cursor = write_cursor(2**63 - 2)
    page = (await world.api.get(f"/v1/bulk/{made['id']}/results?cursor={cursor}")).json

    assert (page["data"], page["has_more"]) == ([], False)


async def test_results_go_out_as_a_table(world: HubWorld) -> None:
    made = await make(world)
    await feed(world, made)
    answered = await world.api.get(f"/v1/bulk/{made['id']}/results.csv?status=queued")
    lines = answered.body.decode("utf-8-sig").splitlines()

    assert lines[0] == "position,to,status,error,message_id,sent_at,delivered_at,read_at"
    assert [line.split(",")[2] for line in lines[1:]] == ["queued"] * 3
