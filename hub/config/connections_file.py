"""Read connections.yaml: the one file that says where secrets are. It holds none, and messages never show its lines.

    file → nodes → plain values → hub.rules reads a section → secrets looked up

Each section is read by the rules of what it is about; who is asked for one section still hears of unknown ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from hub.config.loader import read_document
from hub.config.nodes import Node
from hub.config.plain import plain, spot_of
from hub.config.problems import ConfigError, Place, Problem, problem_at
from hub.rules import problems as rules
from hub.rules.routes.document import Reading, at

SECTIONS: Final = ("version", "connections", "sources", "endpoints")
VERSION: Final = 1
_MOST_SECRET_BYTES: Final = 16_384


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionsFile:
    """The file as written."""

    #: None where there is no file.
    root: Node | None
    #: Of its form.
    problems: tuple[Problem, ...]


def read_file(path: Path) -> ConnectionsFile:
    """Read the file; one that is not there holds nothing."""
    try:
        content = path.expanduser().read_bytes()
    except FileNotFoundError:
        return ConnectionsFile(root=None, problems=())
    except (OSError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        fix, place = "check connections_file and the permissions of the file", Place(source=str(path))
        problem = problem_at(place, what="the file cannot be read", why=why, fix=fix)
        return ConnectionsFile(root=None, problems=(problem,))
    node, problems = read_document(content, source=str(path))
    return ConnectionsFile(root=node, problems=tuple(replace(each, excerpt="") for each in problems))


def sections(reading: Reading, file: ConnectionsFile) -> Mapping[str, Any]:
    """Give the sections of the file, as plain values."""
    document = None if file.root is None else plain(file.root)
    known = reading.map({} if document is None else document, "", noun="the file", keys=SECTIONS)
    if known.get("version", VERSION) != VERSION:
        reading.refuse(at("", "version"), "`version` is another one", "this hub reads 1", "Write version: 1")
    return known


def require_sound(file: ConnectionsFile, reading: Reading) -> None:
    """Raise everything that is wrong with the file.

    Raises:
        ConfigError: Something is.
    """
    problems = list(file.problems)
    if file.root is not None:
        problems += [_placed(file.root, each) for each in reading.problems]
    if problems:
        raise ConfigError(problems)


def _placed(root: Node, problem: rules.Problem) -> Problem:
    spot = spot_of(root, problem.pointer)
    return problem_at(
        spot.place, key=spot.key, what=problem.what, why=problem.why, fix=problem.fix, is_secret=True
    )


def look_up(reading: Reading, kind: str, name: str, pointer: str, environ: Mapping[str, str]) -> str | None:
    """Give the secret of a place; what is missing is a problem that names the place, and never shows what it holds.

    Args:
        reading: Takes the problem.
        kind: `env` or `file`.
        name: Of the variable, or the path.
        pointer: Where it stands.
        environ: Where `{env: …}` looks.
    """
    if kind == "env":
        text = environ.get(name, "")
        if text.strip():
            return text.strip()
        why = "it is not set" if name not in environ else "it is empty"
        fix = f"Set {name} where the hub is started"
        reading.refuse(pointer, f"environment variable {name} has no secret", why, fix)
        return None
    try:
        with Path(name).expanduser().open(encoding="utf-8") as file:
            text = file.read(_MOST_SECRET_BYTES).strip()
    except (OSError, UnicodeDecodeError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no text file"
        reading.refuse(pointer, f"{name} has no secret", reason, "Check the path and its permissions")
        return None
    if not text:
        reading.refuse(pointer, f"{name} has no secret", "it is empty", "Write the secret into it")
        return None
    return text
