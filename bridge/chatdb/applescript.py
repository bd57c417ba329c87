"""Run the one script that sends, and read its verdict. Data are only ever arguments: nothing is built into the script.

That it ends well is no proof of anything (bridge.chatdb.sending looks into chat.db). Error numbers: mautrix/imessage
`mac/send.go`, steipete/imsg `MessageSender.swift`, BlueBubbles server #777 (facts only).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bridge.macos.children import NotStarted, Sleep, run_child

OSASCRIPT: Final = "/usr/bin/osascript"

#: Arguments: `buddy` or `chat`, the handle or the chat's guid, `iMessage` or `SMS`, `text` or `file`, words or path.
SCRIPT: Final = """\
on run argv
	set theRoute to item 1 of argv
	set theTarget to item 2 of argv
	set theService to item 3 of argv
	set theKind to item 4 of argv
	set theContent to item 5 of argv
	if theKind is "file" then set theContent to (POSIX file theContent) as alias
	tell application "Messages"
		if theRoute is "chat" then
			send theContent to chat id theTarget
		else if theService is "SMS" then
			send theContent to buddy theTarget of (1st service whose service type = SMS)
		else
			send theContent to buddy theTarget of (1st service whose service type = iMessage)
		end if
	end tell
end run
"""


class Verdict(StrEnum):
    """What the script's end says."""

    DONE = "done"
    #: Messages knows nobody of that name here: certainly nothing was sent.
    UNKNOWN_TARGET = "unknown_target"
    #: Certainly nothing was sent, and nothing will be until a person helps.
    DENIED = "denied"
    #: Certainly nothing was sent; it may work later.
    NOT_STARTED = "not_started"
    MAY_HAVE_SENT = "may_have_sent"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """How the script ended."""

    verdict: Verdict
    code: str | None = None
    detail: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Errand:
    """What the script is to send."""

    #: `buddy` or `chat`.
    route: str
    target: str
    service: str
    #: `text` or `file`.
    kind: str
    content: str

    @property
    def arguments(self) -> tuple[str, ...]:
        return (self.route, self.target, self.service, self.kind, self.content)


#: Error number → what it says. Another one says nothing of what was done before.
_ERRORS: Final = {
    -128: (Verdict.NOT_STARTED, "cancelled", "somebody cancelled it on the Mac"),
    -600: (
        Verdict.NOT_STARTED,
        "messages_not_running",
        "Messages is not running; open it and let it open at login",
    ),
    -1700: (Verdict.UNKNOWN_TARGET, "chat_not_addressable", "Messages takes no script for this chat"),
    -1728: (Verdict.UNKNOWN_TARGET, "chat_not_found", "Messages has no such chat or contact for its scripts"),
    -1743: (
        Verdict.DENIED,
        "automation_denied",
        "allow it to control Messages: System Settings, Privacy & Security, Automation",
    ),
    -10810: (
        Verdict.NOT_STARTED,
        "messages_not_running",
        "Messages could not be started; log in on the Mac's screen",
    ),
}
_NUMBER: Final = re.compile(r"\((-?\d{1,6})\)\s*$")


async def run_script(command: Sequence[str], errand: Errand, *, seconds: float, sleep: Sleep) -> Ran:
    """Run it.

    Args:
        command: The interpreter.
        errand: Its arguments.
        seconds: When it is ended: it may have sent by then.
        sleep: Waits.
    """
    try:
        ended = await run_child(
            [*command, "-l", "AppleScript", "-", *errand.arguments],
            standard_input=SCRIPT.encode(),
            seconds=seconds,
            sleep=sleep,
        )
    except NotStarted as error:
        return Ran(verdict=Verdict.NOT_STARTED, code="no_osascript", detail=str(error))
    if ended is None:
        why = f"no answer in {seconds:.0f} s: is there a question on the Mac's screen, or does Messages hang?"
        return Ran(verdict=Verdict.MAY_HAVE_SENT, code="timeout", detail=why)
    if ended.code == 0:
        return Ran(verdict=Verdict.DONE)
    return read_failure(ended.complaint)


def read_failure(complaint: str) -> Ran:
    """Read what osascript complained of: `…: execution error: … (-1728)`."""
    found = _NUMBER.search(complaint.strip())
    number = int(found[1]) if found else None
    known = _ERRORS.get(number) if number is not None else None
    if known is None:
        code = f"applescript_{-number}" if number is not None and number < 0 else "applescript"
        return Ran(verdict=Verdict.MAY_HAVE_SENT, code=code, detail="Messages' script failed midway")
    verdict, name, detail = known
    return Ran(verdict=verdict, code=name, detail=detail)
