"""What is built can be installed anywhere: it brings its defaults and every file that the code reads."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("README.md", "pyproject.toml", "setup.py", "bridge", "config", "connectors", "hub")
#: What the interpreter finds by itself or makes; everything else below a package is data that code reads.
NOT_DATA = {".py", ".pyc"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a wheel from a copy of the sources, as an installer would."""
    copy, output = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    build = f"import setuptools.build_meta as b; b.build_wheel({str(output)!r})"
    result = subprocess.run(
        [sys.executable, "-c", build], cwd=copy, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    (built,) = output.glob("*.whl")
    return built


def test_a_wheel_holds_the_defaults_as_they_are_documented(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("hub/config/defaults/hub.yaml") == (ROOT / "config" / "hub.yaml").read_bytes()


def test_a_wheel_holds_every_file_that_code_reads(wheel: Path) -> None:
    data = {
        path.relative_to(ROOT).as_posix()
        for package in ("hub", "bridge", "connectors")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix not in NOT_DATA and not path.name.startswith(".")
    }

    with zipfile.ZipFile(wheel) as archive:
        missing = {name for name in data if not name.endswith(".md")} - set(archive.namelist())

    assert missing == set()


def test_an_installed_hub_finds_its_defaults(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from hub.config.settings import default_settings_path, load_settings\n"
        "load_settings(None, {}); print(default_settings_path())"
    )

    result = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert result.stdout.strip() == str(tmp_path / "hub" / "config" / "defaults" / "hub.yaml")
