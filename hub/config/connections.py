"""Read the inbound sources of connections.yaml, with their secrets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hub.config.connections_file import look_up, read_file, require_sound, sections
from hub.config.shipped_sources import shipped_sources
from hub.rules.routes.document import Reading, at
from hub.rules.sources.keys import key_bytes, public_key
from hub.rules.sources.model import Source, SourceSecret
from hub.rules.sources.settings import SecretName, SourceWish, read_sources


def load_sources(path: Path, environ: Mapping[str, str]) -> tuple[Source, ...]:
    """Read the sources that are set up; none if there is no such file.

    Args:
        path: The file.
        environ: Where `{env: …}` looks.

    Raises:
        ConfigError: With every problem of the file, and of the secrets that it names.
    """
    file, reading = read_file(path), Reading()
    section = sections(reading, file).get("sources")
    wishes = read_sources(reading, section, at("", "sources"), shipped=shipped_sources())
    sources = [_resolved(reading, wish, environ) for wish in wishes]
    require_sound(file, reading)
    return tuple(sources)


def _resolved(reading: Reading, wish: SourceWish, environ: Mapping[str, str]) -> Source:
    """Look up the secrets of a source; what is missing, or is no key, is a problem that names it, never shows it."""
    found = [(name, _looked_up(reading, name, environ)) for name in wish.secrets]
    secrets = [(name.pointer, secret) for name, secret in found if secret is not None]
    if wish.public_key:
        secrets.append((at(wish.pointer, "public_key"), SourceSecret(wish.public_key)))
    check = wish.definition.check
    for pointer, secret in secrets:
        fault: Any = None
        if check.kind == "public_key":
            fault = public_key(check, secret)
        elif check.kind == "hmac":
            fault = key_bytes(check, secret)
        if isinstance(fault, str):
            fix = f"Copy it again from the settings of {wish.definition.title}"
            reading.refuse(pointer, f"the secret of {wish.name} cannot be used", fault, fix)
    token = None if wish.verify_token is None else _looked_up(reading, wish.verify_token, environ)
    return Source(
        name=wish.name,
        definition=wish.definition,
        secrets=tuple(secret for _, secret in secrets),
        verify_token=token,
        remember_ms=wish.remember_ms,
    )


def _looked_up(reading: Reading, name: SecretName, environ: Mapping[str, str]) -> SourceSecret | None:
    text = look_up(reading, name.kind, name.name, name.pointer, environ)
    return None if text is None else SourceSecret(text)
