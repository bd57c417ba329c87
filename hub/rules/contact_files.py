"""Tell how a file of contacts is written: its encoding, where a row of CSV ends, where an object of JSON ends.

Whatever is not certain is refused in plain words: a wrong guess here is a wrong name in thousands of contacts.
Chunks in, text or problems out; not here: what a row says (hub.rules.contact_rows).
"""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Iterable, Iterator
from typing import Final, Literal

from hub.rules.problems import Problem

Encoding = Literal["utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "windows-1252"]
#: How Python calls them; the byte order mark of UTF-8 is no part of the text.
CODECS: Final[dict[str, str]] = {
    "utf-8": "utf-8-sig",
    "utf-16": "utf-16",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "latin-1": "latin-1",
    "windows-1252": "cp1252",
}
#: A contact in JSON may not be larger.
LONGEST_OBJECT: Final = 65_536
#: A cell may not be larger: a quotation mark that is never closed would swallow the rest of the file.
LONGEST_CELL: Final = 65_536

#: How other files begin → what they are, and what to do instead.
_OTHERS: Final = (
    (b"PK\x03\x04", "an Excel workbook or another ZIP archive", "In the spreadsheet, save it as 'CSV UTF-8'"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "In the spreadsheet, save it as 'CSV UTF-8'"),
    (b"%PDF", "a PDF", "Send the table itself as CSV"),
    (b"BEGIN:VCARD", "a vCard", "Export the contacts as CSV"),
    (b"\xff\xfe\x00\x00", "UTF-32", "Save it as UTF-8"),
    (b"\x1f\x8b", "compressed", "Send it uncompressed"),
)
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_HEAD_BYTES: Final = 4096
_MISQUOTED: Final = (
    "The quotation marks are not in order: a cell in quotes ends with one, and quotes inside it are doubled."
)


def find_encoding(head: bytes) -> str | Problem:
    """Tell the encoding by how the file begins: UTF-8, or UTF-16 with its mark.

    Returns:
        A key of CODECS, or why the file is none that can be read.
    """
    for mark, kind, fix in _OTHERS:
        if head.startswith(mark):
            return _refused(f"it is {kind}", fix)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    start = head[:_HEAD_BYTES]
    for name, zeros, others in (
        ("utf-16-le", start[1::2], start[::2]),
        ("utf-16-be", start[::2], start[1::2]),
    ):
        if len(start) > 3 and zeros.count(0) * 2 > len(zeros) and others.count(0) * 10 < len(others):
            return _refused(
                "it seems to be UTF-16 without its byte order mark", f"Say so with encoding={name}"
            )
    return "utf-8"


def check_encoding(chunks: Iterable[bytes], encoding: str) -> Problem | None:
    """Read all of a file to see whether it is in that encoding; nothing is kept."""
    decoder = codecs.getincrementaldecoder(CODECS[encoding])("strict")
    line = 1
    for chunk in chunks:
        try:
            line += decoder.decode(chunk).count("\n")
        except UnicodeError as error:
            return _undecodable(error, encoding, line)
    try:
        decoder.decode(b"", final=True)
    except UnicodeError as error:
        return _undecodable(error, encoding, line)
    return None


def rows_of(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str] | str | Problem]]:
    """Cut lines into rows, numbered from 1; for a row whose quotes are wrong comes the reason.

    A problem ends it: behind a quotation mark that is never closed nobody can say where a row begins.
    """
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            yield number, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "limit" in str(error) or "unexpected end" in str(error):
                why = f"in row {number} a quotation mark is never closed, or a cell is over {LONGEST_CELL} characters"
                yield number, _refused(why, "Close it, or write it twice where it is meant")
                return
            yield number, _MISQUOTED


def objects_of(chunks: Iterable[str]) -> Iterator[tuple[int, str | Problem]]:
    """Cut a JSON array, or JSON objects one after the other, into the text of each, numbered from 1.

    The first problem ends it: behind it nobody can say where an object begins.
    """
    scanner = _Scanner(chunks)
    is_array = scanner.take("[")
    number = 0
    while not scanner.is_over(is_array=is_array):
        number += 1
        found = scanner.object()
        yield number, found
        if isinstance(found, Problem):
            return
        if is_array and not scanner.take(",") and not scanner.sees("]"):
            yield (
                number + 1,
                _refused(f"after contact {number} neither a comma nor ] follows", "Mend the JSON there"),
            )
            return
    if scanner.is_left(is_array=is_array):
        yield (
            number + 1,
            _refused("the array does not end with ]", "Send the whole file, and nothing behind it"),
        )


class _Scanner:
    """Walks through text that comes in chunks; holds a chunk and one object at the most."""

    def __init__(self, chunks: Iterable[str]) -> None:
        self._chunks = iter(chunks)
        self._text = ""
        self._at = 0
        self._decode = json.JSONDecoder().raw_decode

    def take(self, mark: str) -> bool:
        """Step over a mark, if it comes next."""
        is_next = self.sees(mark)
        self._at += len(mark) if is_next else 0
        return is_next

    def sees(self, mark: str) -> bool:
        self._skip_blanks()
        return self._text.startswith(mark, self._at)

    def is_over(self, *, is_array: bool) -> bool:
        self._skip_blanks()
        return self._at == len(self._text) or (is_array and self.sees("]"))

    def is_left(self, *, is_array: bool) -> bool:
        """Tell whether the end is another than it should be."""
        is_closed = self.take("]") if is_array else True
        self._skip_blanks()
        return not is_closed or self._at < len(self._text)

    def object(self) -> str | Problem:
        """Take the next object."""
        if not self.sees("{"):
            return _refused("there is something else than an object", 'Send [{"phone": "+1555…"}, …]')
        while True:
            try:
                _, end = self._decode(self._text, self._at)
            except RecursionError:
                return _refused("an object is nested too deeply", "Send flat contacts")
            except ValueError as error:
                if len(self._text) - self._at > LONGEST_OBJECT or not self._more():
                    why = f"an object is not valid JSON, or larger than {LONGEST_OBJECT} characters ({error})"
                    return _refused(why, "Mend the JSON there")
            else:
                begin, self._at = self._at, end
                return self._text[begin:end]

    def _skip_blanks(self) -> None:
        while True:
            self._at = _after_blanks(self._text, self._at)
            if self._at < len(self._text) or not self._more():
                return

    def _more(self) -> bool:
        chunk = next(self._chunks, None)
        self._text = self._text[self._at :] + (chunk or "")
        self._at = 0
        return chunk is not None


def _after_blanks(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _undecodable(error: UnicodeError, encoding: str, line: int) -> Problem:
    byte = ""
    if isinstance(error, UnicodeDecodeError) and encoding == "utf-8":
        line += error.object[: error.start].count(b"\n")
        byte = f" (byte 0x{error.object[error.start]:02X} in line {line})"
    if encoding == "utf-8":
        return _refused(
            f"it is not UTF-8{byte}; it may be Latin-1 or Windows-1252",
            "Save it as UTF-8, or say in which it is with encoding=windows-1252",
        )
    return _refused(f"it is not {encoding}, from about line {line} on", "Save it as UTF-8")


def _refused(why: str, fix: str) -> Problem:
    return Problem(pointer="", what="the file cannot be read", why=why, fix=fix)
