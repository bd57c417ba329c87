"""Every refusal has the vendor's envelope, whatever it is about."""

from __future__ import annotations

import pytest

from hub.api.errors import ERROR_CODES, ErrorCode
from hub.dialects.coop.errors import MESSAGES, STATUS, WORDS, ErrorReply, in_their_words, told
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text
from tests.dialects.coop.test_checklist import error
from tests.support.asgi import Caller
from tests.support.hub_world import CONTACT, HubWorld


@pytest.mark.parametrize("listed", ERROR_CODES, ids=lambda each: each.code)
def test_every_native_code_has_its_status_and_word(listed: ErrorCode) -> None:
    answer = told(InvalidRequest(listed.code, "Why.", param="field"), "req_1")
    body = answer.body

    assert isinstance(body, ErrorReply)
    assert answer.status == body.status_code == STATUS.get(listed.code, listed.status)
    assert body.error == WORDS[answer.status]
    assert body.message == MESSAGES.get(listed.code, "field: Why.")


def test_no_entry_is_for_nothing() -> None:
    codes = {each.code for each in ERROR_CODES}
    statuses = {STATUS.get(each.code, each.status) for each in ERROR_CODES}

    assert {*STATUS, *MESSAGES} <= codes
    assert set(WORDS) == statuses


@pytest.mark.parametrize(
    ("native", "expected"),
    [
        (("'text' is too long.", "text"), ("'body' is too long.", "body")),
        (
            ("The 'parts[3].text' field …", "parts[3].text"),
            ("The 'parts[3].text' field …", "attachments[3].body"),
        ),
        (("Nothing.", None), ("Nothing.", None)),
        (("'from' and 'to'.", "to"), ("'fromNumber' and 'to'.", "to")),
    ],
)
def test_fields_are_named_as_the_caller_knows_them(
    native: tuple[str, str | None], expected: tuple[str, str | None]
) -> None:
    names = {"text": "body", "parts": "attachments", "from": "fromNumber"}
    with pytest.raises(InvalidRequest) as caught, in_their_words(names):
        raise InvalidRequest("invalid_parameter_value", native[0], param=native[1])

    assert (caught.value.message, caught.value.param) == expected


@pytest.mark.parametrize(
    ("method", "path", "status", "word"),
    [
        ("GET", "/api/v1", 404, "not_found"),
        ("GET", "/api/v1/", 404, "not_found"),
        ("GET", "/api/v1/messages/", 404, "not_found"),
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("GET", "/api/v1/messages/x/status", 404, "not_found"),
        ("GET", "/api/v1/messages/rmsg_05jp19e000406/status", 404, "not_found"),
        ("GET", "/api/v1/messages/bulk/blk_05jp19e000406", 404, "not_found"),
        ("GET", "/api/v1/messages/bulk/bulk_05jp19e000406/results", 404, "not_found"),
        ("GET", "/api/v1/conversations/conv_05jp19e000406", 404, "not_found"),
        ("GET", "/api/v1/conversations/lookup", 400, "validation_error"),
        ("GET", "/api/v1/conversations/lookup?participant=a,b", 400, "validation_error"),
        ("GET", "/api/v1/contacts/ct_05jp19e000406", 404, "not_found"),
        ("GET", "/api/v1/contacts/export?format=xml", 400, "validation_error"),
        ("POST", "/api/v1/contacts/import", 415, "unsupported_media_type"),
        ("GET", "/api/v1/relays/relay_05jp19e000406", 404, "not_found"),
        ("POST", "/api/v1/contact-groups/ctg_05jp19e000406/members", 400, "validation_error"),
        ("DELETE", "/api/v1/messages", 405, "method_not_allowed"),
        ("GET", "/api/v1/messages?participant=%ZZ", 400, "validation_error"),
    ],
)
async def test_what_leads_nowhere(api: Caller, method: str, path: str, status: int, word: str) -> None:
    assert error(await api.request(method, path), status, word)


async def test_a_message_that_came_in_is_not_one_that_was_sent(world: HubWorld, api: Caller) -> None:
    await world.say("Hi")
    (received,) = (await api.get("/api/v1/messages")).json["data"]
    shown = await api.get(f"/api/v1/messages/{received['id']}/status")
    other = await api.get(f"/api/v1/messages/{received['id'].removeprefix('r')}/status")

    assert (shown.status, shown.json["status"], shown.json["attempts"]) == (200, "received", 0)
    assert error(other, 404, "not_found")


async def test_who_opted_out_is_not_written_to(world: HubWorld, api: Caller) -> None:
    await world.say("STOP")
    answered = await api.post("/api/v1/messages", {"to": CONTACT, "body": "Hi"})

    assert error(answered, 403, "forbidden")


async def test_a_bulk_job_names_the_message_that_is_wrong(api: Caller) -> None:
    messages = [{"to": CONTACT, "body": "a"}, {"to": "abc", "body": "b"}]
    answered = await api.post("/api/v1/messages/bulk", {"messages": messages})

    assert error(answered, 400, "validation_error")
    assert answered.json["message"].startswith("messages[1].to: 'abc' is neither a phone number")
    assert "skip_invalid" not in answered.json["message"]


async def test_who_shows_no_key_is_told_how_one_begins(world: HubWorld) -> None:
    answered = await world.api.with_token(None).get("/api/v1/messages")

    assert "brk_live_" in answered.json["message"]
    assert "sk_live_" not in answered.json["message"]


async def test_a_hub_has_no_teams(api: Caller) -> None:
    assert error(await api.post("/api/v1/sub-tenants", {"name": "Sales"}), 403, "forbidden")


async def test_to_a_key_of_another_line_nothing_is_there(world: HubWorld, api: Caller) -> None:
    made = [
        await api.post("/api/v1/messages", {"to": CONTACT, "body": "Hi"}),
        await api.post("/api/v1/messages/bulk", {"messages": [{"to": CONTACT, "body": "Hi"}]}),
        await api.post("/api/v1/webhooks", {"url": "https://a.example/", "events": ["message.sent"]}),
    ]
    message, job, hook = (each.json.get("id") or each.json["jobId"] for each in made)
    chat = (await api.get("/api/v1/conversations")).json["data"][0]["id"]
    # The sandbox is open to every key: what is hidden has to be on another line.
    await world.say("Secret", line=world.other_line)
    foreign = (await api.get("/api/v1/messages?direction=received")).json["data"][0]
    team = await world.caller("admin", lines=(world.sandbox_line,), dialect="coop")
    gone = [
        await team.get(f"/api/v1/messages/{foreign['id']}/status"),
        await team.get(f"/api/v1/conversations/{foreign['conversationId']}"),
        await team.delete(f"/api/v1/webhooks/{hook}"),
    ]
    there = [
        await team.get(f"/api/v1/messages/{message}/status"),
        await team.get(f"/api/v1/messages/bulk/{job}"),
        await team.get(f"/api/v1/conversations/{chat}"),
    ]
    own = await team.post("/api/v1/webhooks", {"url": "https://a.example/", "events": ["message.sent"]})
    native = (await world.api.get("/v1/webhooks?from=*")).json["data"]
    refused = [
        await team.post("/api/v1/contacts", {"firstName": "Ann"}),
        await team.get("/api/v1/relays"),
    ]

    assert [error(each, 404, "not_found") for each in gone] == [True] * 3
    assert [each.status for each in there] == [200] * 3
    assert [error(each, 403, "forbidden") for each in refused] == [True] * 2
    assert own.status == 201
    assert [each["line_ids"] for each in native if each["id"] == own.json["id"]] == [
        [id_text(Prefix.LINE, world.sandbox_line.id)]
    ]


async def test_a_key_without_the_scope_is_refused(world: HubWorld) -> None:
    api = await world.caller("messages:read", dialect="coop")

    assert error(await api.post("/api/v1/messages", {"to": CONTACT, "body": "Hi"}), 403, "forbidden")


async def test_ids_are_shown_as_they_are_called_there(api: Caller) -> None:
    refused = (await api.post("/api/v1/messages", {"to": "abc", "body": "Hello"})).json

    assert "conv_…" in refused["message"]
    assert "cht_" not in refused["message"]
