"""A line's own settings of safety, its budgets and its health, over the surface."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
from typing import Any
from urllib.parse import quote

import pytest

from bridge.sandbox import contacts
from tests.support.asgi import Answered
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, HubWorld, line_id


def where(world: HubWorld) -> str:
    return f"/v1/lines/{line_id(world.sandbox_line)}"


async def setting(world: HubWorld, **safety: Any) -> dict[str, Any]:
    answered = await world.api.patch(where(world), {"safety": safety})
    assert answered.status == 200, answered.body
    shown: dict[str, Any] = answered.json["safety"]
    return shown


async def send(world: HubWorld, to: str, **more: Any) -> Answered:
    return await world.api.post("/v1/messages", {"from": SANDBOX_LINE, "to": to, "text": "Hi", **more})


async def test_a_line_without_settings_shows_none(world: HubWorld) -> None:
    """It takes those of the hub."""
    assert (await world.api.get(where(world))).json["safety"] == {}


async def test_only_what_is_said_changes(world: HubWorld) -> None:
    """A null takes the hub's setting again; an empty list and 0 are values."""
    night = {"from": "21:00", "to": "08:00"}
    await setting(
        world, time_zone="Europe/Berlin", messages_per_day=5, quiet_hours=[night], stop_words=["ARRET"]
    )

    shown = await setting(world, messages_per_day=None, quiet_hours=[], stop_words=None, jitter_ratio=0.5)

    assert shown == {"time_zone": "Europe/Berlin", "quiet_hours": [], "jitter_ratio": 0.5}
    assert (await world.api.get(where(world))).json["safety"] == shown
    await world.api.patch(where(world), {"label": "Shop"})
    assert (await world.api.get(where(world))).json["safety"] == shown


async def test_a_new_line_may_bring_settings(world: HubWorld) -> None:
    """Checked like a change."""
    bridge = (await world.api.get(where(world))).json["bridge_id"]
    body = {"bridge_id": bridge, "handle": "+15550100077", "safety": {"new_conversations_per_day": 3}}

    made = await world.api.post("/v1/lines", body)
    bad = await world.api.post(
        "/v1/lines", {**body, "handle": "+15550100078", "safety": {"time_zone": "Mars/X"}}
    )

    assert made.json["safety"] == {"new_conversations_per_day": 3}
    assert (bad.code, bad.param) == ("invalid_parameter_value", "safety.time_zone")


BAD: list[tuple[Any, str]] = [
    (5, "safety"),
    ([], "safety"),
    (None, "safety"),
    ({"colour": "red"}, "safety.colour"),
    ({"time_zone": "Europe/Atlantis"}, "safety.time_zone"),
    ({"time_zone": ""}, "safety.time_zone"),
    ({"time_zone": 5}, "safety.time_zone"),
    ({"in_service_since": -1}, "safety.in_service_since"),
    ({"consent_scope": "world"}, "safety.consent_scope"),
    ({"stop_words": "STOP"}, "safety.stop_words"),
    ({"stop_words": [""]}, "safety.stop_words[0]"),
    ({"stop_words": ["..."]}, "safety.stop_words"),
    ({"stop_words": ["x" * 41]}, "safety.stop_words[0]"),
    ({"stop_words": [f"w{number}" for number in range(51)]}, "safety.stop_words"),
    ({"start_words": ["stop!"]}, "safety.start_words"),
    ({"help_words": ["Start"]}, "safety.help_words"),
    ({"help_reply": ""}, "safety.help_reply"),
    ({"help_reply": "Help."}, "safety.help_reply"),
    ({"group_sends": "maybe"}, "safety.group_sends"),
    ({"new_conversations_per_hour": -1}, "safety.new_conversations_per_hour"),
    ({"new_conversations_per_day": 1.5}, "safety.new_conversations_per_day"),
    ({"new_conversations_per_day": "5"}, "safety.new_conversations_per_day"),
    ({"warm_up_per_day": [5, -1]}, "safety.warm_up_per_day[1]"),
    ({"warm_up_per_day": [1] * 366}, "safety.warm_up_per_day"),
    ({"messages_per_day": 1_000_001}, "safety.messages_per_day"),
    ({"jitter_ratio": 1.1}, "safety.jitter_ratio"),
    ({"quiet_hours": [{"from": "24:00", "to": "08:00"}]}, "safety.quiet_hours[0].from"),
    ({"quiet_hours": [{"from": "8:00", "to": "09:00"}]}, "safety.quiet_hours[0].from"),
    ({"quiet_hours": [{"from": "08:00", "to": "08:00"}]}, "safety.quiet_hours[0].to"),
    (
        {"quiet_hours": [{"days": ["someday"], "from": "08:00", "to": "09:00"}]},
        "safety.quiet_hours[0].days[0]",
    ),
    ({"quiet_hours": [{"days": [], "from": "08:00", "to": "09:00"}]}, "safety.quiet_hours[0].days"),
    ({"quiet_hours": [{"from": "08:00", "to": "09:00", "holds": "none"}]}, "safety.quiet_hours[0].holds"),
    ({"quiet_hours": [{"from": "08:00", "to": "09:00", "at": "x"}]}, "safety.quiet_hours[0].at"),
    (
        {"quiet_hours": [{"from": "00:00", "to": "12:00"}, {"from": "12:00", "to": "00:00"}]},
        "safety.quiet_hours",
    ),
    ({"quiet_hours": [{"from": "08:00", "to": "09:00"}] * 15}, "safety.quiet_hours"),
    ({"unanswered_warning": 1001}, "safety.unanswered_warning"),
    ({"ratio_warning": -1}, "safety.ratio_warning"),
    ({"failed_warning": 2}, "safety.failed_warning"),
]


@pytest.mark.parametrize(("safety", "param"), BAD, ids=[str(row[0])[:60] for row in BAD])
async def test_bad_settings_are_refused_by_their_path(world: HubWorld, safety: Any, param: str) -> None:
    """And nothing changes."""
    refused = await world.api.patch(where(world), {"safety": safety})

    assert (refused.status, refused.code, refused.param) == (400, "invalid_parameter_value", param)
    assert (await world.api.get(where(world))).json["safety"] == {}


async def test_a_window_has_an_end(world: HubWorld) -> None:
    """What is missing is named by its path."""
    refused = await world.api.patch(where(world), {"safety": {"quiet_hours": [{"from": "08:00"}]}})

    assert (refused.code, refused.param) == ("missing_required_parameter", "safety.quiet_hours[0].to")


async def test_settings_are_the_business_of_who_may_change_lines(world: HubWorld) -> None:
    """A key for other lines, or without the scope, changes nothing."""
    body = {"safety": {"messages_per_day": 1}}

    reader = await world.caller("lines:read", "messages:write")
    assert (await reader.patch(where(world), body)).code == "insufficient_scope"
    other = await world.caller("lines:write", lines=(world.sandbox_line,))
    assert (await other.patch(f"/v1/lines/{line_id(world.other_line)}", body)).code == "line_not_accessible"


async def test_a_budget_that_is_used_up_is_told_with_its_figures(world: HubWorld) -> None:
    """429, Retry-After, and what was used; answers and known chats go on."""
    await world.say("Hi")
    await setting(world, new_conversations_per_day=1, time_zone="Asia/Kolkata")
    assert (await send(world, "+15550100011")).status == 201

    refused = await send(world, "+15550100012")

    error = refused.json["error"]
    assert (refused.status, error["code"], error["type"], error["param"]) == (
        429, "new_conversation_limit_reached", "rate_limit_error", "from",
    )  # fmt: skip
    wait = int(refused.headers["retry-after"])
    resets_at = error["limit"].pop("resets_at")
    assert error["limit"] == {"limit": 1, "used": 1, "period": "day"}
    assert 0 < resets_at - world.clock.now_ms() <= wait * 1000 <= 86_400_000
    assert (await send(world, "+15550100011")).status == 201
    assert (await send(world, CONTACT)).status == 201
    world.clock.advance(wait * 1000)
    assert (await send(world, "+15550100012")).status == 201


async def test_a_day_of_messages_ends(world: HubWorld) -> None:
    """And its code says so."""
    await setting(world, messages_per_day=2)

    answers = [await send(world, CONTACT) for _ in range(3)]

    assert [answer.status for answer in answers] == [201, 201, 429]
    assert answers[2].code == "message_limit_reached"


async def test_no_more_than_the_budget_goes_out_at_once(world: HubWorld) -> None:
    """Of thirty strangers at the same moment."""
    await setting(world, new_conversations_per_hour=7)

    answers = await asyncio.gather(*(send(world, f"+155501001{number:02}") for number in range(30)))

    assert [answer.status for answer in answers].count(201) == 7
    assert {answer.code for answer in answers if answer.status != 201} == {"new_conversation_limit_reached"}


async def test_a_repeat_counts_once(world: HubWorld) -> None:
    """An idempotency key that comes again is neither counted nor refused."""
    await setting(world, messages_per_day=1)
    key = {"Idempotency-Key": "k"}
    body = {"from": SANDBOX_LINE, "to": CONTACT, "text": "Hi"}

    answers = [await world.api.post("/v1/messages", body, headers=key) for _ in range(3)]

    assert [answer.status for answer in answers] == [201, 201, 201]
    assert (await send(world, CONTACT)).code == "message_limit_reached"


async def test_health_tells_state_figures_and_budgets(world: HubWorld) -> None:
    """As the last look found them; budgets as they are now."""
    await setting(world, new_conversations_per_day=9, new_conversations_per_hour=4, messages_per_day=50)
    await send(world, "+15550100011")
    await world.observe(
        world.sandbox_line,
        contacts.line_status(SANDBOX_LINE, "degraded", at=world.clock.now_ms(), reason="Slow"),
    )
    before = (await world.api.get(f"{where(world)}/health")).json
    assert (before["looked_at"], before["state"]) == (None, "active")

    line = (await world.directory.refresh()).lines_by_id[world.sandbox_line.id]
    await world.line_health.look_after(line)
    world.clock.advance(61_000)
    await world.line_health.look_after(line)
    shown = (await world.api.get(f"{where(world)}/health")).json

    assert (shown["state"], shown["reason"]) == ("limited", "bridge_degraded")
    assert [each["code"] for each in shown["warnings"]] == ["bridge_degraded"]
    assert shown["bridge"] == {"status": "degraded", "reason": "Slow"}
    assert shown["today"]["new_conversations"] == 1
    assert [(each["of"], each["period"], each["limit"], each["used"]) for each in shown["budgets"]] == [
        ("messages", "day", 50, 1),
        ("new_conversations", "day", 9, 1),
        ("new_conversations", "hour", 4, 1),
    ]
    assert (await world.api.get(where(world))).json["status"] == "degraded"


async def test_health_belongs_to_who_may_read_the_line(world: HubWorld) -> None:
    """404 and 403 as for the line itself."""
    assert (await world.api.get("/v1/lines/ln_0000000000000/health")).code == "line_not_found"
    mine = await world.caller("lines:read", lines=(world.sandbox_line,))
    other = f"/v1/lines/{line_id(world.other_line)}/health"
    assert (await mine.get(other)).code == "line_not_accessible"
    assert (await mine.get(f"{where(world)}/health")).status == 200
    assert (await (await world.caller("messages:read")).get(other)).code == "insufficient_scope"


async def test_deep_links_let_a_contact_write_first(world: HubWorld) -> None:
    """With a QR code that is a drawing and nothing else."""
    answered = await world.api.get(f"/v1/deep-links?from={quote(OTHER_LINE)}&text=Hello%20%26%20bye")

    shown = answered.json
    assert shown["sms"] == f"sms:{OTHER_LINE}?body=Hello%20%26%20bye"
    assert shown["sms_ios"] == f"sms:{OTHER_LINE}&body=Hello%20%26%20bye"
    assert shown["imessage"] == f"imessage:{OTHER_LINE}&body=Hello%20%26%20bye"
    assert (shown["whatsapp"], shown["qr_text"]) == (None, f"SMSTO:{OTHER_LINE}:Hello & bye")
    drawing = ET.fromstring(shown["qr"])
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    assert {element.tag.partition("}")[2] for element in drawing.iter()} == {"svg", "g", "path"}


@pytest.mark.parametrize(
    ("query", "code", "param"),
    [
        ("", "missing_required_parameter", "from"),
        ("?from=nobody", "line_not_found", "from"),
        (f"?from={quote(SANDBOX_LINE)}&text={'x' * 501}", "invalid_parameter_value", "text"),
        (f"?from={quote(SANDBOX_LINE)}&colour=red", "invalid_parameter_value", "colour"),
    ],
)
async def test_bad_links(world: HubWorld, query: str, code: str, param: str) -> None:
    """Each names the parameter."""
    answered = await world.api.get(f"/v1/deep-links{query}")

    assert (answered.code, answered.param) == (code, param)


async def test_words_that_no_code_can_hold_are_refused(world: HubWorld) -> None:
    """Percent-encoded, five hundred emoji are too much for an Apple ID's code; a number's takes them."""
    bridge = (await world.api.get(where(world))).json["bridge_id"]
    await world.api.post("/v1/lines", {"bridge_id": bridge, "handle": "shop@example.com"})
    text = quote("👋" * 500)

    refused = await world.api.get(f"/v1/deep-links?from=shop@example.com&text={text}")

    assert (refused.code, refused.param) == ("invalid_parameter_value", "text")
    assert (await world.api.get(f"/v1/deep-links?from={quote(SANDBOX_LINE)}&text={text}")).status == 200
