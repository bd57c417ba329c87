"""Headings are understood however a program spells them."""

from __future__ import annotations

import pytest

from hub.rules.contact_headings import Headings, Meaning, choose_delimiter, meaning_of, read_headings
from hub.rules.problems import Problem

MEANINGS = [
    ("Phone", "phone", None, ""),
    ("phone number", "phone", None, ""),
    ("phoneNumbers", "phone", None, ""),
    ("PHONE_2", "phone", None, "2"),
    ("Phone 1 - Value", "phone", None, "1"),
    ("Mobile", "phone", "mobile", ""),
    ("Mobile Phone", "phone", "mobile", ""),
    ("Work Phone", "phone", "work", ""),
    ("Business Phone 2", "phone", "business", "2"),
    ("E-mail Address", "email", None, ""),
    ("E-mail 2 Address", "email", None, "2"),
    ("emailAddresses", "email", None, ""),
    ("Home Email", "email", "home", ""),
    ("First Name", "first_name", None, ""),
    ("firstName", "first_name", None, ""),
    ("Given Name", "first_name", None, ""),
    ("Surname", "last_name", None, ""),
    ("givenName", "first_name", None, ""),
    ("eMail", "email", None, ""),
    ("workPhone", "phone", "work", ""),
    ("Company", "organization", None, ""),
    ("Organization Title", "job_title", None, ""),
    ("Tags", "tags", None, ""),
    ("Notes", "notes", None, ""),
    ("Fax", None, None, ""),
    ("Birthday", None, None, ""),
    ("Home", None, None, ""),
    ("", None, None, ""),
    ("Telefonnummer", None, None, ""),
]


@pytest.mark.parametrize(("heading", "field", "label", "number"), MEANINGS)
def test_heading_means(heading: str, field: str | None, label: str | None, number: str) -> None:
    expected = Meaning(field=field, label=label, number=number) if field else Meaning(field=None)

    assert meaning_of(heading).field == expected.field
    assert meaning_of(heading).label == expected.label
    assert field not in ("phone", "email") or meaning_of(heading).number == number


@pytest.mark.parametrize(
    ("line", "delimiter"),
    [
        ("First Name,Phone", ","),
        ("First Name;Phone", ";"),
        ("First Name\tPhone", "\t"),
        ('"Name, as written";Phone;E-mail', ";"),
        ("Phone", ","),
        ("", ","),
        ('"unclosed', ","),
    ],
)
def test_the_delimiter_is_the_one_that_shows_headings(line: str, delimiter: str) -> None:
    assert choose_delimiter(line) == delimiter


def test_columns_know_their_labels_and_what_is_ignored_is_told() -> None:
    read = read_headings(["Name", "Phone 1 - Type", "Phone 1 - Value", "Work Email", "Fax", ""])

    assert isinstance(read, Headings)
    assert [(each.field, each.label, each.label_index) for each in read.columns] == [
        ("name", None, None),
        ("phone", None, 1),
        ("email", "work", None),
    ]
    assert read.ignored == ("Fax",)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["Name", "Company"], "no column is headed phone or email"),
        (["Ann", "+15550100001"], "Begin with a row of headings"),
        (["Phone", "Name", "Full Name"], "both mean 'name'"),
        ([], "no column"),
    ],
)
def test_a_first_row_that_cannot_be_headings_is_refused(cells: list[str], words: str) -> None:
    read = read_headings(cells)

    assert isinstance(read, Problem)
    assert words in str(read)
