"""Read connectors and the connections to them: manifests of the hub, those of the operator, connections.yaml.

All or nothing: whoever reads them gets everything, or everything that is wrong with any of them.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import connectors as shipped
from hub.config.connections_file import look_up, read_file, require_sound, sections
from hub.config.loader import read_document
from hub.config.plain import plain
from hub.config.problems import ConfigError, Place, Problem, problem_at
from hub.config.route_files import placed
from hub.rules import problems as rules
from hub.rules.connectors.connections import (
    Connection,
    ConnectionWish,
    Given,
    SecretPlace,
    read_connections,
)
from hub.rules.connectors.model import FieldSpec, Manifest
from hub.rules.connectors.reading import read_manifest
from hub.rules.connectors.secrets import SecretText
from hub.rules.expressions.filters.patterns import search
from hub.rules.routes.document import Reading
from hub.rules.signing import InvalidSecret, Secret

MANIFEST: Final = "manifest.yaml"


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectorFiles:
    """What the files say."""

    manifests: Mapping[str, Manifest]
    connections: Mapping[str, Connection]


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """A connection as it is set up."""

    wish: ConnectionWish
    #: None where its secrets are not all there.
    connection: Connection | None
    #: Sentences that say which are not, and what to do.
    missing: str


def load_connectors(
    connections_file: Path,
    folder: Path | None,
    environ: Mapping[str, str],
    *,
    only: Collection[str] | None = None,
) -> ConnectorFiles:
    """Read everything.

    Args:
        connections_file: connections.yaml; one that is not there has no connections.
        folder: The operator's own connectors, a folder each; one of a name that ships with the hub takes its place.
        environ: Where `{env: …}` looks.
        only: The connections that are wanted, with their secrets; all of them without.

    Raises:
        ConfigError: With every problem of every file.
    """
    manifests, problems = all_manifests(folder)
    if problems:
        raise ConfigError(problems)
    return ConnectorFiles(
        manifests=manifests,
        connections=load_connections(connections_file, manifests, environ, only=only),
    )


def all_manifests(folder: Path | None) -> tuple[dict[str, Manifest], list[Problem]]:
    """Give the connectors there are, the operator's own included, and what is wrong with those."""
    manifests, problems = dict(shipped_manifests()), list[Problem]()
    for path in own_manifest_files(folder):
        found = read_manifest_file(path)
        if isinstance(found, Manifest):
            manifests[found.id] = found
        else:
            problems += found
    return manifests, problems


def own_manifest_files(folder: Path | None) -> list[Path]:
    """Find the manifests of the operator's own connectors."""
    own = None if folder is None else folder.expanduser()
    if own is None or own.resolve() == shipped.FOLDER.resolve():  # a hub that is run in its source tree
        return []
    return sorted(own.glob(f"*/{MANIFEST}"))


@functools.cache
def shipped_manifests() -> Mapping[str, Manifest]:
    """Give the connectors that ship with the hub; they are part of the program."""
    found = {}
    for name in shipped.CONNECTORS:
        manifest = read_manifest_file(shipped.FOLDER / name / MANIFEST)
        if not isinstance(manifest, Manifest):
            raise ConfigError(manifest)
        found[name] = manifest
    return found


def read_manifest_file(path: Path) -> Manifest | list[Problem]:
    """Read one manifest, or give everything that is wrong with it."""
    try:
        content = path.read_bytes()
    except OSError as error:
        why, fix = error.strerror or str(error), "let the hub's user read it, or take its folder away"
        return [problem_at(Place(source=str(path)), what="the file cannot be read", why=why, fix=fix)]
    node, problems = read_document(content, source=str(path), is_prose=True)
    if node is None or problems:
        return problems
    found = read_manifest(plain(node))
    if not isinstance(found, Manifest):
        return [placed(node, each) for each in found]
    if found.id != path.parent.name:
        why, fix = f"its folder is called {path.parent.name}", "Call both the same"
        return [placed(node, rules.Problem(pointer="/id", what=f"`id` is {found.id}", why=why, fix=fix))]
    return found


def load_connections(
    path: Path,
    manifests: Mapping[str, Manifest],
    environ: Mapping[str, str],
    *,
    only: Collection[str] | None = None,
) -> dict[str, Connection]:
    """Read the connections that are set up; none if there is no such file.

    Raises:
        ConfigError: With every problem of the file, and of the secrets of those that are wanted.
    """
    file, reading = read_file(path), Reading()
    wishes = read_connections(reading, sections(reading, file), manifests)
    wanted = [wish for wish in wishes if only is None or wish.name in only]
    found = {wish.name: _resolved(reading, wish, environ) for wish in wanted}
    require_sound(file, reading)
    return found


def look_at_connections(
    path: Path, manifests: Mapping[str, Manifest], environ: Mapping[str, str]
) -> list[Looked]:
    """Read the connections that are set up, by name; of one whose secrets are not all there, say what is missing.

    Raises:
        ConfigError: With every problem of the file itself.
    """
    file, reading = read_file(path), Reading()
    wishes = read_connections(reading, sections(reading, file), manifests)
    require_sound(file, reading)
    found: list[Looked] = []
    for wish in sorted(wishes, key=lambda each: each.name):
        missing = Reading()
        connection = _resolved(missing, wish, environ)
        told = " ".join(f"{each.what}: {each.why}. {each.fix}." for each in missing.problems)
        found.append(Looked(wish=wish, connection=None if told else connection, missing=told))
    return found


def _resolved(reading: Reading, wish: ConnectionWish, environ: Mapping[str, str]) -> Connection:
    fields: dict[str, str | SecretText | tuple[SecretText, ...]] = {}
    for name, given in wish.fields.items():
        value = _value(reading, given, environ)
        if value is None:
            continue
        if isinstance(value, tuple) or wish.auth.fields[name].is_secret:
            fields[name] = tuple(map(SecretText, value)) if isinstance(value, tuple) else SecretText(value)
        else:
            fields[name] = value
        place = given.pointer if isinstance(given, SecretPlace) else f"{wish.pointer}/auth"
        _check_form(reading, wish.auth.fields[name], value, place, title=wish.manifest.title)
        if wish.auth.apply.signed_with is not None and wish.auth.fields[name].is_list:
            _check_signing(reading, wish, name, value)
    return Connection(name=wish.name, manifest=wish.manifest, auth=wish.auth, fields=fields, vars=wish.vars)


def _value(reading: Reading, given: Given, environ: Mapping[str, str]) -> str | tuple[str, ...] | None:
    match given:
        case str():
            return given
        case SecretPlace():
            return look_up(reading, given.kind, given.name, given.pointer, environ)
        case tuple():
            found = [look_up(reading, each.kind, each.name, each.pointer, environ) for each in given]
            return tuple(each for each in found if each is not None)


def _check_form(
    reading: Reading, field: FieldSpec, value: str | tuple[str, ...], pointer: str, *, title: str
) -> None:
    """Refuse what cannot be the field's value, such as another service's address; the message does not show it."""
    for each in value if isinstance(value, tuple) else (value,):
        if field.pattern is not None and search(field.pattern, each.strip()) is None:
            why = f"it is to look like {field.example}" if field.example else "it has another form"
            fix = f"Copy it again: {field.description}" if field.description else "Copy it again"
            reading.refuse(pointer, f"this is no {field.title} of {title}", why, fix)


def _check_signing(reading: Reading, wish: ConnectionWish, name: str, value: str | tuple[str, ...]) -> None:
    """Refuse what cannot sign before anything is to be signed; the message does not show it."""
    for each in value if isinstance(value, tuple) else (value,):
        try:
            Secret(each)
        except InvalidSecret as error:
            fix = "Give the secret that the receiver knows, such as whsec_…"
            reading.refuse(
                f"{wish.pointer}/{name}", f"the secret of {wish.name} cannot sign", str(error), fix
            )
