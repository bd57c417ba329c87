"""The dialect's README lists every endpoint, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from hub.dialects import blooio

_ROW = re.compile(r"^\| (GET|POST|PUT|PATCH|DELETE) \| `(/[^`]*)` \| (\S[^|]*) \|", re.MULTILINE)


def test_the_table_and_the_router_agree() -> None:
    text = Path(blooio.__file__).with_name("README.md").read_text()
    rows = [(method, f"/v2/api{path}") for method, path, answers in _ROW.findall(text)]

    assert sorted(rows) == sorted((each.method, each.path) for each in blooio.DIALECT.endpoints)
