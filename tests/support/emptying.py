"""A PostgreSQL database as it was after its migration, for the next test.

Truncating a table makes its files anew, and those of its indexes: a few rows are deleted sooner. Who wrote to five
tables does not pay for all.
"""

from __future__ import annotations

from typing import Final

import asyncpg  # type: ignore[import-untyped]  # it ships no types

#: Tables that were written to, even if nothing is left of it, or whose statistics were taken. Keys to other tables
#: are not asked, as all of them become empty; a table with many dead rows would be slow for whoever comes next.
_EMPTY: Final = """
SET session_replication_role = replica;
DO $$
DECLARE
    touched record;
BEGIN
    FOR touched IN
        SELECT oid::regclass AS name, pg_relation_size(oid) AS size, reltuples FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
        AND relname NOT IN ('revisions', 'alembic_version')
        AND (pg_relation_size(oid) > 0 OR reltuples <> -1)
    LOOP
        IF touched.size > 65536 OR touched.reltuples <> -1 THEN
            EXECUTE format('TRUNCATE %s CASCADE', touched.name);
        ELSE
            EXECUTE format('DELETE FROM %s', touched.name);
        END IF;
    END LOOP;
END $$;
UPDATE revisions SET version = 1;
SELECT setval('event_positions', 1, false);
"""


async def empty(url: str) -> None:
    """Leave nothing in any table, and count positions from the beginning."""
    connection = await asyncpg.connect(url)
    await connection.execute(_EMPTY)
    await connection.close()
