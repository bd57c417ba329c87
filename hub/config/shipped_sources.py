"""The definitions of sources that come with the hub: hub/sources/, one file each."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from hub.config.loader import load_document
from hub.config.plain import plain

FOLDER: Final = Path(__file__).parent.parent / "sources"


@functools.cache
def shipped_sources() -> Mapping[str, Mapping[str, Any]]:
    """Give every definition as written, by name; a test reads each of them strictly."""
    found: dict[str, Mapping[str, Any]] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        document = plain(load_document(path.read_bytes(), source=path.name))
        assert isinstance(document, dict), "a definition is a map"
        found[path.stem] = document
    return found
