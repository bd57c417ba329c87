"""Try what a person would try to see whether imsg works, and say what was found, without numbers or names."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from bridge.chatdb.database import Unreadable
from bridge.chatdb.examining import NO_MAC
from bridge.chatdb.reading import Reading
from bridge.imsg.lane import Lane
from bridge.imsg.rpc import RpcFailed
from bridge.imsg.settings import ImsgSettings, command_of
from bridge.imsg.status import PROTOCOL, Status, read_status
from bridge.macos.tallies import Tallies
from bridge.macos.wire_text import redacted
from hub.flow.bridge_kinds import Finding, Surroundings

#: Without these nothing is told, or nothing is sent.
_NEEDED: Final = ("chats.list", "messages.after", "messages.history", "send", "watch.subscribe")


async def examine(settings: ImsgSettings, surroundings: Surroundings) -> Sequence[Finding]:
    """Give what was found, in the order in which a person would mend it."""
    lane = Lane(
        "doctor",
        command_of(settings),
        clock=surroundings.clock,
        sleep=surroundings.sleep,
        tallies=Tallies("imsg"),
    )
    try:
        status = read_status(await lane.request("status"))
    except RpcFailed as error:
        if settings.ssh_host is None and sys.platform != "darwin":
            more = "; `ssh_host` reaches a Mac by ssh, without files"
            return [Finding(name="mac", state="failed", detail=NO_MAC + more)]
        where = "over ssh" if settings.ssh_host else "here"
        advice = f"is imsg installed {where}, and can it be run? ({redacted(str(error))})"
        return [Finding(name="imsg", state="failed", detail=advice)]
    finally:
        await lane.aclose()
    return [_program(status), _database(status), await _beside(settings), _helper(status), _methods(status)]


def _program(status: Status) -> Finding:
    detail = f"version {redacted(status.version)}"
    if status.protocol not in {None, PROTOCOL}:
        return Finding(
            name="imsg", state="warning", detail=f"{detail}, which speaks another protocol than ours"
        )
    return Finding(name="imsg", state="ok", detail=detail)


def _database(status: Status) -> Finding:
    if status.is_database_ready:
        return Finding(name="database", state="ok", detail="imsg can read chat.db")
    reason = redacted(status.database_error or "it does not say why")
    advice = "give Full Disk Access to the program that runs the bridge"
    return Finding(name="database", state="failed", detail=f"imsg cannot read chat.db: {reason} ({advice})")


async def _beside(settings: ImsgSettings) -> Finding:
    """Look whether the bridge can read chat.db itself, for what imsg does not tell."""
    lacking = "edits, unsends and what happens in groups are not told"
    if settings.ssh_host is not None or not settings.reads_database:
        why = "by ssh" if settings.ssh_host is not None else "with reads_database off"
        return Finding(name="chat.db", state="skipped", detail=f"{why} {lacking}")
    reading = Reading(settings.database)
    try:
        await reading.run(lambda database: database.schema)
    except Unreadable as error:
        return Finding(name="chat.db", state="warning", detail=f"{lacking}: {redacted(str(error))}")
    finally:
        reading.close()
    return Finding(name="chat.db", state="ok", detail="the bridge reads it, for edits, unsends and groups")


def _helper(status: Status) -> Finding:
    if status.is_bridge_ready:
        return Finding(name="helper", state="ok", detail="imsg's helper runs inside Messages")
    reason = redacted(status.bridge_error or "it does not run")
    return Finding(
        name="helper", state="warning", detail=f"words and files only: {reason} (`imsg launch`, with SIP off)"
    )


def _methods(status: Status) -> Finding:
    lacking = [name for name in _NEEDED if name not in status.methods]
    if lacking:
        return Finding(name="methods", state="failed", detail=f"imsg lacks, just now: {', '.join(lacking)}")
    able = ", ".join(sorted(status.capabilities))
    tracked = (
        ""
        if "send.tracked" in status.methods
        else "; a lost send is looked for by its words (no send.tracked)"
    )
    return Finding(name="methods", state="ok", detail=f"can: {able}{tracked}")
