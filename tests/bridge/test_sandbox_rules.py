"""The simulated network has rules, as a real one: what it refuses, what follows, and the documents that say so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bridge.sandbox.bridge import CAPABILITIES
from bridge.sandbox.network import EDIT_WITHIN_MS, UNSEND_WITHIN_MS
from bridge.sandbox.people import PLACES, REACHES
from hub.model.observation import Observation
from hub.model.outbox import Disposition, OperationKind, OperationOutcome
from hub.rules.facts import facts_of, text_of
from tests.bridge.conformance import MEMBERS, NEWCOMER
from tests.bridge.sandbox_harness import CONTACT, DELAYS, SandboxHarness

TEXT = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
ECHO, SMS_ONLY, NOBODY = "+15550100200", "+15550100302", "+15550100404"


@pytest.fixture
def harness() -> SandboxHarness:
    return SandboxHarness()


async def do(harness: SandboxHarness, kind: OperationKind, **payload: object) -> OperationOutcome:
    return await harness.adapter.perform(harness.operation(kind, **payload))


async def sent(harness: SandboxHarness, **payload: object) -> str:
    outcome = await do(harness, OperationKind.SEND, **{"text": "helo", **payload})
    assert outcome.provider_id is not None
    return outcome.provider_id


def told(seen: list[Observation]) -> list[tuple[str, str | None]]:
    return [(each.kind, each.value) for each in seen]


# ---- messages


async def test_an_edit_shows_the_new_words_of_the_same_message(harness: SandboxHarness) -> None:
    guid = await sent(harness)
    await harness.seen()
    harness.clock.advance(1_000)
    await do(harness, OperationKind.EDIT, message_guid=guid, text="hello")
    (edited,) = await harness.seen()

    assert edited.message is not None
    assert (edited.kind, edited.message.provider_id, text_of(edited.message.parts)) == (
        "message.edited",
        guid,
        "hello",
    )
    assert edited.message.edited_at == harness.clock.now_ms()


async def test_a_message_taken_back_cannot_be_edited(harness: SandboxHarness) -> None:
    guid = await sent(harness)
    unsent = await do(harness, OperationKind.UNSEND, message_guid=guid)
    edited = await do(harness, OperationKind.EDIT, message_guid=guid, text="hello")

    assert unsent.disposition is Disposition.ACCEPTED
    assert edited.code == "message_unsent"
    assert "message.unsent" in [each.kind for each in await harness.seen()]


@pytest.mark.parametrize(
    ("kind", "limit_ms"), [(OperationKind.EDIT, EDIT_WITHIN_MS), (OperationKind.UNSEND, UNSEND_WITHIN_MS)]
)
async def test_a_change_may_come_too_late(
    harness: SandboxHarness, kind: OperationKind, limit_ms: int
) -> None:
    early, late = await sent(harness), await sent(harness)
    harness.clock.advance(limit_ms)
    assert (await do(harness, kind, message_guid=early, text="x")).disposition is Disposition.ACCEPTED
    harness.clock.advance(1)

    assert (await do(harness, kind, message_guid=late, text="x")).code == "too_late"


async def test_only_our_own_imessages_can_be_changed(harness: SandboxHarness) -> None:
    sms = await sent(harness, to=SMS_ONLY, allow_sms_fallback=True)
    codes = [
        (await do(harness, OperationKind.EDIT, message_guid=guid, text="x")).code for guid in (sms, "OTHER")
    ]

    assert codes == ["not_imessage", "message_not_found"]


@pytest.mark.parametrize(("name", "value"), [("effect", "confetti"), ("subject", "News")])
async def test_an_ornament_is_shown_and_lost_on_sms(harness: SandboxHarness, name: str, value: str) -> None:
    await sent(harness, **{name: value})
    await sent(harness, to=SMS_ONLY, allow_sms_fallback=True, **{name: value})
    shown = [getattr(each.message, name) for each in await harness.seen() if each.message]

    assert (shown.count(value), shown.count(None)) == (3, 3)


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (
            {"text": "https://a.example", "link_preview": {"title": "A"}},
            [("link", "https://a.example", None)],
        ),
        (
            {"text": "See https://a.example now", "link_preview": {"title": "A"}},
            [("text", None, "See https://a.example now"), ("link", "https://a.example", None)],
        ),
        (
            {"text": "See", "link_preview": {"title": "A", "url": "https://b.example"}},
            [("text", None, "See"), ("link", "https://b.example", None)],
        ),
        (
            {
                "parts": [
                    {"type": "text", "text": "a"},
                    {"type": "link", "url": "https://a.example", "text": "A"},
                ]
            },
            [("text", None, "a"), ("link", "https://a.example", "A")],
        ),
    ],
)
async def test_links_are_shown_as_links(
    harness: SandboxHarness, payload: dict[str, object], shown: list[tuple[str, str | None, str | None]]
) -> None:
    await do(harness, OperationKind.SEND, **payload)
    message = (await harness.seen())[0].message

    assert message is not None
    assert [(part.type, part.url, part.text) for part in message.parts] == shown


async def test_a_reaction_is_taken_back(harness: SandboxHarness) -> None:
    await do(harness, OperationKind.REACT, message_guid="T", type="love")
    await do(harness, OperationKind.REACT, message_guid="T", type="love", remove=True)
    seen = await harness.seen()

    assert [each.kind for each in seen] == ["reaction.added", "reaction.removed"]
    assert len({fact.dedupe_key for each in seen for fact in facts_of(each, 1)}) == 2


# ---- groups


async def test_a_new_group_shows_its_members_its_name_and_its_first_words(harness: SandboxHarness) -> None:
    made = await do(harness, OperationKind.GROUP_CREATE, participants=MEMBERS, name="Trip", text="Hi all")
    seen = await harness.seen()

    assert told(seen) == [
        ("chat.member_added", MEMBERS[0]),
        ("chat.member_added", MEMBERS[1]),
        ("chat.renamed", "Trip"),
        ("message.sent", None),
        ("status.delivered", None),
    ]
    assert {each.chat.key for each in seen if each.chat} == {(made.result or {})["chat_key"]}
    assert made.provider_id is not None


async def test_a_group_lives(harness: SandboxHarness) -> None:
    key = await harness.group()
    await harness.seen()
    for kind, payload in (
        (OperationKind.GROUP_RENAME, {"name": "Trip"}),
        (OperationKind.GROUP_ADD, {"handle": NEWCOMER}),
        (OperationKind.GROUP_REMOVE, {"handle": MEMBERS[1]}),
        (OperationKind.GROUP_ICON, {"file_id": "file_1"}),
        (OperationKind.GROUP_ICON, {"remove": True}),
        (OperationKind.GROUP_LEAVE, {}),
    ):
        outcome = await do(harness, kind, chat_key=key, **payload)
        assert outcome.disposition is Disposition.ACCEPTED, outcome
        harness.clock.advance(1)
    seen = await harness.seen()

    assert told(seen) == [
        ("chat.renamed", "Trip"),
        ("chat.member_added", NEWCOMER),
        ("chat.member_removed", MEMBERS[1]),
        ("chat.icon", None),
        ("chat.icon", "removed"),
        ("chat.left", None),
    ]
    assert seen[2].chat is not None
    assert seen[2].chat.participants == (MEMBERS[0], NEWCOMER)
    assert all(each.actor is None for each in seen)


@pytest.mark.parametrize(
    ("kind", "payload", "code"),
    [
        (OperationKind.GROUP_ADD, {"handle": MEMBERS[0]}, "already_member"),
        (OperationKind.GROUP_ADD, {"handle": NOBODY}, "not_reachable"),
        (OperationKind.GROUP_REMOVE, {"handle": NEWCOMER}, "not_a_member"),
        (OperationKind.GROUP_ICON, {"remove": True}, "no_icon"),
        (OperationKind.GROUP_RENAME, {"name": "x", "chat_key": "chat-unknown"}, "group_not_found"),
        (OperationKind.GROUP_RENAME, {"name": "x", "chat_key": f"dm:{CONTACT}"}, "group_not_found"),
    ],
)
async def test_what_a_group_refuses(
    harness: SandboxHarness, kind: OperationKind, payload: dict[str, object], code: str
) -> None:
    outcome = await do(harness, kind, **{"chat_key": await harness.group(), **payload})

    assert (outcome.disposition, outcome.code) == (Disposition.REJECTED, code)


async def test_who_has_left_a_group_cannot_change_it(harness: SandboxHarness) -> None:
    key = await harness.group()
    await do(harness, OperationKind.GROUP_LEAVE, chat_key=key)

    assert (await do(harness, OperationKind.GROUP_RENAME, chat_key=key, name="x")).code == "not_a_member"


async def test_nobody_without_imessage_can_be_in_a_new_group(harness: SandboxHarness) -> None:
    outcome = await do(harness, OperationKind.GROUP_CREATE, participants=[CONTACT, SMS_ONLY])

    assert (outcome.code, SMS_ONLY in (outcome.detail or "")) == ("not_reachable", True)


async def test_the_same_attempt_makes_one_group(harness: SandboxHarness) -> None:
    operation = harness.operation(OperationKind.GROUP_CREATE, participants=MEMBERS)
    outcomes = [await harness.adapter.perform(operation) for _ in range(2)]

    assert outcomes[0] == outcomes[1]
    assert len(await harness.seen()) == len(MEMBERS)


# ---- the rest


async def test_a_contact_who_echoes_votes_for_the_first_option(harness: SandboxHarness) -> None:
    at = harness.clock.now_ms()
    made = await do(harness, OperationKind.POLL, to=ECHO, title="Lunch?", options=["Soup", "Salad"])
    created, voted = await harness.seen()

    assert created.poll is not None
    assert voted.poll is not None
    assert (created.kind, created.poll.title, [each.text for each in created.poll.options]) == (
        "poll.created",
        "Lunch?",
        ["Soup", "Salad"],
    )
    assert (voted.kind, voted.actor, voted.poll.choices) == (
        "poll.voted",
        ECHO,
        (created.poll.options[0].id,),
    )
    assert created.poll.provider_id == voted.poll.provider_id == made.provider_id
    assert voted.at > at + DELAYS.read_after_ms


async def test_a_background_has_versions(harness: SandboxHarness) -> None:
    first = await do(harness, OperationKind.BACKGROUND, file_id="file_1")
    second = await do(harness, OperationKind.BACKGROUND, remove=True)
    third = await do(harness, OperationKind.BACKGROUND, remove=True)

    assert [(each.result or {}).get("version") for each in (first, second)] == [1, 2]
    assert (second.result or {})["background_id"] is None
    assert third.code == "no_background"


async def test_a_contact_card_is_set_before_it_is_shared(harness: SandboxHarness) -> None:
    early = await do(harness, OperationKind.CONTACT_CARD, action="share")
    await do(harness, OperationKind.CONTACT_CARD, action="set", card={"first_name": "Ada", "last_name": "L"})
    await do(harness, OperationKind.CONTACT_CARD, action="set", card={"last_name": "Lovelace"})
    shared = await do(harness, OperationKind.CONTACT_CARD, action="share")

    assert early.code == "no_contact_card"
    assert (shared.result or {})["card"] == {"first_name": "Ada", "last_name": "Lovelace"}


@pytest.mark.parametrize(
    ("handle", "reach"),
    [
        (CONTACT, (True, True, True)),
        (SMS_ONLY, (False, True, False)),
        (NOBODY, (False, False, False)),
        ("ada@example.com", (True, False, True)),
    ],
)
async def test_availability(harness: SandboxHarness, handle: str, reach: tuple[bool, ...]) -> None:
    result = (await do(harness, OperationKind.CHECK, handle=handle)).result or {}

    assert (result["imessage"], result["sms"], result["facetime"]) == reach


async def test_availability_of_many(harness: SandboxHarness) -> None:
    result = (await do(harness, OperationKind.CHECK, handles=[NOBODY, "Ada@example.com"])).result or {}

    assert result == {
        "handles": {
            NOBODY: {"imessage": False, "sms": False, "facetime": False},
            "ada@example.com": {"imessage": True, "sms": False, "facetime": True},
        }
    }


async def test_a_place_is_shown_only_by_who_shares_it(harness: SandboxHarness) -> None:
    everybody: dict[str, Any] = dict((await do(harness, OperationKind.LOCATION)).result or {})
    nobody = await do(harness, OperationKind.LOCATION, handle=NOBODY)

    assert [each["handle"] for each in everybody["places"]] == list(PLACES)
    assert nobody.code == "not_sharing"


async def test_a_call_to_nobody_is_refused(harness: SandboxHarness) -> None:
    link = await do(harness, OperationKind.FACETIME, to=CONTACT)
    nobody = await do(harness, OperationKind.FACETIME, to=NOBODY)

    assert str((link.result or {})["url"]).startswith("https://facetime.example/join/")
    assert nobody.code == "not_reachable"


async def test_a_lesser_network_names_less_and_refuses_the_rest() -> None:
    harness = SandboxHarness(without=frozenset({"edit"}))
    outcome = await do(harness, OperationKind.EDIT, message_guid="G", text="x")

    assert await harness.adapter.capabilities() == CAPABILITIES - {"edit"}
    assert (outcome.code, outcome.detail) == ("unsupported", "the sandbox cannot do: edit")


# ---- documents


def test_documentation_shows_how_people_are_reached() -> None:
    rows = dict(re.findall(r"^\| `(\+1555\d+)` \| (SMS only|not at all) \|$", TEXT, re.MULTILINE))

    assert rows == {handle: "SMS only" if reach.is_sms else "not at all" for handle, reach in REACHES.items()}


def test_documentation_shows_who_shares_a_place() -> None:
    rows = dict(
        re.findall(r"^\| `(\+1555\d+)` \| (\w+) \| `(?:live|shallow|legacy)` \|$", TEXT, re.MULTILINE)
    )

    assert rows == {handle: place["label"] for handle, place in PLACES.items()}
