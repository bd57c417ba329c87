"""An agent's folder: its configuration, which holds its secret, beside its journal. Only its owner may read it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from hub.agent.link import Identity
from hub.model.errors import HubError
from hub.rules.signing import InvalidSecret, Secret

FOLDER_VARIABLE: Final = "HUB_AGENT_FOLDER"
_NAME: Final = "agent.json"


class AgentUnready(HubError):
    """The agent's folder cannot be used as it is."""


class AgentConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an agent is to do."""

    #: The hub's address.
    hub: str
    #: brg_…; empty before the machine is enrolled.
    bridge: str = ""
    #: Drawn here; the hub has it, too.
    secret: str
    kind: str
    #: Of the kind, as `hub bridges kinds` shows them.
    settings: dict[str, Any] = {}
    #: Addresses beyond the public internet that the adapter may call, beside this machine itself.
    allow: tuple[str, ...] = ()

    @property
    def identity(self) -> Identity:
        return Identity(hub=self.hub, bridge=self.bridge, secret=self.secret)


def folder_of(given: Path | None, environment: Mapping[str, str]) -> Path:
    """Say where an agent lives: where it was told, or ~/.hub-agent."""
    return (given or Path(environment.get(FOLDER_VARIABLE) or "~/.hub-agent")).expanduser()


def write_config(folder: Path, config: AgentConfig) -> None:
    """Keep the configuration, whole or not at all."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = folder / f"{_NAME}.new"
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(config), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / _NAME)


def find_config(folder: Path) -> AgentConfig | None:
    """Read the configuration; None if there is none.

    Raises:
        AgentUnready: It cannot be read, or others can.
    """
    path = folder / _NAME
    try:
        text, mode = path.read_bytes(), path.stat().st_mode
    except FileNotFoundError:
        return None
    if mode & 0o077:
        raise AgentUnready(f"{path} holds a secret, and others can read it. Run: chmod 600 {path}")
    try:
        config = msgspec.json.decode(text, type=AgentConfig)
        Secret(config.secret)
        return config
    except (msgspec.MsgspecError, InvalidSecret) as error:
        raise AgentUnready(f"{path} cannot be used: {error}. Mend it, or enrol anew with --again.") from None


def kept_secret(folder: Path, config: AgentConfig) -> str | None:
    """Give the secret that is kept by now for the bridge of a configuration; None where it cannot be known."""
    try:
        found = find_config(folder)
    except (AgentUnready, OSError):
        return None
    if found is None or (found.hub, found.bridge) != (config.hub, config.bridge):
        return None
    return found.secret


def is_secret(text: str) -> bool:
    """Tell whether a text can be a secret."""
    try:
        Secret(text)
    except InvalidSecret:
        return False
    return True


def read_config(folder: Path) -> AgentConfig:
    """Read the configuration of a machine that is enrolled.

    Raises:
        AgentUnready: It is not, or as `find_config`.
    """
    config = find_config(folder)
    if config is None or not config.bridge:
        raise AgentUnready(f"This machine is not enrolled ({folder}). Run `hub agent enrol` (docs/agent.md).")
    return config
