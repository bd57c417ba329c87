"""What Meta is asked for, and what its answers mean."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.whatsapp.bridge import MOST_UPLOAD_BYTES
from bridge.whatsapp.examining import examine
from hub.model.outbox import Disposition, OperationKind
from tests.bridge.networks import CONTACT, HOOK_URL, LINE
from tests.bridge.whatsapp.conftest import LOSES_ANSWER, LOSES_REQUEST, WhatsAppHarness

PICTURE = {"file_1": {"mime_type": "image/png", "filename": "a.png"}}
SONG = {"file_1": {"mime_type": "audio/mpeg"}}
WA_ID = CONTACT.removeprefix("+")


async def sent(harness: WhatsAppHarness, **payload: object) -> dict[str, Any]:
    """Give what Meta got of a send."""
    outcome = await harness.adapter.perform(harness.operation(OperationKind.SEND, **payload))
    assert outcome.disposition is Disposition.ACCEPTED, outcome
    return harness.meta.messages[outcome.provider_id or ""]


async def test_a_text_carries_its_attempt(harness: WhatsAppHarness) -> None:
    operation = harness.desk.send("see https://hub.example", reply_to_guid="wamid.PARENT")
    await harness.adapter.perform(operation)

    assert [*harness.meta.messages.values()] == [
        {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": WA_ID,
            "type": "text",
            "text": {"body": "see https://hub.example", "preview_url": True},
            "context": {"message_id": "wamid.PARENT"},
            "biz_opaque_callback_data": operation.attempt_id,
        }
    ]


@pytest.mark.parametrize(
    ("mime_type", "text", "more", "shown"),
    [
        ("image/png", "look", {}, ("image", {"caption": "look"})),
        ("video/mp4", None, {}, ("video", {})),
        ("application/pdf", "read", {}, ("document", {"caption": "read", "filename": "a.bin"})),
        ("audio/mpeg", None, {}, ("audio", {})),
        ("audio/ogg", None, {"voice_memo": True}, ("audio", {"voice": True})),
        ("image/webp", None, {}, ("sticker", {})),
    ],
)
async def test_a_file_is_brought_and_shown_as_what_it_is(
    harness: WhatsAppHarness, mime_type: str, text: str | None, more: Any, shown: tuple[str, dict[str, Any]]
) -> None:
    shown_as, content = shown
    harness.desk.files.files["file_1"] = (mime_type, b"bytes\r\n--of it")
    known = {"file_1": {"mime_type": mime_type, "filename": "a.bin"}}
    body = await sent(harness, text=text, attachments=["file_1"], files=known, **more)

    assert (body["type"], body[shown_as]) == (shown_as, {"id": "9000", **content})
    assert harness.meta.uploads == {"9000": (mime_type, b"bytes\r\n--of it")}


async def test_a_template_is_filled_in(harness: WhatsAppHarness) -> None:
    template = {
        "name": "order_shipped",
        "language": "en_US",
        "values": ["Ada", "17"],
        "header_file_id": "file_1",
        "buttons": [
            {"index": 0, "type": "url", "value": "17"},
            {"index": 1, "type": "quick_reply", "value": "stop"},
            {"index": 2, "type": "copy_code", "value": "SAVE"},
        ],
    }
    body = await sent(harness, template=template, files=PICTURE)

    assert body["template"] == {
        "name": "order_shipped",
        "language": {"code": "en_US"},
        "components": [
            {"type": "header", "parameters": [{"type": "image", "image": {"id": "9000"}}]},
            {"type": "body", "parameters": [{"type": "text", "text": "Ada"}, {"type": "text", "text": "17"}]},
            {
                "type": "button",
                "sub_type": "url",
                "index": "0",
                "parameters": [{"type": "text", "text": "17"}],
            },
            {
                "type": "button",
                "sub_type": "quick_reply",
                "index": "1",
                "parameters": [{"type": "payload", "payload": "stop"}],
            },
            {
                "type": "button",
                "sub_type": "copy_code",
                "index": "2",
                "parameters": [{"type": "coupon_code", "coupon_code": "SAVE"}],
            },
        ],
    }


async def test_blanks_with_names_keep_them(harness: WhatsAppHarness) -> None:
    template = {"name": "hi", "language": "de", "values": {"first": "Ada"}, "header_values": ["Oslo"]}
    body = await sent(harness, template=template)

    assert body["template"]["components"] == [
        {"type": "header", "parameters": [{"type": "text", "text": "Oslo"}]},
        {"type": "body", "parameters": [{"type": "text", "parameter_name": "first", "text": "Ada"}]},
    ]


@pytest.mark.parametrize(
    ("answer", "disposition", "code", "wait_ms"),
    [
        ((400, 131047), Disposition.REJECTED, "window_closed", None),
        ((400, 131026), Disposition.REJECTED, "not_reachable", None),
        ((400, 131050), Disposition.REJECTED, "contact_opted_out", None),
        ((400, 132001), Disposition.REJECTED, "template_missing", None),
        ((400, 777), Disposition.REJECTED, "whatsapp_777", None),
        ((401, 190), Disposition.REJECTED, "bad_credentials", None),
        ((429, 130429), Disposition.NOT_STARTED, "rate_limited", 10_000),
        ((400, 131056), Disposition.NOT_STARTED, "pair_rate_limited", 10_000),
        ((400, 131030), Disposition.REJECTED, "recipient_not_allowed", None),
        ((403, 200), Disposition.REJECTED, "not_permitted", None),
        ((400, 80007), Disposition.NOT_STARTED, "rate_limited", 60_000),
        ((429, 777), Disposition.NOT_STARTED, "rate_limited", 60_000),
        ((400, 1), Disposition.MAY_HAVE_COMPLETED, "network_error", None),
        ((503, 131016), Disposition.MAY_HAVE_COMPLETED, "network_error", None),
        ((500, 131000), Disposition.MAY_HAVE_COMPLETED, "network_error", None),
    ],
)
async def test_answers(
    harness: WhatsAppHarness,
    answer: tuple[int, int],
    disposition: Disposition,
    code: str,
    wait_ms: int | None,
) -> None:
    harness.meta.refuses[WA_ID] = answer
    outcome = await harness.adapter.perform(harness.desk.send())

    assert (outcome.disposition, outcome.code, outcome.retry_after_ms) == (disposition, code, wait_ms)
    assert outcome.is_retry_safe == (disposition is Disposition.NOT_STARTED)
    assert disposition is Disposition.MAY_HAVE_COMPLETED or str(answer[1]) in (outcome.detail or "")


async def test_stopping_marketing_may_be_no_opt_out(harness: WhatsAppHarness) -> None:
    harness.meta.refuses[WA_ID] = (400, 131050)
    bridge = harness.restarted(marketing_stop_opts_out=False)

    assert (await bridge.perform(harness.desk.send())).code == "marketing_stopped"


@pytest.mark.parametrize("to", [LOSES_ANSWER, LOSES_REQUEST])
async def test_a_lost_send_stays_unknown_until_a_status_tells(harness: WhatsAppHarness, to: str) -> None:
    operation = harness.desk.send(to=to)
    outcome = await harness.adapter.perform(operation)
    found = await harness.adapter.lookup(operation)

    assert outcome.disposition is found.disposition is Disposition.MAY_HAVE_COMPLETED
    for wamid in harness.meta.messages:
        [seen] = (
            await harness.hook(harness.meta.hook(statuses=[harness.meta.status(wamid, "sent")]))
        ).observations
        assert seen.message is not None
        assert (seen.message.attempt_id, seen.message.provider_id) == (operation.attempt_id, wamid)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"chat_key": "group-1", "text": "hi"}, "groups_unsupported"),
        (
            {"text": "hi", "attachments": ["file_1"], "files": {"file_1": {"mime_type": "audio/mpeg"}}},
            "one_message_only",
        ),
        (
            {
                "parts": [
                    {"type": "attachment", "file_id": "file_1"},
                    {"type": "attachment", "file_id": "file_2"},
                ]
            },
            "one_message_only",
        ),
        ({"text": "hi", "effect": "slam"}, "unsupported"),
        ({"attachments": ["file_gone"]}, "file_unavailable"),
    ],
)
async def test_what_is_not_one_message_is_refused(
    harness: WhatsAppHarness, payload: dict[str, object], code: str
) -> None:
    harness.desk.files.files["file_gone"] = None
    outcome = await harness.adapter.perform(harness.operation(OperationKind.SEND, **payload))

    assert (outcome.disposition, outcome.code) == (Disposition.REJECTED, code)
    assert harness.meta.messages == {}


@pytest.mark.parametrize(
    ("fault", "disposition", "code"),
    [
        ((500, 1), Disposition.NOT_STARTED, "upload_failed"),
        ((400, 131053), Disposition.REJECTED, "file_refused"),
        ((429, 130429), Disposition.NOT_STARTED, "rate_limited"),
    ],
)
async def test_what_fails_before_the_message_leaves_no_doubt(
    harness: WhatsAppHarness, fault: tuple[int, int], disposition: Disposition, code: str
) -> None:
    harness.meta.upload_fault = fault
    outcome = await harness.adapter.perform(harness.desk.send(attachments=["file_1"]))

    assert (outcome.disposition, outcome.code) == (disposition, code)
    assert harness.meta.messages == {}


@pytest.mark.parametrize("base", ["https://hub.example", None])
async def test_a_large_file_is_fetched_by_meta(harness: WhatsAppHarness, base: str | None) -> None:
    harness.desk.links.base = base
    harness.desk.files.sizes["file_1"] = MOST_UPLOAD_BYTES + 1
    payload = {"attachments": ["file_1"], "files": {"file_1": {"mime_type": "video/mp4"}}}
    outcome = await harness.adapter.perform(harness.operation(OperationKind.SEND, **payload))

    assert harness.meta.uploads == {}
    if base is None:
        assert outcome.code == "public_address_needed"
    else:
        [body] = harness.meta.messages.values()
        assert body["video"] == {"link": "https://hub.example/v1/files/file_1/content?signature=x"}


async def test_reactions_are_emoji_and_an_empty_one_takes_away(harness: WhatsAppHarness) -> None:
    for more in ({"type": "love"}, {"type": "🎉"}, {"type": "🎉", "remove": True}):
        await harness.adapter.perform(
            harness.operation(OperationKind.REACT, message_guid="wamid.TARGET", **more)
        )

    assert [each["reaction"] for each in harness.meta.messages.values()] == [
        {"message_id": "wamid.TARGET", "emoji": "❤️"},
        {"message_id": "wamid.TARGET", "emoji": "🎉"},
        {"message_id": "wamid.TARGET", "emoji": ""},
    ]
    statuses = [harness.meta.status(wamid, "sent") for wamid in harness.meta.messages]
    seen = (await harness.hook(harness.meta.hook(statuses=statuses))).observations
    assert [(each.kind, each.target, each.actor, each.reaction and each.reaction.type) for each in seen] == [
        ("reaction.added", "wamid.TARGET", None, "love"),
        ("reaction.added", "wamid.TARGET", None, "emoji"),
        ("reaction.removed", "wamid.TARGET", None, "emoji"),
    ]
    assert [each.reaction.emoji for each in seen if each.reaction] == ["❤️", "🎉", "🎉"]


async def test_signs_are_on_the_last_message_that_came_in(harness: WhatsAppHarness) -> None:
    for kind in (OperationKind.READ, OperationKind.TYPING):
        assert (
            await harness.adapter.perform(harness.operation(kind, state="on"))
        ).disposition is Disposition.ACCEPTED
    off = await harness.adapter.perform(harness.operation(OperationKind.TYPING, state="off"))
    bare = [
        await harness.adapter.perform(harness.desk.operation(kind))
        for kind in (OperationKind.READ, OperationKind.TYPING)
    ]

    read = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.LAST"}
    assert harness.meta.signs == [read, {**read, "typing_indicator": {"type": "text"}}]
    assert off.disposition is Disposition.ACCEPTED
    assert [(each.disposition, each.code) for each in bare] == [
        (Disposition.ACCEPTED, None),
        (Disposition.REJECTED, "nothing_received"),
    ]


async def test_a_line_without_an_id_and_a_wrong_token_say_so(harness: WhatsAppHarness) -> None:
    harness.meta.token = "another token"
    assert (await harness.adapter.perform(harness.desk.send())).code == "bad_credentials"
    assert (await harness.adapter.health())[0] == "offline"
    bridge = harness.restarted(phone_numbers={"+15550177777": "106540352242999"})

    assert (await bridge.perform(harness.desk.send())).code == "line_not_at_network"


async def test_who_hides_the_number_is_written_to_by_the_id(harness: WhatsAppHarness) -> None:
    hidden = "US.13491208655302741918"
    operation = harness.desk.send(to=hidden)
    outcome = await harness.adapter.perform(operation)

    body = harness.meta.messages[outcome.provider_id or ""]
    assert (body["recipient"], "to" in body) == (hidden, False)
    status = harness.meta.status(outcome.provider_id or "", "delivered")
    [seen] = (await harness.hook(harness.meta.hook(statuses=[status]))).observations
    assert (seen.kind, seen.chat and seen.chat.key) == ("status.delivered", f"dm:{hidden}")


@pytest.mark.parametrize("typed", ["15550100000", "+1 (555) 010-0000", LINE])
async def test_the_settings_may_spell_the_number_as_people_do(harness: WhatsAppHarness, typed: str) -> None:
    bridge = harness.restarted(phone_numbers={typed: harness.settings.phone_numbers[LINE]})
    request = harness.meta.hook(messages=[harness.meta.message("text", {"body": "hi"})])

    assert (await bridge.perform(harness.desk.send())).disposition is Disposition.ACCEPTED
    assert [each.line for each in (await harness.hook(request)).observations] == [LINE]


@pytest.mark.parametrize(
    ("callbacks", "state", "words"),
    [
        ({"application": HOOK_URL}, "ok", "Meta calls this hub."),
        ({"application": HOOK_URL, "phone_number": "https://other.example/x"}, "failed", "at other.example"),
        ({"application": HOOK_URL[:-1]}, "failed", "at hub.example"),
        ({"application": ""}, "failed", "Meta calls nobody"),
        (None, "skipped", "does not show"),
    ],
)
async def test_the_examination_sees_where_meta_calls(
    harness: WhatsAppHarness, callbacks: dict[str, str] | None, state: str, words: str
) -> None:
    """An address that was copied without its last letter is the usual reason for silence."""
    harness.meta.callbacks = callbacks
    found = (await examine(harness.settings, harness.desk.surroundings))[-1]

    assert (found.name, found.state) == ("webhook …0000", state)
    assert words in found.detail
    assert "s3cret" not in found.detail


async def test_two_numbers_with_one_id_are_a_slip(harness: WhatsAppHarness) -> None:
    one_id = harness.settings.phone_numbers[LINE]
    harness.restarted(phone_numbers={LINE: one_id, "+15550100099": one_id})
    found = {each.name: each.state for each in await examine(harness.settings, harness.desk.surroundings)}

    assert found["lines"] == "failed"


async def test_the_examination_finds_what_is_wrong(harness: WhatsAppHarness) -> None:
    well = await examine(harness.settings, harness.desk.surroundings)
    assert [each.state for each in well] == ["ok", "ok", "ok", "ok"]
    harness.meta.quality = "RED"
    harness.desk.lines.append("+15550199999")
    harness.desk.hook_url = "http://hub.lan/v1/bridge/hooks/brg_1/s3cret"
    worse = await examine(harness.settings, harness.desk.surroundings)

    assert [each.state for each in worse] == ["failed", "failed", "warning", "failed"]
    for secret in (harness.settings.access_token, harness.settings.app_secret, LINE, "s3cret"):
        assert secret not in f"{well}{worse}"
    harness.restarted(phone_numbers={"+15550177777": harness.settings.phone_numbers[LINE]})
    assert (await examine(harness.settings, harness.desk.surroundings))[-1].state == "failed"
