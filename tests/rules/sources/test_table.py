"""The table of sources in the docs is what the definitions say. `UPDATE_GOLDEN=1` writes it anew."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tests.rules.sources.table import table

PAGE = Path(__file__).parents[3] / "docs" / "inbound-sources.md"
PLACE = re.compile(r"(<!-- sources: [^>]*-->\n)(.*?)(<!-- end -->)", re.DOTALL)


def test_the_docs_show_the_sources_that_ship() -> None:
    page = PAGE.read_text("utf-8")
    expected = PLACE.sub(lambda found: f"{found[1]}{table()}{found[3]}", page)
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(expected, "utf-8")

    assert PAGE.read_text("utf-8") == expected
