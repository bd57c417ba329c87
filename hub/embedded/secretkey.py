"""The key that encrypts secrets at rest, as a file: made once, never replaced.

Two processes that start at once end up with the same key. What is encrypted with it is others' business.
"""

import base64
import binascii
import contextlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

from hub.model.errors import HubError

KEY_BYTES = 32


class SecretKeyError(HubError):
    """The encryption key cannot be used."""


def parse_key(text: str, *, origin: str) -> bytes:
    """Return the 32 bytes that a text in URL-safe base64 stands for.

    Args:
        text: Surrounding white space is allowed.
        origin: Where it came from, for the message; the text itself is never shown.

    Raises:
        SecretKeyError: It is something else.
    """
    try:
        key = base64.b64decode(text.strip().encode(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise SecretKeyError(
            f"{origin} holds no encryption key: expected are {KEY_BYTES} bytes in URL-safe base64. "
            "If it was damaged, restore it from a backup: without it, stored secrets cannot be read."
        )
    return key


def read_key_file(path: Path) -> bytes:
    """Return the key in a file that someone else provides, such as a container's secret.

    Raises:
        SecretKeyError: It cannot be read or holds no key.
    """
    try:
        text = path.expanduser().read_text("ascii", errors="replace")
    except OSError as error:
        raise SecretKeyError(f"The key file {path} cannot be read: {error.strerror}.") from error
    return parse_key(text, origin=f"The key file {path}")


def read_or_create_key(path: Path, *, draw: Callable[[int], bytes] = os.urandom) -> bytes:
    """Return the key in our own file, which is made (mode 0600) if there is none.

    Raises:
        SecretKeyError: The file is unreadable, holds no key, or can be read by others.
    """
    with contextlib.suppress(FileExistsError):
        if not path.exists():
            _create(path, base64.urlsafe_b64encode(draw(KEY_BYTES)) + b"\n")
    key = read_key_file(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SecretKeyError(
            f"The key file {path} can be read by other users. Make it private: chmod 600 {path}"
        )
    return key


def _create(path: Path, content: bytes) -> None:
    """Write the file so that nobody ever sees a part of it; FileExistsError when someone was faster."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # Unlike rename, link never replaces: the first key stays.
        os.link(draft, path)
    finally:
        draft.unlink()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name durable: a key that vanishes after a power cut takes every secret with it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
