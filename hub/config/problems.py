"""What can be wrong with a configuration, told so that it can be put right without reading our code.

All problems of a file are collected and raised together. This module words nothing itself and reads no file.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from hub.model.errors import HubError

#: A place in the environment has no line; places in files count from 1.
NO_LINE = 0

_EXCERPT_CHARACTERS = 120


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where something was written."""

    #: The file as its reader knows it, or `environment variable HUB_…`.
    source: str
    #: From 1; `NO_LINE` where there are none.
    line: int = NO_LINE
    #: From 1, in characters; 0 where there is none.
    column: int = 0
    #: The line as written, for showing.
    line_text: str = field(default="", repr=False)

    def __str__(self) -> str:
        return self.source if self.line == NO_LINE else f"{self.source}:{self.line}:{self.column}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing that must be changed before the hub can use the configuration."""

    #: The file, or `environment variable HUB_…`.
    path: str
    #: From 1; 0 where there are no lines.
    line: int
    #: From 1; 0 where there are no columns.
    column: int
    #: Dotted key such as `web.port`; empty for a fault of the file's form.
    key: str
    #: What was found.
    what: str
    #: Why it cannot be used.
    why: str
    #: What to write instead.
    fix: str
    #: The line as written; empty where there is none or where it would show a secret.
    excerpt: str = ""
    #: Of what a blueprint says: where in it. The place above is where it is used.
    origin: Place | None = None

    def __str__(self) -> str:
        position = self.path if self.line == NO_LINE else f"{self.path}:{self.line}:{self.column}"
        subject = f"{self.key}: {self.what}" if self.key else self.what
        lines = [f"{position}: {subject}", *_pointer(self.excerpt, self.line, self.column)]
        if self.origin is not None:
            told = self.origin
            lines += [f"  blueprint: {told}", *_pointer(told.line_text, told.line, told.column)]
        return "\n".join([*lines, f"  why: {self.why}", f"  fix: {self.fix}"])


def _pointer(excerpt: str, line: int, column: int) -> list[str]:
    if not excerpt.strip():
        return []
    start = max(0, column - _EXCERPT_CHARACTERS // 2)
    shown = "".join(
        character if character.isprintable() else " "
        for character in excerpt[start : start + _EXCERPT_CHARACTERS]
    )
    return [f"{line:>6} | {shown}", f"{'|':>8} {' ' * (column - 1 - start)}^"]


def problem_at(
    place: Place, *, key: str = "", what: str, why: str, fix: str, is_secret: bool = False
) -> Problem:
    """Return the problem found at a place; a secret's line is not shown."""
    return Problem(
        path=place.source,
        line=place.line,
        column=place.column,
        key=key,
        what=what,
        why=why,
        fix=fix,
        excerpt="" if is_secret else place.line_text,
    )


class ConfigError(HubError):
    """The configuration cannot be used; `problems` says everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(str(self))

    def __str__(self) -> str:
        count = len(self.problems)
        heading = "1 problem" if count == 1 else f"{count} problems"
        return "\n".join([f"The configuration has {heading}:", *(str(each) for each in self.problems)])
