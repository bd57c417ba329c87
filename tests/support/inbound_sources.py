"""Sources for tests: read from connections.yaml as an operator writes it, with secrets of the test's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from hub.config.connections import load_sources
from hub.flow.source_book import SourceBook
from hub.rules.sources.model import Source

#: The secret of PAYMENTS.
SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PAYMENTS: Final = "  payments: { verify: standard-webhooks, secret: { env: PAYMENTS } }\n"


def sources_of(section: str, environ: Mapping[str, str]) -> list[Source]:
    """Read sources from the lines below `sources:`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "connections.yaml"
        path.write_text(f"version: 1\nsources:\n{section}", "utf-8")
        return list(load_sources(path, environ))


@cache
def _payments() -> Sequence[Source]:
    return tuple(sources_of(PAYMENTS, {"PAYMENTS": SECRET}))


def source_book(sources: Sequence[Source] | None = None) -> SourceBook:
    """Give the book of a hub with these sources; PAYMENTS unless told."""
    known = _payments() if sources is None else sources
    book = SourceBook(lambda: known)
    book.refresh(0)
    return book
