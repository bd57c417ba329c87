"""What things are called there and here: the dialect itself, ids, statuses, events, directions.

Ids are re-spellings: a native id and nothing else stands behind each, so none is looked up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

from hub.api.calls import not_found

DIALECT_NAME: Final = "coop"
#: How its keys begin.
KEY_PREFIX: Final = "brk_live_"

SENT: Final = "msg_"
RECEIVED: Final = "rmsg_"
CONVERSATION: Final = "conv_"
BULK: Final = "bulk_"
RELAY: Final = "relay_"
AUTOMATION: Final = "auto_"
RELAY_TOKEN: Final = "rtkn_"  # noqa: S105 - how a token begins

MessageStatus = Literal["queued", "processing", "sent", "delivered", "failed", "received"]

#: Native status of a message → theirs. `unsent` is settled by whether it had arrived.
MESSAGE_STATUS: Final[Mapping[str, MessageStatus]] = {
    "cancelled": "failed",
    "delivered": "delivered",
    "failed": "failed",
    "queued": "queued",
    "read": "delivered",
    "received": "received",
    "sent": "sent",
    "unsent": "sent",
}
#: Native status of a bulk send → theirs.
BULK_STATUS: Final[Mapping[str, str]] = {
    "cancelled": "failed",
    "completed": "completed",
    "paused": "processing",
    "running": "processing",
    "scheduled": "processing",
}
#: Native status of a recipient of a bulk send → theirs.
RECIPIENT_STATUS: Final[Mapping[str, MessageStatus]] = {
    "cancelled": "failed",
    "delivered": "delivered",
    "failed": "failed",
    "queued": "queued",
    "read": "delivered",
    "sent": "sent",
    "skipped": "failed",
    "unsent": "sent",
    "waiting": "queued",
}
#: Their events → native ones.
EVENTS: Final[Mapping[str, str]] = {
    "message.delivered": "message.delivered",
    "message.failed": "message.failed",
    "message.queued": "message.queued",
    "message.received": "message.received",
    "message.sent": "message.sent",
    "relay.offline": "line.offline",
    "relay.online": "line.online",
}
EVENT_NAMES: Final[Mapping[str, str]] = {native: theirs for theirs, native in EVENTS.items()}
DIRECTIONS: Final[Mapping[str, str]] = {"received": "inbound", "sent": "outbound"}

#: What follows the prefix of an id of ours.
_BODY: Final = re.compile(r"[0-9a-z]{13}", re.ASCII)
_NATIVE: Final[Mapping[str, str]] = {
    SENT: "msg_",
    RECEIVED: "msg_",
    CONVERSATION: "cht_",
    BULK: "blk_",
    RELAY: "brg_",
    AUTOMATION: "route_",
}


def spelled(prefix: str, native_id: str) -> str:
    """Give a native id as it is called there."""
    return prefix + native_id.partition("_")[2]


def message_id(native_id: str, *, is_from_me: bool) -> str:
    """Give a message's id: those that came in begin otherwise."""
    return spelled(SENT if is_from_me else RECEIVED, native_id)


def native_id(prefix: str, text: str, noun: str) -> str:
    """Read an id.

    Raises:
        InvalidRequest: `{noun}_not_found`, for what cannot be an id of this kind.
    """
    body = text.removeprefix(prefix)
    if body == text or _BODY.fullmatch(body) is None:
        raise not_found(noun)
    return _NATIVE[prefix] + body


def native_address(to: str) -> str:
    """Read where a message goes: a conversation may be named by its id, the rest is native."""
    body = to.removeprefix(CONVERSATION)
    return _NATIVE[CONVERSATION] + body if body != to and _BODY.fullmatch(body) else to


def handle_in_query(text: str) -> str:
    """Put back the `+` of a number that came in as a blank, because it was not percent-encoded."""
    return f"+{text[1:]}" if text.startswith(" ") else text
