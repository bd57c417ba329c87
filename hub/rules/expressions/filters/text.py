"""Filters that take text and make text of it."""

from __future__ import annotations

from hub.rules.expressions.filters.patterns import compiled_pattern, search
from hub.rules.expressions.frame import Frame
from hub.rules.expressions.limits import CHARACTERS_A_UNIT, MOST_ITEMS, MOST_TRIMMED
from hub.rules.expressions.offered import (
    ANY,
    LIST,
    MAP,
    NULL,
    NUMBER,
    TEXT,
    Example,
    Filter,
    Parameter,
    table,
)
from hub.rules.expressions.problems import Refused
from hub.rules.expressions.values import as_text, bounded, check_length

#: Joins what stands before and after it to one sign; a text must not end with it.
_JOINER = "\u200d"


def upper(frame: Frame, value: str) -> str:
    frame.spend_on_text(value)
    return bounded(value.upper())


def lower(frame: Frame, value: str) -> str:
    frame.spend_on_text(value)
    return bounded(value.lower())


def title(frame: Frame, value: str) -> str:
    frame.spend_on_text(value)
    capital = [part[:1].upper() + part[1:].lower() for part in value.split(" ")]
    return bounded(" ".join(capital))


def trim(frame: Frame, value: str, characters: str | None) -> str:
    frame.spend_on_text(value)
    return value.strip(few(characters))


def few(characters: str | None) -> str | None:
    """Give characters that are taken from the ends of a text back, unless they are many: each is held against all."""
    if characters is not None and len(characters) > MOST_TRIMMED:
        raise Refused(
            what=f"{len(characters)} characters are to be taken from the ends",
            why=f"{MOST_TRIMMED} are allowed",
            fix="Write those that are in the way, such as trim('#.')",
        )
    return characters


def replace(frame: Frame, value: str, old: str, new: str, count: int | None) -> str:
    not_empty(old)
    frame.spend_on_text(value)
    found = value.count(old)
    times = found if count is None else min(found, whole_number(count, "count", 0))
    length = len(value) + times * (len(new) - len(old))
    check_length(length)
    frame.spend(length // CHARACTERS_A_UNIT)
    return value.replace(old, new, times)


def not_empty(text: str) -> None:
    """Refuse the empty text where something is searched."""
    if not text:
        raise Refused(
            what="the empty text is searched", why="it is everywhere", fix="Write the text that is searched"
        )


def truncate(frame: Frame, value: str, length: int, end: str) -> str:
    whole_number(length, "length", 0)
    if len(value) <= length:
        return value
    frame.spend_on_text(end)
    kept = max(length - len(end), 0)
    return value[:kept].rstrip(_JOINER) + end[: length - kept]


def whole_number(value: int | float, name: str, least: int) -> int:
    """Give a whole number, or refuse what is none or too small."""
    if type(value) is not int or value < least or value > 10**9:
        raise Refused(
            what=f"{name} is {value if abs(value) < 10**12 else 'a very large number'}",
            why=f"it is a whole number from {least}",
            fix="Write one, such as 3",
        )
    return value


def join(frame: Frame, value: list[object], separator: str) -> str:
    frame.spend_on_items(len(value))
    length, parts = 0, []
    for item in value:
        text = as_text(item)
        length += len(text) + len(separator)
        check_length(length - len(separator))
        parts.append(text)
    frame.spend(length // CHARACTERS_A_UNIT)
    return separator.join(parts)


def split(frame: Frame, value: str, separator: str | None, most: int | None) -> list[str]:
    if separator is not None:
        not_empty(separator)
    frame.spend_on_text(value)
    limit = MOST_ITEMS if most is None else min(whole_number(most, "most", 0), MOST_ITEMS)
    parts = value.split(separator, limit)
    frame.spend_on_items(len(parts))
    if len(parts) > MOST_ITEMS:
        raise Refused(
            what=f"split gives more than {MOST_ITEMS} parts",
            why="lists that expressions make have at most that many items",
            fix="Cut the text before with truncate, or say how many: split(',', 10)",
        )
    return parts


def string(frame: Frame, value: object) -> str:
    text = as_text(value)
    frame.spend_on_text(text)
    return bounded(text)


def regex_find(frame: Frame, value: str, pattern: str, group: int) -> str | None:
    regex = compiled_pattern(pattern)
    frame.spend(1 + len(value))
    whole_number(group, "group", 0)
    if group > regex.groups:
        raise Refused(
            what=f"group {group} is asked for",
            why=f"the pattern has {regex.groups}",
            fix="Put into ( ) what you want of it",
        )
    found = search(regex, value)
    return None if found is None else found.group(group)


def search_pattern(pattern: str) -> None:
    """Refuse a pattern that cannot be used."""
    compiled_pattern(pattern)


_COUNT = Parameter(name="count", takes=NUMBER | NULL, default=None)

FILTERS = table(
    Filter(
        name="join",
        summary="Puts the items of a list together, with a text between them. Items are written as templates write "
        "them.",
        takes=LIST,
        gives=TEXT,
        apply=join,
        parameters=(Parameter(name="separator", takes=TEXT, default=""),),
        examples=(Example(expression="['a', 'b', 3] | join(', ')", gives="a, b, 3"),),
    ),
    Filter(
        name="lower",
        summary="Writes all letters small.",
        takes=TEXT,
        gives=TEXT,
        apply=lower,
        examples=(Example(expression="'Äpfel' | lower", gives="äpfel"),),
    ),
    Filter(
        name="regex_find",
        summary="Gives the first place that fits a regular expression, or one of its groups, or null if nothing "
        "fits. The syntax is RE2's, "
        "in which no pattern takes long: neither look-around nor back-references.",
        takes=TEXT,
        gives=TEXT | NULL,
        apply=regex_find,
        parameters=(
            Parameter(name="pattern", takes=TEXT, is_constant=True, check=search_pattern),
            Parameter(name="group", takes=NUMBER, default=0),
        ),
        examples=(
            Example(expression="'Order #1234, please' | regex_find('#(\\d+)', 1)", gives="1234"),
            Example(expression="'no order' | regex_find('#\\d+')", gives=None),
        ),
    ),
    Filter(
        name="replace",
        summary="Puts a text in the place of another one, everywhere or so many times from the left.",
        takes=TEXT,
        gives=TEXT,
        apply=replace,
        parameters=(
            Parameter(name="old", takes=TEXT, check=not_empty),
            Parameter(name="new", takes=TEXT),
            _COUNT,
        ),
        examples=(
            Example(expression="'a-b-c' | replace('-', '')", gives="abc"),
            Example(expression="'a-b-c' | replace('-', '+', 1)", gives="a+b-c"),
        ),
    ),
    Filter(
        name="split",
        summary="Cuts a text at each separator into a list; without one at blanks, of which none is left. With "
        "`most`, at the first ones only.",
        takes=TEXT,
        gives=LIST,
        apply=split,
        parameters=(
            Parameter(name="separator", takes=TEXT | NULL, default=None),
            Parameter(name="most", takes=NUMBER | NULL, default=None),
        ),
        examples=(
            Example(expression="'a,b,,c' | split(',')", gives=["a", "b", "", "c"]),
            Example(expression="'  Ann  Lee ' | split", gives=["Ann", "Lee"]),
            Example(expression="'a,b,c' | split(',', 1)", gives=["a", "b,c"]),
        ),
    ),
    Filter(
        name="string",
        summary="Makes text of a number, or of true or false, as a template does. Null, lists and maps are refused.",
        takes=ANY - LIST - MAP,
        gives=TEXT,
        apply=string,
        examples=(
            Example(expression="(20 / 2) | string", gives="10"),
            Example(expression="true | string", gives="true"),
        ),
    ),
    Filter(
        name="title",
        summary="Writes each word with a capital and the rest small. Words are between blanks.",
        takes=TEXT,
        gives=TEXT,
        apply=title,
        examples=(Example(expression='"ann o\'hara" | title', gives="Ann O'hara"),),
    ),
    Filter(
        name="trim",
        summary="Takes blanks and line ends from both ends, or the characters that are given.",
        takes=TEXT,
        gives=TEXT,
        apply=trim,
        parameters=(Parameter(name="characters", takes=TEXT | NULL, default=None),),
        examples=(
            Example(expression="'  Stop.  ' | trim", gives="Stop."),
            Example(expression="'#12#' | trim('#')", gives="12"),
        ),
    ),
    Filter(
        name="truncate",
        summary="Gives at most so many characters; what is cut ends with `end`, which is counted.",
        takes=TEXT,
        gives=TEXT,
        apply=truncate,
        parameters=(
            Parameter(name="length", takes=NUMBER),
            Parameter(name="end", takes=TEXT, default="…"),
        ),
        examples=(
            Example(expression="'Hello world' | truncate(6)", gives="Hello…"),
            Example(expression="'Hello' | truncate(5)", gives="Hello"),
            Example(expression="'Hello world' | truncate(5, '')", gives="Hello"),
        ),
    ),
    Filter(
        name="upper",
        summary="Writes all letters large.",
        takes=TEXT,
        gives=TEXT,
        apply=upper,
        examples=(Example(expression="'straße' | upper", gives="STRASSE"),),
    ),
)
