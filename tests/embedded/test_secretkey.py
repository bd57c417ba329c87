"""The encryption key: made once, private, the same for everyone who asks."""

import base64
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.embedded.secretkey import KEY_BYTES, SecretKeyError, parse_key, read_key_file, read_or_create_key


def test_it_is_made_private_from_what_was_drawn(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"

    key = read_or_create_key(path, draw=lambda count: b"k" * count)

    assert key == b"k" * KEY_BYTES
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["secret.key"]


def test_it_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    first = read_or_create_key(path)

    assert read_or_create_key(path) == first
    assert read_key_file(path) == first


def test_whoever_starts_at_once_gets_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    pids = iter(range(100))

    def draw(count: int) -> bytes:
        return bytes([next(pids)]) * count

    with ThreadPoolExecutor(1) as pool:
        keys = {pool.submit(read_or_create_key, path, draw=draw).result() for _ in range(4)}

    assert len(keys) == 1


def test_a_rival_that_was_faster_wins(tmp_path: Path) -> None:
    """The rival's key appears between our look and our link."""
    path = tmp_path / "secret.key"

    def draw(count: int) -> bytes:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(descriptor, base64.urlsafe_b64encode(b"r" * count))
        os.close(descriptor)
        return b"o" * count

    assert read_or_create_key(path, draw=draw) == b"r" * KEY_BYTES


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret.key"
    read_or_create_key(path)
    path.chmod(mode)

    with pytest.raises(SecretKeyError, match="chmod 600"):
        read_or_create_key(path)


def test_a_provided_key_may_be_readable_as_container_secrets_are(tmp_path: Path) -> None:
    path = tmp_path / "mounted"
    path.write_text(base64.urlsafe_b64encode(b"k" * KEY_BYTES).decode())
    path.chmod(0o444)

    assert read_key_file(path) == b"k" * KEY_BYTES


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"short",
        base64.urlsafe_b64encode(b"k" * 31),
        base64.urlsafe_b64encode(b"k" * 33),
        b"\xff" * 44,
    ],
)
def test_a_damaged_key_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret.key"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(SecretKeyError, match="backup"):
        read_or_create_key(path)

    assert path.read_bytes() == content


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SecretKeyError, match=r"gone cannot be read"):
        read_key_file(tmp_path / "gone")


@given(st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES))
def test_every_key_can_be_written_and_read(key: bytes) -> None:
    assert parse_key(f" {base64.urlsafe_b64encode(key).decode()}\n", origin="test") == key


def test_a_refused_key_is_not_shown() -> None:
    with pytest.raises(SecretKeyError) as caught:
        parse_key("hunter2", origin="secrets.encryption_key")

    assert "hunter2" not in str(caught.value)
