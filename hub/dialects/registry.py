"""All dialects: adding one is adding its folder and one line here."""

from __future__ import annotations

from typing import Final

from hub.api.dialect import Dialect

#: Alphabetical.
DIALECTS: Final[tuple[Dialect, ...]] = ()
