"""Who a send is for: a phone number, an Apple ID, a group or a chat of the line; and which message it answers.

Contact-first (contracts: messages.dev §4): such a line may write only where somebody has written to it before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hub.flow.adoption import is_placeholder
from hub.flow.message_pages import MessageFilter
from hub.flow.payloads import status_of
from hub.flow.repositories import Chat, Store
from hub.flow.rows import MessageRow
from hub.model.errors import InvalidRequest
from hub.model.ids import InvalidId, Prefix, parse_id
from hub.model.line import Line
from hub.rules.chatkeys import direct_chat_key, handle_of, normalize_chat_key, normalize_handle

_PHONE = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_APPLE_ID = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")

#: Messages that are looked through for the last one that came in.
_MOST_LOOKED_AT = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """The other side of a send."""

    chat_key: str
    #: None while nothing was ever said there.
    chat: Chat | None


async def find_recipient(store: Store, line: Line, to: str) -> Recipient:
    """Read `to`: a person, a chat by its id, or a group of the line by its network's id.

    Raises:
        InvalidRequest: invalid_parameter_value for what is none of these, chat_not_found for an unknown `cht_`.
    """
    if to.startswith("cht_"):
        chat = await _chat(store, line, to)
        return Recipient(chat_key=chat.chat_key, chat=chat)
    for key in read_chat_keys(to):
        found = await store.chats.by_key(line.id, key)
        if found is not None:
            return Recipient(chat_key=key, chat=found)
    return Recipient(chat_key=read_direct_key(to), chat=None)


def read_chat_keys(to: str) -> tuple[str, ...]:
    """Give the keys of chats that `to` can mean, the likeliest first; a mail address may be a group's id, too."""
    handle = normalize_handle(to)
    if _PHONE.fullmatch(handle):
        return (direct_chat_key(handle),)
    direct = (direct_chat_key(handle),) if _APPLE_ID.fullmatch(handle) else ()
    group = normalize_chat_key(to.strip(), is_group=True)
    return direct if handle_of(group) is not None else (*direct, group)


def read_direct_key(to: str) -> str:
    """Read `to` where it names a person.

    Raises:
        InvalidRequest: invalid_parameter_value.
    """
    handle = normalize_handle(to)
    if not (_PHONE.fullmatch(handle) or _APPLE_ID.fullmatch(handle)):
        raise InvalidRequest(
            "invalid_parameter_value",
            "'to' must be a phone number in E.164 form (+15550100001), an Apple ID (a mail address), "
            "the id of a chat (cht_…), or a group of the line by its network's id.",
            param="to",
        )
    return direct_chat_key(handle)


async def find_chat(store: Store, line: Line, to: str) -> Chat:
    """Read `to` where the chat must exist.

    Raises:
        InvalidRequest: As `find_recipient`, and chat_not_found when nothing was ever said there.
    """
    chat = (await find_recipient(store, line, to)).chat
    if chat is None:
        raise InvalidRequest("chat_not_found", "Chat not found: nothing was said there yet.", param="to")
    return chat


def require_contact(line: Line, recipient: Recipient) -> None:
    """Hold a line to contact-first.

    Raises:
        InvalidRequest: contact_has_not_messaged.
    """
    if line.is_contact_first and (recipient.chat is None or not recipient.chat.has_inbound):
        raise InvalidRequest(
            "contact_has_not_messaged",
            "This contact has not written to the line yet; the line may only answer.",
            param="to",
        )


async def last_received(store: Store, line: Line, chat: Chat | None) -> dict[str, object]:
    """Name the last message that came in, for networks where typing and reading are signs on it (WhatsApp)."""
    if chat is None or not chat.has_inbound:
        return {}
    wanted = MessageFilter(line_ids=(line.id,), chat_ids=(chat.id,), is_from_me=False)
    page = await store.messages.page(wanted, after=None, limit=1, most_read=_MOST_LOOKED_AT)
    return {"last_received_guid": page.messages[0].guid} if page.messages else {}


async def find_message(store: Store, line: Line, text: str, *, param: str) -> MessageRow:
    """Find a message of the line by its `msg_` id or by the network's GUID.

    Raises:
        InvalidRequest: message_not_found.
    """
    message = await _message(store, line, text)
    if message is None or message.line_id != line.id:
        raise InvalidRequest("message_not_found", "Message not found.", param=param)
    return message


def require_named(message: MessageRow, *, param: str) -> None:
    """Refuse to act on a message that no network has named yet: nothing there could be pointed at.

    Raises:
        InvalidRequest: message_not_sent.
    """
    if is_placeholder(message):
        raise InvalidRequest(
            "message_not_sent",
            f"The message is {status_of(message)}: its network does not know it yet. Try again when it is sent.",
            param=param,
        )


async def _message(store: Store, line: Line, text: str) -> MessageRow | None:
    if not text.startswith("msg_"):
        return await store.messages.by_guid(line.id, text)
    try:
        return await store.messages.get(parse_id(Prefix.MESSAGE, text))
    except InvalidId:
        return None


async def _chat(store: Store, line: Line, text: str) -> Chat:
    try:
        chat = await store.chats.get(parse_id(Prefix.CHAT, text))
    except InvalidId:
        chat = None
    if chat is None or chat.line_id != line.id:
        raise InvalidRequest("chat_not_found", "Chat not found.", param="to")
    return chat
