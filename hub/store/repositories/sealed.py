"""The sealed columns as values: secrets and custom headers."""

from __future__ import annotations

import msgspec

from hub.model.webhook import StoredSecret
from hub.store.sealing import Sealer, place


class _Secret(msgspec.Struct, frozen=True):
    secret: str
    expires_at: int | None


_SECRETS = msgspec.json.Decoder(tuple[_Secret, ...])
_PAIRS = msgspec.json.Decoder(tuple[tuple[str, str], ...])
_encode = msgspec.json.Encoder().encode


def seal_secrets(sealer: Sealer, table: str, row_id: int, secrets: tuple[StoredSecret, ...]) -> bytes:
    plain = _encode([_Secret(secret=one.text, expires_at=one.expires_at) for one in secrets])
    return sealer.seal(plain, place(table, "secrets", row_id))


def open_secrets(sealer: Sealer, table: str, row_id: int, sealed: bytes) -> tuple[StoredSecret, ...]:
    plain = sealer.open(sealed, place(table, "secrets", row_id))
    return tuple(StoredSecret(text=one.secret, expires_at=one.expires_at) for one in _SECRETS.decode(plain))


def seal_headers(sealer: Sealer, row_id: int, headers: tuple[tuple[str, str], ...]) -> bytes | None:
    return sealer.seal(_encode(headers), place("webhooks", "headers", row_id)) if headers else None


def open_headers(sealer: Sealer, row_id: int, sealed: bytes | None) -> tuple[tuple[str, str], ...]:
    return () if sealed is None else _PAIRS.decode(sealer.open(sealed, place("webhooks", "headers", row_id)))
