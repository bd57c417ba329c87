"""Encodings are told, not guessed; rows and objects are cut the same however the file comes in."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.contact_files import CODECS, check_encoding, find_encoding, objects_of, rows_of
from hub.rules.problems import Problem

TEXT = "Name,Phone\nÄnn,+15550100001\n"

READABLE = {
    "utf-8": (TEXT.encode(), "utf-8"),
    "utf-8 with a mark": (TEXT.encode("utf-8-sig"), "utf-8"),
    "utf-16 little end first": (b"\xff\xfe" + TEXT.encode("utf-16-le"), "utf-16"),
    "utf-16 big end first": (b"\xfe\xff" + TEXT.encode("utf-16-be"), "utf-16"),
    "nothing": (b"", "utf-8"),
}


@pytest.mark.parametrize(("content", "encoding"), READABLE.values(), ids=READABLE.keys())
def test_encodings_that_say_themselves(content: bytes, encoding: str) -> None:
    assert find_encoding(content) == encoding
    assert check_encoding([content], encoding) is None
    assert content.decode(CODECS[encoding]) in (TEXT, "")


REFUSED = {
    "Excel": (b"PK\x03\x04rest", "Excel"),
    "vCard": (b"BEGIN:VCARD\r\nVERSION:3.0", "vCard"),
    "PDF": (b"%PDF-1.7", "PDF"),
    "gzip": (b"\x1f\x8b\x08", "compressed"),
    "utf-16 without a mark": (TEXT.encode("utf-16-le"), "encoding=utf-16-le"),
    "utf-16 without a mark, big": (TEXT.encode("utf-16-be"), "encoding=utf-16-be"),
}


@pytest.mark.parametrize(("content", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_other_files_are_refused_in_plain_words(content: bytes, words: str) -> None:
    found = find_encoding(content)

    assert isinstance(found, Problem)
    assert words in str(found)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_latin_1_is_told_with_its_byte_and_line(size: int) -> None:
    content = TEXT.encode("latin-1")
    problem = check_encoding([content[at : at + size] for at in range(0, len(content), size)], "utf-8")

    assert problem is not None
    assert "byte 0xC4 in line 2" in problem.why
    assert "encoding=windows-1252" in problem.fix
    assert check_encoding([content], "windows-1252") is None


def test_a_file_that_ends_within_a_character_is_refused() -> None:
    assert check_encoding(["ä".encode()[:1]], "utf-8") is not None
    assert check_encoding([b"\xff\xfea"], "utf-16") is not None


def test_rows_are_numbered_and_a_wrong_quote_spoils_its_row_only() -> None:
    rows = list(rows_of(['a,"b\n', 'c",d\n', '"x"y,1\n', "e,f\n"], ","))

    assert rows[0] == (1, ["a", "b\nc", "d"])
    assert isinstance(rows[1][1], str)
    assert "quotation marks" in rows[1][1]
    assert rows[2] == (3, ["e", "f"])


def test_a_quote_that_never_closes_is_told() -> None:
    rows = list(rows_of(["a,b\n", '"c,d\n', "e,f\n"], ","))

    assert isinstance(rows[-1][1], Problem)
    assert "in row 2 a quotation mark is never closed" in str(rows[-1][1])


@given(
    st.lists(
        st.lists(
            st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=8), min_size=1
        ),
        max_size=6,
    ),
    st.sampled_from([",", ";", "\t"]),
)
def test_what_a_spreadsheet_writes_is_what_is_read(table: list[list[str]], delimiter: str) -> None:
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(table)
    read = rows_of(io.StringIO(written.getvalue(), newline=""), delimiter)

    assert [cells for _, cells in read] == table


@given(st.text(alphabet='a",;\n\r', max_size=60))
def test_any_text_is_cut_into_rows_without_an_exception(text: str) -> None:
    numbers = [number for number, _ in rows_of(io.StringIO(text, newline=""), ",")]

    assert numbers == list(range(1, len(numbers) + 1))


VALUES = st.lists(
    st.dictionaries(st.text(max_size=5), st.text(max_size=9) | st.lists(st.integers(), max_size=3)),
    max_size=6,
)


def cut(text: str, size: int) -> list[tuple[int, Any]]:
    return list(objects_of(text[at : at + size] for at in range(0, len(text), size)))


@given(VALUES, st.integers(1, 50), st.sampled_from([None, 2]), st.booleans())
def test_objects_are_cut_the_same_however_they_come(
    values: list[dict[str, Any]], size: int, indent: int | None, is_array: bool
) -> None:
    written = json.dumps(values, indent=indent)
    if not is_array:
        written = "\n".join(json.dumps(each, indent=indent) for each in values)
    read = [(number, json.loads(text)) for number, text in cut(written, size)]

    assert read == list(enumerate(values, start=1))


@pytest.mark.parametrize(
    ("text", "count", "words"),
    [
        ("[1]", 1, "something else than an object"),
        ("nonsense", 1, "something else"),
        ('{"a":', 1, "not valid JSON"),
        ("[", 1, "does not end with ]"),
        ('[{"a":1},', 2, "does not end with ]"),
        ('[{"a":1}', 2, "neither a comma nor ]"),
        ('[{"a":1} {"b":1}]', 2, "neither a comma nor ]"),
        ('[{"a":1}] x', 2, "nothing behind it"),
        ('{"a":' * 20_000, 1, "nested too deeply"),
        ('{"a":"' + "x" * 200_000, 1, "larger than"),
    ],
)
def test_the_first_mistake_in_json_ends_it(text: str, count: int, words: str) -> None:
    read = cut(text, 64)

    assert len(read) == count
    assert isinstance(read[-1][1], Problem)
    assert words in str(read[-1][1])


@given(st.text(alphabet='[]{},:"a1 ', max_size=40), st.integers(1, 10))
def test_any_text_is_cut_into_objects_without_an_exception(text: str, size: int) -> None:
    for _, found in cut(text, size):
        assert isinstance(found, Problem) or isinstance(json.loads(found), dict)
