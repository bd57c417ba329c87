"""The files for service managers are of their form, and run the agent of the folder that is named."""

from __future__ import annotations

import configparser
import plistlib
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from hub.agent.service_files import service_text
from hub.cli.agent import agent


def test_the_file_for_launchd_is_a_property_list() -> None:
    text = service_text("launchd", command="/opt/h & b/hub", folder="/Users/ada/.hub-agent")
    told = plistlib.loads(text.encode())

    assert told["ProgramArguments"] == ["/opt/h & b/hub", "agent", "run", "--folder", "/Users/ada/.hub-agent"]
    assert told["KeepAlive"] == {"SuccessfulExit": False}


def test_the_file_for_systemd_is_a_unit() -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]  # how its documentation says to keep the case
    unit.read_string(service_text("systemd", command="/opt/my hub/hub", folder="/home/ada/.hub-agent"))

    assert unit["Service"]["ExecStart"] == '"/opt/my hub/hub" agent run --folder /home/ada/.hub-agent'
    assert unit["Service"]["Restart"] == "on-failure"


def test_it_runs_this_hub_and_no_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """GitHub has a program of that name, too."""
    other = tmp_path / "hub"
    other.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    printed = CliRunner().invoke(agent, ["service", "systemd", "--folder", str(tmp_path)]).output

    assert f"ExecStart={Path(sys.executable).with_name('hub')} agent run" in printed
    assert str(other) not in printed
