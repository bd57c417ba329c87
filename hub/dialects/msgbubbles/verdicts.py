"""What the vendor does at once and we owe to a bridge: wait for the network, and tell how it went."""

from __future__ import annotations

from typing import Final

from hub.api.sends import SendReply
from hub.dialects.msgbubbles.errors import Refused
from hub.dialects.native import Asked

#: Clients mostly give up after 30 seconds.
WAIT_SECONDS: Final = 20
_FAILED: Final = frozenset({"failed", "cancelled"})
#: Codes of networks for what is so already: to repeat it would be of no use.
_DOES_NOT_APPLY: Final = frozenset({"already_member", "not_a_member"})


def require_done(asked: Asked[SendReply], action: str) -> SendReply:
    """Give what was done.

    Args:
        asked: The answer of a native endpoint that was asked to wait.
        action: Names it in the code of a failure: `edit` → `edit_failed`.

    Raises:
        Refused: conflict or `…_failed` where the network said no; device_offline or unavailable where it said
            nothing yet.
    """
    reply = asked.content
    if reply.state == "sent":
        return reply
    if reply.state in _FAILED:
        why = reply.error.rstrip(".") if isinstance(reply.error, str) else "the network refused it"
        code = why.partition(":")[0]
        if code in _DOES_NOT_APPLY:
            raise Refused("conflict", f"The network did not do it: {why}.")
        if "offline" in code:
            raise Refused("device_offline", f"The number is offline: {why}.", retry_after=WAIT_SECONDS)
        raise Refused(f"{action}_failed", f"The network did not do it: {why}.")
    if reply.state == "pending":
        message = (
            "The number could not do it yet; it waits, and may still be done. Look before you repeat it."
        )
        raise Refused("device_offline", message, retry_after=WAIT_SECONDS)
    message = "The network has not answered yet; it may have been done. Look before you repeat it."
    raise Refused("unavailable", message, retry_after=WAIT_SECONDS)
