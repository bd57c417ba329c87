"""What Messages writes, case by case, and what is told of it: on macOS 12, 13 and 26, live and from the past alike."""

from __future__ import annotations

import plistlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from hub.rules.facts import facts_of
from hub.rules.refusals import validate
from tests.bridge.chatdb.builder import URL_BALLOON, apple
from tests.bridge.chatdb.case_stage import GROUP, LONG, OTHER, Stage, T, brief
from tests.bridge.chatdb.harness import ChatDbHarness
from tests.bridge.chatdb.schema_of_macs import GENERATIONS
from tests.bridge.macos.surroundings import CONTACT

Case = tuple[str, Callable[[Stage], object], list[str]]


def _url_pair(stage: Stage) -> None:
    stage.came("look https://example.org/a")
    stage.came("https://example.org/a", balloon_bundle_id=URL_BALLOON)


def _url_alone(stage: Stage) -> None:
    objects = {"$objects": ["$null", "https://example.org/b", 7]}
    stage.came(
        None, balloon_bundle_id=URL_BALLOON, payload_data=plistlib.dumps(objects, fmt=plistlib.FMT_BINARY)
    )


def _tapback_changed(stage: Stage) -> None:
    target = stage.ours("joke")
    stage.b.tapback(stage.dm, target, 2000, sender=CONTACT, at_ms=T + 1)
    stage.b.tapback(stage.dm, target, 2003, sender=CONTACT, at_ms=T + 2)


def _tapback_removed(stage: Stage) -> None:
    stage.b.tapback(stage.dm, stage.ours("joke"), 3003, sender=CONTACT, at_ms=T + 1)


def _tapback_own(stage: Stage) -> None:
    stage.b.tapback(stage.group, stage.came("news", chat=stage.group), 2001, sender=None, at_ms=T + 1)


def _edited_then_cut(stage: Stage) -> None:
    row = stage.came("first")
    stage.b.edit(row, ["first", "second"], at_ms=T + 60_000)
    info = {
        "ec": {"0": [{"t": b"", "d": 0.0}, {"t": b"", "d": (T + 60_000 - 978_307_200_000) / 1000}]},
        "rp": [1],
        "otr": {"0": {}, "1": {}},
    }
    stage.b.update(
        "message",
        row,
        date_edited=apple(T + 90_000),
        text="second",
        message_summary_info=plistlib.dumps(info),
    )


def _read_carried_back(stage: Stage) -> None:
    for _ in range(3):
        stage.ours("one", is_delivered=1, date_delivered=apple(T + 5))
    stage.ours("last", is_delivered=1, date_delivered=apple(T + 5), date_read=apple(T + 9))


def _with_file(stage: Stage) -> None:
    stage.b.attachment(stage.came("see \ufffc there"), stage.folder, "a.png", b"png")


def _with_files_only(stage: Stage) -> None:
    row = stage.came("\ufffc\ufffc")
    stage.b.attachment(row, stage.folder, "a.png", b"png")
    stage.b.attachment(row, stage.folder, "b.png", None)
    stage.b.attachment(row, stage.folder, "x.pluginPayloadAttachment", b"secret")


def _voice(stage: Stage) -> None:
    row = stage.came("\ufffc", is_audio_message=1, is_expirable=1)
    stage.b.attachment(row, stage.folder, "Audio Message.caf", b"caff", mime_type="audio/x-caf")


def _sticker(stage: Stage) -> None:
    target = stage.b.guid(stage.ours("joke"))
    row = stage.came("\ufffc", associated_message_guid=f"p:0/{target}", associated_message_type=1000)
    stage.b.attachment(row, stage.folder, "a.png", b"png", is_sticker=1)


def _votes(stage: Stage) -> None:
    b, options = stage.b, {"a": "Pizza"}
    b.poll(stage.group, sender=None, at_ms=T, options=options)
    more = b.poll(
        stage.group, sender=CONTACT, at_ms=T, options=options | {"b": "Sushi"}, of="POLL", guid="MORE"
    )
    # A vote may name the row that brought its option.
    b.vote(stage.group, b.guid(more), ["b", "a"], sender=CONTACT, at_ms=T + 1)
    b.vote(stage.group, "POLL", [], sender=CONTACT, at_ms=T + 2)


def _broken_polls(stage: Stage) -> None:
    row = stage.b.poll(stage.group, sender=CONTACT, at_ms=T, options={"a": "Pizza"}, guid="BROKEN")
    stage.b.update("message", row, payload_data=b"broken")
    row = stage.b.vote(stage.group, "BROKEN", ["a"], sender=CONTACT, at_ms=T)
    stage.b.update("message", row, payload_data=None)


CASES: Final[list[Case]] = [
    ("text in its column", lambda s: s.came("hi", is_text_column=True), [f"message.received by {CONTACT} text:hi"]),
    ("text in the archive", lambda s: s.came("hi"), [f"message.received by {CONTACT} text:hi"]),
    ("long text", lambda s: s.came(LONG), [f"message.received by {CONTACT} text:{LONG}"]),
    ("emoji", lambda s: s.came("🎉👩‍👩‍👧"), [f"message.received by {CONTACT} text:🎉👩‍👩‍👧"]),
    ("sent from another device", lambda s: s.ours("mine"), ["message.sent text:mine"]),
    ("not sent yet", lambda s: s.ours("slow", is_sent=0), ["message.observed text:slow"]),
    ("in a group", lambda s: s.came("all", chat=s.group), [f"message.received by {CONTACT} text:all"]),
    ("any;-;", lambda s: s.came("x", chat=s.b.chat(OTHER, prefix="any")), [f"message.received by {CONTACT} text:x"]),
    ("SMS", lambda s: s.came("x", service="SMS"), [f"message.received by {CONTACT} text:x SMS"]),
    ("RCS", lambda s: s.came("x", service="RCS"), [f"message.received by {CONTACT} text:x RCS"]),
    (
        "downgraded",
        lambda s: s.ours("x", service="SMS", was_downgraded=1),
        ["message.sent text:x SMS", "status.downgraded"],
    ),
    ("link with words", _url_pair, [f"message.received by {CONTACT} text:look https://example.org/a"]),
    ("link alone", _url_alone, [f"message.received by {CONTACT} link:https://example.org/b"]),
    ("app", lambda s: s.came(None, balloon_bundle_id="app:1:Game"), [f"message.received by {CONTACT} card:Game"]),
    ("tapback changed", _tapback_changed, ["message.sent text:joke", f"reaction.added by {CONTACT} laugh"]),
    ("tapback removed", _tapback_removed, ["message.sent text:joke", f"reaction.removed by {CONTACT} laugh"]),
    ("own tapback", _tapback_own, [f"message.received by {CONTACT} text:news", "reaction.added like"]),
    (
        "edited",
        lambda s: s.b.edit(s.came("first"), ["first", "second", "third"], at_ms=T + 60_000),
        [f"message.received by {CONTACT} text:third edited_at+60000"],
    ),
    (
        "unsent",
        lambda s: s.b.unsend(s.came("oops"), [0], of=1, at_ms=T + 60_000),
        [f"message.received by {CONTACT} unsent_at+60000"],
    ),
    (
        "one part unsent",
        lambda s: s.b.unsend(s.came("stays"), [1], of=2, at_ms=T + 60_000),
        [f"message.received by {CONTACT} text:stays unsent_at+60000 unsent [1]"],
    ),
    (
        "edited, then a part unsent",
        _edited_then_cut,
        [f"message.received by {CONTACT} text:second edited_at+60000 unsent_at+90000 unsent [1]"],
    ),
    (
        "member added",
        lambda s: s.item(1, 0, other_handle=s.b.handle(OTHER)),
        [f"chat.member_added by {CONTACT} value {OTHER}"],
    ),
    (
        "member removed",
        lambda s: s.item(1, 1, other_handle=s.b.handle(OTHER)),
        [f"chat.member_removed by {CONTACT} value {OTHER}"],
    ),
    ("number changed", lambda s: s.item(1, 0, other_handle=s.b.handle(CONTACT)), []),
    ("renamed", lambda s: s.item(2, group_title="Tour"), [f"chat.renamed by {CONTACT} value Tour"]),
    ("name taken away", lambda s: s.item(2), [f"chat.renamed by {CONTACT} value "]),
    ("left", lambda s: s.item(3, 0), [f"chat.left by {CONTACT}"]),
    ("we left", lambda s: s.ours(None, chat=s.group, item_type=3), ["chat.left"]),
    ("picture set", lambda s: s.item(3, 1), [f"chat.icon by {CONTACT}"]),
    ("picture removed", lambda s: s.item(3, 2), [f"chat.icon by {CONTACT} value removed"]),
    (
        "background set and taken away",
        lambda s: [s.item(3, 4), s.ours(None, item_type=3, group_action_type=6)],
        [
            f"message.received by {CONTACT} card:The background of the chat was changed",
            "message.sent card:The background of the chat was taken away",
        ],
    ),
    (
        "location",
        lambda s: s.came(None, item_type=4),
        [f"message.received by {CONTACT} card:Location sharing was started or stopped"],
    ),
    ("kept audio, SharePlay", lambda s: [s.item(code) for code in (5, 6)], []),
    (
        "of a later macOS",
        lambda s: s.item(9, 2),
        [f"message.received by {CONTACT} card:Something that this hub does not know happened in Messages (item 9.2)"],
    ),
    ("sticker put on a message", _sticker, ["message.sent text:joke", f"message.received by {CONTACT} sticker:a.png"]),
    (
        "poll",
        lambda s: s.b.poll(s.group, sender=CONTACT, at_ms=T, title="Dinner?", options={"a": "Pizza"}, guid="P2"),
        [f"poll.created by {CONTACT} poll P2 Dinner? a=Pizza"],
    ),
    (
        "votes",
        _votes,
        [
            "poll.created poll POLL a=Pizza",
            f"poll.created by {CONTACT} poll POLL a=Pizza b=Sushi",
            f"poll.voted by {CONTACT} poll POLL chosen ['b', 'a']",
            f"poll.voted by {CONTACT} poll POLL chosen []",
        ],
    ),
    ("broken poll", _broken_polls, [f"message.received by {CONTACT} card:A poll that cannot be read here"]),
    (
        "delivered and read",
        lambda s: s.ours("x", is_delivered=1, date_delivered=apple(T + 5), date_read=apple(T + 9)),
        ["message.sent text:x delivered_at+5 read_at+9"],
    ),
    (
        "read mark carried back",
        _read_carried_back,
        ["message.sent text:one delivered_at+5"] * 3
        + ["message.sent text:last delivered_at+5 read_at+9", *["status.read"] * 3],
    ),
    (
        "group receipts are nobody's",
        lambda s: s.ours("x", chat=s.group, is_delivered=1, date_delivered=apple(T + 5)),
        ["message.sent text:x"],
    ),
    ("failed", lambda s: s.ours("x", error=22, is_sent=0), ["status.failed text:x error 22"]),
    (
        "failed and yet delivered",
        lambda s: s.ours("x", error=22, is_delivered=1, date_delivered=apple(T + 5)),
        ["message.sent text:x delivered_at+5"],
    ),
    ("file between words", _with_file, [f"message.received by {CONTACT} text:see |attachment:a.png|text: there"]),
    ("files only", _with_files_only, [f"message.received by {CONTACT} attachment:a.png|attachment:b.png"]),
    ("voice", _voice, [f"message.received by {CONTACT} audio:Audio Message.caf"]),
    ("masked sender", lambda s: s.came("x", chat=s.b.chat("+156****2244")), []),
    ("spam", lambda s: s.came("x", is_spam=1), []),
    ("empty", lambda s: s.came(None), []),
    ("in no chat", lambda s: s.b.message(None, "x", sender=CONTACT, at_ms=T), []),
    ("absurd date", lambda s: s.came("x", date=2**62), [f"message.received by {CONTACT} text:x"]),
]  # fmt: skip
#: What only macOS 14 and later can hold.
LATE_CASES: Final[list[Case]] = [
    (
        "emoji tapback",
        lambda s: s.b.tapback(
            s.dm, s.ours("joke"), 2006, sender=CONTACT, at_ms=T + 1, associated_message_emoji="🎉"
        ),
        ["message.sent text:joke", f"reaction.added by {CONTACT} 🎉"],
    ),
    (
        "emoji tapback removed",
        lambda s: s.b.tapback(
            s.dm, s.ours("joke"), 3006, sender=CONTACT, at_ms=T + 1, associated_message_emoji="🎉"
        ),
        ["message.sent text:joke", f"reaction.removed by {CONTACT} 🎉"],
    ),
    ("for later", lambda s: s.ours("later", is_sent=0, schedule_type=2), []),
]


def _table() -> list[Any]:
    early = [(generation, case) for generation in GENERATIONS for case in CASES]
    late = [(26, case) for case in LATE_CASES]
    return [
        pytest.param(g, write, expected, id=f"{name} ({g})") for g, (name, write, expected) in early + late
    ]


#: macOS 12 has no edits.
_SINCE_13: Final = ("edited", "unsent", "one part unsent")


@pytest.mark.parametrize(("generation", "write", "expected"), _table())
def test_what_is_there_is_told(
    tmp_path: Path,
    request: pytest.FixtureRequest,
    generation: int,
    write: Callable[[Stage], object],
    expected: list[str],
) -> None:
    harness = ChatDbHarness(tmp_path, generation=generation)
    write(Stage(harness))

    told = harness.told_at_once()

    if generation > 12 or not request.node.callspec.id.startswith(_SINCE_13):
        assert [brief(each) for each in told] == expected
    assert [validate(each, now_ms=harness.time.now_ms()) for each in told] == [None] * len(told)


async def test_live_and_from_the_past_the_same_follows(tmp_path: Path) -> None:
    harness = ChatDbHarness(tmp_path)
    stage = Stage(harness)
    async with harness.listening() as heard:
        await heard.until_quiet(0.1)
        for _, write, _ in CASES + LATE_CASES:
            write(stage)
        live = await heard.until_quiet(0.6, at_least=40)

    past = await harness.told()

    keys = [{fact.dedupe_key for each in told for fact in facts_of(each, 7)} for told in (live, past)]
    assert len(live) > 40
    # A tapback that another took the place of, or a message before it changed, is not in the past any more.
    assert keys[1] <= keys[0]


def test_replies_name_the_message_and_no_previous_one(tmp_path: Path) -> None:
    harness = ChatDbHarness(tmp_path)
    stage = Stage(harness)
    first = stage.ours("question")
    stage.came("answer", thread_originator_guid=harness.builder.guid(first), thread_originator_part="0:0:8")
    stage.came("unrelated", reply_to_guid=harness.builder.guid(first))

    replies = [each.message.reply_to for each in harness.told_at_once() if each.message]

    assert replies == [None, harness.builder.guid(first), None]


def test_a_conversation_is_one_whatever_its_service(tmp_path: Path) -> None:
    harness = ChatDbHarness(tmp_path)
    stage = Stage(harness)
    for prefix in ("iMessage", "SMS", "RCS", "any"):
        stage.came("x", chat=harness.builder.chat(CONTACT, prefix=prefix))
    stage.came("x", chat=stage.group)

    keys = [each.chat.key for each in harness.told_at_once() if each.chat]

    assert keys == [f"dm:{CONTACT}"] * 4 + [GROUP]


def test_groups_come_with_name_and_members(tmp_path: Path) -> None:
    harness = ChatDbHarness(tmp_path)
    stage = Stage(harness)
    stage.came("x", chat=stage.group)

    (told,) = harness.told_at_once()

    assert told.chat is not None
    assert (told.chat.name, told.chat.participants) == ("Trip", (CONTACT, OTHER))


def test_a_message_belongs_to_the_line_that_it_was_sent_to(tmp_path: Path) -> None:
    harness = ChatDbHarness(tmp_path, lines=("+15550100000", "me@example.org"))
    stage = Stage(harness)
    stage.came("x", destination_caller_id="+1 (555) 010-0000")
    stage.came("x", destination_caller_id="Me@Example.org")
    stage.came("x")

    lines = [each.line for each in harness.told_at_once()]

    assert lines == ["+15550100000", "me@example.org", "me@example.org"]
