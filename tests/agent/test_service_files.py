"""The files for service managers are of their form, and run the agent of the folder that is named."""

from __future__ import annotations

import configparser
import plistlib

from hub.agent.service_files import service_text


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
