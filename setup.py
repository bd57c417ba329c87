"""Puts config/hub.yaml, which is the defaults, into built packages; everything else stands in pyproject.toml.

The file has one place, where operators look for it. An installed hub has no such folder, so building copies it
beside its reader (hub/config/settings.py looks in both places).
"""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SOURCE = "config/hub.yaml"
TARGET = "hub/config/defaults/hub.yaml"


class BuildWithDefaults(build_py):
    """Builds as always, and copies the defaults."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib, TARGET)
            self.mkpath(str(target.parent))
            self.copy_file(SOURCE, str(target))

    def get_source_files(self) -> list[str]:
        """Name the file for source distributions, too."""
        return [*super().get_source_files(), SOURCE]


setup(cmdclass={"build_py": BuildWithDefaults})
