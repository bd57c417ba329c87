"""The folder of Messages' attachments: bytes are read from it, and what is to be sent is laid into it first.

Messages runs in a sandbox and sends only what lies there. Nothing outside is ever opened, whatever a database says.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import stat
import uuid
from collections.abc import AsyncIterator
from typing import BinaryIO, Final

from hub.flow.ports import OutgoingFiles
from hub.model.errors import AttachmentGone, BridgeError

#: How the folder is spelt in chat.db.
_SPELT: Final = "~/Library/Messages/Attachments/"
#: Ours in it.
_STAGED: Final = "hub"
_KEEP_SECONDS: Final = 24 * 60 * 60
_PIECE: Final = 256 * 1024
_UNSAFE: Final = re.compile(r"[\x00-\x1f/\\:]+")


class FileTooLarge(BridgeError):
    """A file is larger than this bridge may send."""


class FileFolder:
    """The folder.

    Args:
        path: Where it is; `~` is the home of this user.
    """

    def __init__(self, path: str) -> None:
        self.path = os.path.expanduser(path)

    def find(self, filename: str) -> str | None:
        """Give where a file of chat.db lies; None when it is outside the folder, or not there."""
        spelt = filename.removeprefix(_SPELT)
        path = os.path.join(self.path, spelt) if spelt != filename else os.path.expanduser(filename)
        try:
            real, folder = os.path.realpath(path), os.path.realpath(self.path)
            is_inside = os.path.commonpath([real, folder]) == folder
            return real if is_inside and os.path.isfile(real) else None
        except (OSError, ValueError):
            return None

    async def read(self, filename: str) -> AsyncIterator[bytes]:
        """Give a file piece by piece.

        Raises:
            AttachmentGone: It is not in the folder.
        """
        path = self.find(filename)
        if path is None:
            raise AttachmentGone("the file is not in the folder of Messages' attachments")
        opened = await asyncio.to_thread(_open, path)
        try:
            while piece := await asyncio.to_thread(opened.read, _PIECE):
                yield piece
        finally:
            opened.close()

    async def stage(self, files: OutgoingFiles, file_id: str, *, most_bytes: int) -> str:
        """Lay a file that is to be sent into the folder; return where.

        Raises:
            AttachmentGone: There is no such file.
            FileTooLarge: It is larger than `most_bytes`.
            OSError: The folder cannot be written.
        """
        outgoing = await files.open_file(file_id)
        await asyncio.to_thread(self._clear_old)
        folder = os.path.join(self.path, _STAGED, str(uuid.uuid4()))
        path = os.path.join(folder, self.name_for(outgoing.filename))
        await asyncio.to_thread(os.makedirs, folder, 0o700)
        written = 0
        with await asyncio.to_thread(open, path, "xb") as target:
            async for piece in outgoing.chunks:
                written += len(piece)
                if written > most_bytes:
                    raise FileTooLarge(f"the file is larger than {most_bytes} bytes")
                await asyncio.to_thread(target.write, piece)
        return path

    def name_for(self, filename: str | None) -> str:
        """Give a name that is one, whoever chose it; its end tells what it is."""
        return _safe(filename)

    def _clear_old(self) -> None:
        """Take away what was sent long ago: Messages reads a file after the script has ended."""
        staged = os.path.join(self.path, _STAGED)
        if not os.path.isdir(staged):
            return
        for entry in os.scandir(staged):
            if entry.is_dir(follow_symlinks=False) and _age(entry) > _KEEP_SECONDS:
                shutil.rmtree(entry.path, ignore_errors=True)


def _age(entry: os.DirEntry[str]) -> float:
    newest = os.stat(os.path.dirname(entry.path)).st_mtime
    return max(0.0, newest - entry.stat(follow_symlinks=False).st_mtime)


def _safe(filename: str | None) -> str:
    name = _UNSAFE.sub("_", filename or "").strip(" .") or "file"
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix) > 16:
        return name[:100]
    return f"{stem[:80]}.{suffix}"


def _open(path: str) -> BinaryIO:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise AttachmentGone("it is no file")
    return os.fdopen(handle, "rb")
