"""The data of every event type, held in golden files, and what the official client demands of it.

`UPDATE_GOLDEN=1` writes the files anew; read the difference before it is committed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.flow.assignments import assigned_data
from hub.flow.bulk_payloads import bulk_completed_data
from hub.flow.chat_rows import PollRow, VoteRow
from hub.flow.connection_events import ConnectionChange, connection_data
from hub.flow.event_shapes import SHAPES
from hub.flow.payloads import event_data, status_of, webhook_disabled_data, webhook_test_data
from hub.flow.poll_payloads import Tally, poll_data
from hub.flow.rows import ChatRow, SnapshotRow
from hub.flow.snapshots import chat_row, message_row, reaction_row, target_row
from hub.flow.source_intake import source_data
from hub.flow.wishes import Wish, asked_message, outbox_row, own_event
from hub.model.assignee import Assignee
from hub.model.bulk import BulkJob, BulkState
from hub.model.ids import EPOCH_MS, Prefix, id_text
from hub.model.line import Line
from hub.model.observation import (
    KeptPart,
    Observation,
    ObservedError,
    ObservedOption,
    ObservedPoll,
    ObservedReaction,
    Part,
)
from hub.model.outbox import OperationKind, attempt_id
from hub.model.webhook import Webhook
from hub.rules.event_types import SUBSCRIBABLE
from hub.rules.facts import facts_of
from hub.rules.sources.intake import SourceEvent
from tests.flow.safety_specimens import SAFETY_RENDERED
from tests.support.file_parts import file_links
from tests.support.manual_time import ManualClock
from tests.support.sightings import AT, CONTACT, GROUP, LINE_HANDLE, OTHER, a_message, seen

GOLDEN = Path(__file__).parents[1] / "golden" / "events"
NOW = AT + 40
AN_ID = (AT - EPOCH_MS) << 21
PAID = SourceEvent(
    event="checkout.session.completed",
    id="evt_1Q",
    payload={
        "id": "evt_1Q",
        "type": "checkout.session.completed",
        "data": {"object": {"amount_total": 4200}},
    },
)
LINE = Line(
    id=AN_ID,
    bridge_id=AN_ID + 1,
    handle=LINE_HANDLE,
    label="Front desk",
    service="imessage",
    is_active=True,
    is_contact_first=True,
    pace_ms=1_000,
    status="online",
    status_reason=None,
    created_at=AT,
)
WEBHOOK = Webhook(
    id=AN_ID + 2,
    line_id=None,
    url="https://receiver.example/hook",
    patterns=("message.*",),
    condition=None,
    headers=(),
    secrets=(),
    description="CRM",
    is_active=False,
    disabled_reason="failing_too_long",
    disabled_at=AT,
    failing_since=AT - 5 * 24 * 3_600_000,
    retry_schedule=None,
    timeout_ms=None,
    concurrency=None,
    rate_per_second=None,
    is_ordered=False,
    created_at=AT,
    updated_at=AT,
)
OURS: dict[str, Any] = {"is_from_me": True, "attempt_id": attempt_id(AN_ID + 9), "sent_at": AT}
PHOTO = KeptPart(
    type="attachment", ref="R", filename="a.png", mime_type="image/png", size=3, url="https://f.example/a.png",
    file_id=id_text(Prefix.FILE, AN_ID + 8),
)  # fmt: skip
LINKS = file_links(ManualClock(NOW))

POLL = ObservedPoll(
    provider_id="POLL",
    title="Lunch?",
    options=(ObservedOption(id="a", text="Soup"), ObservedOption(id="b", text="Salad")),
)
VOTE = ObservedPoll(provider_id="POLL", choices=("b",))

SEEN: dict[str, Observation] = {
    "chat.icon_changed": seen("chat.icon", chat=GROUP, actor=CONTACT),
    "chat.left": seen("chat.left", chat=GROUP, actor=OTHER),
    "chat.member_added": seen("chat.member_added", chat=GROUP, actor=CONTACT, value="+1 555 010 0002"),
    "chat.member_removed": seen("chat.member_removed", chat=GROUP, value=OTHER),
    "chat.renamed": seen("chat.renamed", chat=GROUP, actor=CONTACT, value="Holiday"),
    "line.status_changed": seen(
        "line.status", chat=None, value="offline", error=ObservedError(code="asleep", raw="The Mac sleeps.")
    ),
    "message.delivered": seen("status.delivered", message=a_message(**OURS, delivered_at=AT + 1)),
    "message.downgraded": seen("status.downgraded", message=a_message(**OURS, service="SMS")),
    "message.edited": seen("message.edited", actor=CONTACT, message=a_message(text="better", edited_at=AT)),
    "message.failed": seen("status.failed", message=a_message(**OURS, error=ObservedError(code="22"))),
    "message.read": seen("status.read", chat=GROUP, actor=OTHER, message=a_message(**OURS)),
    "message.received": seen(
        "message.received",
        actor=CONTACT,
        message=a_message(
            parts=(Part(type="text", text="Look: 👩‍👩‍👧"), PHOTO),
            is_from_me=False,
            reply_to="PARENT",
            effect="slam",
            subject="News",
        ),
    ),
    "message.sent": seen("message.sent", message=a_message(**OURS)),
    "message.unsent": seen("message.unsent", actor=CONTACT, message=a_message(text=None)),
    "reaction.added": seen(
        "reaction.added", actor=CONTACT, target="GUID", reaction=ObservedReaction(type="emoji", emoji="🎉")
    ),
    "reaction.removed": seen("reaction.removed", target="GUID", reaction=ObservedReaction(type="love")),
}  # fmt: skip


def rendered(observation: Observation) -> str:
    """Render the first fact's event as ingest does, on an empty store."""
    chat: ChatRow | None = None
    if observation.chat is not None:
        chat = chat_row(observation, chat_id=AN_ID + 3, line_id=LINE.id, now_ms=NOW)
    make = target_row if observation.reaction is not None else message_row
    message: SnapshotRow | None = make(
        observation, message_id=AN_ID + 4, line=LINE, chat_id=chat.id if chat else 0, now_ms=NOW
    )
    reaction = reaction_row(observation, reaction_id=AN_ID + 5, line=LINE, now_ms=NOW)
    fact = facts_of(observation, LINE.id)[0]
    return event_data(
        fact, observation, line=LINE, chat=chat, message=message, reaction=reaction, links=LINKS
    )


def polled(observation: Observation, *, votes: tuple[str, ...]) -> str:
    """Render the event of a poll as ingest does, with these votes."""
    row = PollRow(
        id=AN_ID + 6, line_id=LINE.id, chat_id=AN_ID + 3, guid="POLL", title="Lunch?",
        options=msgspec.json.encode(POLL.options).decode(), creator=CONTACT, is_from_me=0, outbox_id=None,
        created_at=AT, synced_at=NOW,
    )  # fmt: skip
    cast = tuple(
        VoteRow(LINE.id, "POLL", f"+1555010000{number}", text, AT) for number, text in enumerate(votes)
    )
    return poll_data(Tally(poll=row, votes=cast), observation, line=LINE)


def _renderer(observation: Observation) -> Callable[[], str]:
    return lambda: rendered(observation)


ASKED = Wish(
    kind=OperationKind.SEND,
    payload={"to": CONTACT, "text": "hello", "reply_to_guid": "PARENT", "effect": "slam", "subject": "News"},
    send_at=AT + 1_000,
    metadata='{"order":17}',
)


def asked(**changes: Any) -> str:
    """Render a message that we were asked to send."""
    item = outbox_row(ASKED, outbox_id=AN_ID + 9, line=LINE, api_key_id=None, now_ms=AT)
    message = asked_message(ASKED, item, message_id=AN_ID + 4, chat_id=AN_ID + 3)._replace(**changes)
    return own_event(
        "",
        message,
        outbox_id=item.id,
        line_handle=LINE_HANDLE,
        chat_key=f"dm:{CONTACT}",
        at_ms=AT,
        links=None,
    ).data


BULK = BulkJob(
    id=AN_ID + 11,
    line_id=LINE.id,
    api_key_id=None,
    name="April",
    state=BulkState.RUNNING,
    priority=0,
    send_at=None,
    rate_per_minute=None,
    metadata=None,
    total_count=3,
    duplicate_count=0,
    fed_count=3,
    next_feed_at=AT,
    created_at=AT,
    finished_at=None,
)


PAUSED = ConnectionChange(
    name="crm",
    connector="hubspot",
    is_paused=True,
    reason="HubSpot answered 401: the token has expired",
    paused_at=NOW,
    occurred_at=NOW,
    version=3,
)

RENDERED: dict[str, Callable[[], str]] = {
    "bulk.completed": lambda: bulk_completed_data(
        BULK, LINE, {"skipped": 1, "delivered": 2}, finished_at=NOW
    ),
    "chat.assigned": lambda: assigned_data(
        LINE,
        AN_ID + 3,
        f"dm:{CONTACT}",
        before=Assignee(user="ada"),
        now=Assignee(team="support", note="Asks for a refund"),
        at_ms=NOW,
    ),
    "connection.paused": lambda: connection_data(PAUSED),
    "connection.resumed": lambda: connection_data(
        replace(PAUSED, is_paused=False, occurred_at=PAUSED.paused_at + 60_000)
    ),
    "message.cancelled": lambda: asked(cancelled_at=AT + 7),
    "message.queued": asked,
    **{name: _renderer(observation) for name, observation in SEEN.items()},
    **SAFETY_RENDERED,
    "poll.created": lambda: polled(seen("poll.created", chat=GROUP, actor=CONTACT, poll=POLL), votes=()),
    "poll.voted": lambda: polled(seen("poll.voted", chat=GROUP, actor=OTHER, poll=VOTE), votes=('["b"]',)),
    "source.received": lambda: source_data("payments", PAID, None, now_ms=NOW),
    "webhook.disabled": lambda: webhook_disabled_data(WEBHOOK),
    "webhook.test": lambda: webhook_test_data(WEBHOOK, now_ms=NOW),
}


def data_of(observation: Observation) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(rendered(observation))
    return decoded


@pytest.mark.parametrize("event_type", sorted(SHAPES))
def test_golden(event_type: str) -> None:
    path = GOLDEN / f"{event_type}.json"
    actual = msgspec.json.format(RENDERED[event_type](), indent=2) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(actual, encoding="utf-8")

    assert path.read_text(encoding="utf-8") == actual


def test_golden_files_are_those_of_the_event_types() -> None:
    assert sorted(path.stem for path in GOLDEN.glob("*.json")) == sorted(SHAPES)
    assert sorted(SHAPES) == sorted(SUBSCRIBABLE)


@pytest.mark.parametrize(("count", "is_told"), [(100, True), (300, False)])
def test_a_large_group_is_named_without_its_members(count: int, is_told: bool) -> None:
    people = tuple(f"+1555020{number:04}" for number in range(count))
    group = msgspec.structs.replace(GROUP, participants=people)

    told = data_of(seen("message.received", chat=group, actor=CONTACT, message=a_message()))

    assert (told["chat_name"], told["participants"]) == ("Trip", list(people) if is_told else None)


@pytest.mark.parametrize("event_type", sorted(SEEN))
def test_first_fact_is_the_type_it_stands_for(event_type: str) -> None:
    assert facts_of(SEEN[event_type], LINE.id)[0].type == event_type


@pytest.mark.parametrize("event_type", ["message.received", "message.sent"])
def test_official_client_accepts_a_message(event_type: str) -> None:
    """Contracts: messages.dev §6, what SDK 0.2.1 requires."""
    data = data_of(SEEN[event_type])

    for name in ("id", "chat_id", "guid", "sender", "line_handle"):
        assert isinstance(data[name], str), name
    assert isinstance(data["attachments"], list)
    assert isinstance(data["is_from_me"], bool)
    assert isinstance(data["sent_at"], int)
    assert {"text", "is_audio_message", "reply_to_guid"} <= set(data)
    assert (data["id"][:4], data["chat_id"][:4], data["line_id"][:3]) == ("msg_", "cht_", "ln_")


@pytest.mark.parametrize("event_type", ["reaction.added", "reaction.removed"])
def test_official_client_accepts_a_reaction(event_type: str) -> None:
    data = data_of(SEEN[event_type])

    for name in ("id", "message_id", "chat_id", "type", "sender", "line_handle"):
        assert isinstance(data[name], str), name
    assert data["added"] is (event_type == "reaction.added")
    assert isinstance(data["is_from_me"], bool)
    assert isinstance(data["sent_at"], int)


def test_own_message_is_sent_by_the_line() -> None:
    assert data_of(SEEN["message.sent"])["sender"] == LINE_HANDLE


def test_voice_message_has_no_words_and_one_attachment() -> None:
    voice = Part(type="audio", filename="Audio Message.caf", mime_type="audio/x-caf", transcription="hi")

    data = data_of(seen("message.received", message=a_message(parts=(voice,))))

    assert (data["text"], data["is_audio_message"]) == (None, True)
    assert [each["transcription"] for each in data["attachments"]] == ["hi"]


def test_words_that_look_like_an_attachment_are_words() -> None:
    data = data_of(seen("message.received", message=a_message(text='"type":"attachment"')))

    assert data["attachments"] == []


def test_receipt_of_an_unseen_message_in_an_unnamed_chat_says_so() -> None:
    data = data_of(seen("status.read", chat=None, target="GUID"))

    assert (data["chat_id"], data["text"], data["sent_at"], data["status"]) == (None, None, None, "read")


def test_chat_named_by_the_observation_beats_a_row_that_knows_none() -> None:
    observation = SEEN["message.received"]
    chat = chat_row(observation, chat_id=AN_ID + 3, line_id=LINE.id, now_ms=NOW)
    message = message_row(observation, message_id=AN_ID, line=LINE, chat_id=0, now_ms=NOW)
    fact = facts_of(observation, LINE.id)[0]

    data = event_data(fact, observation, line=LINE, chat=chat, message=message, reaction=None)

    assert msgspec.json.decode(data)["chat_id"].startswith("cht_")


@pytest.mark.parametrize(
    ("is_from_me", "delivered_at", "read_at", "failed_at", "expected"),
    [
        (0, None, None, None, "received"),
        (0, None, AT, None, "received"),
        (1, None, None, None, "sent"),
        (1, None, None, AT, "failed"),
        (1, AT, None, None, "delivered"),
        (1, AT, None, AT, "delivered"),
        (1, AT, AT, None, "read"),
        (1, None, AT, AT, "read"),
    ],
)
def test_status_is_the_highest_rank_shown(
    is_from_me: int, delivered_at: int | None, read_at: int | None, failed_at: int | None, expected: str
) -> None:
    row = message_row(SEEN["message.sent"], message_id=1, line=LINE, chat_id=2, now_ms=NOW)
    assert row is not None

    row = row._replace(is_from_me=is_from_me, delivered_at=delivered_at, read_at=read_at, failed_at=failed_at)

    assert status_of(row) == expected


def test_fact_without_its_thing_is_a_mistake() -> None:
    observation = SEEN["chat.renamed"]
    fact = facts_of(observation, LINE.id)[0]

    with pytest.raises(ValueError, match=r"chat\.renamed"):
        event_data(fact, observation, line=LINE, chat=None, message=None, reaction=None)
