"""What a person reads when a command cannot do it: one sentence that says what to do, and the exit code.

    0    done
    1    it could not be done: the sentence says why
    2    the command was used in another way than `--help` says
    78   the configuration cannot be used (sysexits' EX_CONFIG); every problem is listed with its place
    130  interrupted by Ctrl-C

A traceback is for mistakes of ours only, and only at HUB_LOG__LEVEL=debug.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import traceback
from typing import Final, NamedTuple

from hub.config.problems import ConfigError
from hub.model.errors import HubError

EXIT_CODES: Final = {
    0: "done",
    1: "it could not be done; the message says why and what to do",
    2: "the command was used in another way than `--help` says",
    78: "the configuration cannot be used; the message lists every problem with its place",
    130: "interrupted by Ctrl-C",
}
INTERRUPTED: Final = 130


class Failure(NamedTuple):
    """What is printed, and how the process ends."""

    text: str
    exit_code: int


def explained(error: Exception) -> Failure:
    """Put an error into words."""
    if isinstance(error, ConfigError):
        return Failure(str(error), 78)
    if isinstance(error, HubError):
        return Failure(str(error), 1)
    if isinstance(error, OSError):
        return Failure(_system(error), 1)
    if isinstance(error, sqlite3.Error):
        return Failure(f"The database could not do it: {error}. `hub doctor` says more.", 1)
    return Failure(_mistake_of_ours(error), 1)


def _system(error: OSError) -> str:
    subject = f"{error.filename}: " if error.filename else ""
    reason = error.strerror or str(error) or type(error).__name__
    advice = {
        errno.EACCES: " Run it as the user who owns it, or correct owner and permissions.",
        errno.EPERM: " Run it as the user who owns it, or correct owner and permissions.",
        errno.EROFS: " Choose a place that can be written to, with HUB_DATA_FOLDER.",
        errno.ENOSPC: " Free some space; `hub doctor` shows how much there is.",
    }.get(error.errno or 0, "")
    return f"{subject}{reason}.{advice}"


def _mistake_of_ours(error: Exception) -> str:
    if os.environ.get("HUB_LOG__LEVEL", "").lower() == "debug":
        return "".join(traceback.format_exception(error))
    return (
        f"A mistake of ours ({type(error).__name__}: {error}). Please report it with what "
        "HUB_LOG__LEVEL=debug prints."
    )
