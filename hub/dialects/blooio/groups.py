"""`/groups`: group chats, made, listed, renamed, left, and their icons (contracts: blooio §3). Members: group_members.

The vendor's group may be a record without a chat; here it is always one that a number of the key is in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply, StreamBody
from hub.api.chat_shapes import ChatReply
from hub.api.contact_shapes import OneContact
from hub.api.sends import SendReply
from hub.dialects.blooio.errors import Refusal, naming
from hub.dialects.blooio.finding import chats_of, file_url
from hub.dialects.blooio.groups_made import make_group
from hub.dialects.blooio.identifiers import (
    GROUP,
    MOST_MEMBERS,
    ChatName,
    chat_guid,
    group_id,
    read_chat_guid,
    read_chat_name,
    read_handle,
)
from hub.dialects.blooio.natives import by_device, page, verdict
from hub.dialects.blooio.paging import Paged, PageQuery, paged, read_sort
from hub.dialects.blooio.pictures import upload_picture
from hub.dialects.blooio.sends import FROM_HEADER, told_of_number, wanted_number
from hub.dialects.native import ask
from hub.model.errors import InvalidRequest

SORTS: Final[Mapping[str, str]] = {
    "recent": "activity",
    "oldest": "oldest",
    "name_asc": "name_asc",
    "name_desc": "name_desc",
    "created_at:desc": "activity",
    "created_at:asc": "oldest",
}
ICON: Final = "icon"
FEWEST_MEMBERS: Final = 2
#: Who cannot be made a contact: somebody who is one, or all of them where the key may not.
_NO_CONTACT: Final = frozenset({"contact_exists", "insufficient_scope", "line_not_accessible"})
Member = Annotated[str, Meta(max_length=320)]


class GroupQuery(PageQuery, frozen=True, kw_only=True):
    """Which groups."""

    q: Annotated[str, Meta(max_length=200)] | None = None
    sort: str = "recent"


class NewGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group to make."""

    name: Annotated[str, Meta(min_length=1, max_length=255)]
    chat_guid: Annotated[str, Meta(max_length=512)] | None = None
    members: Annotated[tuple[Member, ...], Meta(max_length=200)] = ()
    #: Ours: the number that the group is to be with; also as the header of a send.
    from_number: Annotated[str, Meta(max_length=320)] | None = None


class GroupChanges(msgspec.Struct, frozen=True, kw_only=True):
    """The new name; null or an empty one takes it away."""

    name: Annotated[str, Meta(max_length=255)] | UnsetType | None = UNSET


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group."""

    group_id: str
    name: str | None
    chat_guid: str
    icon_url: str | None
    member_count: int
    message_count: int
    last_message_text: str | None
    last_message_time: int | None
    last_message_direction: Literal["inbound", "outbound"] | None
    created_at: int
    #: Ours: the number that the group is with.
    internal_id: str


class GroupMade(Group, frozen=True, kw_only=True):
    """A group that was made now."""

    added_members: Sequence[str]
    #: Members who were no contacts until now.
    created_contacts: Sequence[str]


class DeviceSync(msgspec.Struct, frozen=True, kw_only=True):
    """What the device did to the chat."""

    chat_guid: str
    synced: bool
    error: str | None


class GroupChanged(Group, frozen=True, kw_only=True):
    """A group after a change."""

    device_sync: DeviceSync | UnsetType = UNSET


class GroupDeleted(msgspec.Struct, frozen=True, kw_only=True):
    """The number is not in it any more."""

    success: bool = True
    deleted_at: int


class IconSync(msgspec.Struct, frozen=True, kw_only=True):
    """What the device did to the chat."""

    chat_guid: str
    synced: bool
    message: str


class IconChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A group's icon was set or taken away."""

    success: bool = True
    group_id: str
    icon_url: str | UnsetType | None = UNSET
    chat_guid: str
    device_sync: IconSync
    message: str


class GroupList(Paged[Group], frozen=True, kw_only=True):
    """A page of groups."""

    groups: Sequence[Group]


async def find_group(call: Call[Any, Any]) -> ChatReply:
    """Find the group that a path names, and that its number is still in.

    Raises:
        Refusal: 404.
    """
    text = call.path["group_id"]
    try:
        found = await chats_of(call, read_chat_name(text)) if text.startswith(GROUP) else []
    except Refusal as error:
        if error.vendor_code != "chat_not_found":
            raise
        found = []
    if not found or found[0].left_at is not None:
        raise Refusal(404, "Group not found.", code="group_not_found", field="groupId")
    return found[0]


async def _list(call: Call[GroupQuery, NoBody]) -> Reply:
    query = call.query
    wanted = {
        "q": query.q or None,
        "sort": read_sort(query.sort, SORTS),
        "is_group": True,
        "left": False,
        "include": "counts",
    }
    found, total = await page(call, "list_chats", ChatReply, wanted, limit=query.limit, offset=query.offset)
    groups = [Group(**await _fields(call, each)) for each in found]
    return Reply(content=GroupList(groups=groups, **paged(groups, query, total)))


async def _create(call: Call[NoQuery, NewGroup]) -> Reply:
    body, line = call.body, wanted_number(call, call.body.from_number)
    if body.chat_guid is not None:
        await _require_new(call, body.chat_guid)
    handles = tuple(dict.fromkeys(read_handle(each, field="members") for each in body.members))
    if not FEWEST_MEMBERS <= len(handles) <= MOST_MEMBERS:
        message = f"'members' must name {FEWEST_MEMBERS} to {MOST_MEMBERS} different people."
        raise Refusal(400, message, field="members")
    name = ChatName(text=",".join(handles), chat_id=None, handles=handles)
    try:
        with naming(participants="members"), by_device():
            chat_id = await make_group(call, name, line=line, title=body.name)
    except InvalidRequest as error:
        raise await told_of_number(call, error, line, name) from None
    created = [each for each in handles if await _is_made_contact(call, each)]
    content = GroupMade(
        **await _fields(call, await _seen(call, chat_id)), added_members=handles, created_contacts=created
    )
    return Reply(content=content, status=201)


async def _require_new(call: Call[Any, Any], guid: str) -> None:
    """Refuse to link a chat: those that a number is in are groups already.

    Raises:
        Refusal: 409 with the group that it is; 400 where no number is in it.
    """
    wanted = read_chat_guid(guid)
    found, _ = await page(
        call, "list_chats", ChatReply, {"q": wanted, "is_group": True, "left": False}, limit=200
    )
    for chat in found:
        if chat.identifier == wanted:
            raise Refusal(
                409,
                "The group of this chat is there already.",
                code="group_exists",
                field="chat_guid",
                more={"group_id": group_id(chat.id)},
            )
    message = "No number of this key is in that chat. Groups that one is in are listed without being linked."
    raise Refusal(400, message, code="chat_guid_unknown", field="chat_guid")


async def _is_made_contact(call: Call[Any, Any], handle: str) -> bool:
    try:
        await ask(call, "create_contact", OneContact, body={"handles": [handle]})
    except InvalidRequest as error:
        if error.code not in _NO_CONTACT:
            raise
        return False
    return True


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    chat = await find_group(call)
    return Reply(content=Group(**await _fields(call, await _seen(call, chat.id))))


async def _change(call: Call[NoQuery, GroupChanges]) -> Reply:
    chat, wanted = await find_group(call), call.body.name
    sync: DeviceSync | UnsetType = UNSET
    if not isinstance(wanted, UnsetType):
        sync = await _renamed(call, chat, wanted or "")
    return Reply(content=GroupChanged(**await _fields(call, await _seen(call, chat.id)), device_sync=sync))


async def _renamed(call: Call[Any, Any], chat: ChatReply, name: str) -> DeviceSync:
    """Ask for another name; what the device refuses is told beside the group, as the vendor does."""
    guid = chat_guid(chat)
    try:
        done: SendReply = await verdict(call, "rename_group", path={"id": chat.id}, body={"name": name})
    except Refusal as error:
        if error.status != 502:
            raise
        return DeviceSync(chat_guid=guid, synced=False, error=error.message)
    return DeviceSync(chat_guid=guid, synced=done.state == "sent", error=None)


async def _delete(call: Call[NoQuery, NoBody]) -> Reply:
    chat = await find_group(call)
    await verdict(call, "leave_group", path={"id": chat.id})
    return Reply(content=GroupDeleted(deleted_at=call.now_ms))


async def _set_icon(call: Call[NoQuery, StreamBody]) -> Reply:
    chat = await find_group(call)
    file_id = await upload_picture(call, ICON)
    with naming(file_id=ICON):
        done = await verdict(call, "set_group_icon", path={"id": chat.id}, body={"file_id": file_id})
    return Reply(content=_icon(chat, done, "set", icon_url=await file_url(call, file_id)))


async def _remove_icon(call: Call[NoQuery, NoBody]) -> Reply:
    chat = await find_group(call)
    done = await verdict(call, "remove_group_icon", path={"id": chat.id})
    return Reply(content=_icon(chat, done, "removed"))


def _icon(chat: ChatReply, done: SendReply, what: str, **more: Any) -> IconChanged:
    is_synced = done.state == "sent"
    told = f"The group's icon is {what}." if is_synced else f"The device will have the icon {what}."
    guid = chat_guid(chat)
    sync = IconSync(chat_guid=guid, synced=is_synced, message=told)
    return IconChanged(group_id=group_id(chat.id), chat_guid=guid, device_sync=sync, message=told, **more)


async def _seen(call: Call[Any, Any], chat_id: str) -> ChatReply:
    query = {"include": "counts"}
    return (await ask(call, "get_chat", ChatReply, path={"id": chat_id}, query=query)).content


async def _fields(call: Call[Any, Any], chat: ChatReply) -> dict[str, Any]:
    """Give the fields of `Group`; the native chat has been asked for with its counts."""
    counts, last = chat.counts, chat.last_message
    assert not isinstance(counts, UnsetType)
    return {
        "group_id": group_id(chat.id),
        "name": chat.name,
        "chat_guid": chat_guid(chat),
        "icon_url": await file_url(call, chat.icon_file_id),
        "member_count": len(chat.participants),
        "message_count": counts.message_count,
        "last_message_text": None if last is None else last.text,
        "last_message_time": counts.last_message_at,
        "last_message_direction": None if last is None else ("outbound" if last.is_from_me else "inbound"),
        "created_at": chat.created_at,
        "internal_id": chat.line_handle,
    }


_PATH: Final = "/v2/api/groups"
_ONE: Final = f"{_PATH}/{{group_id}}"


def _endpoint(method: str, path: str, name: str, summary: str, **more: Any) -> AnyEndpoint:
    return Endpoint(
        method=method,
        path=path,
        name=f"blooio_{name}",
        summary=summary,
        tag="groups",
        scope="chats:read" if method == "GET" else "chats:write",
        query=more.pop("query", NoQuery),
        body=more.pop("body", NoBody),
        **more,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    _endpoint("GET", _PATH, "list_groups", "List groups.", query=GroupQuery, reply=GroupList, handle=_list),
    _endpoint(
        "POST",
        _PATH,
        "create_group",
        "Make a group.",
        body=NewGroup,
        reply=GroupMade,
        status=201,
        headers=(FROM_HEADER,),
        example={"name": "Weekend", "members": ["+15551234567", "ann@example.com"]},
        handle=_create,
    ),
    _endpoint("GET", _ONE, "get_group", "Show a group.", reply=Group, handle=_get),
    _endpoint(
        "PATCH",
        _ONE,
        "change_group",
        "Give a group another name.",
        body=GroupChanges,
        reply=GroupChanged,
        example={"name": "Weekend"},
        handle=_change,
    ),
    _endpoint("DELETE", _ONE, "delete_group", "Leave a group.", reply=GroupDeleted, handle=_delete),
    _endpoint(
        "POST",
        f"{_ONE}/icon",
        "set_group_icon",
        "Give a group an icon.",
        body=StreamBody,
        request_content={
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [ICON],
                    "properties": {ICON: {"type": "string", "format": "binary"}},
                }
            }
        },
        reply=IconChanged,
        handle=_set_icon,
    ),
    _endpoint(
        "DELETE",
        f"{_ONE}/icon",
        "remove_group_icon",
        "Take a group's icon away.",
        reply=IconChanged,
        handle=_remove_icon,
    ),
)
