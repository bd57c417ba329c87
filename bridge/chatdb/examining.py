"""Try what a person would try to see whether this bridge works, and say what was found, without numbers or names."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Final

from bridge.chatdb.bridge import MAC, Programs
from bridge.chatdb.database import ChatDatabase, Unreadable
from bridge.chatdb.messages_app import is_messages_running
from bridge.chatdb.reading import Reading
from bridge.chatdb.settings import ChatDbSettings
from bridge.macos.apple_time import unix_ms
from bridge.macos.children import NotStarted, run_child
from bridge.macos.file_folder import FileFolder
from bridge.macos.wire_text import redacted
from hub.flow.bridge_kinds import Finding, Surroundings
from hub.rules.chatkeys import normalize_handle

#: Asks Messages for something that sends nothing; macOS asks for the permission at the first time.
ASK_SCRIPT: Final = 'tell application "Messages" to count of windows\n'
_ASK_SECONDS: Final = 20.0
#: For who sets the bridge up where the hub runs.
NO_MAC: Final = (
    "this machine is no Mac, and Messages is on yours: "
    "let an agent there be the bridge (docs/agent.md, docs/macos.md)"
)
#: Silence that is worth a word.
_QUIET_HOURS: Final = 24


async def examine(
    settings: ChatDbSettings, surroundings: Surroundings, *, programs: Programs = MAC
) -> Sequence[Finding]:
    """Give what was found, in the order in which a person would mend it."""
    if programs is MAC and sys.platform != "darwin":
        return [Finding(name="mac", state="failed", detail=NO_MAC)]
    reading = Reading(settings.database)
    try:
        findings = await _database(reading, surroundings.clock.now_ms())
        findings += await _address(reading, surroundings)
    finally:
        reading.close()
    findings.append(_attachments(settings))
    findings.append(await _messages(programs, surroundings))
    if settings.sends:
        findings.append(await _automation(programs, surroundings))
    else:
        findings.append(Finding(name="automation", state="skipped", detail="this bridge only listens"))
    return findings


async def _database(reading: Reading, now_ms: int) -> list[Finding]:
    try:
        schema = await reading.run(lambda database: database.schema)
        newest, last = await reading.run(lambda database: (database.newest_date(), database.last_rowid()))
    except Unreadable as error:
        skipped = Finding(name="messages", state="skipped", detail="the database cannot be read")
        return [Finding(name="database", state="failed", detail=redacted(str(error))), skipped]
    missed = ", ".join(schema.missed)
    found = [
        Finding(name="database", state="ok", detail="chat.db can be read"),
        Finding(name="schema", state="warning", detail=f"not told by this chat.db: {missed}")
        if missed
        else Finding(name="schema", state="ok", detail=f"{len(schema.columns)} tables as expected"),
    ]
    return [*found, _newest(newest, last, now_ms)]


async def _address(reading: Reading, surroundings: Surroundings) -> list[Finding]:
    """Compare the bridge's lines with the addresses under which the Mac writes; nothing without either."""
    try:
        written = await reading.run(ChatDatabase.own_addresses)
    except Unreadable:
        return []
    lines = {normalize_handle(line) for line in surroundings.lines()}
    if not written or not lines:
        return []
    if lines & {normalize_handle(address) for address in written}:
        return [Finding(name="address", state="ok", detail="this Mac writes as a line of the bridge")]
    shortened = ", ".join(sorted(f"…{address[-4:]}" for address in written)[:5])
    detail = f"this Mac writes as {shortened}, and no line of the bridge is that: is the line's number right?"
    return [Finding(name="address", state="warning", detail=detail)]


def _newest(newest: int, last: int, now_ms: int) -> Finding:
    at = unix_ms(newest)
    if at is None:
        return Finding(name="messages", state="warning", detail="chat.db holds no message yet")
    hours = max(0, now_ms - at) // 3_600_000
    detail = f"the newest message is {hours} h old (of {last} so far)"
    if hours < _QUIET_HOURS:
        return Finding(name="messages", state="ok", detail=detail)
    advice = "send one to this Mac; if it does not show, sign in to iMessage again (Apple's push may be dead)"
    return Finding(name="messages", state="warning", detail=f"{detail}: {advice}")


def _attachments(settings: ChatDbSettings) -> Finding:
    folder = FileFolder(settings.attachments).path
    if not os.access(folder, os.R_OK | os.X_OK):
        return Finding(
            name="attachments", state="failed", detail=f"{folder} cannot be read (Full Disk Access)"
        )
    if settings.sends and not os.access(folder, os.W_OK):
        return Finding(
            name="attachments", state="warning", detail=f"{folder} cannot be written: no file is sent"
        )
    return Finding(name="attachments", state="ok", detail=f"{folder} can be read")


async def _messages(programs: Programs, surroundings: Surroundings) -> Finding:
    is_running = await is_messages_running(programs.pgrep, surroundings.sleep)
    if is_running is None:
        return Finding(
            name="messages app", state="skipped", detail="cannot be found out here; is this a Mac?"
        )
    if not is_running:
        return Finding(
            name="messages app",
            state="failed",
            detail="Messages is not running: open it, and let it open at login",
        )
    return Finding(name="messages app", state="ok", detail="Messages is running")


async def _automation(programs: Programs, surroundings: Surroundings) -> Finding:
    try:
        ended = await run_child(
            [*programs.osascript, "-l", "AppleScript", "-"],
            standard_input=ASK_SCRIPT.encode(),
            seconds=_ASK_SECONDS,
            sleep=surroundings.sleep,
        )
    except NotStarted as error:
        return Finding(name="automation", state="failed", detail=str(error))
    if ended is None:
        return Finding(
            name="automation",
            state="failed",
            detail="Messages did not answer: look for a question on the Mac's screen, and allow it",
        )
    if ended.code:
        from_messages = redacted(ended.complaint.strip()[-200:])
        advice = "System Settings, Privacy & Security, Automation: allow it to control Messages"
        return Finding(name="automation", state="failed", detail=f"{from_messages} ({advice})")
    return Finding(name="automation", state="ok", detail="Messages takes scripts from here")
