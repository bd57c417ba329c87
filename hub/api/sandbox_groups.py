"""POST /v1/sandbox/…: let simulated contacts make groups, change them, and vote."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, NoQuery, Reply, field_id
from hub.api.sandbox import Contact, GroupKey, act, done
from hub.flow.poll_payloads import options_named
from hub.flow.sandbox import Stage
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix

Name = Annotated[str, Meta(max_length=255)]
OptionText = Annotated[str, Meta(min_length=1, max_length=200)]


class _InGroup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    contact: Contact
    group: GroupKey


class StartGroup(_InGroup, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contact makes a group with the line and others in it."""

    participants: Annotated[tuple[Contact, ...], Meta(max_length=31)] = ()
    name: Name | None = None


class RenameGroup(_InGroup, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contact gives the group another name; an empty one takes it away."""

    name: Name


class ChangeMember(_InGroup, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contact brings somebody in, or puts somebody out; the line's own handle is the line."""

    member: Contact


class ChangeIcon(_InGroup, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contact gives the group another picture, or takes it away."""

    removed: bool = False


class Ask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contact asks the chat to vote."""

    contact: Contact
    group: GroupKey | None = None
    title: Annotated[str, Meta(min_length=1, max_length=500)]
    options: Annotated[tuple[OptionText, ...], Meta(min_length=2, max_length=10)]


class CastVote(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contact votes; what it chose before no longer counts."""

    poll_id: Annotated[str, Meta(max_length=64)]
    #: The other side of a direct chat, if not given.
    contact: Contact | None = None
    #: Ids, words or numbers of options; none takes the vote back.
    options: Annotated[tuple[OptionText, ...], Meta(max_length=10)]


async def _stage(call: Call[NoQuery, Any]) -> Stage:
    sandbox, body = call.uses.sandbox, call.body
    return await sandbox.in_known_group(await sandbox.require_line(), body.contact, body.group)


async def _start(call: Call[NoQuery, StartGroup]) -> Reply:
    sandbox, body = call.uses.sandbox, call.body
    line = await sandbox.require_line()
    stage = await sandbox.group(
        line,
        body.contact,
        key=f"chat-{body.group}",
        participants=body.participants,
        name=body.group if body.name is None else body.name,
    )
    return await done(call, stage, *sandbox.contacts.start_group(stage.scene, at=call.now_ms))


async def _rename(call: Call[NoQuery, RenameGroup]) -> Reply:
    stage = await _stage(call)
    renamed = call.uses.sandbox.contacts.rename_group(stage.scene, call.body.name, at=call.now_ms)
    return await done(call, stage, renamed)


async def _add(call: Call[NoQuery, ChangeMember]) -> Reply:
    stage = await _stage(call)
    added = call.uses.sandbox.contacts.add_member(stage.scene, call.body.member, at=call.now_ms)
    return await done(call, stage, added)


async def _remove(call: Call[NoQuery, ChangeMember]) -> Reply:
    stage = await _stage(call)
    removed = call.uses.sandbox.contacts.remove_member(stage.scene, call.body.member, at=call.now_ms)
    return await done(call, stage, removed)


async def _change_icon(call: Call[NoQuery, ChangeIcon]) -> Reply:
    stage = await _stage(call)
    contacts = call.uses.sandbox.contacts
    return await done(
        call, stage, contacts.change_icon(stage.scene, at=call.now_ms, is_removed=call.body.removed)
    )


async def _ask(call: Call[NoQuery, Ask]) -> Reply:
    sandbox, body = call.uses.sandbox, call.body
    stage = await sandbox.place(await sandbox.require_line(), body.contact, body.group)
    guid = sandbox.new_guid()
    asked = sandbox.contacts.ask(stage.scene, body.title, body.options, guid=guid, at=call.now_ms)
    return await done(call, stage, asked, guid=guid)


async def _vote(call: Call[NoQuery, CastVote]) -> Reply:
    sandbox, body = call.uses.sandbox, call.body
    poll_id = field_id(body.poll_id, Prefix.POLL, "poll", param="poll_id")
    stage, tally = await sandbox.at_poll(await sandbox.require_line(), poll_id, body.contact)
    chosen = options_named(tally, body.options)
    if isinstance(chosen, str):
        raise InvalidRequest(
            "invalid_parameter_value",
            f"The poll has no option '{chosen[:100]}': name options by id, by their words, or by number from 1.",
            param=f"options[{body.options.index(chosen)}]",
        )
    return await done(
        call, stage, sandbox.contacts.vote(stage.scene, tally.poll.guid, chosen, at=call.now_ms)
    )


_GROUP: Final = {"contact": "+15550100001", "group": "team"}

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    act(
        "add",
        "The contact brings somebody into a group.",
        ChangeMember,
        _add,
        example={**_GROUP, "member": "+15550100003"},
    ),
    act(
        "ask",
        "The contact asks a chat to vote.",
        Ask,
        _ask,
        example={"contact": "+15550100001", "title": "Lunch?", "options": ["Soup", "Salad"]},
    ),
    act(
        "group",
        "The contact makes a group.",
        StartGroup,
        _start,
        example={**_GROUP, "participants": ["+15550100002"]},
    ),
    act("icon", "The contact changes a group's picture.", ChangeIcon, _change_icon, example=_GROUP),
    act(
        "remove",
        "The contact puts somebody out of a group.",
        ChangeMember,
        _remove,
        example={**_GROUP, "member": "+15550100002"},
    ),
    act("rename", "The contact renames a group.", RenameGroup, _rename, example={**_GROUP, "name": "Trip"}),
    act(
        "vote",
        "The contact votes in a poll.",
        CastVote,
        _vote,
        example={"poll_id": "pol_0f2m4h8x0g001", "options": ["1"]},
    ),
)
