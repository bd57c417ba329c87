"""Consent over the surface: told, recorded, listed, exported, imported, and enforced."""

from __future__ import annotations

import asyncio
import csv
import io
from typing import Any
from urllib.parse import quote

import pytest

from bridge.sandbox import contacts
from tests.support.asgi import Answered, Caller
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, STRANGER, HubWorld, line_id

SEND = {"from": SANDBOX_LINE, "to": CONTACT, "text": "Hello"}
CONSENT = {"from": SANDBOX_LINE, "handle": CONTACT, "state": "opted_out", "reason": "By telephone"}


def path(handle: str = CONTACT, query: str = "") -> str:
    return f"/v1/consents/{quote(handle)}{query}"


async def allowed(world: HubWorld, line: str = SANDBOX_LINE) -> bool:
    answered = await world.api.get(path(query=f"?from={quote(line)}"))
    assert answered.status == 200, answered.body
    is_allowed: bool = answered.json["is_allowed"]
    return is_allowed


async def test_who_said_stop_is_not_sent_to(world: HubWorld) -> None:
    """403 with the field, on every way to reach them; START undoes it."""
    assert (await world.api.post("/v1/messages", SEND)).status == 201
    guid = await world.say("STOP")

    refused = await world.api.post("/v1/messages", SEND)
    assert (refused.status, refused.code, refused.param) == (403, "contact_opted_out", "to")
    assert refused.json["error"]["type"] == "invalid_request_error"
    reaction = {"from": SANDBOX_LINE, "to": CONTACT, "message_id": guid, "type": "love"}
    assert (await world.api.post("/v1/reactions", reaction)).code == "contact_opted_out"
    typing = {"from": SANDBOX_LINE, "to": CONTACT}
    assert (await world.api.post("/v1/typing", typing)).code == "contact_opted_out"
    assert (await world.api.post("/v1/receipts", typing)).status == 201

    await world.say("START")
    assert (await world.api.post("/v1/messages", SEND)).status == 201


async def test_a_refused_send_does_not_use_up_its_idempotency_key(world: HubWorld) -> None:
    """Once the contact has opted in again, the same request under the same key goes out."""
    key = {"Idempotency-Key": "once"}
    await world.say("STOP")
    assert (await world.api.post("/v1/messages", SEND, headers=key)).code == "contact_opted_out"
    await world.say("START")

    assert (await world.api.post("/v1/messages", SEND, headers=key)).status == 201
    assert (await world.api.post("/v1/messages", SEND, headers=key)).headers["idempotent-replayed"] == "true"


async def test_one_refusal_among_many_at_once(world: HubWorld) -> None:
    """Requests that share a transaction are judged each for itself."""
    await world.say("STOP")
    wanted = [CONTACT, "+15550100002", CONTACT, "+15550100003"]

    answers = await asyncio.gather(*(world.api.post("/v1/messages", {**SEND, "to": to}) for to in wanted))

    assert [answer.status for answer in answers] == [403, 201, 403, 201]


async def test_a_consent_is_recorded_with_its_reason(world: HubWorld) -> None:
    """Who, what, when and why; the history tells it all."""
    answered = await world.api.post("/v1/consents", CONSENT)

    assert (answered.status, answered.json["state"], answered.json["is_allowed"]) == (201, "opted_out", False)
    assert not await allowed(world)
    await world.api.post("/v1/consents", {**CONSENT, "state": "opted_in", "reason": "Signed the form"})
    world.clock.advance(1)
    await world.api.post("/v1/consents", {**CONSENT, "state": "opted_in", "reason": "Signed the form"})
    shown = (await world.api.get(path(query=f"?from={quote(SANDBOX_LINE)}"))).json
    assert (shown["state"], shown["is_allowed"]) == ("opted_in", True)
    assert [(each["action"], each["reason"], each["source"]) for each in shown["history"]] == [
        ("opted_in", "Signed the form", "api"),
        ("opted_in", "Signed the form", "api"),
        ("opted_out", "By telephone", "api"),
    ]
    assert shown["history"][0]["api_key_id"].startswith("key_")


async def test_a_handle_that_never_said_anything_may_be_written_to(world: HubWorld) -> None:
    """However it is spelt."""
    shown = (await world.api.get(path("+1 (555) 010-0001"))).json

    assert (shown["handle"], shown["state"], shown["is_allowed"]) == (CONTACT, None, True)
    assert (shown["consents"], shown["history"]) == ([], [])


async def test_a_consent_for_every_line(world: HubWorld) -> None:
    """Counts for each, until a line hears otherwise."""
    await world.api.post("/v1/consents", {**CONSENT, "from": "*"})
    assert (await world.api.post("/v1/messages", SEND)).code == "contact_opted_out"

    world.clock.advance(1)
    await world.say("START")

    assert await allowed(world)
    assert not await allowed(world, OTHER_LINE)
    scopes = [each["scope"] for each in (await world.api.get("/v1/consents")).json["data"]]
    assert scopes == ["line", "hub"]


async def test_what_was_said_earlier_does_not_undo_what_was_said_later(world: HubWorld) -> None:
    """A list from last year does not opt anybody in who said STOP since."""
    await world.say("STOP")
    old = {**CONSENT, "state": "opted_in", "said_at": world.clock.now_ms() - 1000}

    answered = await world.api.post("/v1/consents", old)

    assert (answered.status, answered.json["state"]) == (201, "opted_out")
    assert answered.json["history"][0]["is_applied"] is False


async def test_consents_are_listed_in_pages(world: HubWorld) -> None:
    """Newest first, by line and state."""
    for number in range(3):
        world.clock.advance(1)
        await world.api.post("/v1/consents", {**CONSENT, "handle": f"+1555010000{number + 1}"})
    await world.api.post(
        "/v1/consents", {**CONSENT, "from": OTHER_LINE, "state": "opted_in", "handle": "a@example.com"}
    )

    first = (await world.api.get("/v1/consents?limit=2&state=opted_out")).json
    second = (await world.api.get(f"/v1/consents?limit=2&state=opted_out&cursor={first['next_cursor']}")).json
    other = (await world.api.get(f"/v1/consents?from={quote(OTHER_LINE)}")).json

    assert [each["handle"] for each in first["data"] + second["data"]] == [
        "+15550100003", "+15550100002", "+15550100001",
    ]  # fmt: skip
    assert (first["has_more"], second["has_more"], second["next_cursor"]) == (True, False, None)
    assert [each["handle"] for each in other["data"]] == ["a@example.com"]


async def _said(world: HubWorld) -> None:
    await world.say("STOP")
    world.clock.advance(5)
    await world.api.post("/v1/consents", {**CONSENT, "handle": "=cmd@example.com", "reason": "=1+1"})
    await world.say("help")


async def test_the_log_is_exported_as_csv(world: HubWorld) -> None:
    """Every entry, in order, in cells that no spreadsheet runs."""
    await _said(world)

    answered = await world.api.get("/v1/consents/export")

    assert answered.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answered.body.decode("utf-8-sig"))))
    assert [(row["handle"], row["action"], row["source"]) for row in rows] == [
        (CONTACT, "opted_out", "keyword"),
        ("'=cmd@example.com", "opted_out", "api"),
        (CONTACT, "help", "keyword"),
    ]
    assert (rows[1]["reason"], rows[0]["keyword"]) == ("'=1+1", "stop")
    assert rows[0]["said_at"].endswith("Z")


async def test_the_log_is_exported_as_json(world: HubWorld) -> None:
    """One list; empty if nothing was ever said."""
    assert (await world.api.get("/v1/consents/export?format=json")).json == []
    await _said(world)

    whole = (await world.api.get("/v1/consents/export?format=json")).json
    one = (await world.api.get(f"/v1/consents/export?format=json&handle={quote(CONTACT)}")).json

    assert [each["action"] for each in whole] == ["opted_out", "opted_out", "help"]
    assert {each["handle"] for each in one} == {CONTACT}


async def test_an_export_goes_over_many_pages(world: HubWorld) -> None:
    """Nothing is lost between them."""
    rows = [
        {"handle": f"+1555{number:07}", "state": "opted_out", "said_at": number + 1} for number in range(1201)
    ]
    for start in range(0, len(rows), 601):
        body = {"from": "*", "rows": rows[start : start + 601]}
        assert (await world.api.post("/v1/consents/import", body)).json["failed"] == 0

    exported = (await world.api.get("/v1/consents/export?format=json")).json

    assert [each["handle"] for each in exported] == [row["handle"] for row in rows]


async def test_an_export_can_be_imported_elsewhere(world: HubWorld) -> None:
    """And once more, without adding anything."""
    await _said(world)
    text = (await world.api.get("/v1/consents/export")).body.decode()
    body = {"from": SANDBOX_LINE, "csv": text}

    first = (await world.api.post("/v1/consents/import", body)).json
    again = (await world.api.post("/v1/consents/import", body)).json

    assert (first["failed"], first["changed"], first["unchanged"]) == (0, 0, 3)
    assert (again["changed"], again["unchanged"]) == (0, 3)
    everywhere = {"handle": STRANGER, "state": "opted_out", "scope": "hub", "from": SANDBOX_LINE}
    await world.api.post("/v1/consents/import", {"from": SANDBOX_LINE, "rows": [everywhere]})
    assert (await world.api.get(path(STRANGER))).json["consents"][0]["scope"] == "hub"


async def test_rows_that_are_wrong_are_told_by_number(world: HubWorld) -> None:
    """The right ones are recorded."""
    rows: list[dict[str, Any]] = [
        {"handle": CONTACT, "state": "opted_out"},
        {"handle": "nobody at all", "state": "opted_out"},
        {"handle": STRANGER, "state": "maybe"},
        {"state": "opted_out"},
        {"handle": STRANGER, "state": "opted_in"},
        {"handle": STRANGER, "state": "opted_out", "said_at": "yesterday"},
        {"handle": STRANGER, "state": "opted_out", "reason": "x" * 501},
        {"handle": STRANGER, "state": "opted_out", "from": "+19995550000"},
        {"handle": 5, "state": "opted_out"},
        {
            "handle": "b@example.com",
            "state": "opted_in",
            "said_at": "2026-01-01T00:00:00Z",
            "from": OTHER_LINE,
        },
    ]

    dry = (await world.api.post("/v1/consents/import", {"from": "*", "rows": rows, "dry_run": True})).json
    report = (await world.api.post("/v1/consents/import", {"from": "*", "rows": rows})).json

    assert (dry["changed"], dry["failed"], dry["dry_run"]) == (0, 8, True)
    assert (report["changed"], report["failed"]) == (2, 8)
    assert [(each["row"], each["field"]) for each in report["errors"]] == [
        (2, "handle"), (3, "state"), (4, "handle"), (5, "said_at"), (6, "said_at"), (7, "reason"), (8, "from"),
        (9, "handle"),
    ]  # fmt: skip
    assert not await allowed(world)


BAD: list[tuple[str, str, dict[str, Any] | None, str, str | None]] = [
    ("POST", "/v1/consents", {**CONSENT, "handle": "nobody"}, "invalid_parameter_value", "handle"),
    ("POST", "/v1/consents", {**CONSENT, "handle": ""}, "invalid_parameter_value", "handle"),
    ("POST", "/v1/consents", {**CONSENT, "state": "maybe"}, "invalid_parameter_value", "state"),
    ("POST", "/v1/consents", {**CONSENT, "reason": ""}, "invalid_parameter_value", "reason"),
    ("POST", "/v1/consents", {**CONSENT, "reason": "x" * 501}, "invalid_parameter_value", "reason"),
    ("POST", "/v1/consents", {**CONSENT, "said_at": -1}, "invalid_parameter_value", "said_at"),
    ("POST", "/v1/consents", {**CONSENT, "said_at": "now"}, "invalid_parameter_value", "said_at"),
    ("POST", "/v1/consents", {**CONSENT, "from": "+19995550000"}, "line_not_found", "from"),
    ("POST", "/v1/consents", {**CONSENT, "colour": "red"}, "invalid_parameter_value", "colour"),
    ("POST", "/v1/consents", {"from": "*", "state": "opted_out", "reason": "x"}, "missing_required_parameter",
     "handle"),
    ("GET", "/v1/consents?state=help", None, "invalid_parameter_value", "state"),
    ("GET", "/v1/consents?limit=0", None, "invalid_parameter_value", "limit"),
    ("GET", "/v1/consents?cursor=x", None, "invalid_parameter_value", "cursor"),
    ("GET", "/v1/consents?from=nobody", None, "line_not_found", "from"),
    ("GET", "/v1/consents/not%20a%20handle", None, "invalid_parameter_value", "handle"),
    ("GET", "/v1/consents/export?format=xml", None, "invalid_parameter_value", "format"),
    ("GET", "/v1/consents/export?handle=nobody", None, "invalid_parameter_value", "handle"),
    ("POST", "/v1/consents/import", {"from": "*"}, "missing_required_parameter", "rows"),
    ("POST", "/v1/consents/import", {"from": "*", "rows": [], "csv": "x"}, "missing_required_parameter", "rows"),
    ("POST", "/v1/consents/import", {"from": "*", "csv": "name\nx"}, "invalid_parameter_value", "csv"),
    ("POST", "/v1/consents/import", {"from": "*", "csv": 'handle\n"x'}, "invalid_parameter_value", "csv"),
    ("POST", "/v1/consents/import", {"from": "*", "rows": [5]}, "invalid_parameter_value", "rows[0]"),
    ("POST", "/v1/consents/import", {"rows": []}, "missing_required_parameter", "from"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "where", "body", "code", "param"), BAD, ids=[f"{row[0]} {row[1]} {row[4]}" for row in BAD]
)
async def test_bad_requests(  # noqa: PLR0917 - a table's columns
    world: HubWorld, method: str, where: str, body: dict[str, Any] | None, code: str, param: str | None
) -> None:
    """Each names the field."""
    answered = await world.api.request(method, where, body=body)

    assert (answered.code, answered.param) == (code, param)
    assert 400 <= answered.status < 500


async def test_a_key_sees_the_consents_of_its_lines(world: HubWorld) -> None:
    """Those of other lines are left out; asking for them is refused; every line needs a key for every line."""
    await world.say("STOP")
    await world.api.post("/v1/consents", {**CONSENT, "from": OTHER_LINE, "handle": "b@example.com"})
    await world.api.post("/v1/consents", {**CONSENT, "from": "*", "handle": "c@example.com"})
    scopes = ("consents:read", "consents:write")
    mine = await world.caller(*scopes, lines=(world.sandbox_line,))

    listed = (await mine.get("/v1/consents")).json["data"]
    exported = (await mine.get("/v1/consents/export?format=json")).json

    assert [each["handle"] for each in listed] == [CONTACT]
    assert {each["line_id"] for each in exported} == {line_id(world.sandbox_line)}
    for refused in (
        await mine.get(f"/v1/consents?from={quote(OTHER_LINE)}"),
        await mine.get("/v1/consents?from=*"),
        await mine.post("/v1/consents", {**CONSENT, "from": "*"}),
        await mine.post("/v1/consents", {**CONSENT, "from": OTHER_LINE}),
        await mine.post("/v1/consents/import", {"from": "*", "rows": []}),
        await mine.get(path(query="?from=*")),
    ):
        assert (refused.status, refused.code) == (403, "line_not_accessible")
    rows = [{"handle": STRANGER, "state": "opted_out", "from": OTHER_LINE}]
    report = (await mine.post("/v1/consents/import", {"from": SANDBOX_LINE, "rows": rows})).json
    assert (report["failed"], report["errors"][0]["field"]) == (1, "from")


@pytest.mark.parametrize(
    ("scope", "method", "where"),
    [
        ("consents:read", "GET", "/v1/consents"),
        ("consents:read", "GET", "/v1/consents/export"),
        ("consents:read", "GET", path()),
        ("consents:write", "POST", "/v1/consents"),
        ("consents:write", "POST", "/v1/consents/import"),
    ],
)
async def test_scopes(world: HubWorld, scope: str, method: str, where: str) -> None:
    """Reading and writing are told apart."""
    body = CONSENT if where == "/v1/consents" else {"from": "*", "rows": []}

    async def ask(caller: Caller) -> Answered:
        return await caller.request(method, where, body=body if method == "POST" else None)

    other = "consents:write" if scope == "consents:read" else "consents:read"
    assert (await ask(await world.caller(other))).code == "insufficient_scope"
    assert (await ask(await world.caller(scope))).status < 300


async def test_a_group_with_somebody_who_opted_out_is_not_written_to(world: HubWorld) -> None:
    """Unless the line allows it."""
    scene = contacts.group(SANDBOX_LINE, CONTACT, key="chat77", participants=("+15550100002",))
    await world.observe(world.sandbox_line, contacts.say(scene, "Hi all", guid="g1", at=world.clock.now_ms()))
    await world.say("STOP")
    chats = (await world.api.get(f"/v1/chats?from={quote(SANDBOX_LINE)}")).json["data"]
    group = next(chat["id"] for chat in chats if chat["is_group"])
    to_group = {**SEND, "to": group}

    refused = await world.api.post("/v1/messages", to_group)
    assert refused.code == "contact_opted_out"
    assert "1 of this group's members" in refused.json["error"]["message"]

    where = f"/v1/lines/{line_id(world.sandbox_line)}"
    assert (await world.api.patch(where, {"safety": {"group_sends": "allow"}})).status == 200
    assert (await world.api.post("/v1/messages", to_group)).status == 201
