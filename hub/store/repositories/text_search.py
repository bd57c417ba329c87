"""Search for words in a column, as hub.rules.textsearch means it, on both databases; tests hold the SQL to the rule."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ColumnElement, func

from hub.rules.textsearch import needle_of


def holds_words(column: Column[Any], words: str, dialect: str) -> ColumnElement[bool]:
    """Tell whether a text holds the words, whatever the case of their letters."""
    needle = needle_of(words)
    # Only ASCII is lowered by the database, the rest by name: databases disagree on letters.
    lowered: Any = func.lower(column.collate("C") if dialect == "postgresql" else column)
    if needle.spellings:
        # One call, however many letters: calls within calls fill SQLite's parser and SQLAlchemy's stack.
        old, new = zip(*needle.spellings, strict=True)
        lowered = func.translate(lowered, "".join(old), "".join(new))
    found: ColumnElement[bool] = lowered.contains(needle.text, autoescape=True)
    return found
