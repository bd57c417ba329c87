"""The acceptance checklist of contracts: coop §10, lines 1 to 11, 16, 17, 19 and 20. Line 18 is in test_automations."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.dialects.coop import DIALECT
from hub.flow.keys import KeyWish
from tests.api.bulk_stage import feeding
from tests.dialects.coop.goldens import check
from tests.dialects.coop.mail import Mail
from tests.support.asgi import Answered, Caller
from tests.support.hub_world import CONTACT, SANDBOX_LINE, STRANGER, HubWorld
from tests.support.sandbox_worker import SandboxWorker

SEND: dict[str, Any] = {"to": "+15551234567", "body": "Hello!"}
UNREACHABLE = "+15550100404"
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
ID = r"[0-9a-z]{13}"


async def send(api: Caller, **fields: Any) -> dict[str, Any]:
    answered = await api.post("/api/v1/messages", {**SEND, **fields})
    assert answered.status == 201, answered.body
    made: dict[str, Any] = answered.json
    return made


async def status(api: Caller, message_id: str) -> dict[str, Any]:
    answered = await api.get(f"/api/v1/messages/{message_id}/status")
    assert answered.status == 200, answered.body
    shown: dict[str, Any] = answered.json
    return shown


def error(answered: Answered, number: int, word: str) -> bool:
    """Whether an answer is the vendor's envelope with these."""
    body = answered.json
    is_whole = set(body) == {"error", "message", "statusCode"} and isinstance(body["message"], str)
    return is_whole and (answered.status, body["statusCode"], body["error"]) == (number, number, word)


@pytest.mark.parametrize("kind", ["none", "unknown", "malformed", "revoked"])
async def test_01_without_a_good_key_nothing_opens(world: HubWorld, kind: str) -> None:
    made = await world.keys.create(KeyWish(name="old", scopes=DIALECT.scopes, dialect="coop"))
    await world.keys.revoke(made.key.id)
    tokens = {"none": None, "unknown": "brk_live_" + "A" * 32, "malformed": "hello", "revoked": made.text}
    nobody = world.api.with_token(tokens[kind])
    answers = [
        await nobody.request(each.method, each.path.format_map(Anything()), body={})
        for each in DIALECT.endpoints
    ]

    assert made.text.startswith("brk_live_")
    assert [each.body for each in answers if not error(each, 401, "unauthorized")] == []


class Anything(dict[str, str]):
    """Stands for any name in a path."""

    def __missing__(self, name: str) -> str:
        return "x"


async def test_02_a_send_is_queued(api: Caller) -> None:
    answered = await api.post("/api/v1/messages", SEND)

    assert answered.status == 201
    assert re.fullmatch(f"msg_{ID}", answered.json["id"])
    assert ISO.fullmatch(answered.json["createdAt"])
    check("send", answered.json)


async def test_03_nonsense_as_recipient_is_refused(api: Caller) -> None:
    answered = await api.post("/api/v1/messages", {**SEND, "to": "abc"})

    assert error(answered, 400, "validation_error")
    assert "'to'" in answered.json["message"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"to": CONTACT}, "body"),
        ({"to": CONTACT, "body": ""}, "body"),
        ({"to": CONTACT, "attachments": ["https://a.example/x"] * 11}, "attachments"),
        ({**SEND, "priority": 101}, "priority"),
        ({**SEND, "priority": -1}, "priority"),
        ({**SEND, "fromNumber": "+15550109999"}, "fromNumber"),
        ({**SEND, "attachments": ["https://10.0.0.1/cat.png"]}, "attachments[0]"),
        ({"body": "Hi"}, "to"),
    ],
)
async def test_04_a_field_that_breaks_a_rule_is_named(api: Caller, body: dict[str, Any], named: str) -> None:
    answered = await api.post("/api/v1/messages", body)

    assert error(answered, 400, "validation_error")
    assert named in answered.json["message"]


async def test_05_messages_are_listed_and_filtered(
    world: HubWorld, api: Caller, worker: SandboxWorker
) -> None:
    await world.say("Hello", contact=CONTACT)
    await world.say("Hey", contact=STRANGER)
    await send(api, to=CONTACT, priority=7)
    await worker.work()
    listed = (await api.get("/api/v1/messages")).json
    received = (await api.get("/api/v1/messages?direction=received")).json["data"]
    sent = (await api.get("/api/v1/messages?direction=sent")).json["data"]
    theirs = (await api.get(f"/api/v1/messages?participant=%2B{STRANGER[1:]}")).json
    raw = (await api.get(f"/api/v1/messages?participant={STRANGER}")).json
    nobody = (await api.get("/api/v1/messages?participant=%2B15550109998")).json

    assert listed["pagination"] == {"page": 1, "limit": 20, "total": 3, "totalPages": 1}
    assert [each["id"].partition("_")[0] for each in received] == ["rmsg", "rmsg"]
    assert [(each["direction"], each["to"], each["priority"]) for each in sent] == [("sent", CONTACT, 7)]
    assert [each["from"] for each in theirs["data"]] == [STRANGER]
    assert raw == theirs
    assert nobody == {"data": [], "pagination": {"page": 1, "limit": 20, "total": 0, "totalPages": 0}}
    check("messages", listed)


async def test_06_pages_have_numbers(api: Caller) -> None:
    made = [(await send(api, to=CONTACT, body=str(number)))["id"] for number in range(3)]
    page = (await api.get("/api/v1/messages?limit=1&page=2")).json

    assert [each["id"] for each in page["data"]] == [made[1]]
    assert page["pagination"] == {"page": 2, "limit": 1, "total": 3, "totalPages": 3}
    assert error(await api.get("/api/v1/messages?page=0"), 400, "validation_error")
    assert error(await api.get("/api/v1/messages?page=90000000"), 400, "validation_error")
    assert error(await api.get("/api/v1/messages?limit=101"), 400, "validation_error")


async def test_07_a_status_tells_how_far_it_is(world: HubWorld, api: Caller, worker: SandboxWorker) -> None:
    made = await send(api, to=CONTACT)
    fresh = await status(api, made["id"])
    world.clock.advance(2_000)
    await worker.work()
    done = await status(api, made["id"])

    assert fresh == {
        "id": made["id"], "status": "queued", "attempts": 0, "lastError": None,
        "queuedAt": made["createdAt"], "sentAt": None, "deliveredAt": None,
    }  # fmt: skip
    assert (done["status"], done["attempts"]) == ("delivered", 1)
    assert done["queuedAt"] <= done["sentAt"] <= done["deliveredAt"]
    check("status", done)


async def test_08_the_queue_is_counted_and_is_no_message(
    world: HubWorld, api: Caller, worker: SandboxWorker
) -> None:
    await send(api, to=CONTACT)
    world.clock.advance(1_500)
    waiting = (await api.get("/api/v1/messages/queue/stats")).json
    await worker.work()
    await send(api, to="+15550100503")  # the line is offline for a while: certainly not begun
    await worker.perform()
    world.clock.advance(1_500)
    trying = (await api.get("/api/v1/messages/queue/stats")).json

    assert waiting == {"pending": 1, "processing": 0, "failed": 0, "deadLetter": 0}
    assert trying == {"pending": 0, "processing": 0, "failed": 1, "deadLetter": 0}


async def test_09_a_bulk_job_and_its_results(world: HubWorld, api: Caller, worker: SandboxWorker) -> None:
    messages = [{"to": CONTACT, "body": "One {{name}} "}, {"to": STRANGER, "body": "Two"}]
    answered = await api.post("/api/v1/messages/bulk", {"messages": messages})
    job_id = answered.json["jobId"]
    for job in await world.store.bulk.running():
        await feeding(world).feed(job)
    await worker.work()
    for job in await world.store.bulk.running():
        await feeding(world).feed(job)
    listed = await api.get("/api/v1/messages/bulk")
    shown = await api.get(f"/api/v1/messages/bulk/{job_id}")
    results = await api.get(f"/api/v1/messages/bulk/{job_id}/results")
    texts = {each["body"] for each in (await api.get("/api/v1/messages")).json["data"]}

    assert (answered.status, re.fullmatch(f"bulk_{ID}", job_id) is not None) == (201, True)
    assert (answered.json["status"], answered.json["totalRecipients"]) == ("processing", 2)
    assert [each.status for each in (listed, shown, results)] == [200, 200, 200]
    assert listed.json["data"] == [shown.json]
    assert len(results.json["data"]) == 2
    assert texts == {"One {{name}} ", "Two"}
    check("bulk_job", shown.json)
    check("bulk_results", results.json)


async def test_10_the_higher_priority_goes_first(world: HubWorld, api: Caller, worker: SandboxWorker) -> None:
    for body, priority in (("low 1", 0), ("low 2", 0), ("high", 50)):
        await send(api, to=CONTACT, body=body, priority=priority)
    hook = await api.post("/api/v1/webhooks", {"url": "https://a.example/", "events": ["message.sent"]})
    await worker.work()
    mail = Mail(world)
    await mail.deliver()

    assert hook.status == 201
    assert [each.json["data"]["body"] for each in mail.letters] == ["high", "low 1", "low 2"]


async def test_11_a_message_whose_sends_all_fail_is_a_dead_letter(
    world: HubWorld, api: Caller, worker: SandboxWorker, mail: Mail
) -> None:
    await api.post("/api/v1/webhooks", {"url": "https://a.example/", "events": ["message.failed"]})
    before = (await api.get("/api/v1/messages/queue/stats")).json["deadLetter"]
    made = await send(api, to=UNREACHABLE)
    await worker.work()
    world.clock.advance(2_000)
    await mail.deliver()
    shown = await status(api, made["id"])
    after = (await api.get("/api/v1/messages/queue/stats")).json["deadLetter"]

    assert shown["status"] == "failed"
    assert "not_reachable" in shown["lastError"]
    assert (before, after) == (0, 1)
    assert [each.json["data"]["id"] for each in mail.letters] == [made["id"]]
    check("status_failed", shown)


async def test_16_conversations(world: HubWorld, api: Caller) -> None:
    await world.api.post("/v1/contacts", {"first_name": "Ann", "last_name": "Lee", "handles": [STRANGER]})
    await world.say("Hello", contact=CONTACT)
    await world.say("Hey", contact=STRANGER)
    listed = (await api.get("/api/v1/conversations")).json
    found = await api.get(f"/api/v1/conversations/lookup?participant={CONTACT}")
    unknown = await api.get("/api/v1/conversations/lookup?participant=%2B15550109998")
    searched = (await api.get(f"/api/v1/conversations?search={STRANGER}")).json["data"]
    one = await api.get(f"/api/v1/conversations/{found.json['id']}")

    assert [each["participant"] for each in listed["data"]] == [STRANGER, CONTACT]
    assert re.fullmatch(f"conv_{ID}", found.json["id"])
    assert error(unknown, 404, "not_found")
    assert [each["participant"] for each in searched] == [STRANGER]
    assert [each["body"] for each in one.json["messages"]] == ["Hello"]
    check("conversations", listed)
    check("conversation", one.json)


async def test_17_contacts(api: Caller) -> None:
    body = {
        "firstName": "Ann", "lastName": "Lee", "phoneNumbers": ["+15550100001"],
        "emailAddresses": ["ann@example.com"], "appleId": "ann@icloud.example", "organization": "Acme",
        "jobTitle": "CEO", "tags": ["vip"], "notes": "Met in May",
    }  # fmt: skip
    nameless = await api.post("/api/v1/contacts", {**body, "firstName": None})
    made = await api.post("/api/v1/contacts", body)
    changed = await api.request("PUT", f"/api/v1/contacts/{made.json['id']}", body={"notes": "Called"})
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    file = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        b"firstName,phone\nBob,+15550100002\nAnn,+15550100001\nCy,12\n\r\n--x--\r\n"
    )
    imported = await api.post("/api/v1/contacts/import", file, headers=form)

    assert error(nameless, 400, "validation_error")
    assert "firstName" in nameless.json["message"]
    assert (made.status, changed.status) == (201, 200)
    assert {name: made.json[name] for name in body} == body
    assert changed.json == {**made.json, "notes": "Called", "updatedAt": changed.json["updatedAt"]}
    assert (imported.status, set(imported.json)) == (200, {"created", "updated", "failed", "errors"})
    assert (imported.json["created"], imported.json["updated"], imported.json["failed"]) == (1, 1, 1)
    assert [set(each) for each in imported.json["errors"]] == [{"row", "error"}]
    check("contact", made.json)


async def test_19_a_relay_token_lasts_half_an_hour_and_works(world: HubWorld, api: Caller) -> None:
    answered = await api.post("/api/v1/tenants/ten_1/relay-tokens")
    machine = {"token": answered.json["token"], "name": "Office Mac Mini", "system": {"os": "macOS 15.1"}}
    enrolled = await world.api.with_token(None).post("/v1/bridge/enrol", machine)
    relays = (await api.get("/api/v1/relays")).json["data"]
    own = await world.keys.create(
        KeyWish(
            name="team", scopes=DIALECT.scopes, dialect="coop", line_ids=frozenset({world.sandbox_line.id})
        )
    )
    await world.say("Secret", line=world.other_line)
    team = world.api.with_token(own.text)
    seen = (await team.get("/api/v1/messages")).json["data"]
    foreign = (await api.get("/api/v1/messages")).json["data"][0]["id"]
    hidden = await team.get(f"/api/v1/messages/{foreign}/status")
    expires_at = datetime.strptime(answered.json["expiresAt"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)

    assert answered.status == 201
    assert re.fullmatch(r"rtkn_[0-9A-Za-z]{32}", answered.json["token"])
    assert int(expires_at.timestamp()) == world.clock.now_ms() // 1000 + 1800
    assert enrolled.status == 201
    assert [each["name"] for each in relays] == ["sandbox", "push", "Office Mac Mini"]
    assert seen == []
    assert error(hidden, 404, "not_found")
    check("relays", relays)


async def test_20_too_many_requests_are_told_when_to_come_back(world: HubWorld) -> None:
    wish = KeyWish(name="slow", scopes=DIALECT.scopes, dialect="coop", requests_per_hour=1)
    api = world.api.with_token((await world.keys.create(wish)).text)
    answers = [await api.get("/api/v1/messages") for _ in range(2)]

    assert answers[0].status == 200
    assert error(answers[1], 429, "rate_limited")
    assert int(answers[1].headers["retry-after"]) > 0


async def test_04_files_go_without_words(world: HubWorld, api: Caller, worker: SandboxWorker) -> None:
    """`attachments` without `body` → 201; words and ten files are one message."""
    async with serving(b"%PDF-1.4 hello") as url:
        alone = await send(api, to=CONTACT, body=None, attachments=[url])
        many = await send(api, to=CONTACT, body="Ten", attachments=[url] * 10)
    await worker.work()
    files = (await api.get(f"/api/v1/messages/{alone['id']}/attachments")).json["data"]
    listed = (await api.get(f"/api/v1/messages/{many['id']}/attachments")).json["data"]

    assert (await status(api, many["id"]))["status"] == "delivered"
    assert (len(files), len(listed)) == (1, 10)
    check("attachments", {"data": files})


class serving:
    """A web server on loopback that gives one file for every address."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/plan.pdf"

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        writer.write(head % len(self._content) + self._content)
        await writer.drain()
        writer.close()


async def test_a_line_is_chosen_by_its_number(api: Caller) -> None:
    made = await send(api, to=CONTACT, fromNumber=SANDBOX_LINE)
    (listed,) = (await api.get("/api/v1/messages")).json["data"]

    assert (listed["id"], listed["from"]) == (made["id"], SANDBOX_LINE)
