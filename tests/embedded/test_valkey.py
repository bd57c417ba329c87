"""The embedded Valkey: private, reachable by ordinary clients, back after any end."""

import os
import signal
import socket
import stat
from pathlib import Path

import psutil
import pytest
import redis

from hub.embedded.datafolder import DataFolder, open_data_folder
from hub.embedded.valkey import ValkeyError, ValkeyServer, running_valkey


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return open_data_folder(tmp_path / "data")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_answers_on_a_private_socket_and_nowhere_else(folder: DataFolder) -> None:
    with running_valkey(folder) as server:
        connections = psutil.Process(server.pid).net_connections()
        socket_mode, folder_mode = mode(server.socket_path), mode(server.socket_path.parent)

    assert (socket_mode, folder_mode) == (0o700, 0o700)
    assert connections == []


def test_it_keeps_nothing_on_disk_and_refuses_rather_than_evicts(folder: DataFolder) -> None:
    with running_valkey(folder) as server, redis.Redis.from_url(server.url) as client:
        found = client.config_get("*")

    expected = {"save": "", "appendonly": "no", "port": "0", "maxmemory-policy": "noeviction"}
    assert {key: found[key] for key in expected} == expected
    assert int(found["maxmemory"]) == 128 * 2**20


@pytest.mark.parametrize("name", ["plain", "with space", "quote'\"s", "é 100% #?", "$(x) \\n"])
def test_ordinary_clients_reach_it_in_whatever_folder(tmp_path: Path, name: str) -> None:
    folder = open_data_folder(tmp_path / name)

    with running_valkey(folder) as server, redis.Redis.from_url(server.url) as client:
        assert client.ping() is True


@pytest.mark.parametrize("depth", [1, 3])
def test_a_path_too_long_for_a_socket_gets_a_short_private_folder(tmp_path: Path, depth: int) -> None:
    folder = open_data_folder(tmp_path.joinpath(*["x" * 110] * depth))

    with running_valkey(folder) as server:
        assert len(os.fsencode(server.socket_path)) <= 103
        assert mode(server.socket_path.parent) == 0o700
    again = ValkeyServer(folder)

    assert again.socket_path == server.socket_path
    server.socket_path.parent.rmdir()


@pytest.mark.parametrize("change", ["open to others", "gone", "a link", "garbage"])
def test_a_noted_folder_that_cannot_be_trusted_is_not_used(tmp_path: Path, change: str) -> None:
    folder = open_data_folder(tmp_path.joinpath("x" * 110))
    first = ValkeyServer(folder).socket_path.parent
    match change:
        case "open to others":
            first.chmod(0o755)
        case "gone":
            first.rmdir()
        case "a link":
            first.rmdir()
            first.symlink_to(tmp_path, target_is_directory=True)
        case "garbage":
            (folder.path / "valkey.path").write_bytes(b"\xff\0")

    second = ValkeyServer(folder).socket_path.parent

    assert second != first
    assert mode(second) == 0o700
    second.rmdir()
    if first.is_symlink():
        first.unlink()
    elif first.exists():
        first.rmdir()


def test_it_starts_again_after_kill_9_with_the_same_address(folder: DataFolder) -> None:
    server = ValkeyServer(folder)
    server.start()
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    os.waitid(os.P_PID, server.pid, os.WEXITED | os.WNOWAIT)
    assert server.socket_path.exists()

    with running_valkey(folder) as again:
        assert again.url == server.url
        assert again.is_ready()
    server.stop()


def test_stopping_leaves_no_socket_and_can_be_repeated(folder: DataFolder) -> None:
    server = ValkeyServer(folder)
    server.start()

    server.stop()
    server.stop()

    assert not server.socket_path.exists()
    assert not server.is_ready()


def test_a_socket_without_a_server_is_not_ready(folder: DataFolder) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(folder.socket_path))

    assert not ValkeyServer(folder).is_ready()


def test_something_else_in_the_sockets_place_is_left_alone(folder: DataFolder) -> None:
    folder.socket_path.write_text("someone's notes")

    with pytest.raises(ValkeyError, match="not a socket"):
        ValkeyServer(folder).start()

    assert folder.socket_path.read_text() == "someone's notes"


def test_a_failed_start_shows_the_end_of_the_log(tmp_path: Path) -> None:
    """The socket's folder vanishes, so the server cannot bind."""
    folder = open_data_folder(tmp_path.joinpath("x" * 110))
    server = ValkeyServer(folder)
    server.socket_path.parent.rmdir()

    with pytest.raises(ValkeyError, match="Failed opening Unix socket"):
        server.start()
