"""Reads text with Jinja2's lexer and parser into a tree whose nodes know their offset.

Jinja2 keeps lines only. Its parser passes a token's line number on to the node without looking at it, so we hand it
offsets instead. Comments (`{# … #}`) are switched off: `{#` is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import Token, TokenStream, ignored_tokens, operators
from jinja2.parser import Parser

from hub.rules.expressions.limits import (
    LONGEST_NUMBER,
    LONGEST_SOURCE,
    MOST_BRACKETS,
    MOST_CHOICES,
    MOST_PREFIXES,
)
from hub.rules.expressions.problems import ExpressionProblem
from hub.rules.expressions.syntax_advice import advise

#: What `{#` would be; no source has it.
_NEVER: Final = "\x00{\x00"
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([nrt\\'\"]))")
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", '"': '"'}
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


class _Unreadable(Exception):
    """The text is refused before or while it is read."""

    def __init__(self, problem: ExpressionProblem) -> None:
        super().__init__(problem.what)
        self.problem = problem


class _Environment(Environment):
    """Jinja2's settings; of all that it can do, only the lexer and the parser are used."""

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        return TokenStream(_tokens(self, source, state), name, filename)


_ENVIRONMENT: Final = _Environment(
    comment_start_string=_NEVER,
    comment_end_string=_NEVER,
    keep_trailing_newline=True,
    autoescape=False,
    cache_size=0,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Parsed:
    """A text that Jinja2 can read; nothing of it is allowed yet."""

    body: tuple[nodes.Node, ...]

    @property
    def lone(self) -> nodes.Expr | None:
        """The expression, if the text is one pair of braces and nothing else."""
        match self.body:
            case [nodes.Output(nodes=[nodes.Expr() as only])] if not isinstance(only, nodes.TemplateData):
                return only
            case _:
                return None


def normal(source: str) -> str:
    """Give the text as offsets count it: a line ends with one character."""
    return source.replace("\r\n", "\n").replace("\r", "\n")


def parse_template(source: str) -> Parsed | ExpressionProblem:
    """Read text with braces in it."""
    return _parse(source, is_expression=False)


def parse_expression(source: str) -> Parsed | ExpressionProblem:
    """Read a bare expression."""
    return _parse(source, is_expression=True)


def _parse(source: str, *, is_expression: bool) -> Parsed | ExpressionProblem:
    text = normal(source)
    try:
        _refuse_form(text)
        if is_expression:
            return Parsed(body=(nodes.Output([_whole_expression(text)]),))
        return Parsed(body=tuple(Parser(_ENVIRONMENT, text).subparse()))
    except _Unreadable as error:
        return error.problem
    except TemplateSyntaxError as error:
        offset = min(max(error.lineno, 0), len(text))
        return advise(error.message or "", text, offset)
    except (
        RecursionError
    ):  # MOST_BRACKETS and its like keep from it; the depth of our caller is not ours to know
        return _too_nested(0)


def _whole_expression(text: str) -> nodes.Expr:
    if not text.strip():
        raise TemplateSyntaxError("Expected an expression, got nothing", 0)
    parser = Parser(_ENVIRONMENT, text, state="variable")
    expression = parser.parse_tuple(with_condexpr=True)
    if not parser.stream.eos:
        token = parser.stream.current
        raise TemplateSyntaxError(f"expected the end, got {token.value!r}", token.lineno)
    assert isinstance(expression, nodes.Expr)
    return expression


def _refuse_form(text: str) -> None:
    if len(text) > LONGEST_SOURCE:
        raise _Unreadable(
            ExpressionProblem(
                offset=LONGEST_SOURCE,
                what=f"this has {len(text)} characters",
                why=f"an expression or template may have {LONGEST_SOURCE}",
                fix="Split it, for instance with vars",
            )
        )
    found = _SURROGATES.search(text)
    place = text.find("\x00") if found is None else found.start()
    if place >= 0:
        raise _Unreadable(
            ExpressionProblem(
                offset=place,
                what="a character stands here that no text may have",
                why="NUL and halves of characters can neither be stored nor sent",
                fix="Remove it",
            )
        )


def _tokens(environment: Environment, source: str, state: str | None) -> Iterator[Token]:
    """Give the parser's tokens, each with its offset where Jinja2 has the line; the lexer's errors likewise."""
    offset = 0
    nesting = _Nesting()
    try:
        for _, kind, text in environment.lexer.tokeniter(source, None, None, state):
            offset = source.index(text, offset)
            if kind == "raw_begin":
                raise TemplateSyntaxError("Encountered unknown tag 'raw'.", offset)
            if kind not in ignored_tokens:
                nesting.take(kind, text, offset)
                yield _token(kind, text, offset)
            offset += len(text)
    except TemplateSyntaxError as error:
        told = re.search(r" at (\d+)$", error.message or "")
        raise TemplateSyntaxError(error.message or "", int(told[1]) if told else offset) from None


def _token(kind: str, text: str, offset: int) -> Token:
    match kind:
        case "string":
            return Token(offset, kind, _ESCAPE.sub(_unescaped, text[1:-1]))
        case "integer" | "float":
            return Token(offset, kind, cast(str, _number(text, offset)))  # as Jinja2 itself does
        case "operator":
            return Token(offset, operators[text], text)
        case "name" if not text.isidentifier() or not text.isascii():
            raise TemplateSyntaxError(f"unexpected char {text[0]!r}", offset)
        case _:
            return Token(offset, kind, text)


def _unescaped(found: re.Match[str]) -> str:
    """Read an escape. Any other backslash stays, so that regular expressions can be written as they are."""
    by_number = found[1] or found[2]
    if not by_number:
        return _ESCAPED[found[3]]
    character = chr(int(by_number, 16))
    return found[0] if _SURROGATES.match(character) or character == "\x00" else character


def _number(text: str, offset: int) -> int | float:
    if len(text) > LONGEST_NUMBER or not re.fullmatch(r"[0-9][0-9.eE+-]*", text):
        raise _Unreadable(
            ExpressionProblem(
                offset=offset,
                what=f"{text[:40]} is no number here",
                why=f"numbers are written with digits, at most {LONGEST_NUMBER} of them",
                fix="Write it with digits only, or in quotes if it is text",
            )
        )
    try:
        value = int(text) if text.isdigit() else float(text)
    except ValueError:
        raise TemplateSyntaxError(f"unexpected char {text[0]!r}", offset) from None
    if value == float("inf"):
        raise _Unreadable(
            ExpressionProblem(
                offset=offset,
                what=f"{text} is too large",
                why="it is beyond all numbers that can be stored",
                fix="Write a smaller one",
            )
        )
    return value


class _Nesting:
    """Counts what makes the parser call itself."""

    def __init__(self) -> None:
        self._brackets = 0
        self._prefixes = 0
        self._choices = 0

    def take(self, kind: str, text: str, offset: int) -> None:
        if kind == "operator" and text in "([{":
            self._brackets += 1
        elif kind == "operator" and text in ")]}":
            self._brackets -= 1
        is_prefix = text in {"+", "-", "not"} and kind in {"operator", "name"}
        self._prefixes = self._prefixes + 1 if is_prefix else 0
        if kind in {"variable_begin", "block_begin"}:
            self._choices = 0
        elif kind == "name" and text in {"if", "elif", "else", "for"}:
            self._choices += 1
        if (
            self._brackets > MOST_BRACKETS
            or self._prefixes > MOST_PREFIXES
            or self._choices > MOST_CHOICES * 2
        ):
            raise _Unreadable(_too_nested(offset))


def _too_nested(offset: int) -> ExpressionProblem:
    return ExpressionProblem(
        offset=offset,
        what="this is nested too deep",
        why=f"{MOST_BRACKETS} brackets in brackets, {MOST_CHOICES} choices, {MOST_PREFIXES} signs in a row are allowed",
        fix="Work out a part of it in vars, and name that here",
    )
