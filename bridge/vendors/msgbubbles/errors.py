"""The vendor's words of refusal as codes of ours (contracts: msgbubbles §6)."""

from __future__ import annotations

from typing import Final

from bridge.http_api import Answer, accepted
from bridge.vendors.verdicts import BY_STATUS, Fault, Faults
from hub.model.outbox import OperationOutcome

FAULTS: Final = Faults(
    title="MsgBubbles",
    known={
        "conflict": Fault(
            "not_applicable",
            "The message is an SMS, or not sent or delivered yet; or the contact does not want it.",
        ),
        "device_offline": Fault("line_offline", "The number is offline at MsgBubbles."),
        "forbidden": Fault("account_suspended", "The account is not active."),
        "invalid_attachments": Fault("file_refused", "MsgBubbles does not know the file any more."),
        "invalid_from_handle": Fault("line_not_at_network", "The account has no such number."),
        "invalid_handle": Fault("invalid_number", "It is neither a number in E.164 form nor a mail address."),
        "not_a_group": Fault("not_a_group", "It is no group, or none that is known."),
        "unavailable": Fault("network_error", "MsgBubbles cannot do it now."),
    },
    by_status=BY_STATUS,
)


def done(answer: Answer) -> OperationOutcome:
    """Read the answer to what may be asked for twice."""
    return accepted() if answer.is_good else FAULTS.verdict(answer, may_repeat=True)
