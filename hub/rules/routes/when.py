"""The `when` of a route: paths of the event, each with a value or matchers; all of them must hold.

    when:
      direction: inbound
      contact.tags: { none_of: [customer, suppressed] }
      text: { any_of: [STOP, END], normalize: keyword }
      now: { outside: { days: mon-fri, from: "09:00", to: "18:00" } }

Checked completely and compiled once; matching runs plain closures and can neither raise nor run long. facts: routes A2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hub.rules.condition_nodes import shown
from hub.rules.condition_paths import MISSING, Payload, Reader, compile_path, path_fault
from hub.rules.problems import Problem, suggestion
from hub.rules.routes.clock_windows import ClockWindow, read_window
from hub.rules.routes.matchers import (
    MATCHERS,
    NORMALIZATIONS,
    Normalize,
    Test,
    is_value,
    scalar_fault,
)

#: What other systems call a plain value, and some of the matchers.
_EQUAL: Final = frozenset({"eq", "equals", "is"})
_OTHER_MATCHERS: Final[Mapping[str, str]] = {
    "in": "any_of",
    "includes": "contains",
    "ne": "not",
    "neq": "not",
    "nin": "none_of",
    "not_equals": "not",
    "not_in": "none_of",
    "one_of": "any_of",
    "regex": "matches",
}
#: The field that is not the event's: the clock.
NOW: Final = "now"
_NORMALIZE: Final = "normalize"
_AS_WRITTEN: Final = NORMALIZATIONS["none"]
MOST_PATHS: Final = 50
_LONGEST_SHOWN: Final = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """The first line of a `when` that did not hold."""

    #: JSON pointer into the `when`.
    pointer: str
    path: str
    #: The matcher's name; empty for a plain value.
    matcher: str
    #: JSON, cut.
    expected: str
    #: JSON, cut, or `missing`.
    actual: str

    def __str__(self) -> str:
        if self.actual == "missing":
            return f"{self.path}: the event has no such field"
        asked = f"{self.matcher} {self.expected}".lstrip()
        return (
            f"{self.path} is {self.actual}, not {asked}"
            if not self.matcher
            else (f"{self.path} is {self.actual}, which fails {asked}")
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """One condition, and whether it holds."""

    #: Where it looks in the event; `now` for the clock.
    path: str
    #: Empty for a plain value.
    matcher: str
    #: JSON, cut.
    expected: str
    #: JSON, cut, or `missing`.
    actual: str
    holds: bool


@dataclass(frozen=True, slots=True)
class _Line:
    """One path with one matcher."""

    pointer: str
    path: str
    matcher: str
    operand: object
    read: Reader
    test: Test
    #: Whether a missing value passes; only `exists: false`.
    is_for_missing: bool
    #: Whether texts are compared as they are written.
    is_exact: bool

    def actual(self, event: Payload, now_ms: int) -> str:
        """What the event has there, for people."""
        del now_ms
        return shown(self.read(event))

    def holds(self, event: Payload, now_ms: int) -> bool:
        del now_ms
        value = self.read(event)
        return self.is_for_missing if value is MISSING else self.test(value)

    def failed(self, event: Payload, now_ms: int) -> Failed | None:
        if self.holds(event, now_ms):
            return None
        return Failed(
            pointer=self.pointer,
            path=self.path,
            matcher=self.matcher,
            expected=shown(self.operand),
            actual=self.actual(event, now_ms),
        )


@dataclass(frozen=True, slots=True)
class _Clock:
    """`now`, inside or outside of windows."""

    pointer: str
    matcher: str
    operand: object
    windows: tuple[ClockWindow, ...]
    is_inside: bool
    path: str = NOW

    def actual(self, event: Payload, now_ms: int) -> str:
        """What the clock shows, for people."""
        del event
        return self.windows[0].shown(now_ms)

    def holds(self, event: Payload, now_ms: int) -> bool:
        del event
        return any(window.covers(now_ms) for window in self.windows) is self.is_inside

    def failed(self, event: Payload, now_ms: int) -> Failed | None:
        if self.holds(event, now_ms):
            return None
        return Failed(
            pointer=self.pointer,
            path=NOW,
            matcher=self.matcher,
            expected=shown(self.operand),
            actual=self.actual(event, now_ms),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class When:
    """A compiled `when`."""

    lines: tuple[_Line | _Clock, ...]
    #: The paths that it reads, `now` not among them.
    paths: frozenset[str]
    #: Texts of which one must stand at a path, for an index: each line of this form, since each must hold.
    keys: tuple[tuple[str, frozenset[str]], ...]

    def holds(self, event: Payload, now_ms: int) -> bool:
        """Tell whether an event meets it at an instant."""
        for line in self.lines:  # noqa: SIM110 - a generator inside all() costs twice as much
            if not line.holds(event, now_ms):
                return False
        return True

    def judged(self, event: Payload, now_ms: int) -> tuple[Judged, ...]:
        """Judge every line, also those after one that does not hold."""
        return tuple(
            Judged(
                path=line.path,
                matcher=line.matcher,
                expected=shown(line.operand),
                actual=line.actual(event, now_ms),
                holds=line.holds(event, now_ms),
            )
            for line in self.lines
        )

    def failed(self, event: Payload, now_ms: int) -> Failed | None:
        """Give the first line that does not hold; None if all do."""
        return next((failed for line in self.lines if (failed := line.failed(event, now_ms))), None)


#: Of a route without one.
ALWAYS: Final = When(lines=(), paths=frozenset(), keys=())


def compile_when(written: object, *, pointer: str = "", timezone: str | None = None) -> When | list[Problem]:
    """Check and compile a `when`, or return everything that is wrong with it.

    Args:
        written: The map as read from YAML.
        pointer: Where it stands.
        timezone: Of windows that name none.
    """
    if not isinstance(written, Mapping) or not written:
        fix = "Write paths and values, such as direction: inbound; or leave `when` out"
        if isinstance(written, str):
            fix = "Write paths and values, such as direction: inbound; an expression stands under `if`"
        return [Problem(pointer=pointer, what="`when` is no map", why="it would say nothing", fix=fix)]
    reader = _WhenReader(timezone)
    if len(written) > MOST_PATHS:
        why = f"at most {MOST_PATHS} are read"
        return [
            Problem(pointer=pointer, what="`when` has too many lines", why=why, fix="Write several routes")
        ]
    for path, asked in written.items():
        reader.read(str(path), asked, f"{pointer}/{_escape(str(path))}")
    return reader.problems or reader.finished()


class _WhenReader:
    def __init__(self, timezone: str | None) -> None:
        self._timezone = timezone
        self.problems: list[Problem] = []
        self._lines: list[_Line | _Clock] = []

    def finished(self) -> When:
        paths = frozenset(line.path for line in self._lines if isinstance(line, _Line))
        return When(lines=tuple(self._lines), paths=paths, keys=_index_keys(self._lines))

    def read(self, path: str, asked: object, pointer: str) -> None:
        """Read one path with what is asked of it."""
        if path == NOW:
            self._read_now(asked, pointer)
            return
        fault = path_fault(path)
        if fault is not None:
            what = f"{path[:_LONGEST_SHOWN]!r} is no path"
            self._refuse(pointer, what, fix="Write it like contact.tags", why=fault)
        elif path.startswith("event."):
            short = path.removeprefix("event.")
            self._refuse(
                pointer, f"{path!r} names the event", f"paths begin in it; write {short}", f"Write {short}"
            )
        elif isinstance(asked, Mapping):
            self._read_matchers(path, asked, pointer)
        elif isinstance(asked, list):
            self._add(path, "any_of", asked, pointer, _AS_WRITTEN)
        elif _is_template(asked):
            self._refuse_template(asked, pointer)
        elif (fault := scalar_fault(asked)) is not None:
            self._refuse(pointer, "the value cannot be compared", fault, "Write a shorter one")
        else:
            self._lines.append(_plain(path, asked, pointer))

    def _read_matchers(self, path: str, asked: Mapping[object, object], pointer: str) -> None:
        normalize = self._normalization(asked.get(_NORMALIZE, "none"), pointer)
        names = [str(name) for name in asked if name != _NORMALIZE]
        if not names:
            why, fix = "nothing is asked of the field", "Write a matcher, such as { contains: refund }"
            self._refuse(pointer, "the matchers are empty", why, fix)
        for name in names:
            here = f"{pointer}/{_escape(name)}"
            if name in MATCHERS:
                self._add(path, name, asked[name], here, normalize)
            else:
                self._refuse_name(path, name, asked[name], here)

    def _add(self, path: str, name: str, operand: object, pointer: str, normalize: Normalize) -> None:
        items = operand if isinstance(operand, list) else [operand]
        if (template := next(filter(_is_template, items), None)) is not None:
            self._refuse_template(template, pointer)
            return
        matcher = MATCHERS[name]
        fault = matcher.fault(operand)
        if fault is not None:
            what = f"{name} cannot take {shown(operand)}"
            self._refuse(pointer, what, fault, "Give it a fitting value")
            return
        is_for_missing = name == "exists" and operand is False
        test = matcher.build(operand, normalize)
        self._lines.append(
            _Line(
                pointer,
                path,
                name,
                operand,
                compile_path(path),
                test,
                is_for_missing,
                normalize is _AS_WRITTEN,
            )
        )

    def _read_now(self, asked: object, pointer: str) -> None:
        if (
            not isinstance(asked, Mapping)
            or len(asked) != 1
            or next(iter(asked)) not in {"inside", "outside"}
        ):
            fix = 'Write now: { outside: { days: mon-fri, from: "09:00", to: "18:00" } }'
            self._refuse(pointer, "`now` cannot be read", "it is inside or outside of windows", fix)
            return
        ((name, operand),) = asked.items()
        written = operand if isinstance(operand, list) and operand else [operand]
        windows: list[ClockWindow] = []
        for index, each in enumerate(written):
            here = f"{pointer}/{name}/{index}" if isinstance(operand, list) else f"{pointer}/{name}"
            window = read_window(each, here, timezone=self._timezone)
            if isinstance(window, ClockWindow):
                windows.append(window)
            else:
                self.problems += window
        if len(windows) == len(written):
            self._lines.append(_Clock(pointer, str(name), operand, tuple(windows), name == "inside"))

    def _normalization(self, written: object, pointer: str) -> Normalize:
        found = NORMALIZATIONS.get(written) if isinstance(written, str) else None
        if found is None:
            why = f"there are {', '.join(NORMALIZATIONS)}"
            what = f"{str(written)[:_LONGEST_SHOWN]!r} is no way to normalize"
            self._refuse(f"{pointer}/{_NORMALIZE}", what, why, "Use keyword for words such as STOP")
        return found or _AS_WRITTEN

    def _refuse_name(self, path: str, name: str, operand: object, pointer: str) -> None:
        bare = name.removeprefix("$").lower()
        near = _OTHER_MATCHERS.get(bare) or suggestion(bare, MATCHERS)
        if bare in _EQUAL:
            fix = f"Write {path}: {shown(operand)}"
        elif near is None and isinstance(operand, (str, int, float, bool, type(None), list)):
            fix = f"If it is a field of {path}, write {path}.{name[:_LONGEST_SHOWN]} as the path"
        else:
            fix = f"Did you mean {near}" if near else f"Use one of {', '.join(MATCHERS)}"
        self._refuse(pointer, f"{name[:_LONGEST_SHOWN]!r} is no matcher", "none has this name", fix)

    def _refuse_template(self, written: object, pointer: str) -> None:
        what, why = f"{str(written)[:_LONGEST_SHOWN]!r} is a template", "`when` compares with fixed values"
        self._refuse(pointer, what, why, "Use `if` for expressions")

    def _refuse(self, pointer: str, what: str, why: str, fix: str) -> None:
        self.problems.append(Problem(pointer=pointer, what=what, why=why, fix=fix))


def _is_template(written: object) -> bool:
    return isinstance(written, str) and "{{" in written and "}}" in written


def _plain(path: str, value: object, pointer: str) -> _Line:
    read: Reader = compile_path(path)
    test: Callable[[object], bool] = is_value(value, _AS_WRITTEN)
    return _Line(pointer, path, "", value, read, test, is_for_missing=False, is_exact=True)


def _index_keys(lines: Sequence[_Line | _Clock]) -> tuple[tuple[str, frozenset[str]], ...]:
    return tuple(
        (line.path, frozenset(each for each in wanted if isinstance(each, str)))
        for line in lines
        if isinstance(line, _Line) and (wanted := _exact_texts(line))
    )


def _exact_texts(line: _Line) -> list[object]:
    """Give the texts of which the event must have one; none where that cannot be said."""
    if not line.is_exact or line.matcher not in {"", "any_of"}:
        return []
    wanted = line.operand if isinstance(line.operand, list) else [line.operand]
    return wanted if all(isinstance(each, str) for each in wanted) else []


def _escape(name: str) -> str:
    return name[:_LONGEST_SHOWN].replace("~", "~0").replace("/", "~1")
