"""What each method of Blooio's own client is asked on a running hub, and what it must answer: one function each.

Not here: who is asked (tests/e2e/test_blooio_methods.py), and what is no chat or group (blooio_people).
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import pytest
from blooio import Blooio, ConflictError, InternalServerError, NotFoundError

from tests.e2e.receiver import Receiver
from tests.e2e.rest import LINE, Rest
from tests.e2e.running import wait_for

PNG: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABXvMqOgAAAABJRU5ErkJggg=="
)
#: Votes whenever it is asked; never seen on iMessage.
POLLED: Final = "+15550100200"


@dataclass(frozen=True, slots=True)
class Stage:
    """A running hub, the vendor's client, and people whom nobody else writes to."""

    client: Blooio
    rest: Rest
    receiver: Receiver
    numbers: count[int] = field(default_factory=lambda: count(5000))

    def person(self) -> str:
        """Somebody new."""
        return f"+1555011{next(self.numbers):04}"

    def chat(self, *, text: str = "Hello") -> tuple[str, str]:
        """Write to somebody new; give the number, and the message's id once it has arrived."""
        number = self.person()
        message_id = self.client.chats.messages.send(number, text=text).message_id or ""
        wait_for(lambda: self.status(number, message_id) == "delivered")
        return number, message_id

    def status(self, number: str, message_id: str) -> str | None:
        """How a message fares."""
        return self.client.chats.messages.get_status(message_id, chat_id=number).status

    def group(self, name: str = "Trip") -> tuple[str, list[str]]:
        """Make a group; give its id and its members."""
        members = sorted([self.person(), self.person()])
        return self.client.groups.create(name=name, members=members).group_id or "", members

    def contact(self, name: str = "Ann") -> str:
        """Make a contact; give its number."""
        number = self.person()
        self.client.contacts.create(identifier=number, name=name)
        return number

    def place(self) -> str:
        """Have places asked for; give the handle of the first."""
        self.client.location.contacts.refresh()
        friends = wait_for(lambda: self.client.location.contacts.list().friends)
        return friends[0].handle or ""


Method = Callable[..., Any]
Case = Callable[[Stage, Method], None]


class Cases(dict[str, Case]):
    """Methods of the client, each with what is asked of it."""

    def exercises(self, name: str) -> Callable[[Case], Case]:
        """Enter a case under the method that it is for."""

        def enter(case: Case) -> Case:
            assert name not in self
            self[name] = case
            return case

        return enter


CHATS: Final = Cases()


# ---- chats


@CHATS.exercises("chats.list")
def _list_chats(stage: Stage, method: Method) -> None:
    number, _ = stage.chat()
    listed = method(limit=200, q=number)

    assert [(each.id, each.type, each.is_group) for each in listed.chats] == [(number, "phone", False)]
    assert (listed.pagination.limit, listed.pagination.offset, listed.pagination.total) == (200, 0, 1)


@CHATS.exercises("chats.retrieve")
def _show_chat(stage: Stage, method: Method) -> None:
    number, message_id = stage.chat(text="One")
    shown = method(number)

    assert (shown.id, shown.message_count, shown.outbound_count) == (number, 1, 1)
    assert (shown.last_message.message_id, shown.last_message.text) == (message_id, "One")
    assert shown.contact.identifier == number


@CHATS.exercises("chats.mark_as_read")
def _read(stage: Stage, method: Method) -> None:
    number, _ = stage.chat()
    read = method(number)

    assert (read.chat_id, read.status, isinstance(read.marked_at, int)) == (number, "read", True)


@CHATS.exercises("chats.share_contact_card")
def _share_card(stage: Stage, method: Method) -> None:
    stage.client.me.numbers.contact_card.update(LINE, first_name="Ada")
    number, _ = stage.chat()
    shared = method(number)

    assert (shared.success, shared.chat_id, bool(shared.message)) == (True, number, True)


@CHATS.exercises("chats.typing.start")
def _start_typing(stage: Stage, method: Method) -> None:
    number, _ = stage.chat()
    begun = method(number)

    assert (begun.chat_id, begun.typing, isinstance(begun.started_at, int)) == (number, True, True)


@CHATS.exercises("chats.typing.stop")
def _stop_typing(stage: Stage, method: Method) -> None:
    number, _ = stage.chat()
    stage.client.chats.typing.start(number)
    ended = method(number)

    assert (ended.chat_id, ended.typing, isinstance(ended.stopped_at, int)) == (number, False, True)


@CHATS.exercises("chats.background.set")
def _set_background(stage: Stage, method: Method) -> None:
    number, _ = stage.chat()
    put = method(number, background=("sea.png", PNG))

    assert (put.chat_id, put.has_background, put.changed) == (number, True, True)
    assert put.background_id


@CHATS.exercises("chats.background.retrieve")
def _show_background(stage: Stage, method: Method) -> None:
    number, _ = stage.chat()
    before = method(number)
    put = stage.client.chats.background.set(number, background=("sea.png", PNG))
    shown = method(number)

    assert (before.has_background, before.background_id) == (False, None)
    assert (shown.has_background, shown.background_id) == (True, put.background_id)


@CHATS.exercises("chats.background.remove")
def _remove_background(stage: Stage, method: Method) -> None:
    number, _ = stage.chat()
    stage.client.chats.background.set(number, background=("sea.png", PNG))
    gone = method(number)

    assert (gone.chat_id, gone.has_background, gone.background_id) == (number, False, None)


# ---- messages and polls


@CHATS.exercises("chats.messages.send")
def _send(stage: Stage, method: Method) -> None:
    number = stage.person()
    sent = method(number, text="Hello", from_number=LINE, idempotency_key=f"sdk-{number}")
    again = method(number, text="Hello", from_number=LINE, idempotency_key=f"sdk-{number}")
    with pytest.raises(ConflictError):
        method(number, text="Bye", from_number=LINE, idempotency_key=f"sdk-{number}")
    several = method(number, text=["one", "two"])
    wait_for(lambda: stage.status(number, (several.message_ids or [""])[-1]) == "delivered")
    listed = stage.client.chats.messages.list(number, sort="asc").messages or []

    assert (sent.status, again.message_id) == ("queued", sent.message_id)
    assert (several.count, [each.text for each in listed]) == (2, ["Hello", "one", "two"])


@CHATS.exercises("chats.messages.list")
def _list_messages(stage: Stage, method: Method) -> None:
    number, first = stage.chat(text="One")
    second = stage.client.chats.messages.send(number, text="Two").message_id
    shown = stage.client.chats.messages.retrieve(first, chat_id=number)
    page = method(number, sort="asc", direction="outbound", limit=1, offset=1)
    later = method(number, since=shown.time_sent)
    inbound = method(number, direction="inbound")

    assert [(each.message_id, each.text, each.external_id) for each in page.messages] == [
        (second, "Two", number)
    ]
    assert (page.chat_id, page.pagination.total) == (number, 2)
    assert [each.message_id for each in later.messages] == [second]
    assert inbound.messages == []


@CHATS.exercises("chats.messages.retrieve")
def _show_message(stage: Stage, method: Method) -> None:
    number, message_id = stage.chat(text="Once")
    shown = method(message_id, chat_id=number)

    assert (shown.chat_id, shown.text, shown.direction, shown.internal_id) == (
        number,
        "Once",
        "outbound",
        LINE,
    )
    assert (shown.status, shown.protocol, shown.contact.identifier) == ("delivered", "imessage", number)
    with pytest.raises(NotFoundError):
        method("msg_0000000000001", chat_id=number)


@CHATS.exercises("chats.messages.get_status")
def _status(stage: Stage, method: Method) -> None:
    number, message_id = stage.chat()
    status = method(message_id, chat_id=number)

    assert (status.message_id, status.chat_id, status.status) == (message_id, number, "delivered")
    assert status.time_sent <= status.time_delivered
    assert status.error is None


@CHATS.exercises("chats.messages.react")
def _react(stage: Stage, method: Method) -> None:
    number, message_id = stage.chat()
    added = method(message_id, chat_id=number, reaction="+love")
    taken = method("-1", chat_id=number, reaction="-love", direction="outbound")

    assert (added.success, added.message_id, added.reaction, added.action) == (
        True,
        message_id,
        "love",
        "add",
    )
    assert (taken.success, taken.message_id, taken.action) == (True, message_id, "remove")


@CHATS.exercises("chats.polls.send")
def _poll(stage: Stage, method: Method) -> None:
    poll = method(POLLED, title="Lunch?", options=["Soup", "Salad"])

    assert (poll.chat_id, poll.poll.title, poll.poll.options) == (POLLED, "Lunch?", ["Soup", "Salad"])
    assert poll.poll_id


@CHATS.exercises("chats.polls.get_results")
def _results(stage: Stage, method: Method) -> None:
    poll_id = stage.client.chats.polls.send(POLLED, title="Tea?", options=["Yes", "No"]).poll_id or ""
    wait_for(lambda: method(poll_id, chat_id=POLLED).total_votes)
    results = method(poll_id, chat_id=POLLED)

    assert (results.poll_id, results.title, results.total_votes) == (poll_id, "Tea?", 1)
    assert [(each.text, each.votes) for each in results.options] == [("Yes", 1), ("No", 0)]


# ---- groups


@CHATS.exercises("groups.create")
def _create_group(stage: Stage, method: Method) -> None:
    members = sorted([stage.person(), stage.person()])
    made = method(name="Trip", members=members)
    with pytest.raises(ConflictError) as refused:
        method(name="Other", members=members)

    assert (made.name, made.member_count, made.message_count) == ("Trip", 2, 0)
    assert sorted(made.added_members) == sorted(made.created_contacts) == members
    assert refused.value.body["group_id"] == made.group_id  # type: ignore[index]  # untyped there


@CHATS.exercises("groups.retrieve")
def _show_group(stage: Stage, method: Method) -> None:
    group_id, _ = stage.group()
    stage.client.chats.messages.send(group_id, text="Hello both")
    wait_for(lambda: method(group_id).message_count)
    shown = method(group_id)

    assert (shown.group_id, shown.name, shown.member_count) == (group_id, "Trip", 2)
    assert (shown.last_message_text, shown.last_message_direction) == ("Hello both", "outbound")
    assert shown.chat_guid.startswith("iMessage;+;")


@CHATS.exercises("groups.list")
def _list_groups(stage: Stage, method: Method) -> None:
    ids = [stage.group(name)[0] for name in ("Xylophone B", "xylophone a")]
    listed = method(q="xylophone", sort="name_asc", limit=200)

    assert [each.group_id for each in listed.groups] == ids[::-1]
    assert (listed.pagination.limit, listed.pagination.total) == (200, 2)


@CHATS.exercises("groups.update")
def _rename_group(stage: Stage, method: Method) -> None:
    group_id, _ = stage.group()
    renamed = method(group_id, name="Holiday")

    assert (renamed.group_id, renamed.name) == (group_id, "Holiday")
    assert (renamed.device_sync.chat_guid, renamed.device_sync.synced) == (renamed.chat_guid, True)
    assert stage.client.groups.retrieve(group_id).name == "Holiday"


@CHATS.exercises("groups.delete")
def _leave_group(stage: Stage, method: Method) -> None:
    group_id, _ = stage.group()
    gone = method(group_id)

    assert (gone.success, isinstance(gone.deleted_at, int)) == (True, True)
    with pytest.raises(NotFoundError):
        stage.client.groups.retrieve(group_id)


@CHATS.exercises("groups.icon.set")
def _set_icon(stage: Stage, method: Method) -> None:
    group_id, _ = stage.group()
    put = method(group_id, icon=("sea.png", PNG))

    assert (put.success, put.group_id, put.device_sync.synced) == (True, group_id, True)
    assert (
        put.icon_url.partition("?")[0]
        == (stage.client.groups.retrieve(group_id).icon_url or "").partition("?")[0]
    )


@CHATS.exercises("groups.icon.remove")
def _remove_icon(stage: Stage, method: Method) -> None:
    group_id, _ = stage.group()
    stage.client.groups.icon.set(group_id, icon=("sea.png", PNG))
    gone = method(group_id)

    assert (gone.success, gone.group_id, gone.device_sync.synced) == (True, group_id, True)
    assert stage.client.groups.retrieve(group_id).icon_url is None


@CHATS.exercises("groups.members.list")
def _list_members(stage: Stage, method: Method) -> None:
    group_id, members = stage.group()
    listed = method(group_id, limit=200)
    page = method(group_id, limit=1, offset=1)

    assert (listed.group_id, listed.group_name, listed.icon_url) == (group_id, "Trip", None)
    assert sorted(each.identifier for each in listed.members) == members
    assert all(each.contact_id.startswith("ct_") for each in listed.members)
    assert (page.members, page.pagination.total) == (listed.members[1:], 2)


@CHATS.exercises("groups.members.add")
def _add_member(stage: Stage, method: Method) -> None:
    group_id, members = stage.group()
    with pytest.raises(InternalServerError) as refused:
        method(group_id, contact_id=stage.person())

    assert (refused.value.status_code, refused.value.body["error"]) == (501, "Coming soon")  # type: ignore[index]
    assert len(stage.client.groups.members.list(group_id).members or []) == len(members)


@CHATS.exercises("groups.members.remove")
def _remove_member(stage: Stage, method: Method) -> None:
    group_id, members = stage.group()
    with pytest.raises(InternalServerError) as refused:
        method(members[0], group_id=group_id)

    assert (refused.value.status_code, refused.value.body["error"]) == (501, "Coming soon")  # type: ignore[index]
    assert len(stage.client.groups.members.list(group_id).members or []) == len(members)
