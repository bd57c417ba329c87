"""Finds a place for a unix socket: in the data folder, or in a short private one when that path is too long.

A socket's path may have about a hundred bytes, and data folders can be deeper. The short folder is noted in
the data folder, so that the next start uses it again and every process finds it.
"""

import os
import stat
import tempfile
from pathlib import Path

from hub.embedded.datafolder import DataFolder

#: sockaddr_un holds 108 bytes on Linux and 104 on macOS, the last one being NUL; the shorter fits both.
_MAX_PATH_BYTES = 103


def find_socket_path(folder: DataFolder) -> Path:
    """Return where the socket belongs; makes the short folder if one is needed."""
    if _fits(folder.socket_path):
        return folder.socket_path
    note = folder.path / "valkey.path"
    noted = _noted_folder(note)
    if noted is None:
        noted = _new_short_folder()
        note.write_text(f"{noted}\n", "utf-8")
    return noted / folder.socket_path.name


def _new_short_folder() -> Path:
    """Return a new folder (0700) below the temporary folder, or below /tmp when that is too long as well."""
    made = Path(tempfile.mkdtemp(prefix="hub-"))
    if _fits(made / "valkey.sock"):
        return made
    made.rmdir()
    return Path(tempfile.mkdtemp(prefix="hub-", dir="/tmp"))


def _noted_folder(note: Path) -> Path | None:
    """Return the folder that an earlier start made, if it is there and nobody else can reach into it."""
    try:
        noted = Path(note.read_text("utf-8").strip())
        found = noted.lstat()
    except (OSError, ValueError):
        return None
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    is_private = stat.S_IMODE(found.st_mode) == stat.S_IRWXU
    return noted if is_ours and is_private and _fits(noted / "valkey.sock") else None


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= _MAX_PATH_BYTES
