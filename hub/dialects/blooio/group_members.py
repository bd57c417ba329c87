"""`/groups/{groupId}/members`: listed; to bring somebody in or out the vendor says 501 today (contracts: blooio §3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply
from hub.api.chats import Participant
from hub.dialects.blooio.errors import Refusal
from hub.dialects.blooio.finding import file_url
from hub.dialects.blooio.groups import find_group
from hub.dialects.blooio.identifiers import group_id
from hub.dialects.blooio.paging import Paged, PageQuery, paged
from hub.dialects.native import ask

_PATH: Final = "/v2/api/groups/{group_id}/members"


class NewMember(msgspec.Struct, frozen=True, kw_only=True):
    """Who is to join."""

    contact_id: Annotated[str, Meta(min_length=1, max_length=320)]


class GroupMember(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody in a group."""

    id: str
    #: Null for somebody who is no contact.
    contact_id: str | None
    identifier: str
    name: str | None
    #: Null for those whom the hub met there: networks do not tell when they joined.
    added_at: int | None


class MemberList(Paged[GroupMember], frozen=True, kw_only=True):
    """A page of members."""

    group_id: str
    group_name: str | None
    icon_url: str | None
    members: Sequence[GroupMember]


async def _list(call: Call[PageQuery, NoBody]) -> Reply:
    chat, query = await find_group(call), call.query
    found: list[Participant] = (
        await ask(call, "list_participants", Listed, path={"id": chat.id})
    ).content.data
    members = [_shown(each) for each in found[query.offset : query.offset + query.limit]]
    content = MemberList(
        group_id=group_id(chat.id),
        group_name=chat.name,
        icon_url=await file_url(call, chat.icon_file_id),
        members=members,
        **paged(members, query, len(found)),
    )
    return Reply(content=content)


def _shown(member: Participant) -> GroupMember:
    known = member.contact
    return GroupMember(
        id=member.handle,
        contact_id=None if known is None else known.id,
        identifier=member.handle,
        name=None if known is None else known.name,
        added_at=member.joined_at,
    )


async def _add(call: Call[NoQuery, NewMember]) -> Reply:
    raise await _coming_soon(call)


async def _remove(call: Call[NoQuery, NoBody]) -> Reply:
    raise await _coming_soon(call)


async def _coming_soon(call: Call[NoQuery, NewMember] | Call[NoQuery, NoBody]) -> Refusal:
    await find_group(call)
    return Refusal(501, "Adding and removing group members is not available in this API yet.")


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path=_PATH,
        name="blooio_list_members",
        summary="List who is in a group.",
        tag="groups",
        scope="chats:read",
        query=PageQuery,
        body=NoBody,
        reply=MemberList,
        handle=_list,
    ),
    Endpoint(
        method="POST",
        path=_PATH,
        name="blooio_add_member",
        summary="Bring somebody into a group: 501, as the vendor says.",
        tag="groups",
        scope="chats:write",
        query=NoQuery,
        body=NewMember,
        reply=bytes,
        status=501,
        example={"contact_id": "+15551234567"},
        handle=_add,
    ),
    Endpoint(
        method="DELETE",
        path=f"{_PATH}/{{contact_id}}",
        name="blooio_remove_member",
        summary="Put somebody out of a group: 501, as the vendor says.",
        tag="groups",
        scope="chats:write",
        query=NoQuery,
        body=NoBody,
        reply=bytes,
        status=501,
        handle=_remove,
    ),
)
