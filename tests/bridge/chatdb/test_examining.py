"""What `hub bridge doctor` finds out about Messages on a Mac; the report is fit to be passed on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bridge.chatdb.bridge import Programs
from bridge.chatdb.examining import examine
from bridge.chatdb.settings import ChatDbSettings
from tests.bridge.chatdb.harness import ChatDbHarness
from tests.bridge.macos.surroundings import CONTACT, surroundings


async def found(
    harness: ChatDbHarness, *, pgrep: str = "true", settings: ChatDbSettings | None = None
) -> dict[str, str]:
    programs = Programs(osascript=harness.programs.osascript, pgrep=(pgrep,))
    around = surroundings(harness.time, lines=harness.lines)
    findings = await examine(settings or harness.settings, around, programs=programs)
    assert not any(CONTACT in each.detail for each in findings)
    return {each.name: each.state for each in findings}


async def test_all_is_well(tmp_path: Path) -> None:
    harness = ChatDbHarness(tmp_path)
    harness.builder.message(harness.builder.chat(CONTACT), "hi", at_ms=harness.time.now_ms())

    assert await found(harness) == {
        "database": "ok",
        "schema": "ok",
        "messages": "ok",
        "attachments": "ok",
        "messages app": "ok",
        "automation": "ok",
    }


@pytest.mark.parametrize(
    ("written", "state"), [("+1 (555) 010-0000", "ok"), ("+15550107777", "warning"), (None, "missing")]
)
async def test_a_line_with_another_number_than_the_macs_is_found(
    tmp_path: Path, written: str | None, state: str
) -> None:
    harness = ChatDbHarness(tmp_path)
    chat = harness.builder.chat(CONTACT)
    harness.builder.message(chat, "hi", at_ms=harness.time.now_ms(), destination_caller_id=written)

    assert (await found(harness)).get("address", "missing") == state


async def test_each_fault_is_found(tmp_path: Path) -> None:
    harness = ChatDbHarness(tmp_path, generation=12)
    harness.builder.message(harness.builder.chat(CONTACT), "hi", at_ms=harness.time.now_ms() - 48 * 3_600_000)
    (tmp_path / "denied").touch()
    harness.attachments.rmdir()

    assert await found(harness, pgrep="false") == {
        "database": "ok",
        "schema": "warning",
        "messages": "warning",
        "attachments": "failed",
        "messages app": "failed",
        "automation": "failed",
    }


@pytest.mark.skipif(sys.platform == "darwin", reason="it looks at a machine that is no Mac")
async def test_who_adds_it_where_no_mac_is_is_told_to(tmp_path: Path) -> None:
    harness = ChatDbHarness(tmp_path)

    (only,) = await examine(ChatDbSettings(), surroundings(harness.time))

    assert (only.name, only.state) == ("mac", "failed")
    assert "docs/agent.md" in only.detail


async def test_no_database_is_no_crash(tmp_path: Path) -> None:
    harness = ChatDbHarness(tmp_path)
    settings = ChatDbSettings(
        database=str(tmp_path / "none.db"), attachments=str(harness.attachments), sends=False
    )

    states = await found(harness, settings=settings, pgrep="no-such-program")

    assert states == {
        "database": "failed",
        "messages": "skipped",
        "attachments": "ok",
        "messages app": "skipped",
        "automation": "skipped",
    }
