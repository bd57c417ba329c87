"""`reply_to` of a send: the message that is answered, checked as the vendor says (contracts: blooio §1, §3)."""

from __future__ import annotations

from typing import Any, Final

from hub.api.calls import Call
from hub.dialects.blooio.errors import Refusal
from hub.dialects.blooio.finding import chats_of
from hub.dialects.blooio.identifiers import ChatName
from hub.dialects.blooio.natives import NativeMessage
from hub.dialects.blooio.send_content import ReplyTo
from hub.dialects.native import ask
from hub.model.errors import InvalidRequest

#: A parent older than this cannot be answered.
MOST_AGE_MS: Final = 30 * 86_400_000


async def reply_target(
    call: Call[Any, Any], reply_to: ReplyTo, name: ChatName, line: str | None
) -> NativeMessage:
    """Find the message that is answered.

    Raises:
        Refusal: 400 with one of the vendor's `reply_target_…`.
    """
    text = reply_to.message_id or reply_to.guid
    if text is None or (reply_to.message_id and reply_to.guid):
        raise _refused("invalid", "'reply_to' names the message by 'message_id' or by 'guid'.")
    if reply_to.part_index:
        raise _refused("not_supported", "Only a message as a whole can be answered here: 'part_index' is 0.")
    try:
        parent = (await ask(call, "get_message", NativeMessage, path={"id": text})).content
    except InvalidRequest as error:
        if error.code not in ("message_not_found", "line_not_accessible"):
            raise
        raise _refused("not_found", "There is no such message to answer.") from None
    if not any(chat.id == parent.chat_id for chat in await chats_of(call, name)):
        raise _refused("chat_mismatch", "The message that is answered is in another chat.")
    if line is not None and parent.line_handle != line:
        raise _refused("device_mismatch", f"The message that is answered went by {parent.line_handle}.")
    if parent.at < call.now_ms - MOST_AGE_MS:
        raise _refused("expired", "The message that is answered is older than 30 days.")
    return parent


def _refused(why: str, message: str) -> Refusal:
    return Refusal(400, message, code=f"reply_target_{why}", field="reply_to")
