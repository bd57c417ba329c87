"""Check what is asked of groups before anything is owed: the network may still refuse it.

Not here: what follows once the network agreed (hub.flow.aftermath), and how a group changes by itself
(hub.flow.chat_life).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hub.flow.repositories import Chat, Store
from hub.model.contact import ContactHandle
from hub.model.errors import InvalidRequest
from hub.model.line import Line
from hub.rules.chatkeys import direct_chat_key
from hub.rules.contacts import read_handle

#: Others in a group; one other is a direct chat.
FEWEST_MEMBERS: Final = 2
MOST_MEMBERS: Final = 31


def require_group(chat: Chat) -> None:
    """Refuse what only groups have, and groups that the line has left.

    Raises:
        InvalidRequest: not_a_group or chat_left.
    """
    if not chat.is_group:
        raise InvalidRequest("not_a_group", "This is a direct chat; only a group can be changed so.")
    if chat.left_at is not None:
        raise InvalidRequest(
            "chat_left", f"The line left this group at {chat.left_at} (Unix ms); it can no longer change it."
        )


def read_member(line: Line, text: str, *, param: str) -> str:
    """Read who is to be in a group, or out of it.

    Raises:
        InvalidRequest: invalid_parameter_value.
    """
    read = read_handle(text)
    if not isinstance(read, ContactHandle):
        message = f"'{param}': {read.why}. {read.fix}."
        raise InvalidRequest("invalid_parameter_value", message, param=param)
    if read.handle == line.handle:
        raise InvalidRequest(
            "invalid_parameter_value",
            f"'{param}' is the line itself, which is in the group anyway; name others.",
            param=param,
        )
    return read.handle


def read_members(line: Line, texts: Sequence[str]) -> tuple[str, ...]:
    """Read who is to be in a new group.

    Raises:
        InvalidRequest: invalid_parameter_value for one who cannot be, or too few of them.
    """
    read = [read_member(line, text, param=f"participants[{place}]") for place, text in enumerate(texts)]
    handles = tuple(dict.fromkeys(read))
    if len(handles) < FEWEST_MEMBERS:
        raise InvalidRequest(
            "invalid_parameter_value",
            f"'participants' must name {FEWEST_MEMBERS} to {MOST_MEMBERS} different people; "
            "with one, send a message instead.",
            param="participants",
        )
    return handles


async def require_contacts(store: Store, line: Line, handles: Sequence[str]) -> None:
    """Hold a line to contact-first: whom it brings together has written to it.

    Raises:
        InvalidRequest: contact_has_not_messaged.
    """
    if not line.is_contact_first:
        return
    for place, handle in enumerate(handles):
        chat = await store.chats.by_key(line.id, direct_chat_key(handle))
        if chat is None or not chat.has_inbound:
            raise InvalidRequest(
                "contact_has_not_messaged",
                f"{handle} has not written to the line yet; the line may only answer.",
                param=f"participants[{place}]",
            )
