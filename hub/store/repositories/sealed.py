"""The sealed columns as values: secrets, custom headers, settings of bridges."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from hub.model.webhook import StoredSecret
from hub.store.sealing import Sealer, place


class _Secret(msgspec.Struct, frozen=True):
    secret: str
    expires_at: int | None


_SECRETS = msgspec.json.Decoder(tuple[_Secret, ...])
_PAIRS = msgspec.json.Decoder(tuple[tuple[str, str], ...])
_SETTINGS = msgspec.json.Decoder(dict[str, object])
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


def seal_settings(sealer: Sealer, row_id: int, settings: Mapping[str, object] | None) -> bytes | None:
    return (
        None
        if settings is None
        else sealer.seal(_encode(dict(settings)), place("bridges", "settings", row_id))
    )


def open_settings(sealer: Sealer, row_id: int, sealed: bytes | None) -> dict[str, object] | None:
    return (
        None
        if sealed is None
        else _SETTINGS.decode(sealer.open(sealed, place("bridges", "settings", row_id)))
    )
