"""The data folder: private, ours, and used by one hub at a time."""

import os
import stat
from pathlib import Path

import pytest

from hub.embedded.datafolder import DataFolderError, hold_lock, open_data_folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_made_with_its_parents_and_private(tmp_path: Path) -> None:
    folder = open_data_folder(tmp_path / "a" / "b")

    assert mode(folder.path) == 0o700
    assert mode(folder.files_path) == 0o700


def test_its_parts_lie_inside_it(tmp_path: Path) -> None:
    folder = open_data_folder(tmp_path / "data")
    parts = [folder.database_path, folder.files_path, folder.key_path, folder.lock_path, folder.socket_path]

    assert {part.parent for part in parts} == {folder.path}
    assert [part.name for part in parts] == ["hub.db", "files", "secret.key", "hub.lock", "valkey.sock"]


def test_a_relative_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert open_data_folder(Path("data")).path == tmp_path / "data"


@pytest.mark.parametrize("content", [[], ["lost+found"], ["hub.lock", "hub.db"]])
def test_a_folder_of_our_own_is_made_private(tmp_path: Path, content: list[str]) -> None:
    path = tmp_path / "data"
    path.mkdir()
    for name in content:
        (path / name).touch()
    path.chmod(0o755)

    open_data_folder(path)

    assert mode(path) == 0o700


def test_a_folder_with_other_peoples_things_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "shared"
    path.mkdir()
    (path / "thesis.txt").touch()
    path.chmod(0o755)

    with pytest.raises(DataFolderError, match=r"thesis\.txt.*chmod 700"):
        open_data_folder(path)

    assert mode(path) == 0o755


def test_a_private_folder_with_other_things_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "mine"
    path.mkdir(mode=0o700)
    (path / "notes.txt").touch()

    assert open_data_folder(path).path == path


def test_a_file_in_its_place_is_refused_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.touch()

    with pytest.raises(DataFolderError, match="HUB_DATA_FOLDER"):
        open_data_folder(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_someone_elses_folder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.mkdir()
    os.chown(path, 12345, 12345)

    with pytest.raises(DataFolderError, match=r"belongs to user 12345.*chown"):
        open_data_folder(path)


def test_the_lock_names_its_holder_and_is_free_afterwards(tmp_path: Path) -> None:
    folder = open_data_folder(tmp_path / "data")

    with hold_lock(folder):
        assert folder.lock_path.read_text() == f"{os.getpid()}\n"
    with hold_lock(folder):
        pass


def test_a_second_lock_is_refused(tmp_path: Path) -> None:
    folder = open_data_folder(tmp_path / "data")

    with hold_lock(folder), pytest.raises(DataFolderError, match=f"process {os.getpid()}"):
        hold_lock(folder, patience_seconds=0).__enter__()
