"""What one evaluation has: the values that its names stand for, the time, and the work that is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.rules.expressions.values import Work

_UTC: Final = "UTC"


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What expressions may ask for beyond the data, the same for all expressions of a step."""

    #: Unix ms.
    now_ms: int
    #: IANA name; the clock of `date` and `shift` where they name none.
    timezone: str = _UTC


class Frame(Work):
    """One evaluation. Not shared, not kept."""

    __slots__ = ("names", "surroundings")

    def __init__(self, names: Mapping[str, Any], surroundings: Surroundings) -> None:
        super().__init__()
        #: Values by name; each is plain (text, numbers, true, false, null, lists, maps) and is not changed.
        self.names = names
        self.surroundings = surroundings


#: A compiled expression.
Evaluate = Callable[[Frame], Any]
