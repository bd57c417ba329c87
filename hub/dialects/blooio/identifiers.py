"""What things are called there: chats, groups, number allocations. Each a re-spelling of a native id, both ways.

A chat is named by whom it is with: a phone number, a mail address, a group (`grp_…`), or several numbers and addresses
with commas between, which is the group of exactly these. Ids of messages, webhooks and contacts are the native ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from hub.api.chat_shapes import ChatReply
from hub.dialects.blooio.errors import Refusal
from hub.model.ids import InvalidId, Prefix, parse_id
from hub.rules.chatkeys import normalize_chat_key, normalize_handle

GROUP: Final = "grp_"
ALLOCATION: Final = "alloc_"
#: As the native surface has it for a group.
MOST_MEMBERS: Final = 31

#: Native services → what devices call them.
_SERVICES: Final = {"imessage": "iMessage", "rcs": "RCS", "sms": "SMS"}
_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_MAIL: Final = re.compile(r"[^@\s,/]{1,64}@[^@\s,/]{1,255}")


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatName:
    """What the path of a request calls a chat: a native `cht_` id, or the handles of the others in it."""

    #: As the caller spelt it, in normal form: this is what the answers call the chat.
    text: str
    #: Of a group that exists; None where the chat is named by handles.
    chat_id: str | None
    handles: tuple[str, ...]

    @property
    def is_list(self) -> bool:
        """Whether it is the group of several handles."""
        return len(self.handles) > 1

    @property
    def to(self) -> str:
        """Whom a native send is for; only where it is no list."""
        return self.chat_id or self.handles[0]


def read_chat_name(text: str) -> ChatName:
    """Read the `chatId` of a path, already percent-decoded.

    Raises:
        Refusal: 400 for what is none of its forms, 404 for a group id that can name nothing.
    """
    if text.startswith(GROUP):
        return ChatName(text=text, chat_id=chat_id_of(text), handles=())
    handles = tuple(dict.fromkeys(read_handle(each, field="chatId") for each in text.split(",")))
    if len(handles) > MOST_MEMBERS:
        raise Refusal(400, f"A chat has up to {MOST_MEMBERS} others in it.", field="chatId")
    return ChatName(text=",".join(handles), chat_id=None, handles=handles)


def read_handle(text: str, *, field: str) -> str:
    """Read a phone number or a mail address.

    Raises:
        Refusal: 400.
    """
    handle = normalize_handle(text)
    if not (_PHONE.fullmatch(handle) or _MAIL.fullmatch(handle)):
        message = f"'{field}' must be a phone number in E.164 form (+15551234567) or a mail address."
        if field == "chatId":
            message = (
                "'chatId' must be a phone number in E.164 form (+15551234567), a mail address, a group id (grp_…), "
                "or several numbers and addresses with commas between."
            )
        raise Refusal(400, message, field=field)
    return handle


def group_id(chat_id: str) -> str:
    """Give a group's id: `cht_0f2m…` → `grp_0f2m…`."""
    return f"{GROUP}{chat_id.removeprefix('cht_')}"


def chat_id_of(text: str) -> str:
    """Give the native id of the chat that a group id names.

    Raises:
        Refusal: 404.
    """
    native = f"cht_{text.removeprefix(GROUP)}"
    try:
        parse_id(Prefix.CHAT, native)
    except InvalidId:
        raise Refusal(404, "Chat not found.", code="chat_not_found", field="chatId") from None
    return native


def chat_guid(chat: ChatReply) -> str:
    """Give what a device calls a group: `iMessage;+;chat123456789`."""
    return f"{_SERVICES.get(chat.service, 'iMessage')};+;{chat.identifier}"


def read_chat_guid(text: str) -> str:
    """Give the network's id of the group that a device calls so."""
    return normalize_chat_key(text.strip(), is_group=True)


def allocation_id(line_id: str) -> str:
    """Give the id of a number's allocation: `ln_0f2m…` → `alloc_0f2m…`."""
    return f"{ALLOCATION}{line_id.removeprefix('ln_')}"
