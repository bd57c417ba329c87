"""Groups and polls follow what bridges tell of them, whatever the order, and however often."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace as changed

from hub.flow.event_store import Event
from hub.flow.repositories import Chat
from hub.flow.rows import OutboxRow
from hub.model.observation import Observation, ObservedChat, ObservedOption, ObservedPoll
from hub.model.outbox import attempt_id
from hub.rules.lanes import shard_of
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, STRANGER, HubWorld, open_world
from tests.support.sightings import AT, OTHER, seen

GROUP = ObservedChat(key="chat9", is_group=True, service="iMessage", participants=(CONTACT, OTHER))
#: The same group when a bridge does not say who is in it.
BARE = ObservedChat(key="chat9", is_group=True)
OPTIONS = (ObservedOption(id="a", text="Soup"), ObservedOption(id="b", text="Salad"))
POLL = ObservedPoll(provider_id="POLL", title="Lunch?", options=OPTIONS)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    async with open_world(tmp_path) as opened:
        yield opened


async def chat(world: HubWorld) -> Chat:
    found = await world.store.chats.by_key(world.sandbox_line.id, "chat9")
    assert found is not None
    return found


async def events(world: HubWorld) -> list[Event]:
    return await world.store.events.page(first_id=0, last_id=2**62, limit=1_000)


async def data(world: HubWorld, event_type: str) -> list[dict[str, Any]]:
    return [json.loads(each.data) for each in await events(world) if each.type == event_type]


def moved(kind: Any, who: str, at: int, **fields: Any) -> Observation:
    return seen(kind, chat=BARE, at=at, **{"value": who, **fields})


async def test_members_come_and_go_and_the_event_shows_who_is_left(world: HubWorld) -> None:
    await world.observe(world.sandbox_line, seen("chat.icon", chat=GROUP))
    await world.observe(
        world.sandbox_line,
        moved("chat.member_added", "+1 (555) 010-0099", AT + 1),
        moved("chat.left", "", AT + 2, actor=OTHER, value=None),
    )

    assert (await chat(world)).participants == (CONTACT, STRANGER)
    assert (await data(world, "chat.left"))[0]["participants"] == [CONTACT, STRANGER]


async def test_any_order_of_words_gives_the_same_members(world: HubWorld) -> None:
    words = [
        moved("chat.member_added", STRANGER, AT + 1),
        moved("chat.member_removed", STRANGER, AT + 2),
        moved("chat.member_added", STRANGER, AT + 3),
        moved("chat.member_removed", OTHER, AT + 4),
    ]
    await world.observe(world.sandbox_line, seen("chat.icon", chat=GROUP))
    for seed in range(6):
        told = words * 2
        random.Random(seed).shuffle(told)
        await world.observe(world.sandbox_line, *told[:5])
        await world.observe(world.sandbox_line, *told[5:])

        assert sorted((await chat(world)).participants) == [CONTACT, STRANGER]


async def test_an_older_name_or_list_that_is_told_late_changes_nothing(world: HubWorld) -> None:
    """As when a bridge tells everything again after a restart."""
    old = [
        seen("chat.member_added", chat=GROUP, value=OTHER, at=AT + 1),
        seen("chat.renamed", chat=GROUP, value="Old", at=AT + 2),
    ]
    new = [
        seen("chat.renamed", chat=BARE, value="New", at=AT + 3),
        moved("chat.member_removed", OTHER, AT + 4),
    ]
    await world.observe(world.sandbox_line, *old, *new)
    await world.observe(world.sandbox_line, *old)
    stands = await chat(world)

    assert (stands.name, stands.participants) == ("New", (CONTACT,))


async def test_a_newer_list_settles_who_is_in(world: HubWorld) -> None:
    await world.observe(world.sandbox_line, moved("chat.member_removed", OTHER, AT + 1))
    await world.observe(world.sandbox_line, seen("chat.icon", chat=GROUP, at=AT + 5))
    await world.observe(world.sandbox_line, moved("chat.member_added", STRANGER, AT + 3))
    listed = (await chat(world)).participants
    await world.observe(world.sandbox_line, moved("chat.member_added", STRANGER, AT + 6))

    assert (listed, (await chat(world)).participants) == ((CONTACT, OTHER), (CONTACT, OTHER, STRANGER))


async def test_the_last_other_member_can_leave(world: HubWorld) -> None:
    await world.observe(world.sandbox_line, seen("chat.icon", chat=GROUP))
    await world.observe(
        world.sandbox_line,
        *(moved("chat.member_removed", who, AT + 1) for who in (CONTACT, OTHER)),
    )

    assert (await chat(world)).participants == ()


async def test_our_line_leaves_and_is_let_in_again(world: HubWorld) -> None:
    await world.observe(world.sandbox_line, seen("chat.left", chat=GROUP, at=AT + 1))
    left = await chat(world)
    await world.observe(world.sandbox_line, moved("chat.member_added", SANDBOX_LINE, AT + 2))
    back = await chat(world)

    assert (left.left_at, back.left_at) == (AT + 1, None)
    assert left.participants == back.participants == (CONTACT, OTHER)


async def test_a_name_is_given_and_taken_away(world: HubWorld) -> None:
    await world.observe(world.sandbox_line, seen("chat.renamed", chat=GROUP, value="Trip", at=AT + 1))
    named = await chat(world)
    await world.observe(world.sandbox_line, seen("chat.renamed", chat=BARE, value="", at=AT + 2))

    assert (named.name, (await chat(world)).name) == ("Trip", None)
    assert [each["name"] for each in await data(world, "chat.renamed")] == ["Trip", None]


async def test_a_picture_that_a_contact_gives_is_not_ours(world: HubWorld) -> None:
    await world.observe(world.sandbox_line, seen("chat.icon", chat=GROUP, at=AT))
    chat_id = (await chat(world)).id

    async def ours(tx: Any) -> None:
        (state,) = await tx.chats.states([chat_id])
        await tx.chats.save_states([state._replace(icon_file_id=5)])

    await world.store.hot.write(ours)
    await world.observe(world.sandbox_line, seen("chat.icon", chat=BARE, at=AT + 1))
    by_us = (await chat(world)).icon_file_id
    await world.observe(world.sandbox_line, seen("chat.icon", chat=BARE, actor=OTHER, at=AT + 2))

    assert (by_us, (await chat(world)).icon_file_id) == (5, None)


async def test_a_poll_collects_votes(world: HubWorld) -> None:
    made = seen("poll.created", chat=GROUP, poll=POLL)
    votes = [
        seen(
            "poll.voted",
            chat=None,
            actor=who,
            at=AT + at,
            poll=ObservedPoll(provider_id="POLL", choices=choices),
        )
        for who, at, choices in ((CONTACT, 1, ("a",)), (OTHER, 2, ("a", "b")), (CONTACT, 3, ("b",)))
    ]
    await world.observe(world.sandbox_line, made, *votes)
    await world.observe(world.sandbox_line, *reversed(votes), made)
    polls = await data(world, "poll.voted")

    assert [(each["actor"], each["choices"]) for each in polls] == [
        (CONTACT, ["a"]),
        (OTHER, ["a", "b"]),
        (CONTACT, ["b"]),
    ]
    assert [(each["text"], each["votes"]) for each in polls[-1]["options"]] == [("Soup", 1), ("Salad", 2)]
    assert {each["chat_id"] for each in polls} == {(await data(world, "poll.created"))[0]["chat_id"]}
    assert (await data(world, "poll.created"))[0]["is_from_me"] is True


async def test_a_vote_may_arrive_before_its_poll(world: HubWorld) -> None:
    vote = ObservedPoll(provider_id="POLL", choices=("a",))
    await world.observe(world.sandbox_line, seen("poll.voted", chat=None, actor=CONTACT, poll=vote))
    await world.observe(world.sandbox_line, seen("poll.created", chat=GROUP, actor=CONTACT, poll=POLL))
    (early,) = await data(world, "poll.voted")
    (made,) = await data(world, "poll.created")

    assert (early["title"], early["options"], early["chat_id"]) == (None, [], None)
    assert (made["id"], made["title"], made["options"][0]["votes"]) == (early["id"], "Lunch?", 1)
    assert (made["creator"], made["is_from_me"]) == (CONTACT, False)


async def test_a_poll_is_not_tied_to_the_send_of_another_line(world: HubWorld) -> None:
    ids = world.new_id.take(2)
    for number, line in zip(ids, (world.sandbox_line, world.other_line), strict=True):
        row = OutboxRow(number, line.id, shard_of(line.id), None, "poll", "{}", 1, 1)
        await world.store.hot.write(lambda tx, row=row: tx.insert_outbox([row]))  # type: ignore[misc] # bound
    for name, number in zip(("P1", "P2"), ids, strict=True):
        quoting = changed(POLL, provider_id=name, attempt_id=attempt_id(number))
        await world.observe(world.sandbox_line, seen("poll.created", chat=GROUP, poll=quoting))
    quoted = [each["outbox_id"] for each in await data(world, "poll.created")]

    assert world.other_line.handle == OTHER_LINE
    assert [each is not None for each in quoted] == [True, False]
