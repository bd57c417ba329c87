"""The folder in which the embedded parts keep their files: who may see it, what lies where, who uses it.

It makes the folder private and holds a lock while a hub runs on it. What is in the files is others' business.
"""

import contextlib
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hub.model.errors import HubError

_PRIVATE = 0o700
_OTHERS = 0o077
#: Children of a hub that was killed hold its lock until the kernel has ended them.
_LOCK_PATIENCE_SECONDS = 2.0
_LOCK_POLL_SECONDS = 0.05
#: What a freshly made file system contains.
_NOT_CONTENT = frozenset({"lost+found"})


class DataFolderError(HubError):
    """The data folder cannot be used."""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """A private folder; get one from `open_data_folder`."""

    #: Absolute.
    path: Path

    @property
    def database_path(self) -> Path:
        return self.path / "hub.db"

    @property
    def files_path(self) -> Path:
        return self.path / "files"

    @property
    def key_path(self) -> Path:
        return self.path / "secret.key"

    @property
    def lock_path(self) -> Path:
        return self.path / "hub.lock"

    @property
    def socket_path(self) -> Path:
        """Where the embedded Valkey listens, if the path is short enough for a socket."""
        return self.path / "valkey.sock"

    @property
    def valkey_log_path(self) -> Path:
        return self.path / "valkey.log"


def open_data_folder(path: Path) -> DataFolder:
    """Make the folder if need be, make sure that it is ours and private, and return it.

    Raises:
        DataFolderError: It cannot be made, belongs to someone else, or holds other people's things.
    """
    path = path.expanduser().absolute()
    try:
        path.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        _make_private(path)
        folder = DataFolder(path)
        folder.files_path.mkdir(mode=_PRIVATE, exist_ok=True)
    except OSError as error:
        raise DataFolderError(
            f"The data folder {path} cannot be used: {error.strerror}. "
            "Give another one with HUB_DATA_FOLDER or data_folder, or correct its owner and permissions."
        ) from error
    return folder


def _make_private(path: Path) -> None:
    found = path.stat()
    if found.st_uid != os.geteuid():
        raise DataFolderError(
            f"The data folder {path} belongs to user {found.st_uid}, and this hub runs as user "
            f"{os.geteuid()}. Run it as that user, or give it the folder: chown -R {os.geteuid()} {path}"
        )
    if not stat.S_IMODE(found.st_mode) & _OTHERS:
        return
    content = {each.name for each in path.iterdir()} - _NOT_CONTENT
    if content and "hub.lock" not in content:
        raise DataFolderError(
            f"The data folder {path} can be read by others and holds things that are not the hub's "
            f"(such as {min(content)}). Give a folder of its own, or make this one private: chmod 700 {path}"
        )
    path.chmod(_PRIVATE)


@contextlib.contextmanager
def hold_lock(folder: DataFolder, *, patience_seconds: float = _LOCK_PATIENCE_SECONDS) -> Iterator[int]:
    """Keep other hubs off the folder until the block ends, and all forked children with it.

    Args:
        folder: The folder to hold.
        patience_seconds: How long to wait for a hub that is just ending.

    Yields:
        The descriptor that holds it: a program that takes this one's place must keep it open.

    Raises:
        DataFolderError: Another hub uses the folder; the message names its process.
    """
    descriptor = os.open(folder.lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor, folder, patience_seconds)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield descriptor
    finally:
        # Closing and not unlocking: a child that still lives keeps the lock, as it should.
        os.close(descriptor)


def _lock(descriptor: int, folder: DataFolder, patience_seconds: float) -> None:
    give_up_at = time.monotonic() + patience_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= give_up_at:
                holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
                raise DataFolderError(
                    f"Another hub uses the data folder {folder.path} (process {holder}). Stop it first "
                    f"(kill {holder}), or give this one its own folder with HUB_DATA_FOLDER."
                ) from None
            time.sleep(_LOCK_POLL_SECONDS)
        else:
            return
