"""The README's table is what the router has."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import hub.dialects.msgbubbles as dialect
from hub.dialects.msgbubbles import DIALECT

ROW = re.compile(r"^\| `(\w+) (/v1/[^`]+)` \| (?:yes|ours) \|", re.MULTILINE)


def test_every_endpoint_has_one_row_and_every_row_an_endpoint() -> None:
    text = Path(dialect.__file__).with_name("README.md").read_text("utf-8")

    assert Counter(ROW.findall(text)) == Counter((each.method, each.path) for each in DIALECT.endpoints)


def test_keys_get_the_scopes_that_the_endpoints_need() -> None:
    assert {each.scope for each in DIALECT.endpoints} <= DIALECT.scopes
