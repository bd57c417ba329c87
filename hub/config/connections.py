"""Read connections.yaml: the one file that says where secrets are. It holds none, and messages never show its lines.

    file → nodes → plain values → hub.rules reads a section → secrets looked up → sources

Each section is read by the rules of what it is about; who is asked for one section still hears of unknown ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from hub.config.loader import read_document
from hub.config.nodes import Node
from hub.config.plain import plain, spot_of
from hub.config.problems import ConfigError, Place, Problem, problem_at
from hub.config.shipped_sources import shipped_sources
from hub.rules.routes.document import Reading, at
from hub.rules.sources.keys import key_bytes, public_key
from hub.rules.sources.model import Source, SourceSecret
from hub.rules.sources.settings import SecretName, SourceWish, read_sources

SECTIONS: Final = ("version", "connections", "sources", "endpoints")
VERSION: Final = 1
_MOST_SECRET_BYTES: Final = 16_384


def load_sources(path: Path, environ: Mapping[str, str]) -> tuple[Source, ...]:
    """Read the sources that are set up; none if there is no such file.

    Args:
        path: The file.
        environ: Where `{env: …}` looks.

    Raises:
        ConfigError: With every problem of the file, and of the secrets that it names.
    """
    root, problems = _read(path)
    if root is None:
        if problems:
            raise ConfigError(problems)
        return ()
    document, reading = plain(root), Reading()
    known = reading.map(document if document is not None else {}, "", noun="the file", keys=SECTIONS)
    if known.get("version", VERSION) != VERSION:
        reading.refuse(at("", "version"), "`version` is another one", "this hub reads 1", "Write version: 1")
    section = known.get("sources")
    wishes = read_sources(reading, section, at("", "sources"), shipped=shipped_sources())
    sources = [_resolved(reading, wish, environ) for wish in wishes]
    problems += [_placed(root, each.pointer, each.what, each.why, each.fix) for each in reading.problems]
    if problems:
        raise ConfigError(problems)
    return tuple(sources)


def _read(path: Path) -> tuple[Node | None, list[Problem]]:
    try:
        content = path.expanduser().read_bytes()
    except FileNotFoundError:
        return None, []
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        why, fix = reason, "check connections_file and the permissions of the file"
        return None, [problem_at(Place(source=str(path)), what="the file cannot be read", why=why, fix=fix)]
    node, problems = read_document(content, source=str(path))
    return node, [replace(each, excerpt="") for each in problems]


def _placed(root: Node, pointer: str, what: str, why: str, fix: str) -> Problem:
    spot = spot_of(root, pointer)
    return problem_at(spot.place, key=spot.key, what=what, why=why, fix=fix, is_secret=True)


def _resolved(reading: Reading, wish: SourceWish, environ: Mapping[str, str]) -> Source:
    """Look up the secrets of a source; what is missing, or is no key, is a problem that names it, never shows it."""
    found = [(name, _looked_up(reading, name, environ)) for name in wish.secrets]
    secrets = [(name.pointer, secret) for name, secret in found if secret is not None]
    if wish.public_key:
        secrets.append((at(wish.pointer, "public_key"), SourceSecret(wish.public_key)))
    check = wish.definition.check
    for pointer, secret in secrets:
        fault: Any = None
        if check.kind == "public_key":
            fault = public_key(check, secret)
        elif check.kind == "hmac":
            fault = key_bytes(check, secret)
        if isinstance(fault, str):
            fix = f"Copy it again from the settings of {wish.definition.title}"
            reading.refuse(pointer, f"the secret of {wish.name} cannot be used", fault, fix)
    token = None if wish.verify_token is None else _looked_up(reading, wish.verify_token, environ)
    return Source(
        name=wish.name,
        definition=wish.definition,
        secrets=tuple(secret for _, secret in secrets),
        verify_token=token,
        remember_ms=wish.remember_ms,
    )


def _looked_up(reading: Reading, name: SecretName, environ: Mapping[str, str]) -> SourceSecret | None:
    if name.kind == "env":
        text = environ.get(name.name, "")
        if text.strip():
            return SourceSecret(text.strip())
        why = "it is not set" if name.name not in environ else "it is empty"
        fix = f"Set {name.name} where the hub is started"
        reading.refuse(name.pointer, f"environment variable {name.name} has no secret", why, fix)
        return None
    try:
        with Path(name.name).expanduser().open(encoding="utf-8") as file:
            text = file.read(_MOST_SECRET_BYTES).strip()
    except (OSError, UnicodeDecodeError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no text file"
        reading.refuse(
            name.pointer, f"{name.name} has no secret", reason, "Check the path and its permissions"
        )
        return None
    if not text:
        reading.refuse(name.pointer, f"{name.name} has no secret", "it is empty", "Write the secret into it")
        return None
    return SourceSecret(text)
