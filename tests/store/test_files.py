"""The rows of files, blobs and uses keep their promises on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from hashlib import sha256

import pytest

from hub.flow.file_ports import FileClaimRow, FileUseRow
from hub.flow.file_store import Content, FileUse, Filling, Stored
from hub.flow.repositories import Store
from hub.flow.rows import Known, SnapshotRow
from hub.model.file import Blob, File, FileSource, FileState

NOW = 1_780_000_000_000
LINE, MESSAGE = 41, 51
SOURCE = '{"bridge_id":7,"line":"+15550100000","ref":"att-1","url":null}'


def blob(number: int, content: bytes = b"hello") -> Blob:
    return Blob(id=number, digest=sha256(content).digest(), size=len(content))


def file(number: int, state: FileState = FileState.STORED, **more: object) -> File:
    plain = File(
        id=number,
        state=state,
        blob=None,
        line_id=None,
        api_key_id=3,
        filename="a.txt",
        mime_type="text/plain",
        size=5,
        created_at=NOW,
        touched_at=NOW,
    )
    return replace(plain, **more)  # type: ignore[arg-type]  # a test names the fields it cares about


async def stored(store: Store, number: int, content: bytes = b"hello", *, now: int = NOW) -> File:
    claimed = await store.files.claim_blob(blob(1000 + number, content), now=now)
    wanted = file(number, blob=claimed, size=len(content), created_at=now, touched_at=now)
    assert await store.files.add_stored(wanted, now=now)
    return wanted


def used_by(number: int, *, kind: str = "message", user_id: int = MESSAGE) -> FileUse:
    return FileUse(file_id=number, kind=kind, user_id=user_id, line_id=LINE)


async def test_a_file_comes_back_as_it_went_in(store: Store) -> None:
    source = FileSource(bridge_id=7, line="+15550100000", ref="att-1", url=None)
    pending = file(
        2, FileState.PENDING, api_key_id=None, line_id=LINE, source=source, next_attempt_at=NOW, filename=None
    )
    first = await stored(store, 1)
    await store.files.add(pending)

    assert await store.files.get(1) == first
    assert await store.files.get(2) == pending
    assert await store.files.get(3) is None
    assert await store.files.many([1, 2, 3]) == {1: first, 2: pending}


async def test_the_same_bytes_share_a_blob(store: Store) -> None:
    first, second, third = await stored(store, 1), await stored(store, 2), await stored(store, 3, b"other")

    assert first.blob == second.blob
    assert third.blob != first.blob
    assert await store.files.stored() == Stored(count=2, size=10)


async def test_of_many_who_claim_the_same_bytes_at_once_all_get_one_blob(store: Store) -> None:
    claimed = await asyncio.gather(*(store.files.claim_blob(blob(number), now=NOW) for number in range(1, 9)))

    assert len(set(claimed)) == 1


async def test_a_blob_without_files_is_doomed_and_never_comes_back(store: Store) -> None:
    first = await stored(store, 1)
    assert await store.files.doom_page(untouched_since=NOW + 1, limit=10) == []
    assert await store.files.delete_unused(1)

    assert await store.files.doom_page(untouched_since=NOW, limit=10) == [], "touched too lately"
    assert await store.files.doom_page(untouched_since=NOW + 1, limit=10) == [first.blob]
    assert not await store.files.add_stored(file(2, blob=first.blob), now=NOW)
    again = await store.files.claim_blob(blob(99), now=NOW)
    assert again.id == 99
    assert await store.files.doom_page(untouched_since=NOW, limit=10) == [first.blob], "told until forgotten"
    assert first.blob is not None
    await store.files.forget_blob(first.blob.id)
    await store.files.forget_blob(again.id)
    assert await store.files.known_blobs([first.blob.id, again.id]) == {again.id}, (
        "a live one is not forgotten"
    )


async def test_a_claimed_blob_is_not_doomed_while_its_bytes_are_put(store: Store) -> None:
    claimed = await store.files.claim_blob(blob(9), now=NOW + 50)

    assert await store.files.doom_page(untouched_since=NOW + 50, limit=10) == []
    assert await store.files.add_stored(file(1, blob=claimed), now=NOW + 60)


async def test_an_announced_file_is_filled_once(store: Store) -> None:
    await store.files.add(file(1, FileState.AWAITED, expires_at=NOW + 1000, size=None))
    claimed = await store.files.claim_blob(blob(9), now=NOW)
    content = Content(blob=claimed, filename="b.txt", mime_type="text/csv")

    assert await store.files.fill(1, content, now=NOW + 5) is Filling.DONE
    filled = await store.files.get(1)
    assert filled is not None
    assert (filled.state, filled.blob, filled.size, filled.expires_at) == (FileState.STORED, claimed, 5, None)
    assert (filled.filename, filled.mime_type, filled.touched_at) == ("b.txt", "text/csv", NOW + 5)
    assert await store.files.fill(1, content, now=NOW + 5) is Filling.TAKEN
    assert await store.files.fill(2, content, now=NOW + 5) is Filling.TAKEN


async def test_a_file_is_not_filled_with_a_doomed_blob(store: Store) -> None:
    await store.files.add(file(1, FileState.AWAITED, expires_at=NOW + 1000))
    claimed = await store.files.claim_blob(blob(9), now=NOW)
    await store.files.doom_page(untouched_since=NOW + 1, limit=10)
    content = Content(blob=claimed, filename=None, mime_type="text/plain")

    assert await store.files.fill(1, content, now=NOW) is Filling.BLOB_GONE


async def test_a_used_file_stays(store: Store) -> None:
    await stored(store, 1)
    assert await store.files.use([used_by(1), used_by(1), used_by(1, kind="chat_icon", user_id=6)]) == set()

    assert await store.files.lines_of(1) == {LINE}
    assert not await store.files.delete_unused(1)
    assert await store.files.expire_page(unused_before=NOW + 1, now=NOW, limit=10) == 0
    assert await store.files.release("message", MESSAGE, now=NOW + 10) == 1
    assert not await store.files.delete_unused(1), "the icon still needs it"
    assert await store.files.release("chat_icon", 6, now=NOW + 20) == 1
    assert await store.files.expire_page(unused_before=NOW + 20, now=NOW, limit=10) == 0, "released lately"
    assert await store.files.delete_unused(1)
    assert await store.files.delete_unused(1), "gone is gone"


async def test_a_use_needs_a_stored_file(store: Store) -> None:
    await stored(store, 1)
    await store.files.add(file(2, FileState.AWAITED, expires_at=NOW))

    assert await store.files.use([used_by(1), used_by(2), used_by(3)]) == {2, 3}
    assert await store.files.lines_of(2) == set()


async def test_unused_files_expire_oldest_first(store: Store) -> None:
    for number in range(1, 6):
        await stored(store, number, now=NOW + number)

    assert await store.files.expire_page(unused_before=NOW + 5, now=NOW, limit=2) == 2
    assert set(await store.files.many(range(1, 6))) == {3, 4, 5}
    assert await store.files.expire_page(unused_before=NOW + 5, now=NOW, limit=9) == 2
    assert set(await store.files.many(range(1, 6))) == {5}


async def test_an_announced_file_that_never_came_expires(store: Store) -> None:
    await store.files.add(file(1, FileState.AWAITED, expires_at=NOW + 10))

    assert await store.files.expire_page(unused_before=NOW, now=NOW + 10, limit=9) == 0
    assert await store.files.expire_page(unused_before=NOW, now=NOW + 11, limit=9) == 1


async def test_a_pending_file_is_fetched_by_one_worker_at_a_time(store: Store) -> None:
    for number in (1, 2):
        await store.files.add(file(number, FileState.PENDING, next_attempt_at=NOW + number))

    assert [each.id for each in await store.files.due(now=NOW + 1, limit=9)] == [1]
    assert [each.id for each in await store.files.due(now=NOW + 2, limit=1)] == [1]
    assert await store.files.lease(1, attempt_count=1, next_attempt_at=NOW + 60)
    assert not await store.files.lease(1, attempt_count=1, next_attempt_at=NOW + 60)
    assert [each.id for each in await store.files.due(now=NOW + 59, limit=9)] == [2]
    assert [each.id for each in await store.files.due(now=NOW + 60, limit=9)] == [2, 1], "the lease ran out"


async def test_a_failed_attempt_is_postponed_hastened_and_given_up(store: Store) -> None:
    await store.files.add(file(1, FileState.PENDING, next_attempt_at=NOW))
    await store.files.lease(1, attempt_count=1, next_attempt_at=NOW + 60)
    await store.files.hasten(1, now=NOW)
    assert await store.files.due(now=NOW, limit=9) == [], "the attempt is under way"
    await store.files.postpone(1, next_attempt_at=NOW + 500, error="status 503", now=NOW)
    await store.files.hasten(1, now=NOW + 5)

    assert [each.id for each in await store.files.due(now=NOW + 5, limit=9)] == [1]
    assert await store.files.expire_page(unused_before=NOW + 99, now=NOW + 99, limit=9) == 0, "still wanted"
    await store.files.postpone(1, next_attempt_at=None, error="status 404", now=NOW)
    failed = await store.files.get(1)
    assert failed is not None
    assert (failed.state, failed.error) == (FileState.FAILED, "status 404")
    assert await store.files.due(now=NOW + 9999, limit=9) == []


async def test_a_use_ends_with_its_message(store: Store) -> None:
    await stored(store, 1)
    row = SnapshotRow(
        MESSAGE, LINE, 61, "guid", Known.SEEN, "+1", "x", None, "sms", 0, 0, None, None, None, None, NOW, NOW,
        None, None, None, None, None, None,
    )  # fmt: skip
    await store.hot.write(lambda tx: tx.merge_messages([row]))
    await store.files.use([used_by(1), used_by(1, user_id=52), used_by(1, kind="chat_icon", user_id=52)])

    assert await store.files.release_orphans(limit=10, now=NOW) == 1
    assert await store.files.release_orphans(limit=10, now=NOW) == 0
    assert await store.files.release("message", MESSAGE, now=NOW) == 1
    assert await store.files.release("chat_icon", 52, now=NOW) == 1


@pytest.mark.slow
async def test_a_file_deleted_and_used_at_once_is_one_or_the_other(store: Store) -> None:
    for number in range(1, 21):
        await stored(store, number)
        missing, is_deleted = await asyncio.gather(
            store.files.use([used_by(number)]), store.files.delete_unused(number)
        )

        assert (missing == {number}) == is_deleted


def claim(number: int, key: str = "guid:att-1", line_id: int = LINE) -> FileClaimRow:
    return FileClaimRow(number, line_id, key, "a.png", "image/png", 5, SOURCE, NOW, NOW, NOW)


async def claimed(store: Store, *rows: FileClaimRow) -> list[int]:
    return await store.hot.write(lambda tx: tx.files.claim(rows))


async def test_an_attachment_that_comes_again_is_the_file_that_is_there(store: Store) -> None:
    assert await claimed(store) == []
    assert await claimed(store, claim(1), claim(2, "guid:att-2"), claim(3)) == [1, 2, 1]
    assert await claimed(store, claim(4), claim(5, "guid:att-2"), claim(6, line_id=42)) == [1, 2, 6]

    found = await store.files.get(1)
    assert found is not None
    assert (found.state, found.line_id, found.next_attempt_at) == (FileState.PENDING, LINE, NOW)
    assert found.source == FileSource(bridge_id=7, line="+15550100000", ref="att-1", url=None)
    assert (found.filename, found.mime_type, found.size, found.attempt_count) == ("a.png", "image/png", 5, 0)
    assert {each.id for each in await store.files.due(now=NOW, limit=9)} == {1, 2, 6}


async def test_many_who_tell_of_one_attachment_at_once_find_one_file(store: Store) -> None:
    found = await asyncio.gather(*(claimed(store, claim(number)) for number in range(1, 9)))

    assert len({ids[0] for ids in found}) == 1


async def test_a_transaction_notes_uses_of_what_is_there(store: Store) -> None:
    await stored(store, 1)
    uses = [
        FileUseRow(1, "message", MESSAGE, LINE),
        FileUseRow(1, "message", MESSAGE, LINE),
        FileUseRow(1, "card", 7, None),
        FileUseRow(9, "message", 7, LINE),
    ]

    assert await store.hot.write(lambda tx: tx.files.use([])) == set()
    assert await store.hot.write(lambda tx: tx.files.use(uses)) == {9}
    assert await store.hot.write(lambda tx: tx.files.use(uses)) == {9}
    assert await store.files.lines_of(1) == {LINE}
    assert not await store.files.delete_unused(1)


async def test_another_message_takes_over_the_uses(store: Store) -> None:
    await stored(store, 1)
    await stored(store, 2, b"other")
    await store.files.use([used_by(1), used_by(2), used_by(2, user_id=61), used_by(1, kind="card")])

    await store.hot.write(lambda tx: tx.files.move("message", []))
    await store.hot.write(lambda tx: tx.files.move("message", [(MESSAGE, 61), (77, 78)]))

    assert await store.files.release("message", MESSAGE, now=NOW) == 0
    assert await store.files.release("message", 61, now=NOW) == 2
    assert await store.files.release("card", MESSAGE, now=NOW) == 1


async def test_who_wants_to_be_the_first_to_use_a_file_sees_every_use(store: Store) -> None:
    await stored(store, 1)
    await stored(store, 2)
    await store.files.use([used_by(1)])

    assert await store.hot.write(lambda tx: tx.files.used([])) == set()
    assert await store.hot.write(lambda tx: tx.files.used([1, 2, 9])) == {1}
    assert (await store.files.message_of(1), await store.files.message_of(2)) == (MESSAGE, None)
