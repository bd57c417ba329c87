"""Which of the bridge's lines a message belongs to. One Mac often answers to a number and to several addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from hub.rules.chatkeys import normalize_handle


class Placing:
    """Finds the line.

    Args:
        lines: The handles of the bridge's lines, now.
    """

    def __init__(self, lines: Callable[[], Sequence[str]]) -> None:
        self._lines = lines

    @property
    def has_lines(self) -> bool:
        return bool(self._lines())

    def line_of(self, *addresses: str | None) -> str | None:
        """Give the line that one of the addresses names, as it is registered; the first address counts most.

        Where none does, the message still came to this Mac: it goes to its only line, or to the first of several.
        Without lines there is none.
        """
        lines = sorted(self._lines())
        if len(lines) <= 1:
            return lines[0] if lines else None
        known = {normalize_handle(line): line for line in reversed(lines)}
        for address in _spellings(addresses):
            if address in known:
                return known[address]
        return lines[0]


def _spellings(addresses: Iterable[str | None]) -> Iterable[str]:
    for address in addresses:
        if address:
            # Accounts are spelt `E:mail` and `P:number`.
            yield normalize_handle(address[2:] if address[:2] in {"E:", "P:"} else address)
