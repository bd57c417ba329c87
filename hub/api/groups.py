"""Groups: create, rename, picture, members, leave. The network decides; what follows comes as events `chat.…`."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply
from hub.api.chat_operations import (
    FILE_ERRORS,
    GROUP_ERRORS,
    VERDICT,
    changed,
    chat_of,
    keep_picture,
    owe,
    require_picture,
)
from hub.api.message_sends import MOST_TEXT
from hub.api.sends import SEND_ERRORS, SEND_HEADERS, FromOrAuto, SendReply, accept, sending_line
from hub.flow.groups import (
    MOST_MEMBERS,
    read_member,
    read_members,
    require_contacts,
    require_group,
)
from hub.flow.repositories import Chat
from hub.model.line import Line
from hub.model.outbox import OperationKind

GroupName = Annotated[str, Meta(max_length=255, description="An empty one takes the name away.")]
MemberHandle = Annotated[
    str, Meta(min_length=1, max_length=320, description="A phone number or mail address.")
]
PictureId = Annotated[str, Meta(max_length=128, description="The `file_` id of a picture.")]


class NewGroup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group to make."""

    from_: FromOrAuto = msgspec.field(name="from")
    participants: Annotated[
        tuple[MemberHandle, ...],
        Meta(min_length=1, max_length=MOST_MEMBERS, description="2 to 31 others; the line is in it anyway."),
    ]
    name: GroupName | None = None
    #: The first message; some networks make no group without one.
    text: Annotated[str, Meta(min_length=1, max_length=MOST_TEXT)] | None = None


class GroupChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The group's new name."""

    name: GroupName


class NewMember(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is to join."""

    handle: MemberHandle


class NewIcon(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The group's new picture."""

    file_id: PictureId


async def _create(call: Call[NoQuery, NewGroup]) -> Reply:
    line = await sending_line(call, call.body.from_, None)
    handles = read_members(line, call.body.participants)
    await require_contacts(call.uses.store, line, handles)
    resolved = {"from": line.handle, "participants": handles}
    return await accept(call, line, OperationKind.GROUP_CREATE, resolved=resolved)


async def _group_of(call: Call[Any, Any]) -> tuple[Line, Chat]:
    line, chat = await chat_of(call)
    require_group(chat)
    return line, chat


async def _rename(call: Call[NoQuery, GroupChanges]) -> Reply:
    line, chat = await _group_of(call)
    return changed(await owe(call, line, chat, OperationKind.GROUP_RENAME))


async def _set_icon(call: Call[NoQuery, NewIcon]) -> Reply:
    line, chat = await _group_of(call)
    file_id = await require_picture(call, call.body.file_id)
    await keep_picture(call, file_id, "chat_icon", user_id=chat.id, line_id=line.id)
    return changed(await owe(call, line, chat, OperationKind.GROUP_ICON))


async def _remove_icon(call: Call[NoQuery, NoBody]) -> Reply:
    line, chat = await _group_of(call)
    return changed(await owe(call, line, chat, OperationKind.GROUP_ICON, remove=True))


async def _add(call: Call[NoQuery, NewMember]) -> Reply:
    line, chat = await _group_of(call)
    handle = read_member(line, call.body.handle, param="handle")
    return await owe(call, line, chat, OperationKind.GROUP_ADD, handle=handle)


async def _remove(call: Call[NoQuery, NoBody]) -> Reply:
    line, chat = await _group_of(call)
    handle = read_member(line, call.path["handle"], param="handle")
    return changed(await owe(call, line, chat, OperationKind.GROUP_REMOVE, handle=handle))


async def _leave(call: Call[NoQuery, NoBody]) -> Reply:
    line, chat = await _group_of(call)
    return await owe(call, line, chat, OperationKind.GROUP_LEAVE)


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="POST",
        path="/v1/chats",
        name="create_group",
        summary="Make a group.",
        description=f"{VERDICT} Then `result.chat_id` names the new chat.",
        tag="groups",
        scope="chats:write",
        query=NoQuery,
        body=NewGroup,
        reply=SendReply,
        status=201,
        errors=(*SEND_ERRORS, "contact_has_not_messaged"),
        headers=SEND_HEADERS,
        example={
            "from": "+15550100000",
            "participants": ["+15550100001", "+15550100002"],
            "name": "Weekend",
            "text": "Hello both",
        },
        handle=_create,
    ),
    Endpoint(
        method="PATCH",
        path="/v1/chats/{id}",
        name="rename_group",
        summary="Give a group another name.",
        description=VERDICT,
        tag="groups",
        scope="chats:write",
        query=NoQuery,
        body=GroupChanges,
        reply=SendReply,
        status=202,
        errors=GROUP_ERRORS,
        headers=SEND_HEADERS,
        example={"name": "Weekend"},
        handle=_rename,
    ),
    Endpoint(
        method="PUT",
        path="/v1/chats/{id}/icon",
        name="set_group_icon",
        summary="Give a group a picture.",
        description=f"Upload the picture first (`POST /v1/files`). {VERDICT}",
        tag="groups",
        scope="chats:write",
        query=NoQuery,
        body=NewIcon,
        reply=SendReply,
        status=202,
        errors=tuple(dict.fromkeys((*GROUP_ERRORS, *FILE_ERRORS))),
        headers=SEND_HEADERS,
        example={"file_id": "file_0f2m4h8x0g001"},
        handle=_set_icon,
    ),
    Endpoint(
        method="DELETE",
        path="/v1/chats/{id}/icon",
        name="remove_group_icon",
        summary="Take a group's picture away.",
        description=VERDICT,
        tag="groups",
        scope="chats:write",
        query=NoQuery,
        body=NoBody,
        reply=SendReply,
        status=202,
        errors=GROUP_ERRORS,
        headers=SEND_HEADERS,
        handle=_remove_icon,
    ),
    Endpoint(
        method="POST",
        path="/v1/chats/{id}/participants",
        name="add_participant",
        summary="Bring somebody into a group.",
        description=VERDICT,
        tag="groups",
        scope="chats:write",
        query=NoQuery,
        body=NewMember,
        reply=SendReply,
        status=201,
        errors=GROUP_ERRORS,
        headers=SEND_HEADERS,
        example={"handle": "+15550100003"},
        handle=_add,
    ),
    Endpoint(
        method="DELETE",
        path="/v1/chats/{id}/participants/{handle}",
        name="remove_participant",
        summary="Put somebody out of a group.",
        description=f"`+` and `@` in the path may be percent-encoded or not. {VERDICT}",
        tag="groups",
        scope="chats:write",
        query=NoQuery,
        body=NoBody,
        reply=SendReply,
        status=202,
        errors=GROUP_ERRORS,
        headers=SEND_HEADERS,
        handle=_remove,
    ),
    Endpoint(
        method="POST",
        path="/v1/chats/{id}/leave",
        name="leave_group",
        summary="Leave a group.",
        description=VERDICT,
        tag="groups",
        scope="chats:write",
        query=NoQuery,
        body=NoBody,
        reply=SendReply,
        status=201,
        errors=GROUP_ERRORS,
        headers=SEND_HEADERS,
        handle=_leave,
    ),
)
