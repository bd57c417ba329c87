"""message.send and message.reply: where they go, what they carry, once each, and what they are refused for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.actions.bench import RUN, Bench
from tests.support.broken_database import table_away
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, STRANGER, line_id
from tests.support.sandbox_worker import SandboxWorker

TO = {"to": CONTACT, "text": "Hello"}
SEND = {"from": SANDBOX_LINE, **TO}


async def test_a_send_is_a_message_of_the_hub(bench: Bench) -> None:
    output = await bench.run("message.send", SEND)

    assert output["status"] == "queued"
    assert (output["line"], output["to"]) == (SANDBOX_LINE, CONTACT)
    (message,) = await bench.messages()
    assert (message["id"], message["text"], message["status"]) == (output["message_id"], "Hello", "queued")
    await bench.worker().work()
    (message,) = await bench.messages()
    assert message["status"] in {"delivered", "read"}


async def test_its_events_tell_that_a_run_sent_it(bench: Bench) -> None:
    """By this a route that triggers itself is cut off; what the author says beside it stays."""
    await bench.run("message.send", {**SEND, "metadata": {"campaign": "spring", "hub_hops": 0}})

    listed = await bench.world.api.get("/v1/events?type=message.queued")
    expected = {"campaign": "spring", "hub_route": "greet", "hub_run": RUN, "hub_hops": 2}
    assert listed.json["data"][0]["data"]["metadata"] == expected


async def test_a_repeated_step_sends_nothing_more(bench: Bench) -> None:
    first = await bench.run("message.send", SEND, key="step")
    again = await bench.run("message.send", SEND, key="step")

    assert again == first
    assert len(await bench.messages()) == 1


async def test_a_step_that_is_done_twice_at_the_same_time_sends_once(bench: Bench) -> None:
    outputs = await asyncio.gather(*(bench.run("message.send", SEND, key="step") for _ in range(8)))

    assert all(output == outputs[0] for output in outputs)
    assert len(await bench.messages()) == 1


async def test_a_key_of_the_author_counts_for_all_runs(bench: Bench) -> None:
    first = await bench.run("message.send", {**SEND, "idempotency_key": "hello:1"})
    again = await bench.run("message.send", {**SEND, "idempotency_key": "hello:1"})
    other = await bench.refused("message.send", {**SEND, "text": "Bye", "idempotency_key": "hello:1"})

    assert again["message_id"] == first["message_id"]
    assert (other.error_class, other.details["code"]) == ("conflict", "idempotency_key_conflict")
    assert "idempotency_key" in other.message
    assert len(await bench.messages()) == 1


async def test_a_line_is_named_by_handle_id_or_label(bench: Bench) -> None:
    line = bench.world.sandbox_line
    changed = await bench.world.api.patch(f"/v1/lines/{line_id(line)}", {"label": "Sales line"})
    assert changed.status == 200, changed.body

    for name in (SANDBOX_LINE, line_id(line), "sales LINE"):
        assert (await bench.run("message.send", {**SEND, "from": name}))["line"] == SANDBOX_LINE
    failed = await bench.refused("message.send", {**SEND, "from": "Sales lin"})
    assert failed.error_class == "not_found"
    assert "Did you mean 'Sales line'?" in failed.message


async def test_without_a_line_it_is_that_of_the_event(bench: Bench) -> None:
    await bench.world.say("Hi", line=bench.world.other_line, contact=STRANGER)
    event = {"line_handle": OTHER_LINE}

    output = await bench.run("message.send", {"to": STRANGER, "text": "Hello"}, event=event)

    assert output["line"] == OTHER_LINE


async def test_an_event_without_a_line_leaves_the_choice_to_the_hub(bench: Bench) -> None:
    """Who last wrote with somebody goes on."""
    await bench.world.say("Hi", line=bench.world.other_line, contact=STRANGER)

    output = await bench.run("message.send", {"to": STRANGER, "text": "Hello"}, event={"source": "stripe"})

    assert output["line"] == OTHER_LINE


async def test_a_channel_chooses_among_lines(bench: Bench) -> None:
    """The line on the push bridge serves any service; the sandbox's only iMessage."""
    await bench.world.say("Hi", line=bench.world.other_line)
    event = await bench.received()

    output = await bench.run("message.send", {**TO, "channel": "sms"}, event=event)
    failed = await bench.refused("message.send", {**SEND, "channel": "sms", "from": SANDBOX_LINE})

    assert output["line"] == OTHER_LINE
    assert failed.error_class == "invalid"
    assert "'imessage', not 'sms'" in failed.message


async def test_a_reply_goes_where_the_event_happened(bench: Bench) -> None:
    event = await bench.received(contact=STRANGER)

    output = await bench.run("message.reply", {"text": "We do."}, event=event)

    assert (output["line"], output["to"]) == (SANDBOX_LINE, STRANGER)
    assert [each["text"] for each in await bench.messages(STRANGER)] == ["We do."]


async def test_a_reply_can_thread(bench: Bench) -> None:
    event = await bench.received()

    await bench.run("message.reply", {"text": "We do.", "as_reply": True}, event=event)

    (message,) = await bench.messages()
    assert message["reply_to_guid"] == event["data"]["guid"]


async def test_a_send_can_answer_a_message_that_is_named(bench: Bench) -> None:
    event = await bench.received()

    await bench.run("message.send", {**SEND, "reply_to": event["data"]["id"]})

    (message,) = await bench.messages()
    assert message["reply_to_guid"] == event["data"]["guid"]


async def test_events_may_say_it_in_other_words(bench: Bench) -> None:
    """As conditions of routes see them: `from`, `line`, `conversation_id`."""
    event = await bench.received()
    seen = {"line": SANDBOX_LINE, "conversation_id": event["data"]["chat_id"], "from": CONTACT, "id": "evt_1"}

    by_chat = await bench.run("message.reply", {"text": "We do."}, event=seen)
    by_person = await bench.run(
        "message.reply", {"text": "We do."}, event={"line": SANDBOX_LINE, "from": CONTACT}
    )

    assert by_chat["to"] == by_person["to"] == CONTACT


async def test_files_go_along(bench: Bench) -> None:
    headers = {"Content-Type": "image/png", "X-Filename": "a.png"}
    content = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(50)
    names = [(await bench.world.api.post("/v1/files", content, headers=headers)).json["id"] for _ in range(2)]

    await bench.run("message.send", {**SEND, "attachments": names[:1]})
    await bench.run("message.send", {**SEND, "attachments": names})

    two, one = await bench.messages()
    assert [each["file_id"] for each in one["attachments"]] == names[:1]
    assert [each["file_id"] for each in two["attachments"]] == names
    assert two["text"] == "Hello"


async def test_a_time_is_kept(bench: Bench) -> None:
    later = bench.world.clock.now_ms() + 3_600_000

    await bench.run("message.send", {**SEND, "send_at": str(later)})

    (message,) = await bench.messages()
    assert message["send_at"] == later


async def test_a_date_needs_its_offset(bench: Bench) -> None:
    failed = await bench.refused("message.send", {**SEND, "send_at": "2026-08-01T09:00:00"})

    assert failed.error_class == "invalid"
    assert "2026-08-01T09:00:00+02:00" in failed.message


async def test_a_number_that_lost_its_quotes_is_text_all_the_same(bench: Bench) -> None:
    output = await bench.run("message.send", {**SEND, "to": int(CONTACT[1:]), "text": 42})

    assert output["to"] == CONTACT
    assert (await bench.messages())[0]["text"] == "42"


@pytest.mark.parametrize(
    ("inputs", "error_class", "says"),
    [
        ({"to": "nobody", "text": "Hi", "from": SANDBOX_LINE}, "invalid", "E.164"),
        ({"to": "", "text": "Hi"}, "invalid", "'to'"),
        ({"text": "Hi"}, "invalid", "There must be an input 'to'"),
        ({"to": CONTACT, "txt": "Hi"}, "invalid", "Did you mean 'text'?"),
        ({"to": CONTACT}, "invalid", "says nothing"),
        ({"to": CONTACT, "text": " \n"}, "invalid", "says nothing"),
        ({"to": CONTACT, "text": "x" * 20_001}, "invalid", "20000"),
        ({"to": CONTACT, "text": ["Hi"]}, "invalid", "'text'"),
        ({"to": CONTACT, "text": "Hi", "metadata": {"a": "x" * 1025}}, "invalid", "1024 bytes"),
        ({"to": CONTACT, "text": "Hi", "send_at": 99_999_999_999_999}, "invalid", "year ahead"),
        ({"to": "cht_0000000000000", "text": "Hi"}, "not_found", "Chat not found"),
        ({"to": CONTACT, "text": "Hi", "from": "+15550109999"}, "not_found", "no line"),
        ({"to": CONTACT, "text": "Hi", "from": "ln_0000000000000"}, "not_found", "no line"),
        ({"to": CONTACT, "text": "Hi", "reply_to": "msg_0000000000000"}, "not_found", "Message not found"),
        ({"to": CONTACT, "attachments": ["file_0000000000000"]}, "not_found", "File not found"),
        ({"to": CONTACT, "attachments": ["https://192.168.1.1/a.png"]}, "permission", "attachments[0]"),
        ({"to": STRANGER, "text": "Hi", "from": OTHER_LINE}, "suppressed", "has not written"),
        ({"to": CONTACT, "text": "Hi", "channel": "fax", "from": SANDBOX_LINE}, "invalid", "'fax'"),
    ],
)
async def test_what_cannot_be_sent_says_why(
    bench: Bench, inputs: dict[str, Any], error_class: str, says: str
) -> None:
    failed = await bench.refused("message.send", inputs, event={"line": SANDBOX_LINE})

    assert failed.error_class == error_class, failed.message
    assert says in failed.message
    assert await bench.owed() == []


async def test_who_opted_out_is_not_written_to(bench: Bench) -> None:
    event = await bench.received("STOP")

    failed = await bench.refused("message.reply", {"text": "But why?"}, event=event)

    assert (failed.error_class, failed.details["code"]) == ("suppressed", "contact_opted_out")


async def test_one_message_confirms_an_opt_out(bench: Bench) -> None:
    """Whichever route and run asks; and its worker lets it go, too."""
    event, ignore = await bench.received("STOP"), frozenset({"suppression", "quiet_hours"})
    bye = {"text": "You will get no more messages."}

    first = await bench.run("message.reply", bye, event=event, ignore=ignore)
    again = await bench.run("message.reply", bye, event=event, ignore=ignore)
    other = await bench.refused("message.reply", {"text": "Please stay"}, event=event, ignore=ignore)
    await bench.worker().work()

    assert again == first
    assert other.error_class == "suppressed"
    assert "confirmed already" in other.message
    (message,) = await bench.messages()
    assert message["status"] in {"delivered", "read"}
    assert "confirms_consent" not in (await bench.item(first))["payload"]


async def test_an_opt_out_is_confirmed_at_once_or_not_at_all(bench: Bench) -> None:
    event = await bench.received("STOP")
    bench.world.clock.advance(300_001)

    failed = await bench.refused(
        "message.reply", {"text": "Bye"}, event=event, ignore=frozenset({"suppression"})
    )

    assert (failed.error_class, failed.details["code"]) == ("suppressed", "contact_opted_out")


async def test_a_budget_that_is_used_up_says_until_when(bench: Bench) -> None:
    path = f"/v1/lines/{line_id(bench.world.sandbox_line)}"
    limit = {"safety": {"messages_per_day": 1}}
    changed = await bench.world.api.patch(path, limit)
    assert changed.status == 200, changed.body
    await bench.run("message.send", SEND)

    failed = await bench.refused("message.send", SEND)

    assert (failed.error_class, failed.details["code"]) == ("budget", "message_limit_reached")
    assert failed.after_ms is not None
    assert failed.after_ms > 0


async def test_quiet_hours_hold_a_message_back_unless_the_step_ignores_them(bench: Bench) -> None:
    path = f"/v1/lines/{line_id(bench.world.sandbox_line)}"
    quiet = [{"from": "00:00", "to": "12:00"}, {"from": "12:00", "to": "23:59"}]
    changed = await bench.world.api.patch(path, {"safety": {"quiet_hours": quiet}})
    assert changed.status == 200, changed.body

    await bench.run("message.send", {**SEND, "text": "waits"})
    await bench.run("message.send", {**SEND, "text": "goes"}, ignore=frozenset({"quiet_hours"}))
    await bench.worker().work()

    status = {each["text"]: each["status"] for each in await bench.messages()}
    assert status["waits"] == "queued"
    assert status["goes"] in {"delivered", "read"}


async def test_a_line_that_is_off_or_cannot_is_not_permitted(bench: Bench) -> None:
    await SandboxWorker(bench.world, without=frozenset({"effects"})).tell_capabilities()
    cannot = await bench.refused("message.send", {**SEND, "effect": "confetti"})
    await bench.world.api.patch(f"/v1/lines/{line_id(bench.world.sandbox_line)}", {"is_active": False})
    off = await bench.refused("message.send", {**SEND, "from": SANDBOX_LINE})

    assert (cannot.error_class, cannot.details["code"]) == ("permission", "advanced_features_required")
    assert (off.error_class, off.details["code"]) == ("permission", "line_inactive")


async def test_a_reply_to_no_conversation_says_what_to_use(bench: Bench) -> None:
    failed = await bench.refused("message.reply", {"text": "Hi"}, event={"source": "stripe", "id": "evt_1"})

    assert failed.error_class == "invalid"
    assert "message.send" in failed.message


async def test_a_database_that_is_away_is_asked_again(bench: Bench) -> None:
    async with table_away(bench.place, "outbox"):
        failed = await bench.refused("message.send", SEND, key="step")
    output = await bench.run("message.send", SEND, key="step")

    assert failed.error_class == "retryable"
    assert "outbox" not in failed.message
    assert [each["id"] for each in await bench.messages()] == [output["message_id"]]

    assert "locked" not in failed.message


SHIPPED = {"name": "order_shipped", "language": "en_US", "values": ["Ada", 17], "header_values": []}


@pytest.mark.parametrize("name", ["message.send", "message.reply"])
async def test_a_template_goes_out_as_the_network_knows_it(bench: Bench, name: str) -> None:
    """Numbers that templates of the route gave are spelt out, as in a field of text."""
    event = await bench.received(contact=CONTACT)
    to = {"from": SANDBOX_LINE, "to": CONTACT} if name == "message.send" else {}

    output = await bench.run(name, {**to, "template": SHIPPED}, event=event)

    item = (await bench.world.api.get(f"/v1/outbox?id={output['outbox_id']}")).json
    assert item["payload"]["template"] == {
        "name": "order_shipped", "language": "en_US", "values": ["Ada", "17"],
    }  # fmt: skip
    assert (await bench.messages())[0]["text"] == "order_shipped (en_US): Ada, 17"


async def test_a_template_may_name_its_blanks(bench: Bench) -> None:
    template = {**SHIPPED, "values": {"who": "Ada", "count": 17, "share": 0.5}}
    preview = await bench.actions.preview(
        bench.call("message.send", {"from": SANDBOX_LINE, "to": CONTACT, "template": template})
    )

    assert "the template order_shipped (en_US): who=Ada, count=17, share=0.5" in str(preview)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"text": "Hello", "template": SHIPPED}, "stands alone"),
        ({"template": SHIPPED, "effect": "confetti"}, "stands alone"),
        ({"template": {"name": "order_shipped"}}, "'language'"),
        ({"template": {**SHIPPED, "wrong": 1}}, "'wrong'"),
        ({"template": {**SHIPPED, "header_file_id": "https://example.com/a.png"}}, "not an address"),
        ({"template": {**SHIPPED, "values": [""]}}, "template.values"),
        ({}, "a `template`"),
    ],
)
async def test_what_is_no_template(bench: Bench, inputs: dict[str, Any], said: str) -> None:
    failed = await bench.refused("message.send", {"from": SANDBOX_LINE, "to": CONTACT, **inputs})

    assert failed.error_class == "invalid"
    assert said in failed.message


async def test_a_line_without_templates_says_so(bench: Bench) -> None:
    line = bench.world.sandbox_line
    await bench.world.store.lines.tell_capabilities(line.bridge_id, frozenset({"text"}))
    await bench.world.directory.refresh()
    failed = await bench.refused("message.send", {"from": SANDBOX_LINE, "to": CONTACT, "template": SHIPPED})

    assert "'templates'" in failed.message
