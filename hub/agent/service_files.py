"""The files with which service managers run an agent: launchd on a Mac, systemd elsewhere (docs/agent.md)."""

from __future__ import annotations

from importlib.resources import files
from string import Template
from typing import Final, Literal
from xml.sax.saxutils import escape

Manager = Literal["launchd", "systemd"]
#: Manager → its file beside this one.
FILES: Final[dict[Manager, str]] = {"launchd": "hub-agent.plist", "systemd": "hub-agent.service"}


def service_text(manager: Manager, *, command: str, folder: str) -> str:
    """Give the file for a service manager.

    Args:
        manager: Which one.
        command: Path of the `hub` command.
        folder: The agent's folder.
    """
    template = Template(files("hub.agent").joinpath("services", FILES[manager]).read_text("utf-8"))
    values = {"command": command, "folder": folder}
    if manager == "launchd":
        values = {name: escape(value) for name, value in values.items()}
    else:
        values = {name: f'"{value}"' if " " in value else value for name, value in values.items()}
    return template.substitute(values)
