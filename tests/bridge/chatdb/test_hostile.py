"""Whatever stands in a chat.db, and whatever it lacks: never a crash, a loop or a lost cursor."""

from __future__ import annotations

import asyncio
import plistlib
import random
import sqlite3
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.chatdb.content import parts_of
from bridge.chatdb.database import ChatDatabase, Unreadable
from bridge.chatdb.polls import read_poll
from bridge.chatdb.summary import read_summary
from bridge.chatdb.typedstream import decode_text
from bridge.macos.apple_time import APPLE_EPOCH_MS, apple_ns, clamped_ms, past_ms, unix_ms
from hub.model.observation import Observation
from hub.rules.facts import facts_of
from hub.rules.refusals import validate
from tests.bridge.chatdb.builder import Builder, apple, poll_archive
from tests.bridge.chatdb.case_stage import Stage
from tests.bridge.chatdb.harness import ChatDbHarness
from tests.bridge.chatdb.schema_of_macs import columns_of
from tests.bridge.chatdb.test_cases import CASES, LATE_CASES
from tests.bridge.chatdb.typedstream_writer import encode
from tests.bridge.macos.fast_time import START_MS as T
from tests.bridge.macos.surroundings import CONTACT

VECTOR: Final = bytes.fromhex(
    "040b73747265616d747970656481e803840140848484124e5341747472696275746564537472696e67008484084e534f626a6563"
    "74008592848484084e53537472696e67019484012b02686986840269490102928484840c4e5344696374696f6e61727900948401"
    "6901928496961d5f5f6b494d4d657373616765506172744174747269627574654e616d658692848484084e534e756d6265720084"
    "84074e5356616c7565009484012a84999900868686"
)
EXTREMES: Final[list[Any]] = [
    None,
    0,
    -1,
    2**63 - 1,
    -(2**63),
    1.5,
    float("inf"),
    "",
    "text",
    "9" * 40,
    b"",
    b"\xff\xfe\x00broken",
    "nul\0in\0side",
    "x" * 100_000,
]


def test_the_known_vector() -> None:
    assert decode_text(VECTOR) == "hi"
    assert encode("hi") == VECTOR


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300))
def test_words_are_read_as_they_were_written(text: str) -> None:
    assert decode_text(encode(text)) == text


@pytest.mark.parametrize("length", [1, 2, 127, 128, 300, 65_535, 65_536, 70_000])
def test_lengths(length: int) -> None:
    assert decode_text(encode("a" * length)) == "a" * length


@given(st.binary(max_size=200), st.integers(0, 400))
def test_broken_archives_are_no_words_and_no_crash(noise: bytes, cut: int) -> None:
    whole = encode("some words 🎉")
    for archive in (noise, whole[:cut], whole[:cut] + noise, b"NSString+" + noise):
        decode_text(archive)
        read_summary(archive, now_ms=T)


@given(st.binary(max_size=300), st.integers(0, 600))
@settings(max_examples=60, deadline=None)
def test_broken_polls_are_no_crash(noise: bytes, cut: int) -> None:
    whole = poll_archive(
        {"item": {"orderedPollOptions": [{"optionIdentifier": 1}, {"text": "x"}, 7, None]}}, ""
    )
    for archive in (noise, whole[:cut] + noise, poll_archive({"item": {"votes": [{}, 5, None]}}, "?")):
        read_poll(archive)
    for text in (
        "data:",
        "data:,",
        "data:,%",
        "data:,AAAA",
        "data:,{",
        'data:,{"item":5}',
        "data:," + "[" * 20_000,
    ):
        read_poll(plistlib.dumps({"a": [{"b": text}]}))


_LEAF: Final = (
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
)


@given(
    st.dictionaries(
        st.sampled_from(["ec", "ep", "rp", "otr", "x"]),
        st.recursive(
            _LEAF,
            lambda inner: (
                st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
            ),
            max_leaves=6,
        ),
    )
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_strange_summaries_are_no_crash(content: dict[str, Any]) -> None:
    try:
        archive = plistlib.dumps(content, fmt=plistlib.FMT_BINARY)
    except (TypeError, OverflowError, UnicodeEncodeError):
        return
    summary = read_summary(archive, now_ms=T)

    assert all(0 <= part <= 1024 for part in summary.unsent_parts)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, None),
        (None, None),
        (-5, None),
        ("text", None),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
        (2**80, None),
        (1, APPLE_EPOCH_MS + 1000),
        (apple_ns(T), T),
        ((T - APPLE_EPOCH_MS) // 1000, T),
    ],
)
def test_dates(value: object, expected: int | None) -> None:
    assert unix_ms(value) == expected


def test_absurd_dates_are_clamped_or_left_out() -> None:
    assert clamped_ms(2**63 - 1, now_ms=T) == T
    assert past_ms(2**63 - 1, now_ms=T) is None


def _valid(told: list[Observation], now_ms: int) -> None:
    assert [validate(each, now_ms=now_ms) for each in told] == [None] * len(told)


@pytest.mark.parametrize("seed", range(6))
def test_any_value_in_any_column(tmp_path: Path, seed: int) -> None:
    harness = ChatDbHarness(tmp_path)
    b, chance = harness.builder, random.Random(seed)
    chat = b.chat(CONTACT)
    b.db.execute("PRAGMA ignore_check_constraints = 1")
    names = [each.partition(":")[0] for each in columns_of(26)["message"].split()]
    for number in range(200):
        row = b.message(chat, f"{number}", sender=CONTACT, at_ms=T)
        b.attachment(row, harness.attachments, "a.png", None)
        for name in chance.sample(names, 8):
            if name != "guid":
                b.update("message", row, **{name: chance.choice(EXTREMES)})
    for table in ("attachment", "chat", "handle"):
        columns = [each.partition(":")[0] for each in columns_of(26)[table].split() if "!" not in each]
        b.update(table, 1, **{name: chance.choice(EXTREMES) for name in columns})
    b.message(chat, "last", sender=CONTACT, at_ms=T)

    told = harness.told_at_once()

    _valid(told, harness.time.now_ms())
    assert told[-1].message is not None
    assert told[-1].message.parts[0].text == "last"


async def test_every_column_null(tmp_path: Path) -> None:
    harness = ChatDbHarness(tmp_path)
    chat = harness.builder.chat(CONTACT)
    row = harness.builder.message(chat, "x", sender=CONTACT, at_ms=T)
    names = [each.partition(":")[0] for each in columns_of(26)["message"].split() if "!" not in each]
    harness.builder.update("message", row, **dict.fromkeys(names))
    async with harness.listening() as heard:
        await heard.until_quiet(0.1)
        harness.builder.message(chat, "next", sender=CONTACT, at_ms=harness.time.now_ms())

        assert [each.kind for each in await heard.until_quiet(at_least=1)] == ["message.received"]


def _drop_columns(path: Path, seed: int) -> None:
    """Let a later macOS reorder columns, drop some, and add others."""
    chance, db = random.Random(seed), sqlite3.connect(path, isolation_level=None)
    kept = {"ROWID", "guid", "date", "is_from_me"}
    names = [row[1] for row in db.execute("PRAGMA table_info(message)")]
    chance.shuffle(names)
    listed = ", ".join(name for name in names if name in kept or chance.random() < 0.6)
    db.execute(f"CREATE TABLE later AS SELECT {listed}, 1 AS sr_new, 'x' AS date_updated FROM message")
    for trigger in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {trigger[0]}")
    db.execute("DROP TABLE message")
    db.execute("CREATE TABLE message (ROWID INTEGER PRIMARY KEY, date INTEGER)")
    db.execute("DROP TABLE message")
    db.execute("ALTER TABLE later RENAME TO message")
    db.close()


@pytest.mark.parametrize("seed", range(8))
def test_schema_drift(tmp_path: Path, seed: int) -> None:
    harness = ChatDbHarness(tmp_path)
    stage = Stage(harness)
    for _, write, _ in CASES + LATE_CASES:
        write(stage)
    harness.builder.close()
    _drop_columns(tmp_path / "chat.db", seed)

    database = ChatDatabase(harness.settings.database)
    _valid(harness.told_at_once(), harness.time.now_ms())

    assert database.schema.missed or database.schema.unusable == ()
    database.fingerprints(0)
    database.changed_since(above=0, at_ms=0)
    database.close()


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_what_is_no_database_is_explained(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "chat.db"
    path.write_bytes(content)

    with pytest.raises(Unreadable, match=r"chat\.db"):
        ChatDatabase(str(path)).last_rowid()


def test_another_database_is_explained(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "chat.db")
    db.execute("CREATE TABLE message (guid)")
    db.close()

    with pytest.raises(Unreadable, match=r"without message\.date"):
        ChatDatabase(str(tmp_path / "chat.db"))


def test_nothing_is_ever_written(tmp_path: Path) -> None:
    Builder(tmp_path / "chat.db").close()
    database = ChatDatabase(str(tmp_path / "chat.db"))

    with pytest.raises(sqlite3.OperationalError):
        database._connection.execute("DELETE FROM message")
    database.close()


async def test_rows_at_the_end_of_numbers_lose_no_cursor(tmp_path: Path) -> None:
    harness = ChatDbHarness(tmp_path)
    chat = harness.builder.chat(CONTACT)
    for rowid in (-(2**63), -1, 2**63 - 1):
        harness.builder.message(chat, str(rowid), sender=CONTACT, at_ms=T, ROWID=rowid)
    async with harness.listening() as heard:
        await heard.until_quiet(0.2)
    async with harness.listening(heard.cursor) as again:
        await again.until_quiet(0.2)

    assert {each.message.parts[0].text for each in heard.all + again.all if each.message} == {str(2**63 - 1)}


@given(st.randoms(use_true_random=False))
@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_shuffled_repeated_and_lost_tellings_give_the_same_facts(
    tmp_path_factory: pytest.TempPathFactory, chance: random.Random
) -> None:
    """Snapshots of one history, taken at any moments: the last ones alone decide nothing less."""
    harness = ChatDbHarness(tmp_path_factory.mktemp("mac"))
    chat = harness.builder.chat(CONTACT)
    snapshots: list[list[Observation]] = []
    rows = [harness.builder.message(chat, f"{number}", at_ms=T, is_sent=0) for number in range(4)]
    steps: list[dict[str, Any]] = [
        {"is_sent": 1},
        {"is_delivered": 1, "date_delivered": apple(T + 1)},
        {"date_read": apple(T + 2)},
    ]
    for step in steps:
        for row in chance.sample(rows, len(rows)):
            harness.builder.update("message", row, **step)
            snapshots.append(harness.told_at_once())
    harness.builder.close()
    final = {fact.dedupe_key for each in snapshots[-1] for fact in facts_of(each, 7)}

    some = [*chance.sample(snapshots, chance.randint(0, len(snapshots))), snapshots[-1]] * 2
    chance.shuffle(some)

    assert {fact.dedupe_key for told in some for each in told for fact in facts_of(each, 7)} == final


async def test_a_locked_database_is_waited_for(tmp_path: Path) -> None:
    harness = ChatDbHarness(tmp_path)
    chat = harness.builder.chat(CONTACT)
    async with harness.listening() as heard:
        await heard.until_quiet(0.1)
        harness.builder.db.execute("BEGIN EXCLUSIVE")
        harness.builder.message(chat, "hi", sender=CONTACT, at_ms=T)
        await asyncio.sleep(0.1)
        harness.builder.db.execute("COMMIT")

        assert len(await heard.until_quiet(at_least=1)) == 1


def test_parts_are_bounded(tmp_path: Path) -> None:
    harness = ChatDbHarness(tmp_path)
    row = harness.builder.message(harness.builder.chat(CONTACT), "\ufffca" * 500, sender=CONTACT, at_ms=T)
    for number in range(300):
        harness.builder.attachment(row, harness.attachments, f"{number}.png", None)
    database = ChatDatabase(harness.settings.database)
    (message,) = database.messages_at([row])
    database.close()

    assert not isinstance(message, int)
    assert len(parts_of(message, read_summary(None, now_ms=T))) == 128
