"""Rows and objects become contacts, or say all that is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.contact_headings import Headings, read_headings
from hub.rules.contact_rows import Regions, Row, read_cells, read_object

NO_REGION = Regions()


def headings(*cells: str) -> Headings:
    read = read_headings(cells)
    assert isinstance(read, Headings)
    return read


SHEET = headings("First Name", "Phone", "Phone 2", "Phone 2 - Label", "Email", "Tags", "Notes", "Metadata")


def row(*cells: str, regions: Regions = NO_REGION) -> Row:
    read = read_cells(SHEET, cells, number=2, regions=regions)
    assert read is not None
    return read


def test_a_row_becomes_a_contact() -> None:
    read = row(
        "Ann", "+1 555 010 0001; 262966", "+15550100003", "Work", "A@b.de", "vip, b", "x\ny", '{"a":1}'
    )

    assert read.errors == ()
    assert [(each.handle, each.label) for each in read.fields.handles] == [
        ("+15550100001", None),
        ("262966", None),
        ("+15550100003", "work"),
        ("a@b.de", None),
    ]
    assert (read.fields.first_name, read.fields.tags, read.fields.notes) == ("Ann", ("vip", "b"), "x\ny")
    assert read.fields.metadata == '{"a":1}'


def test_an_empty_row_is_no_contact() -> None:
    assert read_cells(SHEET, ["", " "], number=3, regions=NO_REGION) is None
    assert read_cells(SHEET, [], number=3, regions=NO_REGION) is None


def test_all_that_is_wrong_is_told_with_masked_values() -> None:
    read = row("x" * 201, "0170 1234567", "", "", "nobody", "a/b")

    assert [(each.row, each.field, each.value) for each in read.errors] == [
        (2, "First Name", f"xx{'*' * 12}xx"),
        (2, "Phone", "01********67"),
        (2, "Email", "no**dy"),
        (2, "Tags", "***"),
    ]
    assert "country code" in read.errors[1].error


def test_a_row_without_handle_and_one_with_too_many_cells_are_refused() -> None:
    assert row("Ann").errors[0].error == "There is neither a phone number nor a mail address."
    assert "The row has 9 cells, the headings have 8" in row(*"abcdefgh", "i").errors[0].error
    assert row("Ann", "+15550100001", "", "", "", "", "", "", "").errors == ()


def test_national_numbers_are_completed_where_the_caller_named_the_region() -> None:
    read = row("Ann", "0170 1234567", regions=Regions(completing="DE"))

    assert read.fields.handles[0].handle == "+491701234567"
    assert "write +491701234567" in row("A", "0170 1234567", regions=Regions(hinted="DE")).errors[0].error


def test_what_our_export_guarded_is_read_as_it_was() -> None:
    read = row("'=Ann", "+15550100001")

    assert read.fields.first_name == "=Ann"
    assert row("'tHart", "+15550100001").fields.first_name == "'tHart"


OBJECTS: dict[str, tuple[dict[str, Any], list[str], list[str]]] = {
    "ours": (
        {"id": "ct_1", "first_name": "A", "handles": [{"handle": "+15550100001", "kind": "phone", "label": "x"}]},
        ["+15550100001"],
        [],
    ),
    "texts": ({"handles": ["+15550100001", "a@b.de"], "created_at": 5}, ["+15550100001", "a@b.de"], []),
    "a vendor's": (
        {"firstName": "A", "phoneNumbers": ["+15550100001"], "emailAddresses": ["a@b.de"], "appleId": None},
        ["+15550100001", "a@b.de"],
        [],
    ),
    "unknown keys": ({"phone": "+15550100001", "birthday": {"day": 1}}, ["+15550100001"], []),
    "a number": ({"phone": 15550100001}, [], ["phone"]),
    "an object as name": ({"phone": "+15550100001", "name": {}}, ["+15550100001"], ["name"]),
    "metadata": ({"phone": "+15550100001", "metadata": {"a": "x" * 1024}}, ["+15550100001"], ["metadata"]),
}  # fmt: skip


@pytest.mark.parametrize(("value", "handles", "wrong"), OBJECTS.values(), ids=OBJECTS.keys())
def test_objects(value: dict[str, Any], handles: list[str], wrong: list[str]) -> None:
    read = read_object(value, number=1, regions=NO_REGION)

    assert [each.handle for each in read.fields.handles] == handles
    assert [each.field for each in read.errors] == wrong


@given(st.lists(st.text(max_size=30), max_size=10))
def test_any_row_is_a_contact_with_a_handle_or_says_what_is_wrong(cells: list[str]) -> None:
    read = read_cells(SHEET, cells, number=2, regions=NO_REGION)

    assert read is None or read.errors or read.fields.handles


@given(
    st.dictionaries(
        st.sampled_from(["phone", "email", "handles", "tags", "name", "notes", "metadata", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=20),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
            ),
            max_leaves=5,
        ),
    )
)
def test_any_object_is_a_contact_with_a_handle_or_says_what_is_wrong(value: dict[str, Any]) -> None:
    read = read_object(value, number=1, regions=NO_REGION)

    assert read.errors or read.fields.handles
