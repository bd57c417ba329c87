"""What all tables share: the metadata with its naming, and the two kinds of column that stand in each of them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, MetaData

#: SQLite gives only INTEGER PRIMARY KEY the row id itself; PostgreSQL needs BIGINT for 63 bits.
Key = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)


def key() -> Column[int]:
    """Give the primary key: a time-ordered id (hub.model.ids)."""
    return Column("id", Key, primary_key=True, autoincrement=False)


def instant(name: str, *, nullable: bool = True) -> Column[int]:
    """Give a column of Unix milliseconds UTC."""
    return Column(name, BigInteger, nullable=nullable)
