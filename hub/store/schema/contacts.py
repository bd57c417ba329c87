"""People we know: contacts with their handles and tags, lists of them, and how their handles can be reached.

A contact's row is whole in itself; the tables of handles and tags are its indexes, written with it and never alone.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, PrimaryKeyConstraint, Table, Text

from hub.store.schema.columns import Key, instant, key, metadata

#: Ordered by its bytes on both databases, whatever language the server speaks.
Sorted = Text().with_variant(Text(collation="C"), "postgresql")

contacts = Table(
    "contacts",
    metadata,
    key(),
    Column("first_name", Text),
    Column("last_name", Text),
    #: As given; without it the wire shows first and last name.
    Column("name", Text),
    Column("organization", Text),
    Column("job_title", Text),
    #: JSON list of {"handle", "kind", "label"}, in the order given.
    Column("handles", Text, nullable=False),
    #: JSON list of {"tag", "added_at"}, by tag.
    Column("tags", Text, nullable=False),
    #: By what a list of names is ordered, and what `q` looks into (hub.rules.contacts).
    Column("sort_name", Sorted, nullable=False),
    Column("search", Text, nullable=False),
    instant("created_at", nullable=False),
    instant("updated_at", nullable=False),
    #: The client's own JSON object.
    Column("metadata", Text),
    Column("notes", Text),
    Index(None, "sort_name", "id"),
)

#: A handle is one contact's in the whole hub.
contact_handles = Table(
    "contact_handles",
    metadata,
    Column("handle", Text, nullable=False),
    Column("contact_id", Key, ForeignKey("contacts.id"), nullable=False),
    PrimaryKeyConstraint("handle"),
    Index(None, "contact_id"),
    sqlite_with_rowid=False,
)

#: `sort_name` is the contact's, so that a tag's contacts come by name without being sorted.
contact_tags = Table(
    "contact_tags",
    metadata,
    Column("contact_id", Key, ForeignKey("contacts.id"), nullable=False),
    Column("tag", Sorted, nullable=False),
    Column("sort_name", Sorted, nullable=False),
    PrimaryKeyConstraint("contact_id", "tag"),
    Index(None, "tag", "contact_id"),
    Index(None, "tag", "sort_name", "contact_id"),
    sqlite_with_rowid=False,
)

contact_groups = Table(
    "contact_groups",
    metadata,
    key(),
    Column("name", Text, nullable=False, unique=True),
    instant("created_at", nullable=False),
    instant("updated_at", nullable=False),
)

contact_group_members = Table(
    "contact_group_members",
    metadata,
    Column("group_id", Key, ForeignKey("contact_groups.id"), nullable=False),
    Column("contact_id", Key, ForeignKey("contacts.id"), nullable=False),
    instant("added_at", nullable=False),
    PrimaryKeyConstraint("group_id", "contact_id"),
    Index(None, "contact_id"),
    sqlite_with_rowid=False,
)

#: What a line's network last said of a handle, and the outbox item that asks or asked.
availability = Table(
    "availability",
    metadata,
    Column("line_id", Key, nullable=False),
    Column("handle", Text, nullable=False),
    Column("outbox_id", Key, nullable=False),
    #: JSON object as the bridge gave it; null until it did.
    Column("result", Text),
    instant("checked_at"),
    PrimaryKeyConstraint("line_id", "handle"),
    Index(None, "checked_at"),
    sqlite_with_rowid=False,
)
