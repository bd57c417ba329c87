"""The form in which a rule says what is wrong with something a person wrote, so that every edge explains alike.

Not an exception: a check collects problems, the edge decides whether they are a 400, a line on a terminal or a
failed start.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing that is wrong, where, why, and what to do."""

    #: Where: a JSON pointer into the checked document, or the name of a field; empty for the whole.
    pointer: str
    what: str
    why: str
    fix: str
    #: Characters before it in the text that the pointer names; None where the whole of it is meant.
    offset: int | None = None

    def __str__(self) -> str:
        where = f"{self.pointer}: " if self.pointer else ""
        end = "?" if self.fix.startswith("Did you mean") else "."
        return f"{where}{self.what}: {self.why}. {self.fix}{end}"


def suggestion(written: str, known: Iterable[str]) -> str | None:
    """Return the known word that was probably meant, or None."""
    nearest = get_close_matches(written[:100].lower(), list(known), n=1, cutoff=0.6)
    return nearest[0] if nearest else None
