"""Files: what was uploaded or came in, where the bytes are, and who uses them.

A blob is bytes under their digest; files that hold the same bytes share it. Its place in the blob store is named by
digest *and* id: a blob that is to be removed is never brought back to life, the next one has another place. So a
removal can come late, or twice, and hit nobody.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from hub.store.schema.columns import Key, instant, key, metadata

#: state: 0 live, 1 doomed (its bytes are being removed).
blobs = Table(
    "blobs",
    metadata,
    key(),
    #: SHA-256.
    Column("digest", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    #: When somebody last wanted it: what was wanted just now is not doomed.
    instant("touched_at", nullable=False),
    Index(
        "uq_blobs_live",
        "digest",
        unique=True,
        sqlite_where=text("state = 0"),
        postgresql_where=text("state = 0"),
    ),
)

#: state: see hub.model.file.
files = Table(
    "files",
    metadata,
    key(),
    Column("state", SmallInteger, nullable=False),
    #: Null until the bytes are there.
    Column("blob_id", Key, ForeignKey("blobs.id")),
    #: The line whose message brought it; null for an upload.
    Column("line_id", Key),
    #: Who uploaded it; null for what came in.
    Column("api_key_id", Key),
    Column("filename", Text),
    Column("mime_type", Text, nullable=False),
    #: What was announced, until the bytes are there.
    Column("size", BigInteger),
    instant("created_at", nullable=False),
    #: Made, filled, or no longer used: from here on the days of an unused file count.
    instant("touched_at", nullable=False),
    #: Until when an announced upload may come.
    instant("expires_at"),
    #: `{message guid}:{the bridge's name for it}`: a repeated observation finds the file that is there.
    Column("source_key", Text),
    #: JSON {"bridge_id", "line", "ref", "url"}: where the bytes are fetched.
    Column("source", Text),
    Column("attempt_count", SmallInteger, nullable=False),
    instant("next_attempt_at"),
    Column("error", Text),
    UniqueConstraint("line_id", "source_key"),
    Index(None, "touched_at", "id"),
    Index(None, "blob_id"),
    Index(
        "ix_files_pending",
        "next_attempt_at",
        "id",
        sqlite_where=text("state = 2"),
        postgresql_where=text("state = 2"),
    ),
)

#: Who needs a file: it stays as long as one of them does.
file_uses = Table(
    "file_uses",
    metadata,
    Column("file_id", Key, ForeignKey("files.id"), nullable=False),
    #: `message`, `chat_icon`, `contact_card`, `background`.
    Column("kind", Text, nullable=False),
    Column("user_id", Key, nullable=False),
    #: A key that may use this line may read the file.
    Column("line_id", Key),
    PrimaryKeyConstraint("file_id", "kind", "user_id"),
    Index(None, "kind", "user_id"),
    sqlite_with_rowid=False,
)
