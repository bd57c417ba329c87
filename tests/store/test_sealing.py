"""Secrets are sealed at rest, bound to their place, and keys rotate."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.store.faults import UnsealingFailed
from hub.store.open import open_store
from hub.store.sealing import Sealer, place
from tests.store.specimens import BRIDGE, WEBHOOK

OLD, NEW = b"o" * 32, b"n" * 32
HERE = place("webhooks", "secrets", 7)


@given(st.binary(max_size=200))
def test_what_is_sealed_opens(plain: bytes) -> None:
    """Whatever it is; twice the same does not look the same."""
    sealer = Sealer([NEW])
    sealed = sealer.seal(plain, HERE)

    assert sealer.open(sealed, HERE) == plain
    assert sealer.seal(plain, HERE) != sealed


def test_a_key_rotates() -> None:
    """The new key seals, the old one still opens, and what it sealed is told apart."""
    old = Sealer([OLD]).seal(b"secret", HERE)
    both = Sealer([NEW, OLD])

    assert both.open(old, HERE) == b"secret"
    assert not both.is_current(old)
    assert both.is_current(both.seal(b"secret", HERE))


@pytest.mark.parametrize(
    ("sealed", "where", "reason"),
    [
        (Sealer([OLD]).seal(b"x", HERE), HERE, "not among the keys given"),
        (Sealer([NEW]).seal(b"x", HERE), place("webhooks", "secrets", 8), "moved here from another row"),
        (Sealer([NEW]).seal(b"x", HERE)[:-1] + b"!", HERE, "was changed"),
        (b"plain text that was never sealed", HERE, "not a sealed value"),
        (b"", HERE, "not a sealed value"),
    ],
    ids=["wrong-key", "moved", "changed", "plain", "empty"],
)
def test_what_cannot_be_opened_says_why(sealed: bytes, where: bytes, reason: str) -> None:
    """With table, column and row, and without the value."""
    with pytest.raises(UnsealingFailed, match=reason) as refused:
        Sealer([NEW]).open(sealed, where)

    assert where.decode() in str(refused.value)


@pytest.mark.parametrize("keys", [[], [b"short"], [NEW, b""]], ids=["none", "short", "empty"])
def test_bad_keys_are_refused(keys: list[bytes]) -> None:
    """Before anything is sealed with them."""
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(keys)


def _bytes_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_no_secret_reaches_the_file(tmp_path: Path) -> None:
    """Neither secrets nor custom headers, in no table."""
    path = tmp_path / "hub.db"
    opened = await open_store(f"sqlite:///{path}", sealer=Sealer([NEW]))
    await opened.migrate()
    await opened.store.webhooks.add(WEBHOOK)
    await opened.store.bridges.add(BRIDGE)
    await opened.close()
    stored = _bytes_in(tmp_path)

    assert [b"whsec_" in stored, b"blue" in stored] == [False, False]
    columns = sqlite3.connect(path).execute("SELECT secrets FROM webhooks UNION SELECT secrets FROM bridges")
    assert all(row[0][0] == 1 for row in columns.fetchall())
    columns.connection.close()


async def test_another_key_is_told_at_the_first_secret(tmp_path: Path) -> None:
    """A data folder restored without its key."""
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    opened = await open_store(url, sealer=Sealer([OLD]))
    await opened.migrate()
    await opened.store.webhooks.add(WEBHOOK)
    await opened.close()
    reopened = await open_store(url, sealer=Sealer([NEW]))
    with pytest.raises(UnsealingFailed, match="not among the keys given"):
        await reopened.store.webhooks.all()
    await reopened.close()
