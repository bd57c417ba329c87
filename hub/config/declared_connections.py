"""Which connections there are, without their secrets: for checks on machines that hold none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.config.connections_file import read_file, require_sound, sections
from hub.config.connectors import all_manifests
from hub.config.problems import ConfigError, Problem
from hub.rules.connectors.connections import ConnectionWish, read_connections
from hub.rules.connectors.model import Manifest
from hub.rules.routes.document import Reading


@dataclass(frozen=True, kw_only=True, slots=True)
class Declared:
    """What the files say there is."""

    manifests: Mapping[str, Manifest]
    connections: tuple[ConnectionWish, ...]
    #: The names of inbound sources, as they stand there.
    sources: frozenset[str]
    #: Of broken files, which count as if they were not there.
    problems: tuple[Problem, ...]


def declared_connections(connections_file: Path, folder: Path) -> Declared:
    """Read connectors and connections; no secret is looked up.

    Args:
        connections_file: connections.yaml; one that is not there has no connections.
        folder: The operator's own connectors.
    """
    manifests, problems = all_manifests(folder)
    file, reading = read_file(connections_file), Reading()
    known = sections(reading, file)
    wishes, sources = read_connections(reading, known, manifests), known.get("sources")
    try:
        require_sound(file, reading)
    except ConfigError as error:
        problems += error.problems
    return Declared(
        manifests=manifests,
        connections=wishes,
        sources=frozenset(map(str, sources)) if isinstance(sources, Mapping) else frozenset(),
        problems=tuple(problems),
    )
