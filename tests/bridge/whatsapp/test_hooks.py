"""Meta's webhooks: believed only when signed, told once whatever comes how often and in which order."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.whatsapp.hooks import WhatsAppHooks
from hub.flow.bridge_kinds import HookRequest
from hub.model.errors import AttachmentGone, BridgeError
from hub.model.observation import Observation
from hub.rules.facts import facts_of
from hub.rules.refusals import validate
from tests.bridge.networks import CONTACT, HOOK_URL, LINE
from tests.bridge.whatsapp.conftest import WhatsAppHarness
from tests.bridge.whatsapp.fake_meta import VERIFY, VOICE

LINE_ID = 7
CARD = {"name": {"formatted_name": "Ada"}, "phones": [{"phone": "+1555"}]}


def keys(seen: list[Observation]) -> set[bytes]:
    return {fact.dedupe_key for each in seen for fact in facts_of(each, LINE_ID)}


def handshake(**query: str) -> HookRequest:
    asked = [(f"hub.{name}", value) for name, value in query.items()]
    return HookRequest(method="GET", url=HOOK_URL, query=asked, headers={}, body=b"")


@pytest.mark.parametrize(
    ("query", "status", "body"),
    [
        ({"mode": "subscribe", "verify_token": VERIFY, "challenge": "1158201444"}, 200, b"1158201444"),
        ({"mode": "subscribe", "verify_token": "another", "challenge": "1158201444"}, 403, b""),
        ({"mode": "subscribe", "challenge": "1158201444"}, 403, b""),
        ({"mode": "unsubscribe", "verify_token": VERIFY, "challenge": "1"}, 403, b""),
        ({"mode": "subscribe", "verify_token": VERIFY, "challenge": "x" * 300}, 403, b""),
        ({}, 403, b""),
    ],
)
async def test_the_handshake(
    harness: WhatsAppHarness, query: dict[str, str], status: int, body: bytes
) -> None:
    reply = await harness.hook(handshake(**query))

    assert (reply.status, reply.body, reply.observations) == (status, body, ())


@pytest.mark.parametrize(
    ("kind", "content", "more", "parts"),
    [
        ("text", {"body": "hi"}, {}, [("text", "hi")]),
        ("image", {"id": "77", "caption": "look"}, {}, [("attachment", None), ("text", "look")]),
        ("audio", {"id": "77", "mime_type": "audio/ogg; codecs=opus", "voice": True}, {}, [("audio", None)]),
        ("document", {"id": "77", "filename": "a.pdf"}, {}, [("attachment", None)]),
        ("sticker", {"id": "77"}, {}, [("sticker", None)]),
        ("location", {"latitude": 59.9, "longitude": 10.7, "name": "Oslo"}, {}, [("text", "Oslo\n59.9, 10.7")]),
        ("contacts", [CARD], {}, [("text", "Ada +1555")]),
        ("interactive", {"type": "button_reply", "button_reply": {"id": "1", "title": "Yes"}}, {}, [("text", "Yes")]),
        ("button", {"text": "Stop", "payload": "p"}, {}, [("text", "Stop")]),
        ("order", {"product_items": [{"quantity": 2, "product_retailer_id": "tea"}]}, {}, [("text", "2 x tea")]),
        ("unsupported", None, {"errors": [{"code": 131051}]}, []),
        ("hologram", {"id": "77"}, {}, []),
    ],
)  # fmt: skip
async def test_what_a_contact_writes(
    harness: WhatsAppHarness,
    kind: str,
    content: object,
    more: dict[str, Any],
    parts: list[tuple[str, str | None]],
) -> None:
    """What nobody can show is a message all the same: the contact has written."""
    message = harness.meta.message(kind, content, context={"id": "wamid.PARENT"}, **more)
    [seen] = (await harness.hook(harness.meta.hook(messages=[message]))).observations

    assert seen.message is not None
    assert (seen.kind, seen.line, seen.actor, seen.at) == (
        "message.received", LINE, CONTACT, harness.desk.clock.now_ms(),
    )  # fmt: skip
    assert [(part.type, part.text) for part in seen.message.parts] == parts
    assert seen.message.reply_to == "wamid.PARENT"


async def test_who_hides_the_number_and_who_writes_in_a_group(harness: WhatsAppHarness) -> None:
    hidden = harness.meta.message("text", {"body": "hi"}, sender="", user_id="US.13491208655302741918")
    grouped = harness.meta.message("text", {"body": "ho"}, group_id="Y2FwaV9ncm91cDo")
    seen = (await harness.hook(harness.meta.hook(messages=[hidden, grouped]))).observations

    assert [(each.chat.key, each.chat.is_group, each.actor) for each in seen if each.chat] == [
        ("dm:US.13491208655302741918", False, "US.13491208655302741918"),
        ("Y2FwaV9ncm91cDo", True, CONTACT),
    ]


async def test_reactions_edits_and_unsends_name_their_message(harness: WhatsAppHarness) -> None:
    new = {"type": "text", "text": {"body": "new"}}
    messages = [
        harness.meta.message("reaction", {"message_id": "wamid.A", "emoji": "👍"}),
        harness.meta.message("reaction", {"message_id": "wamid.A", "emoji": ""}, id="wamid.B"),
        harness.meta.message("edit", {"original_message_id": "wamid.C", "message": new}),
        harness.meta.message("revoke", {"original_message_id": "wamid.C"}),
    ]  # fmt: skip
    seen = (await harness.hook(harness.meta.hook(messages=messages))).observations

    assert [(each.kind, each.target or (each.message and each.message.provider_id)) for each in seen] == [
        ("reaction.added", "wamid.A"),
        ("reaction.removed", "wamid.A"),
        ("message.edited", "wamid.C"),
        ("message.unsent", "wamid.C"),
    ]


async def test_what_was_written_on_the_phone_is_ours(harness: WhatsAppHarness) -> None:
    """A number that is used in the app, too (coexistence): its messages are told as those of another device."""
    to = {"from": "15550100000", "to": "15550100001"}
    new = {"type": "text", "text": {"body": "new"}}
    echoes = [
        harness.meta.message("text", {"body": "by hand"}, **to, id="wamid.A"),
        harness.meta.message("image", {"id": "77"}, to="", to_user_id="US.99", id="wamid.B"),
        harness.meta.message("reaction", {"message_id": "wamid.C", "emoji": "👍"}, **to, id="wamid.D"),
        harness.meta.message("edit", {"original_message_id": "wamid.A", "message": new}, **to),
        harness.meta.message("revoke", {"original_message_id": "wamid.A"}, **to),
    ]
    request = harness.meta.hook(change="smb_message_echoes", message_echoes=echoes)
    seen = (await harness.hook(request)).observations

    assert [(each.kind, each.chat and each.chat.key, each.actor) for each in seen] == [
        ("message.sent", f"dm:{CONTACT}", None),
        ("message.sent", "dm:US.99", None),
        ("reaction.added", f"dm:{CONTACT}", None),
        ("message.edited", f"dm:{CONTACT}", None),
        ("message.unsent", f"dm:{CONTACT}", None),
    ]
    assert [each.message.is_from_me for each in seen if each.message] == [True] * 4
    assert [fact.type for each in seen for fact in facts_of(each, LINE_ID)] == [each.kind for each in seen]


@pytest.mark.parametrize(
    ("named", "key"),
    [
        ({"from": "15550100001", "from_user_id": "US.99"}, f"dm:{CONTACT}"),
        ({"from": "", "from_user_id": "US.99"}, "dm:US.99"),
        ({"from": None}, "dm:US.77"),
    ],
)
async def test_a_number_goes_before_an_id_and_both_before_the_change(
    harness: WhatsAppHarness, named: dict[str, Any], key: str
) -> None:
    message = {**harness.meta.message("text", {"body": "hi"}), **named}
    contacts = [{"profile": {"name": "Ada"}, "user_id": "US.77"}]
    [seen] = (await harness.hook(harness.meta.hook(messages=[message], contacts=contacts))).observations

    assert seen.chat is not None
    assert seen.chat.key == key


async def test_an_opened_chat_is_no_message_and_an_error_is_told(harness: WhatsAppHarness) -> None:
    opened = harness.meta.message("request_welcome", None)
    errors = [{"code": 130429, "title": "Rate limit hit"}]
    reply = await harness.hook(harness.meta.hook(messages=[opened], errors=errors))

    assert reply.observations == ()
    assert reply.reason == (
        "Passed over: 1: Meta tells of an error (130429: Too many messages a second from this number. "
        "(Rate limit hit)), 1: a message of type 'request_welcome'."
    )


@pytest.mark.parametrize(
    ("is_opt_out", "code", "kinds"),
    [
        (True, "contact_opted_out", ["status.failed", "contact.opted_out"]),
        (False, "marketing_stopped", ["status.failed"]),
    ],
)
async def test_a_failure_for_an_opt_out_tells_it(
    harness: WhatsAppHarness, is_opt_out: bool, code: str, kinds: list[str]
) -> None:
    bridge = harness.restarted(marketing_stop_opts_out=is_opt_out)
    wamid = (await bridge.perform(harness.desk.send())).provider_id or ""
    status = harness.meta.status(wamid, "failed", error=131050)
    seen = (await harness.hook(harness.meta.hook(statuses=[status]))).observations

    assert [each.kind for each in seen] == kinds
    assert seen[0].error is not None
    assert seen[0].error.code == code


@pytest.mark.parametrize(("value", "kind"), [("stop", "contact.opted_out"), ("resume", "contact.opted_in")])
async def test_preferences_about_marketing(harness: WhatsAppHarness, value: str, kind: str) -> None:
    preference = {
        "wa_id": "15550100001",
        "detail": "User requested to stop marketing messages",
        "category": "marketing_messages",
        "value": value,
        "timestamp": str(harness.desk.clock.now_ms() // 1000),
    }
    request = harness.meta.hook(change="user_preferences", user_preferences=[preference])
    [seen] = (await harness.hook(request)).observations

    assert (seen.kind, seen.chat and seen.chat.key) == (kind, f"dm:{CONTACT}")
    harness.restarted(marketing_stop_opts_out=False)
    assert (await harness.hook(request)).observations == ()


async def test_what_is_not_signed_is_not_believed(harness: WhatsAppHarness) -> None:
    request = harness.meta.hook(messages=[harness.meta.message("text", {"body": "hi"})])
    body: dict[str, list[object]] = {"entry": []}
    forged = [
        replace(request, body=request.body + b" "),
        replace(request, headers={}),
        replace(request, headers={"x-hub-signature-256": "sha256=00"}),
        replace(request, headers={"x-hub-signature-256": "\u20ac"}),
        replace(request, headers={"x-hub-signature-256": request.headers["x-hub-signature-256"][7:]}),
        harness.meta.signed(body, secret="another-secret"),
    ]

    for each in forged:
        reply = await harness.hook(each)
        assert (reply.status, reply.observations) == (401, ())
        assert (reply.reason or "").endswith(
            "Is app_secret the app's secret (App settings, Basic), and not a token?"
        )
    assert (await harness.hook(request)).observations
    assert (await harness.hook(replace(request, method="PUT"))).status == 405
    assert (await harness.hook(replace(request, body=b"x" * 5_000_000))).status == 413


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b"null", b"{}", b'{"entry":7}', b'{"entry":[7,null,{"changes":"x"}]}', b'{"a":' * 5000,
     b'{"entry":[{"changes":[{"field":"account_update","value":{}}]}]}'],
)  # fmt: skip
async def test_what_is_signed_and_of_no_use_is_passed_over(harness: WhatsAppHarness, body: bytes) -> None:
    reply = await harness.hook(harness.meta.signed(body))

    assert (reply.status, reply.observations) == (200, ())
    assert "Passed over" in (reply.reason or "")


async def test_a_batch_is_read_as_far_as_it_can_be(harness: WhatsAppHarness) -> None:
    """One thing that cannot be read costs only itself; other numbers of the app are others' business."""
    good = [harness.meta.message("text", {"body": str(n)}, id=f"wamid.{n}") for n in range(3)]
    messages = [good[0], None, {"type": "text"}, {**good[1], "type": "system"}, good[1], good[2]]
    reply = await harness.hook(harness.meta.hook(messages=messages))
    foreign = await harness.hook(harness.meta.hook(number_id="1065999", messages=good))

    assert len(reply.observations) == 3
    assert (
        reply.reason == "Passed over: 1: a message of type 'system', 2: a message without an id or a sender."
    )
    assert (foreign.observations, foreign.status) == ((), 200)


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
_TYPES = [
    "audio",
    "button",
    "contacts",
    "edit",
    "image",
    "interactive",
    "location",
    "order",
    "reaction",
    "revoke",
    "text",
]
_THINGS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            [*_TYPES, "context", "errors", "biz_opaque_callback_data", "timestamp", "group_id"], _JSON
        ),
        "id": _JSON | st.just("wamid.1"),
        "from": _JSON | st.just("15550100001"),
        "recipient_id": _JSON | st.just("15550100001"),
        "status": st.sampled_from(["sent", "failed", "read", "warped"]) | _JSON,
        "type": st.sampled_from(_TYPES) | _JSON,
        "to": _JSON | st.just("15550100001"),
        "value": st.sampled_from(["stop", "resume"]) | _JSON,
        "wa_id": _JSON | st.just("15550100001"),
    },
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    messages=st.lists(_THINGS | _JSON, max_size=4),
    statuses=st.lists(_THINGS, max_size=4),
    preferences=st.lists(_THINGS, max_size=2) | _JSON,
    others=st.dictionaries(
        st.sampled_from(["contacts", "errors", "message_echoes"]), st.lists(_THINGS | _JSON)
    ),
)
async def test_whatever_is_signed_never_raises_and_can_be_taken_in(
    harness: WhatsAppHarness, messages: Any, statuses: Any, preferences: Any, others: Any
) -> None:
    request = harness.meta.hook(messages=messages, statuses=statuses, user_preferences=preferences, **others)
    reply = await harness.hook(request)

    assert reply.status == 200
    assert reply.observations or reply.reason
    now_ms = harness.desk.clock.now_ms()
    assert [validate(each, now_ms=now_ms) for each in reply.observations] == [None] * len(reply.observations)


async def test_any_order_and_number_of_webhooks_tells_the_same(harness: WhatsAppHarness) -> None:
    """Batched anew, twice, in any order; and what is read has been delivered, though nobody told that."""
    things: list[tuple[str, dict[str, Any]]] = [("messages", harness.meta.message("text", {"body": "hi"}))]
    things.append(("messages", harness.meta.message("reaction", {"message_id": "wamid.A", "emoji": "👍"})))
    for words in (("sent", "delivered", "read"), ("sent", "failed")):
        wamid = (await harness.adapter.perform(harness.desk.send())).provider_id or ""
        things += [
            ("statuses", harness.meta.status(wamid, word, error=131026 if word == "failed" else None))
            for word in words
        ]

    async def told(order: list[tuple[str, dict[str, Any]]], size: int) -> list[Observation]:
        seen: list[Observation] = []
        for start in range(0, len(order), size):
            batch = order[start : start + size]
            messages, statuses = (
                [each for kind, each in batch if kind == name] for name in ("messages", "statuses")
            )
            request = harness.meta.hook(messages=messages, statuses=statuses)
            seen += (await harness.hook(request)).observations
        return seen

    whole = keys(await told(things, 1))
    assert len(whole) == 7
    for seed in range(20):
        order = things * 2
        random.Random(seed).shuffle(order)
        assert keys(await told(order, seed % 4 + 1)) == whole
    without = [each for each in things if each[1].get("status") != "delivered"]
    assert keys(await told(without, 2)) == whole


async def test_a_voice_message_is_fetched_at_an_address_of_five_minutes(harness: WhatsAppHarness) -> None:
    pieces = [piece async for piece in harness.adapter.open_attachment("4490709327384033")]

    assert b"".join(pieces) == VOICE


@pytest.mark.parametrize("ref", ["1", "../me", "https://evil.example/x", "x" * 200])
async def test_a_file_that_is_not_there_is_gone(harness: WhatsAppHarness, ref: str) -> None:
    with pytest.raises(AttachmentGone):
        await anext(harness.adapter.open_attachment(ref))


@pytest.mark.parametrize(
    "url", ["https://evil.example/voice", "https://evilfbsbx.com/x", "file:///etc/passwd", ""]
)
async def test_the_token_is_shown_to_nobody_else(harness: WhatsAppHarness, url: str) -> None:
    harness.meta.file_url = url or "nowhere"
    with pytest.raises(BridgeError):
        await anext(harness.adapter.open_attachment("4490709327384033"))


async def test_nothing_is_told_without_webhooks_and_nothing_spins(harness: WhatsAppHarness) -> None:
    assert await harness.desk.listen(harness.adapter, rounds=3) == []
    assert harness.desk.waited == [3600.0] * 3


async def test_a_request_of_thousands_is_bounded(harness: WhatsAppHarness) -> None:
    messages = [harness.meta.message("text", {"body": "x"}, id=f"wamid.{n}") for n in range(3_100)]
    hooks = WhatsAppHooks(harness.settings, harness.desk.surroundings)
    reply = await hooks.receive(harness.meta.hook(messages=messages))

    assert len(reply.observations) == 3_000
    assert "100: more than is read at once" in (reply.reason or "")
