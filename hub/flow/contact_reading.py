"""Open a file of contacts: find out how it is written, refuse it whole where that is not certain, and read its rows.

The file is read twice, so that nothing of a file that cannot be read to its end is taken in. Both passes hold a chunk
at a time. Blocking: call it in a thread. Not here: what becomes of the rows (hub.flow.contact_import).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Final, Literal, TypeVar

import msgspec

from hub.flow.contact_import import MOST_ROWS
from hub.model.errors import InvalidRequest
from hub.rules.contact_files import CODECS, check_encoding, find_encoding, objects_of, rows_of
from hub.rules.contact_headings import Headings, choose_delimiter, read_headings
from hub.rules.contact_rows import Regions, Row, RowError, read_cells, read_object, sentence
from hub.rules.problems import Problem

Form = Literal["csv", "json"]
T = TypeVar("T")

_CHUNK: Final = 65_536
_HEAD: Final = 8_192
_object_decoder: Final = msgspec.json.Decoder(dict[str, object])


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """A file that can be read to its end."""

    rows: Iterator[Row]
    #: Rows there are, empty ones included.
    count: int
    #: Headings that mean nothing here.
    ignored: tuple[str, ...] = ()


def open_sheet(
    file: BinaryIO, *, form: Form | None = None, encoding: str | None = None, regions: Regions
) -> Sheet:
    """Look through a file and make it ready to be read.

    Args:
        file: Can be read again from its beginning.
        form: None finds it out by the first character.
        encoding: A key of `CODECS`; None finds it out, and refuses what does not say itself.
        regions: Of which countries the numbers may be.

    Raises:
        InvalidRequest: The file is empty, too long, or cannot be read.
    """
    chosen = encoding or _require(find_encoding(_from_start(file).read(_HEAD)))
    _from_start(file)
    problem = check_encoding(iter(partial(file.read, _CHUNK), b""), chosen)
    if problem is not None:
        raise refusal(problem)
    codec = CODECS[chosen]
    begin = _text(file, codec).read(_HEAD).lstrip()
    if not begin:
        raise _refused("The file is empty.")
    is_json = form == "json" or (form is None and begin[0] in "[{")
    return _json_sheet(file, codec, regions) if is_json else _csv_sheet(file, codec, regions)


def refusal(problem: Problem) -> InvalidRequest:
    """Put a problem of the whole file into words."""
    return _refused(sentence(problem))


def _csv_sheet(file: BinaryIO, codec: str, regions: Regions) -> Sheet:
    delimiter = choose_delimiter(_text(file, codec).readline(_HEAD).rstrip("\r\n"))
    headings: Headings | None = None
    count = 0
    for number, cells in rows_of(_text(file, codec), delimiter):
        if isinstance(cells, Problem):
            raise refusal(cells)
        if headings is None:
            if isinstance(cells, str):
                raise _refused(f"The first row must be the headings. {cells}")
            headings = _require(read_headings(cells))
        count = _counted(number - 1)
    if headings is None:
        raise _refused("The file is empty.")
    rows = _csv_rows(file, codec, delimiter, headings, regions)
    return Sheet(rows=rows, count=count, ignored=headings.ignored)


def _csv_rows(
    file: BinaryIO, codec: str, delimiter: str, headings: Headings, regions: Regions
) -> Iterator[Row]:
    for number, cells in rows_of(_text(file, codec), delimiter):
        if number == 1:
            continue
        if isinstance(cells, list):
            row = read_cells(headings, cells, number=number, regions=regions)
            if row is not None:
                yield row
        else:
            yield Row(number=number, errors=(RowError(row=number, field=None, error=str(cells), value=None),))


def _json_sheet(file: BinaryIO, codec: str, regions: Regions) -> Sheet:
    count = 0
    for number, found in objects_of(_chunks(file, codec)):
        if isinstance(found, Problem):
            raise _refused(f"At contact {number}: {sentence(found)}")
        count = _counted(number)
    return Sheet(rows=_json_rows(file, codec, regions), count=count)


def _json_rows(file: BinaryIO, codec: str, regions: Regions) -> Iterator[Row]:
    for number, found in objects_of(_chunks(file, codec)):
        try:
            value = _object_decoder.decode(str(found))
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            told = RowError(
                row=number, field=None, error=f"It is no JSON that can be kept: {error}.", value=None
            )
            yield Row(number=number, errors=(told,))
        else:
            yield read_object(value, number=number, regions=regions)


def _counted(count: int) -> int:
    if count > MOST_ROWS:
        raise _refused(f"The file has more than {MOST_ROWS} contacts; cut it into several files.")
    return count


def _chunks(file: BinaryIO, codec: str) -> Iterator[str]:
    return iter(partial(_text(file, codec).read, _CHUNK), "")


def _text(file: BinaryIO, codec: str) -> io.TextIOWrapper:
    """Read the file as text from its start. Each reader is let go of without closing the file."""
    return _Lent(_from_start(file), encoding=codec, newline="")


class _Lent(io.TextIOWrapper):
    """Does not close the file beneath it, which is not its own."""

    def close(self) -> None:
        """Leave the file open."""


def _from_start(file: BinaryIO) -> BinaryIO:
    file.seek(0)
    return file


def _require(read: T | Problem) -> T:
    if isinstance(read, Problem):
        raise refusal(read)
    return read


def _refused(message: str) -> InvalidRequest:
    return InvalidRequest("invalid_parameter_value", message, param="file")
