"""Every operation needs capabilities that exist, and nothing needs one that it does not use."""

from __future__ import annotations

import pytest

from hub.model.capability import CAPABILITIES
from hub.model.outbox import OperationKind
from hub.rules.capabilities import Payload, missing_of, needs_of

#: What is told or allowed without being asked for: no operation needs it.
NEVER_NEEDED = {
    "delivered", "focus", "history", "idempotent_send", "react_many", "read_in", "sms_fallback",
    "typing_in", "whatsapp",
}  # fmt: skip

CASES: tuple[tuple[OperationKind, Payload, set[str]], ...] = (
    (OperationKind.BACKGROUND, {"file_id": "file_1"}, {"background"}),
    (OperationKind.CHECK, {"handle": "+15550100001"}, {"availability"}),
    (OperationKind.CONTACT_CARD, {}, {"contact_card"}),
    (OperationKind.CONTACT_CARD, {"action": "share"}, {"contact_card"}),
    (OperationKind.CONTACT_CARD, {"action": "set"}, {"contact_card", "contact_card_own"}),
    (OperationKind.CONTACT_CARD, {"action": "read"}, {"contact_card", "contact_card_own"}),
    (OperationKind.EDIT, {"text": "better"}, {"edit"}),
    (OperationKind.FACETIME, {}, {"facetime"}),
    (OperationKind.GROUP_ADD, {}, {"group_members"}),
    (OperationKind.GROUP_CREATE, {"name": "Trip"}, {"group_create", "group_empty"}),
    (OperationKind.GROUP_CREATE, {"text": "hi"}, {"group_create", "text"}),
    (OperationKind.GROUP_ICON, {}, {"group_icon"}),
    (OperationKind.GROUP_LEAVE, {}, {"group_leave"}),
    (OperationKind.GROUP_REMOVE, {}, {"group_members"}),
    (OperationKind.GROUP_RENAME, {}, {"group_rename"}),
    (OperationKind.LOCATION, {}, {"location"}),
    (OperationKind.POLL, {}, {"polls"}),
    (OperationKind.REACT, {"type": "love"}, {"react_std"}),
    (OperationKind.REACT, {"type": "love", "remove": True}, {"react_std"}),
    (OperationKind.REACT, {"type": "🎉"}, {"react_emoji"}),
    (OperationKind.READ, {}, {"read_out"}),
    (OperationKind.SEND, {"text": "hi"}, {"text"}),
    (OperationKind.SEND, {"text": "hi", "allow_sms_fallback": True}, {"text"}),
    (OperationKind.SEND, {"text": "", "attachments": ["file_1"]}, {"attachments"}),
    (OperationKind.SEND, {"attachments": ["file_1"], "voice_memo": True}, {"audio"}),
    (OperationKind.SEND, {"audio_message": "file_1"}, {"audio"}),
    (OperationKind.SEND, {"text": "hi", "reply_to_guid": "G"}, {"text", "reply"}),
    (OperationKind.SEND, {"text": "hi", "effect": "confetti", "subject": "S"}, {"text", "effects", "subject"}),
    (OperationKind.SEND, {"template": {"name": "shipped", "language": "en"}}, {"templates"}),
    (OperationKind.SEND, {"text": "https://a.example", "link_preview": {"title": "A"}}, {"text", "link_preview"}),
    (
        OperationKind.SEND,
        {"parts": [{"type": "text", "text": "hi", "mention": "+1"}, {"type": "attachment"}, {"type": "link"}]},
        {"text", "mentions", "attachments", "link_preview"},
    ),
    (OperationKind.TYPING, {}, {"typing_out"}),
    (OperationKind.UNREAD, {}, {"unread_out"}),
    (OperationKind.UNSEND, {}, {"unsend"}),
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "payload", "needs"),
    CASES,
    ids=lambda each: str(sorted(each) if isinstance(each, set) else each)[:40],
)
def test_an_operation_needs_what_it_says(kind: OperationKind, payload: Payload, needs: set[str]) -> None:
    assert needs_of(kind, payload) == needs


def test_every_operation_has_a_case() -> None:
    assert {kind for kind, _, _ in CASES} == set(OperationKind)


def test_every_capability_is_needed_or_says_why_not() -> None:
    needed = set().union(*(needs for _, _, needs in CASES))

    assert needed | NEVER_NEEDED == set(CAPABILITIES)
    assert not needed & NEVER_NEEDED


def test_what_is_missing_is_named_in_order() -> None:
    assert missing_of({"text", "edit", "audio"}, {"text"}) == ("audio", "edit")
