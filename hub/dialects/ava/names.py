"""What things are called there and here: the dialect itself, fields, statuses, numbers and ids."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

from hub.model.errors import InvalidRequest

DIALECT_NAME: Final = "ava"
#: Our choice: the vendor tells of no form.
KEY_PREFIX: Final = "ava_live_"

MessageStatus = Literal["queued", "sent", "delivered", "failed", "received"]

#: Native status of a message → theirs.
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
#: Native fields → theirs.
FIELDS: Final[Mapping[str, str]] = {"text": "message", "to": "phone"}

_DRAFT: Final = "msg_ai_"
_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
#: Somebody who writes from a mail address is shown under it, so it must do for an answer.
_MAIL: Final = re.compile(r"[^@\s,/]+@[^@\s,/]+")


def draft_id(native_id: str) -> str:
    """Give a draft's id as it is called there: `gen_…` → `msg_ai_…`."""
    return _DRAFT + native_id.partition("_")[2]


def read_phone(text: str) -> str:
    """Read a number or a mail address; in a query a `+` may have come in as a blank, because it was not encoded.

    Raises:
        InvalidRequest: It is no number in E.164, and no mail address.
    """
    phone = f"+{text[1:]}" if text.startswith(" ") else text
    if not (_PHONE.fullmatch(phone) or _MAIL.fullmatch(phone)):
        message = "'phone' must be a phone number in E.164 format, such as +1234567890, or a mail address."
        raise InvalidRequest("invalid_parameter_value", message, param="phone")
    return phone
