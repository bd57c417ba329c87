"""Answers held against files; ids stand in them without their numbers, addresses of files without their signatures."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parent / "golden"
_ID = re.compile(r"\b((?:r?msg|conv|bulk|relay|auto|run|ct|ctg|wh|file|rtkn|brg|ln)_)[0-9A-Za-z]{13,32}\b")
_SIGNED = re.compile(r"\?expires=[^\"]*")


def masked(document: Any) -> str:
    """Write a document without what differs from run to run."""
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    return _SIGNED.sub("?…", _ID.sub(r"\1…", text))


def check(name: str, document: Any) -> None:
    """Hold a document against a file; with UPDATE_GOLDEN write the file first."""
    path = GOLDEN / f"{name}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(masked(document), encoding="utf-8")

    assert path.read_text(encoding="utf-8") == masked(document)
