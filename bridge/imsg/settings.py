"""The settings of a bridge of kind `imsg`.

Who may change a bridge must not be able to run programs or open files: what names some is for the owner of the machine
alone, and the only program that is run is called `imsg`, here or, by ssh, on another Mac.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

_Path = Annotated[str, Meta(min_length=1, max_length=1024)]


class ImsgSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Messages on a Mac by the program `imsg`."""

    #: Where imsg is; without a folder it is looked for in PATH.
    program: Annotated[str, Meta(max_length=512, pattern=r"^([A-Za-z0-9_.~/-]*/)?imsg$")] = "imsg"
    #: The Mac where imsg runs, as ssh knows it (its settings, its key); none for this one.
    ssh_host: Annotated[str, Meta(max_length=255, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]*$")] | None = None
    #: How many messages of the past the first start tells.
    history_messages: Annotated[int, Meta(ge=0, le=1_000_000)] = 1_000
    #: Read chat.db ourselves beside imsg, which tells neither edits nor what happens in groups. Where it cannot be
    #: read, and by ssh, imsg tells what it can.
    reads_database: bool = True
    #: Where Messages keeps its database.
    database: _Path = "~/Library/Messages/chat.db"
    #: Where Messages keeps files; nothing else is opened.
    attachments: _Path = "~/Library/Messages/Attachments"
    #: The largest file that is sent, in MiB.
    most_file_mb: Annotated[int, Meta(ge=1, le=2_048)] = 100


def command_of(settings: ImsgSettings) -> tuple[str, ...]:
    """Give the command that speaks JSON-RPC."""
    if settings.ssh_host is None:
        return (settings.program, "rpc")
    # Without a terminal, and never asking for a password: nobody would answer.
    return ("ssh", "-T", "-o", "BatchMode=yes", "--", settings.ssh_host, f"{settings.program} rpc")
