"""The history that is written by SQL fits the schema and is as old as it says."""

import pytest

from hub.model.ids import id_time_ms
from hub.store.schema import metadata
from tests.load.history import COLUMNS, DAYS, Owners, rows

_NOW_MS = 1_800_000_000_000
_OWNERS = Owners(bridge_id=1, line_id=2, chat_id=3, webhook_id=4)


@pytest.mark.parametrize("table", COLUMNS)
def test_rows_give_every_column_that_must_be_given(table: str) -> None:
    """A new column without a default must be filled here too."""
    columns = metadata.tables[table].columns
    needed = {column.name for column in columns if not column.nullable and column.server_default is None}

    made = list(rows(table, _OWNERS, 100, _NOW_MS))

    assert needed <= set(COLUMNS[table])
    assert {len(row) for row in made} == {len(COLUMNS[table])}
    assert len({row[0] for row in made}) == 100


def test_rows_are_spread_over_the_days_before_now() -> None:
    """Oldest first, by id, as a hub that ran for days would have written them."""
    ids = [row[0] for row in rows("events", _OWNERS, 100, _NOW_MS)]

    assert ids == sorted(ids)
    assert id_time_ms(ids[0]) == _NOW_MS - DAYS * 86_400_000
    assert id_time_ms(ids[-1]) < _NOW_MS
