"""Long texts beside routes: `{ file: prompts/support.md }` for an input of a step, or of a blueprint.

A text is taken into the document before anything reads it, so it is a part of the route's revision, and whatever is
true of a text that is written out is true of it. It stands beside the file that names it, or below: a name cannot lead
elsewhere, nor can a link.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import Any, Final

from hub.config.problems import Place
from hub.rules.problems import Problem
from hub.rules.routes.document import at, shown

LONGEST_TEXT: Final = 64_000
_MOST_BYTES: Final = 4 * LONGEST_TEXT
MOST_TEXTS: Final = 100
#: Stands for what cannot be read, so that nothing else is told of it.
_UNREAD: Final = "…"


@dataclass(frozen=True, kw_only=True, slots=True)
class TextFile:
    """One text that was taken in."""

    path: Path
    text: str

    def place(self, offset: int) -> Place:
        """Give the place of a character."""
        before = self.text[:offset]
        line = before.count("\n")
        return Place(
            source=str(self.path),
            line=line + 1,
            column=offset - before.rfind("\n"),
            line_text=self.text.split("\n")[line],
        )


@dataclass(slots=True)
class Texts:
    """The texts of one document."""

    #: By the pointer of the input.
    files: dict[str, TextFile] = field(default_factory=dict)
    #: What each path held, those included at which there was nothing to be used.
    seen: dict[Path, bytes] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def take_in(document: Any, folder: Path) -> Texts:
    """Put texts into a document in the place of their names.

    Args:
        document: As plain values; it is changed.
        folder: That of the file in which it is written.
    """
    texts = Texts()
    if isinstance(document, Mapping):
        for key in ("defaults", "routes"):
            for inputs, pointer in _inputs(document.get(key), at("", key)):
                for name, value in inputs.items():
                    if _names_file(value):
                        inputs[name] = _taken(value["file"], at(pointer, name), folder, texts)
    return texts


def have_stayed(seen: Mapping[Path, bytes]) -> bool:
    """Tell whether each path holds what it held."""
    return all(_digest(_content(path)) == digest for path, digest in seen.items())


def _inputs(value: Any, pointer: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Give the inputs of steps and of blueprints that are used; nothing within them is looked at."""
    if isinstance(value, list):
        for place, each in enumerate(value):
            yield from _inputs(each, at(pointer, place))
    if not isinstance(value, dict):
        return
    for key, each in value.items():
        is_given = (key == "with" and "use" in value) or (key == "inputs" and "use_blueprint" in value)
        if is_given and isinstance(each, dict):
            yield each, at(pointer, key)
        elif not is_given:
            yield from _inputs(each, at(pointer, key))


def _names_file(value: Any) -> bool:
    """Tell whether a value names a file; one with a template in it is a map that is sent as it is."""
    return (
        isinstance(value, Mapping)
        and value.keys() == {"file"}
        and isinstance(value["file"], str)
        and "{{" not in value["file"]
    )


def _taken(name: str, pointer: str, folder: Path, texts: Texts) -> str:
    """Read a text, or note why it cannot be used."""
    path = _path(name, folder)
    if isinstance(path, Path) and len(texts.seen) < MOST_TEXTS:
        content = _content(path)
        texts.seen[path] = _digest(content)
        text, why = _decoded(content)
        fix = f"Mend {path}" if content is not None else f"Write {path}, or mend the path"
    else:
        text, why = "", path if isinstance(path, str) else f"a file of routes has {MOST_TEXTS} texts at most"
        fix = "Write its path from here on, such as prompts/support.md"
    if why:
        what = f"the text {shown(name)} cannot be used"
        texts.problems.append(Problem(pointer=at(pointer, "file"), what=what, why=why, fix=fix))
        return _UNREAD
    assert isinstance(path, Path), "what was read has a path"
    texts.files[pointer] = TextFile(path=path, text=text)
    return text


def _path(name: str, folder: Path) -> Path | str:
    """Give the path that a name means, or why it means none."""
    written = PurePosixPath(name)
    if not name.strip() or "\0" in name or "\\" in name or written.is_absolute():
        return "it is no path from the folder of this file on"
    if any(part.startswith(".") for part in written.parts):
        return "it leads out of the folder of this file, or to a hidden file"
    path = folder / written
    try:
        is_inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a loop of links
        is_inside = False
    return path if is_inside else "a link leads out of the folder of this file"


def _content(path: Path) -> bytes | None:
    """Give what a file holds, or a byte more than it may; None if there is no such file, or it is not ours to read."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return file.read(_MOST_BYTES + 1)
    except OSError:
        return None


def _digest(content: bytes | None) -> bytes:
    return b"" if content is None else blake2b(content, digest_size=16).digest()


def _decoded(content: bytes | None) -> tuple[str, str]:
    """Give a text without the lines' ends at its end, and why it cannot be used; empty if it can."""
    if content is None:
        return "", "there is no such file, or the hub's user may not read it"
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n").rstrip("\n")
    except UnicodeDecodeError as error:
        if len(content) <= _MOST_BYTES:
            return "", f"byte {error.start} of it is not UTF-8"
        text = " " * (LONGEST_TEXT + 1)
    if len(text) > LONGEST_TEXT:
        return "", f"it is longer than {LONGEST_TEXT} characters"
    if not text.strip():
        return "", "it is empty"
    control = next((each for each in text if each < " " and each not in "\n\t"), None)
    return text, "" if control is None else f"it has a control character, U+{ord(control):04X}"
