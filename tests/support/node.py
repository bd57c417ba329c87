"""Node.js, for what documents and pages show in JavaScript."""

from __future__ import annotations

import os
import shutil

import pytest


def find_node() -> str:
    """Give the program; without it the test is left out, but never where everything must be tried (.ci/run)."""
    node = shutil.which("node")
    if node is None and os.environ.get("HUB_TEST_ALL"):
        pytest.fail("Node.js is not installed here, and HUB_TEST_ALL says that nothing is to be left out")
    if node is None:
        pytest.skip("Node.js is not installed here")
    return node
