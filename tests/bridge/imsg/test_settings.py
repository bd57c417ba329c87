"""Settings run nothing but imsg; the doctor finds what is wrong, and its report is fit to be passed on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bridge.imsg.examining import examine
from bridge.imsg.settings import ImsgSettings, command_of
from tests.bridge.imsg.harness import HELPER, ImsgHarness
from tests.bridge.macos.surroundings import surroundings


@pytest.mark.parametrize(
    "settings",
    [
        {"program": "/bin/sh"},
        {"program": "imsg; rm -rf ~"},
        {"program": "$(id)/imsg"},
        {"program": "imsg "},
        {"program": "evil-imsg"},
        {"ssh_host": "-oProxyCommand=id"},
        {"ssh_host": "mini id"},
        {"ssh_host": "mini;id"},
        {"command": ["sh"]},
    ],
)
def test_other_programs_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(settings, ImsgSettings)


def test_a_mac_elsewhere_is_reached_by_ssh() -> None:
    command = command_of(ImsgSettings(ssh_host="me@mini.local", program="/opt/homebrew/bin/imsg"))

    assert command == (
        "ssh",
        "-T",
        "-o",
        "BatchMode=yes",
        "--",
        "me@mini.local",
        "/opt/homebrew/bin/imsg rpc",
    )


async def found(harness: ImsgHarness) -> dict[str, str]:
    findings = await examine(harness.settings, surroundings(harness.time))
    return {each.name: each.state for each in findings}


async def test_all_is_well(harness: ImsgHarness) -> None:
    assert await found(harness) == {
        "imsg": "ok",
        "database": "ok",
        "chat.db": "warning",  # there is none
        "helper": "ok",
        "methods": "ok",
    }


async def test_each_fault_is_found(harness: ImsgHarness) -> None:
    harness.switch(no_database=True, off=[*HELPER, "send"])

    assert await found(harness) == {
        "imsg": "ok",
        "database": "failed",
        "chat.db": "warning",
        "helper": "warning",
        "methods": "failed",
    }


async def test_no_program_is_explained(tmp_path: Path) -> None:
    harness = ImsgHarness(tmp_path, program="/nowhere/imsg")

    assert await found(harness) == {"mac" if sys.platform != "darwin" else "imsg": "failed"}
    there = ImsgSettings(program="/nowhere/imsg", ssh_host="no-such-host.invalid")
    (only,) = await examine(there, surroundings(harness.time))
    assert (only.name, only.state) == ("imsg", "failed")
    assert "over ssh" in only.detail
