"""Reads YAML strictly: one document of bounded size, no anchors, aliases or tags, no repeated keys.

PyYAML only scans; its constructors, which guess types and can instantiate anything, are never used. What a
text means is for the reader of its key to decide.
"""

from dataclasses import replace
from typing import Final

import yaml

from hub.config.building import Builder, TooMuch
from hub.config.nodes import Node, ScalarNode
from hub.config.problems import ConfigError, Place, Problem, problem_at
from hub.config.scalars import cut
from hub.config.yaml_events import events_of

_MAX_BYTES = 256 * 1024

_COLON = "mapping values are not allowed here"
#: PyYAML's words for common mistakes → why it is one, and what to write.
_SYNTAX_ADVICE: tuple[tuple[str, str, str], ...] = (
    ("character '\\t'", "YAML does not allow tabs for indentation", "indent with spaces"),
    (
        _COLON,
        "a colon followed by a space starts a value, and one has already started on this line",
        "put text that contains ': ' into double quotes, and check the indentation",
    ),
    (
        "while parsing a flow",
        "between { } and [ ] a text with ': ', a comma, a ?, a bracket or a # needs quotes; or a bracket is not closed",
        'put the text into double quotes, such as { text: "Note: closed" }, and check the brackets',
    ),
    (
        "could not find expected ':'",
        "a key needs a colon and a space",
        "write `key: value`, and check the indentation of the lines above",
    ),
    (
        "that cannot start any token",
        "@, `, % and some other characters are reserved at the start of a value",
        "put the value into double quotes",
    ),
    (
        "expected <block end>",
        "the indentation matches no line above",
        "indent all keys of one section by the same number of spaces",
    ),
    (
        "while scanning a quoted scalar",
        "a quote is opened and not closed",
        "close the quote, or double it inside the text",
    ),
    (
        "unknown escape character",
        "between double quotes a backslash begins an escape, and there is none of this sign",
        "put the text between single quotes, where it stands for itself: '\\d+'",
    ),
    ("special characters are not allowed", "control characters have no place in a text file", "remove it"),
)


#: What is wrong with these stands where they begin, not where reading gave up, which may be lines below.
_TOLD_WHERE_BEGUN: Final = frozenset({"could not find expected ':'", "while scanning a quoted scalar"})


def load_document(content: str | bytes, *, source: str, is_prose: bool = False) -> Node:
    """Read one YAML document into nodes.

    Args:
        content: The file's content; bytes must be UTF-8.
        source: How messages name it, normally the path.
        is_prose: Whether values are sentences: a `#` right before a word is refused then, and cuts no text.

    Returns:
        The document's node; a null scalar when it holds nothing.

    Raises:
        ConfigError: With every problem of form that could be found.
    """
    node, problems = read_document(content, source=source, is_prose=is_prose)
    if node is None or problems:
        raise ConfigError(problems)
    return node


def read_document(
    content: str | bytes, *, source: str, is_prose: bool = False
) -> tuple[Node | None, list[Problem]]:
    """Do as `load_document`, but return the problems, so that a caller can look for more in what was read.

    Returns:
        The node, or None where nothing sound could be read, and every problem of form.
    """
    try:
        text = _decoded(content, source)
    except ConfigError as error:
        return None, list(error.problems)
    builder = Builder(source=source, lines=text.split("\n"), is_prose=is_prose)
    fatal = _feed(builder, text)
    if fatal is not None:
        return None, [*builder.problems, *fatal]
    return builder.root or ScalarNode(text="", is_quoted=False, place=builder.place(0, 0)), builder.problems


def _feed(builder: Builder, text: str) -> list[Problem] | None:
    """Give all events to the builder; return why reading had to stop early, None when it did not."""
    try:
        for event in events_of(text):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        return [_syntax_problem(error, builder)]
    except yaml.reader.ReaderError as error:
        return [_character_problem(error, text, builder)]
    except (ValueError, OverflowError):
        # PyYAML passes impossible escapes and numbers (`"\UFFFFFFFF"`) straight to chr() and int().
        return [_number_problem(builder)]
    except TooMuch:
        return []
    return None


def _decoded(content: str | bytes, source: str) -> str:
    """Return the text of a file, or refuse it as too large or not UTF-8."""
    size = len(content)
    if size > _MAX_BYTES:
        raise ConfigError(
            [
                problem_at(
                    Place(source=source, line=1, column=1),
                    what=f"the file has {size} bytes",
                    why=f"a configuration may have {_MAX_BYTES} at most",
                    fix="split it, or check that this is the file you meant",
                )
            ]
        )
    if isinstance(content, str):
        return content.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        return _decoded(content.decode("utf-8"), source)
    except UnicodeDecodeError as error:
        before = content[: error.start]
        raise ConfigError(
            [
                problem_at(
                    Place(
                        source=source,
                        line=before.count(b"\n") + 1,
                        column=error.start - before.rfind(b"\n"),
                    ),
                    what=f"byte 0x{content[error.start]:02x} is not UTF-8",
                    why="a configuration is UTF-8 text",
                    fix="save the file as UTF-8",
                )
            ]
        ) from None


def _syntax_problem(error: yaml.MarkedYAMLError, builder: Builder) -> Problem:
    said = " ".join(filter(None, (error.context, error.problem)))
    mark = error.problem_mark or error.context_mark
    place = builder.place(mark.line, mark.column) if mark else builder.last_place()
    if _COLON in said and (joined := builder.joined_above(mark)) is not None:
        why, fix = (
            "a blank belongs after - and after the colon of a key",
            "write `- id: one` and `key: value`",
        )
        return problem_at(joined, what="a blank is missing here", why=why, fix=fix)
    if _COLON in said and "{{" in builder.line_before(mark):
        why, fix = (
            "': ' inside text starts a value",
            'put the whole text into double quotes: key: "Hi {{ … }}: …"',
        )
        return problem_at(place, what="a text with {{ and ': ' has no quotes", why=why, fix=fix)
    if "flow" in said and (cut_off := builder.comment_on(error.context_mark)):
        why = "a # after a blank starts a comment, so what closes the bracket is not read"
        return problem_at(
            cut_off, what="a bracket is not closed", why=why, fix="put the text with # into double quotes"
        )
    for words, why, fix in _SYNTAX_ADVICE:
        if words in said:
            if words in _TOLD_WHERE_BEGUN and error.context_mark:
                place = builder.place(error.context_mark.line, error.context_mark.column)
            return problem_at(place, what="this is not valid YAML", why=why, fix=fix)
    return problem_at(
        place,
        what="this is not valid YAML",
        why=cut(said) or "it cannot be read",
        fix="check the quotes, brackets, colons and indentation here and on the line above",
    )


def _character_problem(error: yaml.reader.ReaderError, text: str, builder: Builder) -> Problem:
    before = text[: error.position]
    place = builder.place(before.count("\n"), error.position - before.rfind("\n") - 1)
    return problem_at(
        replace(place, line_text=""),
        what=f"character U+{ord(error.character):04X} stands here"
        if isinstance(error.character, str)
        else f"character U+{error.character:04X} stands here",
        why="control characters have no place in a configuration",
        fix='remove it, or write it as an escape such as "\\u0007" in double quotes',
    )


def _number_problem(builder: Builder) -> Problem:
    return problem_at(
        builder.last_place(),
        what="after this place stands an escape or a version number that does not exist",
        why="it is larger than any character or version",
        fix="correct the escape (`\\x41`, `\\u0041`, `\\U0001F600`) or remove the %YAML line",
    )
