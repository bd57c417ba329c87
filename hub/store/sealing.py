"""Seal secrets before they reach the database: AES-256-GCM under a key that the database never sees.

A sealed value is bound to its place (table, column, row), so that nobody with write access to the database can
move one secret onto another row. Keys rotate: the first one seals, each of them opens.
Not here: where keys come from (hub.app) and which columns are sealed (the repositories).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.store.faults import UnsealingFailed

KEY_BYTES: Final = 32
_VERSION: Final = 1
_KEY_ID_BYTES: Final = 4
_NONCE_BYTES: Final = 12
_HEAD_BYTES: Final = 1 + _KEY_ID_BYTES + _NONCE_BYTES


def _key_id(key: bytes) -> bytes:
    return hashlib.blake2b(key, digest_size=_KEY_ID_BYTES, person=b"hub.seal.key").digest()


def place(table: str, column: str, row_id: int) -> bytes:
    """Name where a sealed value lives; it can be opened nowhere else."""
    return f"{table}:{column}:{row_id}".encode()


class Sealer:
    """Seals and opens column values.

    Args:
        keys: 32 random bytes each. The first one seals, all of them open; at least one.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"the sealing keys must be one or more values of exactly {KEY_BYTES} bytes")
        self._ciphers = {_key_id(key): AESGCM(key) for key in reversed(keys)}
        self._first = _key_id(keys[0])

    def __repr__(self) -> str:
        return f"Sealer({len(self._ciphers)} keys)"

    def seal(self, plain: bytes, where: bytes) -> bytes:
        """Encrypt for one place (see ``place``): version byte, key id, nonce, ciphertext and tag."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        head = bytes([_VERSION]) + self._first + nonce
        return head + self._ciphers[self._first].encrypt(nonce, plain, where)

    def open(self, sealed: bytes, where: bytes) -> bytes:
        """Decrypt.

        Raises:
            UnsealingFailed: The key is not among ours, or the value was changed or moved.
        """
        name = where.decode()
        if len(sealed) < _HEAD_BYTES or sealed[0] != _VERSION:
            raise UnsealingFailed(
                f"{name} is not a sealed value of version {_VERSION}; restore it from a backup."
            )
        cipher = self._ciphers.get(sealed[1 : 1 + _KEY_ID_BYTES])
        if cipher is None:
            raise UnsealingFailed(
                f"{name} was sealed with key {sealed[1 : 1 + _KEY_ID_BYTES].hex()}, which is not among the keys "
                f"given ({', '.join(key.hex() for key in self._ciphers)}). Use the encryption key again that this "
                "hub was set up with: secret.key in its data folder, secrets.encryption_key or secrets.key_file."
            )
        try:
            return cipher.decrypt(sealed[1 + _KEY_ID_BYTES : _HEAD_BYTES], sealed[_HEAD_BYTES:], where)
        except InvalidTag:
            raise UnsealingFailed(
                f"{name} does not open although its key is known: the value was changed, or moved here from another "
                "row. Restore it from a backup."
            ) from None

    def is_current(self, sealed: bytes) -> bool:
        """Tell whether the value was sealed with the first key; if not, sealing it again completes a rotation."""
        return sealed[1 : 1 + _KEY_ID_BYTES] == self._first
