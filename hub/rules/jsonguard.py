"""Refuse JSON that is well-formed and still harmful, before a parser or a store meets it.

Bottomless nesting exhausts the parser's stack, halves of surrogate pairs and NUL cannot be stored as text, and
numbers beyond 64 bits or near infinity change their value on the way. The common body passes on a few scans at
C speed; every slower look is linear, so no body can stall the hub.
Not here: whether it is JSON at all (the parser says so, with its own place) and how large it may be (the edge).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

DEFAULT_MAX_DEPTH: Final = 32
_INTEGER_MAXIMUM: Final = 2**63 - 1
_INTEGER_MINIMUM: Final = -(2**63)

_BACKSLASH: Final = ord("\\")
_BRACKET: Final = re.compile(rb"[\[\]{}]")
#: Brackets become the octets 1 and -1 (255); quotes stay, everything else goes.
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_NOT_STEPS: Final = bytes(byte for byte in range(256) if byte not in b'[]{}"')
#: A body's outline: digits become 0, both cases of e become e, both kinds of opening bracket [. What can stand
#: between two numbers stays and keeps them apart; the rest goes. Going can only make an outline look worse.
_OUTLINE: Final = bytes.maketrans(b"123456789E{", b"000000000e[")
_NOT_OUTLINE: Final = bytes(byte for byte in range(256) if byte not in b'0123456789eE[{",:;-./ \n')
_LONG_DIGITS: Final = b"0" * 19
_LONG_EXPONENT: Final = b"e000"
#: An integer part of 19 digits or more, or a positive exponent of three digits or more.
_LARGE_NUMBER: Final = re.compile(
    rb"(?<![0-9.eE+\-])-?(?P<integer>[0-9]{19,})|[0-9.][eE]\+?0*(?P<exponent>[1-9][0-9]{2})"
)
_HEX: Final = b"[0-9a-fA-F]"
_HIGH: Final = rb"\\u[dD][89abAB]%b{2}" % _HEX
_LOW: Final = rb"\\u[dD][c-fC-F]%b{2}" % _HEX
#: NUL, a high half without its low one, a low half without its high one. It begins with plain characters, so the
#: search can leap from escape to escape.
_BAD_ESCAPE: Final = re.compile(
    rb"\\u(?:0000|[dD](?:[89abAB]%b{2}(?!%b)|[c-fC-F]%b{2}(?<!%b%b)))" % (_HEX, _LOW, _HEX, _HIGH, _LOW)
)


@dataclass(frozen=True, kw_only=True, slots=True)
class JsonProblem:
    """What is harmful in a body, and where."""

    what: str
    fix: str
    #: From 0, in bytes.
    offset: int
    #: From 1.
    line: int
    #: From 1, in characters.
    column: int

    def __str__(self) -> str:
        return f"{self.what} (line {self.line}, column {self.column}). {self.fix}."


def check_json(raw: bytes, *, max_depth: int = DEFAULT_MAX_DEPTH) -> JsonProblem | None:
    """Return the first harmful thing of the first harmful kind in `raw`, or None.

    Args:
        raw: a request body that should be JSON; if it is not, the answer means nothing and the parser refuses.
        max_depth: how many arrays and objects may stand inside each other.
    """
    problem = None if raw.isascii() else _encoding_problem(raw)
    if problem is None and _BACKSLASH in raw:
        problem = _escape_problem(raw)
    outline = raw.translate(_OUTLINE, _NOT_OUTLINE)
    if problem is None and outline.count(b"[") > max_depth:
        problem = _depth_problem(raw, max_depth)
    if problem is None and (_LONG_DIGITS in outline or _LONG_EXPONENT in outline):
        problem = _number_problem(raw)
    return problem


def _encoding_problem(raw: bytes) -> JsonProblem | None:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return _problem(raw, error.start, "The body is not UTF-8", "Send JSON encoded as UTF-8")
    return None


def _escape_problem(raw: bytes) -> JsonProblem | None:
    if rb"\u" not in raw:
        return None
    found = _BAD_ESCAPE.search(_without_escaped_backslashes(raw))
    if found is None:
        return None
    what = "The body has half of a surrogate pair, which is no character"
    fix = "Send both halves, or the character itself"
    if found[0] == rb"\u0000":
        what, fix = r"The body has a NUL character (\u0000), which cannot be stored", "Leave it out"
    return _problem(raw, found.start(), what, fix)


def _depth_problem(raw: bytes, max_depth: int) -> JsonProblem | None:
    if max(accumulate(memoryview(_steps(raw)).cast("b")), default=0) <= max_depth:
        return None
    depth = 0

    def goes_too_deep(segment: bytes) -> int | None:
        nonlocal depth
        for bracket in _BRACKET.finditer(segment):
            depth += 1 if bracket[0] in (b"[", b"{") else -1
            if depth > max_depth:
                return bracket.start()
        return None

    offset = _find_outside_strings(raw, goes_too_deep)
    return _problem(raw, offset, f"The body is nested deeper than {max_depth} levels", "Flatten it")


def _steps(raw: bytes) -> bytes:
    """Return the brackets outside of texts, as octets of 1 and -1."""
    if _BACKSLASH not in raw:
        steps = raw.translate(_STEPS, _NOT_STEPS).replace(b'""', b"")
        # The quote that opens the first text with a bracket in it ends an odd run of quotes, so one is left.
        if b'"' not in steps:
            return steps
    return b"".join(_segments(raw)[::2]).translate(_STEPS, _NOT_STEPS)


def _number_problem(raw: bytes) -> JsonProblem | None:
    offset = _find_outside_strings(raw, _first_large_number)
    if offset is None:
        return None
    what, fix = "The body has a number too large to keep exactly", "Send it as a text in quotes"
    return _problem(raw, offset, what, fix)


def _first_large_number(segment: bytes) -> int | None:
    for found in _LARGE_NUMBER.finditer(segment):
        digits = found["integer"]
        if digits is None or len(digits) > len(_LONG_DIGITS):
            return found.start()
        if not _INTEGER_MINIMUM <= int(found[0]) <= _INTEGER_MAXIMUM:
            return found.start()
    return None


# ---- what stands outside of texts


def _without_escaped_backslashes(raw: bytes) -> bytes:
    """Blank out `\\\\`, length kept, so that each backslash left begins an escape."""
    return raw.replace(rb"\\", b"  ") if rb"\\" in raw else raw


def _segments(raw: bytes) -> list[bytes]:
    """Cut at the quotes: outside, inside, outside, …; the lengths are those of `raw`.

    Exact up to the first syntax error, which is as far as a parser gets.
    """
    if _BACKSLASH in raw:
        raw = _without_escaped_backslashes(raw).replace(rb"\"", b"  ")
    return raw.split(b'"')


def _find_outside_strings(raw: bytes, find: Callable[[bytes], int | None]) -> int | None:
    """Return the offset in `raw` of what `find` finds first in a stretch between texts."""
    for offset, segment in _placed_outside_strings(raw):
        found = find(segment)
        if found is not None:
            return offset + found
    return None


def _placed_outside_strings(raw: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    for index, segment in enumerate(_segments(raw)):
        if index % 2 == 0:
            yield offset, segment
        offset += len(segment) + 1


def _problem(raw: bytes, offset: int | None, what: str, fix: str) -> JsonProblem:
    place = offset or 0
    line_start = raw.rfind(b"\n", 0, place) + 1
    return JsonProblem(
        what=what,
        fix=fix,
        offset=place,
        line=raw.count(b"\n", 0, place) + 1,
        column=len(raw[line_start:place].decode("utf-8", "replace")) + 1,
    )
