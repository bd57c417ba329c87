"""/v1/bulk/table: tables are read as spreadsheets and people write them, and no text is sent without its rest."""

from __future__ import annotations

import pytest

from hub.flow.bulk_reading import table_of
from hub.model.errors import InvalidRequest
from tests.api.bulk_stage import PEOPLE, feed, post_table, sent_texts
from tests.support.hub_world import HubWorld

TABLES: dict[str, str] = {
    "semicolons, and no heading of a contact": f"to;text\r\n{PEOPLE[0]};Hello, Ada\r\n",
    "tabs": f"To\tText\n{PEOPLE[0]}\tHello, Ada\n",
    "quotes": f'to,text\n{PEOPLE[0]},"Hello, Ada"\n',
    "lines of an old Mac": f'to,text\r{PEOPLE[0]},"Hello, Ada"\r',
    "empty columns at the end": f'to,text,,\n{PEOPLE[0]},"Hello, Ada",,\n',
}


@pytest.mark.parametrize("case", TABLES)
async def test_a_table_is_read_however_it_is_written(world: HubWorld, case: str) -> None:
    made = (await post_table(world, TABLES[case], "")).json
    await feed(world, made)

    assert await sent_texts(world) == ["Hello, Ada"]


@pytest.mark.parametrize("mark", ["\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"])
async def test_a_text_is_sent_whole_whatever_breaks_its_lines(world: HubWorld, mark: str) -> None:
    """Only a line feed and a carriage return end a row."""
    made = (await post_table(world, f"to,text\n{PEOPLE[0]},Hello{mark}Ada\n", "")).json
    await feed(world, made)

    assert await sent_texts(world) == [f"Hello{mark}Ada"]


@pytest.mark.parametrize("headings", ["to,text", "to,text,", "to,text,,"])
async def test_a_text_that_is_cut_by_a_comma_is_not_sent(world: HubWorld, headings: str) -> None:
    table = f"{headings}\n{PEOPLE[0]},Hello, Ada\n{PEOPLE[1]},Bye\n"
    refused = await post_table(world, table, "")
    made = (await post_table(world, table, "&skip_invalid=true")).json
    await feed(world, made)

    assert (refused.status, refused.param) == (400, "row")
    assert "row 2: 'Ada' stands under no heading" in refused.json["error"]["message"]
    assert (made["total"], made["problem_count"]) == (1, 1)
    assert await sent_texts(world) == ["Bye"]


@pytest.mark.parametrize(
    ("table", "param"),
    [
        (f"to,text\n{PEOPLE[0]},a\0b\n", "to"),
        (f'to,text\n{PEOPLE[0]},"Hi\n' + "x" * 60_000, None),
    ],
    ids=["NUL", "a quotation mark that is never closed"],
)
async def test_what_nobody_could_keep_is_refused(world: HubWorld, table: str, param: str | None) -> None:
    answered = await post_table(world, table, "")

    assert (answered.status, answered.code, answered.param) == (400, "invalid_parameter_value", param)


def test_a_heading_without_end_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        list(table_of('to,"' + "x" * 200_000))
