"""What `hub up` prints: true, and good to paste anywhere. That the commands work is shown in tests/e2e."""

from __future__ import annotations

import os
import re
import shlex
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from hub.app.prepare import Prepared
from hub.cli.greeting import greeting, hub_command
from hub.config.settings import Settings, load_settings

KEY = "sk_live_" + "x" * 32
FIRST = Prepared(first_key=KEY, sandbox_line="+15550100000", has_routes=False)
LATER = Prepared(first_key=None, sandbox_line="+15550100000", has_routes=False)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(load_settings(None, {}), data_folder=tmp_path / "my data")


def test_the_first_start_shows_the_key_and_three_numbered_commands(settings: Settings) -> None:
    text = greeting(settings, FIRST)

    assert f"API key       {KEY}   (shown this once; keep it)" in text
    assert re.findall(r"# (\d)\.", text) == ["0", "1", "2", "3"]
    assert text.count(f"Bearer {KEY}'") == 3
    assert "http://127.0.0.1:8080" in text


def test_a_later_start_says_how_to_get_a_key_and_takes_it_from_the_shell(settings: Settings) -> None:
    text = greeting(settings, LATER)

    assert "sk_live_" not in text
    assert "export HUB_KEY=$(" in text
    assert text.count('-H "Authorization: Bearer $HUB_KEY"') == 3


def test_without_a_sandbox_there_is_nothing_to_paste(settings: Settings) -> None:
    text = greeting(settings, Prepared(first_key=KEY, sandbox_line=None, has_routes=False))

    assert "off (sandbox.enabled)" in text
    assert "curl" not in text


def test_the_command_names_the_data_folder_so_that_it_works_anywhere(settings: Settings) -> None:
    words = shlex.split(hub_command(settings))

    assert words[0] == f"HUB_DATA_FOLDER={settings.data_folder.absolute()}"
    assert os.path.isabs(words[-1]) or words[-1] == "hub"


def test_the_command_names_the_configuration_of_this_shell(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_CONFIG", "my.yaml")

    assert f"HUB_CONFIG={Path('my.yaml').absolute()}" in hub_command(settings)


def test_a_taken_port_is_not_proposed_for_the_receiver(settings: Settings) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections may linger there
        try:
            other.bind(("127.0.0.1", 9000))
            other.listen()
        except OSError:
            pass  # somebody else's: all the better
        text = greeting(settings, FIRST)

    assert "http://127.0.0.1:9000/" not in text
    assert set(re.findall(r"listen --port (\d+)", text)) == set(re.findall(r"127\.0\.0\.1:(9\d\d\d)/", text))
