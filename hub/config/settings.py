"""Everything an operator can set, read from config/hub.yaml, a file of one's own and the environment.

Reading happens once, at the start; what comes out never changes. No other module reads these sources.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from hub.config.constraints import Matching
from hub.config.contradictions import find_contradictions
from hub.config.decode import decode, keys_of
from hub.config.environment import read_environment
from hub.config.loader import load_document, read_document
from hub.config.nodes import Node
from hub.config.problems import ConfigError, Place, Problem, problem_at
from hub.config.safety import safety_policy
from hub.config.sections import (
    Ai,
    Bridge,
    Contacts,
    Delivery,
    Files,
    Limits,
    Log,
    Metrics,
    Outbound,
    Redis,
    Retention,
    Routes,
    Safety,
    Sandbox,
    Secrets,
    Sends,
    Sources,
    Store,
    Streams,
    Web,
    Worker,
)
from hub.model.line_safety import SafetyPolicy

#: Names the operator's own file when no path is given.
CONFIG_VARIABLE = "HUB_CONFIG"

_PACKAGE_FOLDER = Path(__file__).parent
#: Where an installed hub keeps the defaults, and where a source tree does.
_DEFAULTS_PATHS = (
    _PACKAGE_FOLDER / "defaults" / "hub.yaml",
    _PACKAGE_FOLDER.parent.parent / "config" / "hub.yaml",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """All settings; each key is documented in config/hub.yaml."""

    data_folder: Path
    instance_name: Annotated[
        str, Matching(r"[A-Za-z0-9._-]{1,63}", "1 to 63 letters, digits, dots, dashes, underscores", "hub-1")
    ]
    connections_file: Path
    connectors_folder: Path
    web: Web
    store: Store
    redis: Redis
    secrets: Secrets
    bridge: Bridge
    sources: Sources
    delivery: Delivery
    outbound: Outbound
    sends: Sends
    safety: Safety
    files: Files
    contacts: Contacts
    ai: Ai
    sandbox: Sandbox
    streams: Streams
    limits: Limits
    retention: Retention
    log: Log
    metrics: Metrics
    routes: Routes
    worker: Worker

    @property
    def safety_policy(self) -> SafetyPolicy:
        """What holds for a line that wants nothing of its own."""
        return safety_policy(self.safety)


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the settings: the defaults, then a file, then the environment, each winning over the one before.

    Args:
        path: The operator's file; None for the one that `HUB_CONFIG` names, or none.
        environ: The process's environment.

    Raises:
        ConfigError: With every problem of every source.
    """
    if path is None and environ.get(CONFIG_VARIABLE):
        path = Path(environ[CONFIG_VARIABLE])
    problems: list[Problem] = []
    layers: list[Node] = [_defaults()]
    if path is not None:
        node, file_problems = _read(path)
        problems.extend(file_problems)
        layers.extend([] if node is None else [node])
    variables, variable_problems = read_environment(environ, keys_of(Settings))
    problems.extend(variable_problems)
    return _decode([*layers, variables], problems)


def default_settings_path() -> Path:
    """Return the file that holds the defaults: beside this module when installed, or the source tree's."""
    for path in _DEFAULTS_PATHS:
        if path.is_file():
            return path
    raise ConfigError(
        [
            problem_at(
                Place(source=str(_DEFAULTS_PATHS[0])),
                what="the defaults are missing",
                why="the hub was installed without its hub.yaml",
                fix="install it again",
            )
        ]
    )


@functools.cache
def _defaults() -> Node:
    """Return the defaults; they are part of the program and do not change while it runs."""
    path = default_settings_path()
    return load_document(path.read_bytes(), source=str(path))


def _read(path: Path) -> tuple[Node | None, list[Problem]]:
    try:
        content = path.expanduser().read_bytes()
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        problem = problem_at(
            Place(source=str(path)),
            what="the file cannot be read",
            why=reason,
            fix="check the path given with --config or HUB_CONFIG, and its permissions",
        )
        return None, [problem]
    return read_document(content, source=str(path))


def _decode(layers: Sequence[Node], problems: list[Problem]) -> Settings:
    settings, decode_problems = decode(Settings, layers)
    problems.extend(decode_problems)
    if settings is not None:
        problems.extend(find_contradictions(settings, layers))
    if settings is None or problems:
        raise ConfigError(sorted(problems, key=lambda each: (each.path, each.line, each.column)))
    return settings
