"""Words for what Jinja2's parser says: what people meant who come from other languages, and what to write.

One rule per slip; the first wins whose words are in the parser's message and whose pattern fits the place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from hub.rules.expressions.problems import ExpressionProblem

_SHOWN: Final = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class _Advice:
    #: Is searched in Jinja2's message.
    said: str
    #: Fits at the place, or up to two characters before it.
    here: str = ""
    what: str
    why: str
    fix: str


_ADVICE: Final = (
    _Advice(
        said="Expected an expression, got",
        here=r"$|\}\}|%\}",
        what="an expression is missing here",
        why="there is nothing between the braces, or after an operator",
        fix="Write what is to be here, such as event.text",
    ),
    _Advice(
        said="",
        here=r"={3}|!==",
        what="=== is no operator",
        why="values of different kinds are never equal anyway",
        fix="Write == or !=",
    ),
    _Advice(
        said="got '='",
        what="= does not compare",
        why="it would set something, and expressions set nothing",
        fix="Write ==",
    ),
    _Advice(said="", here=r"&&?", what="& is no operator", why="it is spelled as a word", fix="Write and"),
    _Advice(said="", here=r"\|\|", what="|| is no operator", why="it is spelled as a word", fix="Write or"),
    _Advice(
        said="unexpected char",
        here="!",
        what="! is no operator",
        why="it is spelled as a word",
        fix="Write not",
    ),
    _Advice(
        said="",
        here=r"\?\.",
        what="?. is no operator",
        why="a field that may be missing is asked for in another way",
        fix="Write get(event, 'a.b.c', 'what to take instead')",
    ),
    _Advice(
        said="",
        here=r"\?\?",
        what="?? is no operator",
        why="a value to take instead is given with a filter",
        fix="Write … | default('what to take instead')",
    ),
    _Advice(
        said="unexpected char",
        here=r"\?",
        what="? is no operator",
        why="a choice is written with words",
        fix="Write a if condition else b",
    ),
    _Advice(
        said="unexpected char",
        here=r"['\"]",
        what="a text is begun here and not ended",
        why="its closing quote is missing",
        fix="Close the quote; a quote within it is written as \\' or stands in the other kind of quotes",
    ),
    _Advice(
        said="unexpected char",
        here="`",
        what="a backquote begins no text",
        why="text stands in quotes",
        fix="Write '…'; a text with values in it is joined with ~",
    ),
    _Advice(
        said="unexpected char",
        here=r"\$",
        what="$ has no meaning here",
        why="values are named without a sign",
        fix="Remove it",
    ),
    _Advice(
        said="",
        here=r"(?i:contains|includes|has)\b",
        what="there is no such operator",
        why="a part of a text or an item of a list is asked for with in",
        fix="Write 'part' in event.text",
    ),
    _Advice(
        said="",
        here=r"(?i:matches)\b|=~",
        what="there is no such operator",
        why="a pattern is searched with a filter",
        fix="Write event.text | regex_find('pattern') is not none",
    ),
    _Advice(
        said="",
        here=r"(?:AND|OR|NOT|IN|IS|And|Or|Not)\b",
        what="words of the language are written small",
        why="large and small letters differ",
        fix="Write and, or, not, in, is",
    ),
    _Advice(
        said="",
        here=r"(?:eq|ne|gt|lt|gte|lte|equals)\b",
        what="there is no such operator",
        why="comparing is written with signs",
        fix="Write ==, !=, >, <, >= or <=",
    ),
    _Advice(
        said="unknown tag",
        what="there is no such statement",
        why="a template knows {% if %} and {% for %}",
        fix="Write what is to be worked out in vars; write {{ '{%' }} for these characters themselves",
    ),
    _Advice(
        said="Unexpected end of template",
        what="a {% if %} or {% for %} is not ended",
        why="the template is over before",
        fix="Write {% endif %} or {% endfor %} where it ends",
    ),
    _Advice(
        said="', expected '",
        what="a bracket is closed here and another one is open",
        why="brackets are closed in the order in which they were opened, the last one first",
        fix="Close the bracket that is open before",
    ),
    _Advice(
        said="unexpected '}'",
        what="a brace is closed here that was not opened",
        why="an expression ends with two braces and contains them in pairs",
        fix="Write {{ … }}",
    ),
    _Advice(
        said="unexpected '",
        what="a bracket is closed here that was not opened",
        why="brackets come in pairs",
        fix="Remove it, or open it before",
    ),
    _Advice(
        said="nexpected end of template, expected",
        what="the braces are not closed",
        why="the text is over before }}",
        fix="Write }} where the expression ends; write {{ '{{' }} for two braces themselves",
    ),
)


def advise(said: str, text: str, offset: int) -> ExpressionProblem:
    """Give the problem for what the parser said of a place."""
    for advice in _ADVICE:
        if advice.said in said:
            place = _fitting(advice.here, text, offset)
            if place is not None:
                return ExpressionProblem(offset=place, what=advice.what, why=advice.why, fix=advice.fix)
    return ExpressionProblem(
        offset=offset,
        what=f"{_excerpt(text, offset)} is not expected here",
        why="it fits nothing that stands before it",
        fix="Check the quotes, brackets and operators before it",
    )


def _fitting(here: str, text: str, offset: int) -> int | None:
    pattern = re.compile(here)
    return next((place for place in _places(text, offset) if pattern.match(text, place)), None)


def _places(text: str, offset: int) -> tuple[int, ...]:
    """The place itself and, because operators may be cut in two, the ones before it."""
    blank = len(text) - len(text[offset:].lstrip()) if offset < len(text) else offset
    return (offset, blank, *(place for place in (offset - 1, offset - 2) if place >= 0))


def _excerpt(text: str, offset: int) -> str:
    rest = text[offset : offset + _SHOWN].strip()
    return f"'{rest.splitlines()[0]}'" if rest else "the end"
