"""Blooio's words of refusal as codes of ours (contracts: blooio §1)."""

from __future__ import annotations

from typing import Final

from bridge.http_api import Answer, accepted
from bridge.vendors.verdicts import BY_STATUS, Fault, Faults
from hub.model.outbox import OperationOutcome

_NO_REPLY: Final = "The message that is answered cannot be answered any more, or not here."

FAULTS: Final = Faults(
    title="Blooio",
    known={
        "attachment_first_message_not_allowed": Fault(
            "words_first", "A new conversation begins with words: send a text before the first file."
        ),
        "inbound_only_no_prior_inbound": Fault(
            "contact_has_not_messaged",
            "Numbers of the Inbound plan only answer: the contact must write first.",
        ),
        "new_conversation_limit_reached": Fault(
            "new_conversation_limit_reached",
            "The shared plan's new conversations of today are used up.",
            is_passing=True,
        ),
        "outbound_limit_reached": Fault(
            "message_limit_reached", "The limit on new contacts is used up.", is_passing=True
        ),
        "reply_target_chat_mismatch": Fault("reply_refused", _NO_REPLY),
        "reply_target_device_mismatch": Fault("reply_refused", _NO_REPLY),
        "reply_target_expired": Fault("reply_refused", _NO_REPLY),
        "reply_target_invalid": Fault("reply_refused", _NO_REPLY),
        "reply_target_not_found": Fault("reply_refused", _NO_REPLY),
        "reply_target_not_supported": Fault("reply_refused", _NO_REPLY),
    },
    by_status={
        **BY_STATUS,
        402: Fault("payment_required", "The trial's messages are used up; look into Blooio's dashboard."),
        502: Fault("device_error", "Blooio's device does not answer."),
        503: Fault("line_offline", "Blooio has no active device for this number."),
    },
)


def done(answer: Answer) -> OperationOutcome:
    """Read the answer to what may be asked for twice."""
    return accepted() if answer.is_good else FAULTS.verdict(answer, may_repeat=True)
