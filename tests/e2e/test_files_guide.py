"""docs/files.md, done by a machine: each of its commands, in its order, on a running hub."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.running import ROOT, RunningHub, environment

pytestmark = pytest.mark.slow


class Reader:
    """A person who pastes commands, and keeps what answers say in variables."""

    def __init__(self, hub: RunningHub, folder: Path) -> None:
        program = folder / "hub"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m hub "$@"\n')
        program.chmod(0o755)
        (folder / "cat.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(50))
        self._folder = folder
        self.env = environment(
            {
                **hub.env,
                "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
                "HUB": f"http://127.0.0.1:{hub.port}",
                "HUB_KEY": hub.key,
            }
        )

    def paste(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-c", command], cwd=self._folder, env=self.env, capture_output=True, text=True, check=False,
            timeout=20,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stderr)
        return done.stdout


def commands() -> list[str]:
    """Everything to paste but what sets up the shell."""
    text = (ROOT / "docs" / "files.md").read_text("utf-8")
    blocks = "".join(re.findall(r"^((?: {4}.*\n)+)", text, re.MULTILINE))
    lines = re.sub(r"\\\n\s*", " ", blocks).splitlines()
    return [line.strip() for line in lines if not line.strip().startswith("HUB")]


def test_every_example_works_in_its_order(hub: RunningHub, tmp_path: Path) -> None:
    reader = Reader(hub, tmp_path)
    answers: list[Any] = []
    for command in commands():
        printed = reader.paste(command)
        answer: Any = json.loads(printed) if printed.startswith("{") else printed
        answers.append(answer)
        if isinstance(answer, dict):
            assert "error" not in answer or answer["error"] is None, (command, answer)
        if "X-Filename" in command:
            reader.env |= {"FILE": answer["id"], "URL": answer["url"]}
        elif "/fetch" in command:
            reader.env["OTHER"] = answer["id"]
        elif "/presign" in command:
            reader.env["UPLOAD_URL"] = answer["upload_url"]

    assert len(answers) == 12
    assert [len(answer["data"]) for answer in answers if isinstance(answer, dict) and "data" in answer] == [2]
    assert "Room 12, second floor\n" in answers
    assert "Room" in answers
    assert answers[-2]["deleted"] is True
    assert "evt_" in answers[-1]
