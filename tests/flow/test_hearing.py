"""STOP is heard in the transaction that records it, once, and tells itself; bridges' words about lines are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bridge.sandbox import contacts
from hub.flow.safety_repositories import ConsentFilter
from hub.model.consent import Consent, ConsentAction, ConsentEntry, ConsentSource
from hub.model.line_safety import LineSafety
from hub.model.observation import Observation, ObservationKind, ObservedChat, ObservedError, Part
from tests.support.hub_world import CONTACT, HubWorld, open_world

EVERYTHING = ConsentFilter()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    async with open_world(tmp_path) as world:
        yield world


async def standing(world: HubWorld, handle: str = CONTACT) -> ConsentAction | None:
    found = await world.store.consents.of([world.sandbox_line.id], handle)
    return found[0].action if found else None


async def log(world: HubWorld) -> list[ConsentEntry]:
    return [*await world.store.consents.page(EVERYTHING, after=0, limit=99)]


async def told(world: HubWorld) -> list[tuple[str, dict[str, Any]]]:
    events = await world.store.events.newest(limit=99)
    return [
        (event.type, msgspec.json.decode(event.data))
        for event in reversed(events)
        if event.type.startswith("contact.")
    ]


def said(world: HubWorld, text: str, *, guid: str, at: int | None = None) -> Observation:
    scene = contacts.direct(world.sandbox_line.handle, CONTACT)
    return contacts.say(scene, text, guid=guid, at=world.clock.now_ms() if at is None else at)


async def test_stop_opts_out_and_start_in(world: HubWorld) -> None:
    """Each with its event; what the contact said stands in the log with its message."""
    await world.webhook(events=["contact.*"])
    await world.say("Stop.")
    assert await standing(world) is ConsentAction.OPTED_OUT

    await world.say("start")
    assert await standing(world) is ConsentAction.OPTED_IN

    assert [name for name, _ in await told(world)] == ["contact.opted_out", "contact.opted_in"]
    data = (await told(world))[0][1]
    assert (data["handle"], data["state"], data["keyword"], data["source"], data["scope"]) == (
        CONTACT, "opted_out", "stop", "keyword", "line",
    )  # fmt: skip
    message = await world.api.get(f"/v1/messages/{data['message_id']}")
    assert message.json["text"] == "Stop."
    assert len(world.wake_ups.ranges) >= 2


@pytest.mark.parametrize("text", ["stop by the shop", "Please stop", "Hello", "STOP " * 30])
async def test_an_ordinary_message_says_nothing(world: HubWorld, text: str) -> None:
    """Only the whole message counts."""
    await world.say(text)

    assert await log(world) == []


async def test_a_word_is_heard_once_however_often_it_is_shown(world: HubWorld) -> None:
    """In another request, as another kind of snapshot, or after a later word."""
    stop = said(world, "STOP", guid="g1")
    await world.observe(world.sandbox_line, stop)
    world.clock.advance(1000)
    await world.say("START")
    await world.observe(world.sandbox_line, stop)
    await world.observe(world.sandbox_line, msgspec.structs.replace(stop, kind="message.observed"))

    assert [entry.action for entry in await log(world)] == [ConsentAction.OPTED_OUT, ConsentAction.OPTED_IN]
    assert await standing(world) is ConsentAction.OPTED_IN
    assert len(await told(world)) == 2


async def test_words_count_by_the_time_they_were_said(world: HubWorld) -> None:
    """A STOP from before the START comes late: it is kept in the log and changes nothing."""
    now = world.clock.now_ms()
    await world.observe(world.sandbox_line, said(world, "START", guid="later", at=now - 10))
    await world.observe(world.sandbox_line, said(world, "STOP", guid="earlier", at=now - 20))

    assert await standing(world) is ConsentAction.OPTED_IN
    assert [entry.is_applied for entry in await log(world)] == [True, False]
    assert [name for name, _ in await told(world)] == ["contact.opted_in"]


def from_network(
    world: HubWorld, kind: ObservationKind, *, at: int, target: str | None = None
) -> Observation:
    said_what = ObservedError(code="21610", raw="The contact has opted out at the network.")
    return Observation(
        v=1,
        line=world.sandbox_line.handle,
        kind=kind,
        at=at,
        chat=ObservedChat(key=f"dm:{CONTACT}"),
        target=target,
        error=said_what,
    )


async def test_what_the_network_heard_counts_like_what_we_heard(world: HubWorld) -> None:
    """Once, however often it is told; and taken back when the network tells that."""
    now = world.clock.now_ms()
    out = from_network(world, "contact.opted_out", at=now - 20, target="SM1")
    await world.observe(world.sandbox_line, out)
    await world.observe(world.sandbox_line, msgspec.structs.replace(out, at=now - 10))
    assert await standing(world) is ConsentAction.OPTED_OUT
    await world.observe(world.sandbox_line, from_network(world, "contact.opted_in", at=now))

    assert await standing(world) is ConsentAction.OPTED_IN
    assert [(entry.action, entry.source) for entry in await log(world)] == [
        (ConsentAction.OPTED_OUT, ConsentSource.NETWORK),
        (ConsentAction.OPTED_IN, ConsentSource.NETWORK),
    ]
    assert [name for name, _ in await told(world)] == ["contact.opted_out", "contact.opted_in"]


async def test_a_network_says_nothing_about_groups(world: HubWorld) -> None:
    seen = from_network(world, "contact.opted_out", at=world.clock.now_ms())
    group = ObservedChat(key="chat123", is_group=True)
    await world.observe(world.sandbox_line, msgspec.structs.replace(seen, chat=group))

    assert await log(world) == []


async def test_a_second_stop_is_logged_and_not_told(world: HubWorld) -> None:
    """Nothing has changed."""
    await world.say("STOP")
    await world.say("unsubscribe")

    assert [entry.is_applied for entry in await log(world)] == [True, False]
    assert len(await told(world)) == 1


async def test_a_message_that_is_edited_into_stop_counts(world: HubWorld) -> None:
    """Whoever mistypes STOP and mends it has said STOP."""
    guid = await world.say("STPO")
    world.clock.advance(1000)
    scene = contacts.direct(world.sandbox_line.handle, CONTACT)
    edited = contacts.edit(scene, guid, "STOP", at=world.clock.now_ms())
    await world.observe(world.sandbox_line, edited, edited)

    assert await standing(world) is ConsentAction.OPTED_OUT
    assert len(await log(world)) == 1


async def test_in_a_group_stop_is_said_to_everybody(world: HubWorld) -> None:
    """And so not to us."""
    scene = contacts.group(world.sandbox_line.handle, CONTACT, key="chat7", participants=("+15550100002",))
    await world.observe(world.sandbox_line, contacts.say(scene, "STOP", guid="g", at=world.clock.now_ms()))

    assert await log(world) == []


async def test_our_own_stop_says_nothing(world: HubWorld) -> None:
    """A line that writes STOP to somebody opts nobody out."""
    ours = msgspec.structs.replace(said(world, "STOP", guid="g"), kind="message.sent", actor=None)
    assert ours.message is not None
    ours = msgspec.structs.replace(ours, message=msgspec.structs.replace(ours.message, is_from_me=True))
    await world.observe(world.sandbox_line, ours)

    assert await log(world) == []


async def test_help_is_told_and_changes_nothing(world: HubWorld) -> None:
    """Each time that it is asked for."""
    await world.say("HELP")
    await world.say("info")

    assert await standing(world) is None
    assert [(name, data["state"]) for name, data in await told(world)] == [
        ("contact.help_requested", None)
    ] * 2
    assert await world.store.consents.owed_replies(limit=9) == []


async def test_a_line_has_words_of_its_own(world: HubWorld) -> None:
    """Beside those of the hub."""
    own = LineSafety(stop_words=("ARRÊT",), help_reply="Write STOP and we are quiet.")
    await world.store.lines.change(world.sandbox_line.id, lambda line: replace(line, safety=own))
    await world.directory.refresh()

    await world.say("Arrêt !")
    await world.say("aide")
    await world.say("Help")

    assert await standing(world) is ConsentAction.OPTED_OUT
    (owed,) = await world.store.consents.owed_replies(limit=9)
    assert owed.action is ConsentAction.HELP


async def test_a_word_may_count_for_the_whole_hub(world: HubWorld) -> None:
    """Where the line's setting says so."""
    own = LineSafety(consent_scope="hub")
    await world.store.lines.change(world.sandbox_line.id, lambda line: replace(line, safety=own))
    await world.directory.refresh()

    await world.say("STOP")

    found: list[Consent] = await world.store.consents.of([0], CONTACT)
    assert [each.line_id for each in found] == [world.sandbox_line.id]


async def test_a_file_beside_the_word_does_not_hide_it(world: HubWorld) -> None:
    """The whole text is STOP."""
    scene = contacts.direct(world.sandbox_line.handle, CONTACT)
    photo = Part(type="attachment", filename="a.png", mime_type="image/png")
    await world.observe(
        world.sandbox_line,
        contacts.send_file(scene, photo, guid="g", at=world.clock.now_ms(), text="Stop"),
    )

    assert await standing(world) is ConsentAction.OPTED_OUT


async def test_a_clock_that_runs_ahead_does_not_silence_what_comes_later(world: HubWorld) -> None:
    """No word counts from a time that has not come."""
    now = world.clock.now_ms()
    await world.observe(world.sandbox_line, said(world, "STOP", guid="g", at=now + 10_000_000))

    (entry,) = await log(world)
    assert entry.said_at == now


async def test_what_a_bridge_says_of_its_line_is_kept(world: HubWorld) -> None:
    """For the line's health; an unknown word is an event only."""
    handle, now = world.sandbox_line.handle, world.clock.now_ms()
    await world.observe(
        world.sandbox_line,
        contacts.line_status(handle, "degraded", at=now - 1, reason="slow"),
        contacts.line_status(handle, "offline", at=now, reason="no network"),
        contacts.line_status(handle, "confused", at=now + 1),
    )

    record = await world.store.health.get(world.sandbox_line.id)

    assert record is not None
    assert (record.bridge_status, record.bridge_reason) == ("offline", "no network")
