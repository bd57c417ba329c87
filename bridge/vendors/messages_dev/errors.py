"""The vendor's words of refusal as codes of ours (contracts: messages.dev §5)."""

from __future__ import annotations

from typing import Final

from bridge.vendors.verdicts import BY_STATUS, Fault, Faults

_NOT_HERE: Final = "The API key may not use this line."

FAULTS: Final = Faults(
    title="messages.dev",
    known={
        "advanced_features_required": Fault("not_on_this_line", "The line's network cannot do this."),
        "contact_has_not_messaged": Fault(
            "contact_has_not_messaged", "The contact must write to the line first, once."
        ),
        "insufficient_scope": Fault(
            "forbidden", "The API key lacks a scope; make one with all that you use."
        ),
        "line_not_accessible": Fault("line_not_at_network", _NOT_HERE),
        "line_not_found": Fault("line_not_at_network", "The account has no such line."),
        "sandbox_contact_mismatch": Fault("sandbox_only", "The sandbox writes to its paired phone only."),
        "sandbox_not_activated": Fault("sandbox_only", "Pair a phone with the sandbox first."),
        "sandbox_quota_exceeded": Fault(
            "message_limit_reached", "The sandbox's messages of today are used up.", is_passing=True
        ),
    },
    by_status=BY_STATUS,
)
