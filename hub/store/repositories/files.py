"""Files, their blobs and their uses in the database. Why the order of these steps is safe: hub.flow.file_store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, and_, delete, exists, func, insert, or_, select, text, update

from hub.flow.file_ports import USED_BY_MESSAGE
from hub.flow.file_store import Content, FileUse, Filling, Stored
from hub.model.file import Blob, File, FileSource, FileState
from hub.store.database import Database
from hub.store.schema import blobs, file_uses, files, messages

_LIVE, _DOOMED = 0, 1
#: Spelled out, because neither database recognises the condition of a partial index in a parameter.
_IS_PENDING = text("files.state = 2")
_IS_USED = exists().where(file_uses.c.file_id == files.c.id)
_HAS_FILE = exists().where(files.c.blob_id == blobs.c.id)
_PLAIN = ("id", "line_id", "api_key_id", "filename", "mime_type", "size", "created_at", "touched_at", "expires_at",
          "attempt_count", "next_attempt_at", "error")  # fmt: skip
_FILES = select(files, blobs.c.digest, blobs.c.size.label("blob_size")).outerjoin(
    blobs, blobs.c.id == files.c.blob_id
)
_encode = msgspec.json.Encoder().encode
_decode_source = msgspec.json.Decoder(FileSource).decode


class SqlFiles:
    """hub.flow.file_store.Files."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, file: File) -> None:
        await self._change(insert(files).values(_values(file)))

    async def claim_blob(self, blob: Blob, *, now: int) -> Blob:
        live = and_(blobs.c.digest == blob.digest, blobs.c.state == _LIVE)

        def work(connection: Connection) -> Blob:
            row = connection.execute(select(blobs.c.id).where(live).with_for_update()).first()
            if row is None:
                _insert_blob(connection, blob, now)
                row = connection.execute(select(blobs.c.id).where(live)).one()
            connection.execute(update(blobs).where(blobs.c.id == row.id).values(touched_at=now))
            return Blob(id=row.id, digest=blob.digest, size=blob.size)

        return await self._database.write(work)

    async def add_stored(self, file: File, *, now: int) -> bool:
        def work(connection: Connection) -> bool:
            if file.blob is None or not _touch(connection, file.blob.id, now):
                return False
            connection.execute(insert(files).values(_values(file)))
            return True

        return await self._database.write(work)

    async def fill(self, file_id: int, content: Content, *, now: int) -> Filling:
        waits = files.c.state.in_((FileState.AWAITED, FileState.PENDING))
        filled = update(files).where(files.c.id == file_id, waits).values(
            state=FileState.STORED, blob_id=content.blob.id, size=content.blob.size, mime_type=content.mime_type,
            filename=content.filename, touched_at=now, expires_at=None, next_attempt_at=None, error=None,
        )  # fmt: skip

        def work(connection: Connection) -> Filling:
            if not _touch(connection, content.blob.id, now):
                return Filling.BLOB_GONE
            return Filling.DONE if connection.execute(filled).rowcount else Filling.TAKEN

        return await self._database.write(work)

    async def get(self, file_id: int) -> File | None:
        return (await self.many([file_id])).get(file_id)

    async def many(self, file_ids: Iterable[int]) -> dict[int, File]:
        found = await self._files(_FILES.where(files.c.id.in_(list(file_ids))))
        return {file.id: file for file in found}

    async def lines_of(self, file_id: int) -> frozenset[int]:
        query = select(file_uses.c.line_id).where(
            file_uses.c.file_id == file_id, file_uses.c.line_id.is_not(None)
        )
        return frozenset(await self._database.read(lambda connection: [*connection.scalars(query)]))

    async def message_of(self, file_id: int) -> int | None:
        query = select(func.min(file_uses.c.user_id)).where(
            file_uses.c.file_id == file_id, file_uses.c.kind == USED_BY_MESSAGE
        )
        return await self._database.read(lambda connection: connection.execute(query).scalar_one())

    async def use(self, uses: Sequence[FileUse]) -> frozenset[int]:
        wanted = {use.file_id for use in uses}
        # Locked, so that none of them is deleted before the uses are there.
        there = select(files.c.id).where(files.c.id.in_(wanted), files.c.state == FileState.STORED)

        def work(connection: Connection) -> frozenset[int]:
            present = set(connection.scalars(there.with_for_update(read=True, key_share=True)))
            for use in uses:
                if use.file_id in present:
                    _note_use(connection, use)
            return frozenset(wanted - present)

        return await self._database.write(work) if uses else frozenset()

    async def release(self, kind: str, user_id: int, *, now: int) -> int:
        def work(connection: Connection) -> int:
            theirs = and_(file_uses.c.kind == kind, file_uses.c.user_id == user_id)
            gone = [*connection.scalars(delete(file_uses).where(theirs).returning(file_uses.c.file_id))]
            _touch_files(connection, gone, now)
            return len(gone)

        return await self._database.write(work)

    async def delete_unused(self, file_id: int) -> bool:
        is_used = select(file_uses.c.file_id).where(file_uses.c.file_id == file_id).limit(1)

        def work(connection: Connection) -> bool:
            connection.execute(select(files.c.id).where(files.c.id == file_id).with_for_update())
            if connection.execute(is_used).first():
                return False
            connection.execute(delete(files).where(files.c.id == file_id))
            return True

        return await self._database.write(work)

    async def stored(self) -> Stored:
        query = select(func.count(), func.coalesce(func.sum(blobs.c.size), 0)).where(blobs.c.state == _LIVE)
        count, size = await self._database.read(lambda connection: connection.execute(query).one())
        return Stored(count=count, size=int(size))

    async def due(self, *, now: int, limit: int) -> list[File]:
        query = _FILES.where(_IS_PENDING, files.c.next_attempt_at <= now)
        return await self._files(query.order_by(files.c.next_attempt_at, files.c.id).limit(limit))

    async def lease(self, file_id: int, *, attempt_count: int, next_attempt_at: int) -> bool:
        free = and_(files.c.id == file_id, _IS_PENDING, files.c.attempt_count == attempt_count - 1)
        values = {"attempt_count": attempt_count, "next_attempt_at": next_attempt_at}
        return await self._change(update(files).where(free).values(values)) > 0

    async def postpone(self, file_id: int, *, next_attempt_at: int | None, error: str, now: int) -> None:
        state = FileState.FAILED if next_attempt_at is None else FileState.PENDING
        values = {"state": state, "next_attempt_at": next_attempt_at, "error": error, "touched_at": now}
        await self._change(update(files).where(files.c.id == file_id, _IS_PENDING).values(values))

    async def hasten(self, file_id: int, *, now: int) -> None:
        waits = and_(
            files.c.id == file_id, _IS_PENDING, files.c.error.is_not(None), files.c.next_attempt_at > now
        )
        await self._change(update(files).where(waits).values(next_attempt_at=now, error=None))

    async def expire_page(self, *, unused_before: int, now: int, limit: int) -> int:
        is_late = and_(files.c.state == FileState.AWAITED, files.c.expires_at < now)
        is_over = and_(
            ~_IS_USED, files.c.state != FileState.PENDING, or_(files.c.touched_at < unused_before, is_late)
        )
        query = select(files.c.id).where(is_over).order_by(files.c.touched_at).limit(limit)
        ids = await self._database.read(lambda connection: [*connection.scalars(query)])

        def work(connection: Connection) -> int:
            # Locked first: a use that comes at the same time is seen, or finds the file gone.
            locked = select(files.c.id).where(files.c.id.in_(ids)).order_by(files.c.id).with_for_update()
            still = [*connection.scalars(locked)]
            return int(connection.execute(delete(files).where(files.c.id.in_(still), is_over)).rowcount)

        return await self._database.write(work) if ids else 0

    async def release_orphans(self, *, limit: int, now: int) -> int:
        has_message = exists().where(messages.c.id == file_uses.c.user_id)
        orphaned = and_(file_uses.c.kind == USED_BY_MESSAGE, ~has_message)
        query = select(file_uses.c.file_id, file_uses.c.user_id).where(orphaned).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).all())

        def work(connection: Connection) -> int:
            for file_id, user_id in rows:
                this = and_(file_uses.c.file_id == file_id, file_uses.c.user_id == user_id)
                connection.execute(delete(file_uses).where(this, orphaned))
            _touch_files(connection, [row.file_id for row in rows], now)
            return len(rows)

        return await self._database.write(work) if rows else 0

    async def doom_page(self, *, untouched_since: int, limit: int) -> list[Blob]:
        is_idle = and_(blobs.c.state == _LIVE, blobs.c.touched_at < untouched_since)
        idle = select(blobs.c.id).where(is_idle, ~_HAS_FILE).limit(limit)
        doomed = select(blobs).where(blobs.c.state == _DOOMED).limit(limit)
        ids = await self._database.read(lambda connection: [*connection.scalars(idle)])

        def work(connection: Connection) -> list[Blob]:
            # Whoever points a file to a blob touches it first: `is_idle` is false then, whatever this transaction
            # can see of files.
            connection.execute(
                update(blobs).where(blobs.c.id.in_(ids), is_idle, ~_HAS_FILE).values(state=_DOOMED)
            )
            return [Blob(id=row.id, digest=row.digest, size=row.size) for row in connection.execute(doomed)]

        return await self._database.write(work)

    async def forget_blob(self, blob_id: int) -> None:
        await self._change(delete(blobs).where(blobs.c.id == blob_id, blobs.c.state == _DOOMED))

    async def known_blobs(self, blob_ids: Iterable[int]) -> frozenset[int]:
        query = select(blobs.c.id).where(blobs.c.id.in_(list(blob_ids)))
        return frozenset(await self._database.read(lambda connection: [*connection.scalars(query)]))

    async def _files(self, query: Select[Any]) -> list[File]:
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_file(row) for row in rows]

    async def _change(self, query: Any) -> int:
        return await self._database.write(lambda connection: int(connection.execute(query).rowcount))


def _values(file: File) -> dict[str, Any]:
    values = {name: getattr(file, name) for name in _PLAIN}
    source = None if file.source is None else _encode(file.source).decode()
    return values | {
        "state": file.state, "blob_id": None if file.blob is None else file.blob.id, "source": source
    }  # fmt: skip


def _file(row: Row[Any]) -> File:
    blob = None
    if row.blob_id is not None:
        blob = Blob(id=row.blob_id, digest=bytes(row.digest), size=row.blob_size)
    return File(
        **{name: getattr(row, name) for name in _PLAIN},
        state=FileState(row.state),
        blob=blob,
        source=None if row.source is None else _decode_source(row.source),
    )


def _insert_blob(connection: Connection, blob: Blob, now: int) -> None:
    """Insert, unless somebody else just did."""
    statement = text(
        "INSERT INTO blobs (id, digest, size, state, touched_at) VALUES (:id, :digest, :size, 0, :now) "
        "ON CONFLICT (digest) WHERE state = 0 DO NOTHING"
    )
    values = {"id": blob.id, "digest": blob.digest, "size": blob.size, "now": now}
    connection.execute(statement, values)


def _touch(connection: Connection, blob_id: int, now: int) -> bool:
    """Keep a blob from being doomed; False if it is."""
    alive = and_(blobs.c.id == blob_id, blobs.c.state == _LIVE)
    return bool(connection.execute(update(blobs).where(alive).values(touched_at=now)).rowcount)


def _note_use(connection: Connection, use: FileUse) -> None:
    statement = text(
        "INSERT INTO file_uses (file_id, kind, user_id, line_id) VALUES (:file_id, :kind, :user_id, :line_id) "
        "ON CONFLICT DO NOTHING"
    )
    connection.execute(
        statement,
        {"file_id": use.file_id, "kind": use.kind, "user_id": use.user_id, "line_id": use.line_id},
    )


def _touch_files(connection: Connection, file_ids: Sequence[int], now: int) -> None:
    connection.execute(update(files).where(files.c.id.in_(file_ids)).values(touched_at=now))
